//! The open model and the open photos, each with what was chosen in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::augment::{AugmentLayer, Pipeline};
use crate::dataset::{Photo, PhotoList};
use crate::model::graph::Layer;
use crate::model::modules::Container;
use crate::model::{
    Flags, Graph, LayerId, LayerKind, Mode, ModelDescription, ModuleCalls, Outer, Role, Semantics,
    flags,
};
use crate::words::window as words;
use modelens_jobs::{ModelId, ModelSource, OpenedModel, PhotosId, PhotosSource};

/// The open model with what was chosen in it.
#[derive(Clone, Debug)]
pub struct Base {
    pub id: ModelId,
    pub model: Arc<ModelDescription>,
    pub source: ModelSource,
    pub flags: Flags,
    /// The flags at the last `compile()`: at opening, the file's.
    pub compiled: Flags,
    /// The calls on single modules that the last `model.train()` or `model.eval()` undid.
    pub undone: ModuleCalls,
    /// The layers of the list, with their depth.
    pub rows: Vec<(LayerId, usize)>,
    /// The modules around layers with dotted names.
    pub containers: Vec<Container>,
    pub batch_norms: Vec<LayerId>,
    pub noises: Vec<LayerId>,
    pub batch_norm: Option<LayerId>,
    pub noise: Option<LayerId>,
    /// Rates instead of the file's, by noise layer.
    pub noise_rates: BTreeMap<LayerId, f64>,
    /// Why the last rate was refused.
    pub refused_rate: Option<String>,
    /// `None`: the one that differs most, once that is known.
    pub channel: Option<usize>,
    pub search: String,
    pub own_pipeline: Option<OwnPipeline>,
}

/// What a row of the list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleRow {
    Layer(LayerId),
    /// Index into [`Base::containers`].
    Container(usize),
}

/// A row of the list of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRow {
    pub of: ModuleRow,
    pub depth: usize,
}

/// The augmentation layers of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnPipeline {
    /// The nested model that holds them, or their own names.
    pub name: String,
    pub pipeline: Pipeline,
}

impl OwnPipeline {
    /// The layers in the order in which they are called; `None` if the file has none.
    pub fn of(graph: &Graph) -> Option<Self> {
        let mut layers: Vec<(&Layer, AugmentLayer)> = Vec::new();
        for node in &graph.nodes {
            let Some(layer) = graph.layers.get(node.layer) else {
                continue;
            };
            // A layer that is called twice is still one step of the block.
            if let LayerKind::Augment(augment) = &layer.kind
                && !layers.iter().any(|(known, _)| std::ptr::eq(*known, layer))
            {
                layers.push((layer, augment.clone()));
            }
        }
        let (first, _) = layers.first()?;
        let parent = first
            .parent
            .filter(|_| layers.iter().all(|(l, _)| l.parent == first.parent));
        let own_names = || {
            let names: Vec<&str> = layers.iter().map(|(l, _)| l.name.as_str()).collect();
            names.join(", ")
        };
        let parent = parent.and_then(|id| graph.layers.get(id));
        let name = parent.map_or_else(own_names, |parent| parent.name.clone());
        let pipeline = layers.into_iter().map(|(_, augment)| augment).collect();
        Some(Self { name, pipeline })
    }
}

impl Base {
    /// A model just opened: flags as in the file, the first trainable BatchNorm chosen.
    pub fn new(opened: OpenedModel) -> Self {
        let OpenedModel { id, source, model } = opened;
        let graph = &model.graph;
        let flags = Flags::of_file(graph);
        let of_role = |role: Role| -> Vec<LayerId> {
            let layers = graph.layers.iter().enumerate();
            layers
                .filter(|(_, l)| l.kind.role() == role)
                .map(|(id, _)| id)
                .collect()
        };
        let batch_norms = of_role(Role::BatchNorm);
        let noises = of_role(Role::Noise);
        let rows = graph.layers.iter().enumerate().filter(|(_, l)| l.listed);
        let rows = rows
            .map(|(id, _)| (id, graph.ancestors(id).count()))
            .collect();
        let trainable = batch_norms.iter().copied().find(|&id| flags.get(id));
        Self {
            batch_norm: trainable.or(batch_norms.first().copied()),
            // The last one: a head's dropout is what a course talks about.
            noise: noises.last().copied(),
            noise_rates: BTreeMap::new(),
            refused_rate: None,
            compiled: flags.clone(),
            flags,
            undone: ModuleCalls::default(),
            rows,
            containers: Container::all(graph),
            batch_norms,
            noises,
            channel: None,
            search: String::new(),
            own_pipeline: OwnPipeline::of(graph),
            id,
            source,
            model,
        }
    }

    /// The same model with nothing chosen in it.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(OpenedModel {
            id: self.id,
            source: self.source.clone(),
            model: Arc::clone(&self.model),
        })
    }

    /// The rows of the list: the layers, and in PyTorch each container before what it holds. The search finds
    /// names and classes.
    pub fn list(&self, semantics: Semantics) -> Vec<ListRow> {
        let search = self.search.to_lowercase();
        let found = |text: &str| search.is_empty() || text.to_lowercase().contains(&search);
        let shown = match semantics {
            Semantics::PyTorch => &self.containers[..],
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => &[],
        };
        // Sorted by their first layers.
        let mut containers = shown.iter().enumerate().peekable();
        let mut list = Vec::with_capacity(self.rows.len() + shown.len());
        for &(id, depth) in &self.rows {
            while let Some((place, container)) =
                containers.next_if(|(_, c)| c.layers.first().is_some_and(|&first| first <= id))
            {
                if found(&container.path) {
                    list.push(ListRow {
                        of: ModuleRow::Container(place),
                        depth: self.depth_in_containers(&container.path, semantics),
                    });
                }
            }
            let layer = &self.model.graph.layers[id];
            if found(&layer.name) || found(&layer.class) {
                let depth = depth + self.depth_in_containers(&layer.name, semantics);
                list.push(ListRow {
                    of: ModuleRow::Layer(id),
                    depth,
                });
            }
        }
        list
    }

    /// Number of containers around a name; 0 while a search shows single rows.
    fn depth_in_containers(&self, name: &str, semantics: Semantics) -> usize {
        if semantics != Semantics::PyTorch || !self.search.is_empty() {
            return 0;
        }
        let around = |c: &&Container| {
            let rest = name.strip_prefix(c.path.as_str());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.containers.iter().filter(around).count()
    }

    /// The name of a row without those of the containers above it.
    pub fn row_name<'a>(&'a self, row: ListRow, semantics: Semantics) -> &'a str {
        let name = self.module_name(row.of);
        let shows_containers = semantics == Semantics::PyTorch && self.search.is_empty();
        let strip = |c: &'a Container| name.strip_prefix(c.path.as_str())?.strip_prefix('.');
        let rest = self
            .containers
            .iter()
            .filter_map(strip)
            .min_by_key(|rest| rest.len());
        rest.filter(|_| shows_containers).unwrap_or(name)
    }

    /// The whole name of a module.
    pub fn module_name(&self, module: ModuleRow) -> &str {
        match module {
            ModuleRow::Layer(id) => &self.model.graph.layers[id].name,
            ModuleRow::Container(place) => &self.containers[place].path,
        }
    }

    /// The name by which a call finds the module.
    pub fn module_reference(&self, module: ModuleRow) -> String {
        match module {
            ModuleRow::Layer(id) => self.model.graph.reference(id),
            ModuleRow::Container(place) => self.containers[place].path.clone(),
        }
    }

    /// The mode of a module in PyTorch after the outermost call and those on single modules.
    pub fn module_mode(&self, module: ModuleRow, outer: Outer) -> Mode {
        let own = match module {
            ModuleRow::Layer(id) => self.flags.modules.of(id),
            ModuleRow::Container(place) => self.flags.modules.of_container(&self.containers[place]),
        };
        own.unwrap_or(match outer {
            Outer::Given(mode) => mode,
            Outer::NotGiven => Mode::Training,
        })
    }

    /// The flag of a module: a container's is set if those of all its layers with weights are.
    pub fn module_flag(&self, module: ModuleRow) -> bool {
        match module {
            ModuleRow::Layer(id) => self.flags.get(id),
            ModuleRow::Container(place) => {
                let layers = self.containers[place].layers.iter();
                let weights = |id: &&LayerId| !self.model.graph.layers[**id].weights.is_empty();
                layers.filter(weights).all(|&id| self.flags.get(id))
            }
        }
    }

    /// The number of layers that "fine-tune from" counts.
    pub fn base_len(&self) -> usize {
        let graph = &self.model.graph;
        let base = flags::base_of(graph);
        graph
            .layers
            .iter()
            .filter(|l| l.parent == base && l.listed)
            .count()
    }

    /// The chosen layer among those with this role; only BatchNorm and noise layers are chosen.
    pub fn chosen(&self, role: Role) -> Option<LayerId> {
        match role {
            Role::BatchNorm => self.batch_norm,
            Role::Noise => self.noise,
            Role::Augmentation | Role::Weights | Role::Plain => None,
        }
    }

    /// Whether a layer has children.
    pub fn is_container(&self, layer: LayerId) -> bool {
        self.model.graph.layers[layer].kind == LayerKind::Model
    }
}

/// The open photos with what was chosen among them.
#[derive(Clone, Debug)]
pub struct Gallery {
    pub id: PhotosId,
    pub photos: Arc<PhotoList>,
    pub source: PhotosSource,
    /// Index of the chosen photo; 0 if there is none.
    pub photo: usize,
    /// Whether the user chose it; if not, another photo may replace it.
    pub photo_is_choice: bool,
    /// Reasons, by photo.
    pub unreadable: BTreeMap<usize, String>,
}

impl Gallery {
    /// Photos that were just opened. The clownfish is chosen if it is among them: flips and rotations
    /// are easy to see on it.
    pub fn new(
        id: PhotosId,
        photos: Arc<PhotoList>,
        source: PhotosSource,
        wanted: Option<&str>,
    ) -> Self {
        let position = |name: &str| {
            photos
                .photos
                .iter()
                .position(|p| p.name == name || p.name.starts_with(name))
        };
        let photo = wanted
            .and_then(position)
            .or_else(|| position("fish/fish9."))
            .unwrap_or(0);
        Self {
            id,
            photos,
            source,
            photo,
            photo_is_choice: false,
            unreadable: BTreeMap::new(),
        }
    }

    /// Notes that a photo cannot be read. If it is the one shown, and nobody asked for it, the
    /// next readable one is shown instead.
    pub fn mark_unreadable(&mut self, photo: usize, reason: String) {
        self.unreadable.insert(photo, reason);
        let mut others = photo + 1..self.photos.photos.len();
        if photo == self.photo
            && !self.photo_is_choice
            && let Some(next) = others.find(|i| !self.unreadable.contains_key(i))
        {
            self.photo = next;
        }
    }

    /// Why the chosen photo cannot be read, if it cannot.
    pub fn chosen_unreadable(&self) -> Option<String> {
        let reason = self.unreadable.get(&self.photo)?;
        Some(words::unreadable_photo(&self.chosen()?.name, reason))
    }

    /// The chosen photo.
    pub fn chosen(&self) -> Option<&Photo> {
        self.photos.photos.get(self.photo)
    }
}
