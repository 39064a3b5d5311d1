//! The nodes of the program, one after the other, as layers.

mod layers;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use self::layers::{NewLayer, Weight, new_weight};
use super::live::Flow;
use super::node::{Op, operator};
use super::schema::{Argument, InputSpec, OutputSpec, Program, SymInt, TensorMeta};
use super::stored::{Stored, Tensors};
use super::value::{Batch, Constant, Known, Length, Value};
use super::{
    arithmetic, constants, join, memory, names, parts, products, shapes, weighted, windows,
};
use crate::formats::OpenError;
use crate::model::graph::LayerKind;
use crate::model::layers::WeightMap;
use crate::model::layers::shape::ImageShape;
use crate::model::{Graph, Layer, LayerId, NodeId, graph, shape_text};

/// Pixels a side of the photos that a network may ask for, as for Keras files.
const MAX_SIDE: usize = 4096;

/// What was seen of the training flags of BatchNorm and dropout.
#[derive(Clone, Debug, Default)]
pub struct SeenFlags {
    /// Layers that were exported in training mode.
    pub training: Vec<String>,
    pub inference: Vec<String>,
    /// Calls of dropout outside any dropout module, in training mode.
    pub loose: Vec<String>,
}

/// A graph under construction.
pub struct Build<'a> {
    pub graph: Graph,
    pub weights: WeightMap,
    /// For each weight of a layer the tensor of the file that it is.
    pub sources: BTreeMap<(LayerId, &'static str), Stored>,
    pub tensors: Tensors<'a>,
    pub batch: Batch,
    pub flags: SeenFlags,
    /// Sentences about what differs from PyTorch.
    pub notes: Vec<String>,
    pub known: HashMap<&'a str, Known>,
    pub flow: Flow<'a>,
    metas: &'a BTreeMap<String, TensorMeta>,
    /// The shape of each node's value, with the batch axis.
    dims: Vec<Vec<Option<usize>>>,
    modules: HashMap<String, LayerId>,
    names: HashSet<String>,
    /// Values that were rearranged already.
    pub arranged: HashMap<(NodeId, Vec<usize>, ImageShape), NodeId>,
    /// True if the program went through `run_decompositions()`.
    is_lowered: bool,
    /// Weights that are computed from others, as weight standardisation does.
    pub computed: usize,
    /// Values that may still be copied out of the file's tensors.
    budget: usize,
    /// Values of constants that may still be computed.
    constants_left: usize,
}

/// What was built.
pub struct Built<'a> {
    pub tensors: Tensors<'a>,
    pub graph: Graph,
    pub weights: WeightMap,
    pub sources: BTreeMap<(LayerId, &'static str), Stored>,
    pub flags: SeenFlags,
    pub notes: Vec<String>,
    pub batch: Batch,
    /// The names of all outputs, the one that is shown first.
    pub outputs: Vec<String>,
    pub operators: usize,
}

/// The graph of the program. Of several outputs, `shown` names the one that is shown; without it the first
/// is.
pub fn build<'a>(
    program: &'a Program,
    tensors: Tensors<'a>,
    file_length: usize,
    shown: Option<&str>,
) -> Result<Built<'a>, OpenError> {
    let module = &program.graph_module;
    let inputs = module.signature.input_specs.iter();
    let mut inputs = inputs.filter_map(|spec| match spec {
        InputSpec::UserInput { arg } => Some(arg),
        _ => None,
    });
    let input = match inputs.next() {
        Some(Argument::AsTensor(tensor)) => tensor.name.as_str(),
        Some(_) => {
            return Err(OpenError::Refused(only_images(
                "its first input is no tensor",
            )));
        }
        None => return Err(OpenError::Refused(only_images("it takes no input"))),
    };
    let more = inputs
        .filter(|arg| !matches!(arg, Argument::AsNone(_)))
        .count();
    if more > 0 {
        return Err(OpenError::Refused(only_images(&format!(
            "it takes {} inputs",
            more + 1
        ))));
    }
    let outputs = module.signature.output_specs.iter();
    let outputs = outputs.filter_map(|spec| match spec {
        OutputSpec::UserOutput {
            arg: Argument::AsTensor(tensor),
        } => Some(tensor.name.as_str()),
        _ => None,
    });
    let tensors_out: Vec<&str> = outputs.collect();
    let nodes = &module.graph.nodes;
    let mut outputs = output_names(nodes, &tensors_out);
    let at = match shown {
        None => 0,
        Some(shown) => {
            let at = outputs.iter().position(|name| name == shown);
            at.ok_or_else(|| {
                OpenError::Refused(format!(
                    "the exported program has no output `{}`; its outputs are {}",
                    shown.chars().take(80).collect::<String>(),
                    outputs.join(", ")
                ))
            })?
        }
    };
    let output = *tensors_out
        .get(at)
        .ok_or_else(|| OpenError::Refused("the exported program returns no tensor".into()))?;
    outputs[..=at].rotate_right(1);
    let flow = Flow::of(nodes, output);
    let mut build = Build::new(program, tensors, input, flow, file_length)?;
    for (index, node) in nodes.iter().enumerate() {
        if build.flow.live[index] {
            build.step(index, node)?;
        }
    }
    let value = match build.known.get(output) {
        Some(Known::Value(value)) => value.clone(),
        _ => {
            return Err(OpenError::Refused(
                "the output of the exported program does not depend on its input".into(),
            ));
        }
    };
    build.graph.output = build.finished(&value)?;
    if build.is_lowered && build.flags.training.is_empty() {
        build.notes.push(
            "`run_decompositions()` leaves no dropout of a network in .eval(); if it has any, save the program \
             that `torch.export.export` returns"
                .to_owned(),
        );
    }
    if build.computed > 0 {
        build.notes.push(format!(
            "{} weights are computed from other weights; they are kept as they are when training",
            build.computed
        ));
    }
    let operators = build.flow.live.iter().filter(|live| **live).count();
    Ok(Built {
        tensors: build.tensors,
        graph: build.graph,
        weights: build.weights,
        sources: build.sources,
        flags: build.flags,
        notes: build.notes,
        batch: build.batch,
        outputs,
        operators,
    })
}

/// A name for each output: that of the module that computes it, if these differ; else the tensor's.
fn output_names(nodes: &[super::schema::Node], tensors: &[&str]) -> Vec<String> {
    let short = |name: &str| name.chars().take(80).collect::<String>();
    let module = |tensor: &&str| {
        let mut makers = nodes.iter().filter(|node| {
            let mut outputs = node.outputs.iter().flat_map(super::live::tensors);
            outputs.any(|name| name == *tensor)
        });
        let path = names::modules(makers.next()?).last()?.path;
        (!path.is_empty()).then(|| short(path))
    };
    let modules: Option<Vec<String>> = tensors.iter().map(module).collect();
    let differ = |names: &Vec<String>| {
        let unique: HashSet<&String> = names.iter().collect();
        unique.len() == names.len()
    };
    let modules = modules.filter(differ);
    modules.unwrap_or_else(|| tensors.iter().map(|name| short(name)).collect())
}

/// True if some operators are those that `run_decompositions()` makes of others.
fn is_lowered(nodes: &[super::schema::Node]) -> bool {
    const LOWERED: [&str; 6] = [
        "convolution",
        "addmm",
        "native_layer_norm",
        "native_group_norm",
        "_native_batch_norm_legit_no_training",
        "_native_batch_norm_legit_functional",
    ];
    let mut names = nodes.iter().filter_map(|node| operator(&node.target));
    names.any(|(name, _)| LOWERED.contains(&name))
}

fn only_images(what: &str) -> String {
    format!(
        "{what}; only networks of one image are supported. Export the part that takes the image, as in \
         `torch.export.export(model, (torch.zeros(2, 3, 224, 224),))`"
    )
}

impl<'a> Build<'a> {
    fn new(
        program: &'a Program,
        tensors: Tensors<'a>,
        input: &'a str,
        flow: Flow<'a>,
        file_length: usize,
    ) -> Result<Self, OpenError> {
        let module = &program.graph_module;
        let metas = &module.graph.tensor_values;
        let sizes = metas.get(input).map(|meta| meta.sizes.as_slice());
        let sizes =
            sizes.ok_or_else(|| OpenError::Broken("the shape of its input is missing".into()))?;
        let [batch, channels, height, width] = sizes else {
            return Err(OpenError::Refused(only_images(&format!(
                "its input has {} axes instead of [photos, channels, height, width]",
                sizes.len()
            ))));
        };
        let batch = match batch {
            SymInt::AsInt(1) => Batch::One,
            SymInt::AsInt(n) => match usize::try_from(*n) {
                Ok(n) if n > 1 => Batch::Fixed(n),
                _ => return Err(OpenError::Broken("it takes no photos".into())),
            },
            SymInt::AsName(_) | SymInt::AsExpr(_) => Batch::Any,
        };
        let side = |n: &SymInt| match n.int() {
            None => Ok(None),
            Some(n) => match usize::try_from(n) {
                Ok(n) if (1..=MAX_SIDE).contains(&n) => Ok(Some(n)),
                _ => Err(OpenError::TooLarge(format!(
                    "its input has {n} pixels a side; the limit is {MAX_SIDE}"
                ))),
            },
        };
        let [c, h, w] = [side(channels)?, side(height)?, side(width)?];
        let known = tensors.inputs(&module.signature.input_specs);
        let names = module.signature.input_specs.iter();
        let names = names.filter_map(|spec| match spec {
            InputSpec::Parameter { arg, .. }
            | InputSpec::Buffer { arg, .. }
            | InputSpec::TensorConstant { arg, .. } => Some(arg.name.as_str()),
            _ => None,
        });
        let known = names.filter_map(|name| Some((name, Known::Stored(known.get(name)?.clone()))));
        let mut build = Self {
            graph: Graph {
                root_trainable: true,
                input_hwc: [h, w, c],
                ..Graph::default()
            },
            weights: WeightMap::new(),
            sources: BTreeMap::new(),
            tensors,
            batch,
            flags: SeenFlags::default(),
            notes: Vec::new(),
            known: known.collect(),
            flow,
            metas,
            dims: Vec::new(),
            modules: HashMap::new(),
            names: HashSet::new(),
            arranged: HashMap::new(),
            is_lowered: is_lowered(&module.graph.nodes),
            computed: 0,
            // Four bytes a value; weights of 16 bits take twice the file's bytes.
            budget: (file_length / 2).saturating_mul(2).saturating_add(1 << 20),
            constants_left: (file_length / 2).saturating_add(1 << 23),
        };
        build
            .graph
            .layers
            .push(Layer::new("input", "Input", LayerKind::Input));
        build.graph.layers[0].listed = false;
        build.names.insert("input".to_owned());
        build.graph.nodes.push(graph::Node::new(0, Vec::new()));
        let dims = vec![None, h, w, c];
        build.dims.push(dims.clone());
        let first = if batch == Batch::One {
            Vec::new()
        } else {
            vec![0]
        };
        let axes = vec![first, vec![3], vec![1], vec![2]];
        build.learn(
            input,
            Value {
                node: 0,
                dims,
                axes,
            },
        );
        Ok(build)
    }

    fn step(&mut self, index: usize, node: &'a super::schema::Node) -> Result<(), OpenError> {
        let weight = ["weight", "running_mean"].iter().find_map(|arg| {
            match self.known.get(names::tensor_of(node, arg)?)? {
                Known::Stored(stored) => Some(stored),
                Known::Constant(constant) => constant.from.as_ref(),
                _ => None,
            }
        });
        let (name, class, is_module) = names::of_node(node, weight);
        let (short, in_place) = operator(&node.target).unwrap_or((node.target.as_str(), false));
        let op = Op {
            node,
            op: short,
            name,
            class,
            is_module,
        };
        if operator(&node.target).is_none() {
            return Err(op.unknown());
        }
        let outputs = self.results(&op)?;
        for (output, known) in node
            .outputs
            .iter()
            .flat_map(super::live::tensors)
            .zip(outputs)
        {
            self.agrees(&op, output, &known)?;
            if in_place {
                self.written(&op, index, &known)?;
            }
            match known {
                Known::Value(value) => self.learn(output, value),
                other => drop(self.known.insert(output, other)),
            }
        }
        Ok(())
    }

    /// The outputs of a node.
    fn results(&mut self, op: &Op<'a>) -> Result<Vec<Known>, OpenError> {
        if let Some(known) = constants::result(self, op)? {
            return Ok(vec![known]);
        }
        if op.op == "cat" {
            return Ok(vec![Known::Value(join::concatenated(self, op)?)]);
        }
        if let Some(values) = parts::results(self, op)? {
            return Ok(values.into_iter().map(Known::Value).collect());
        }
        let mut value = shapes::result(self, op)?;
        if value.is_none() {
            value = weighted::result(self, op)?;
        }
        if value.is_none() {
            value = windows::result(self, op)?;
        }
        if value.is_none() {
            value = products::result(self, op)?;
        }
        if value.is_none() {
            value = arithmetic::result(self, op)?;
        }
        value
            .map(|value| vec![Known::Value(value)])
            .ok_or_else(|| {
                if self.is_lowered {
                    op.refuse(
                        "`run_decompositions()` left this operator of a larger one, and it is not supported. \
                         Save the program that `torch.export.export` returns",
                    )
                } else {
                    op.unknown()
                }
            })
    }

    /// The operator wrote into its first input: all names of that memory have new values.
    fn written(&mut self, op: &Op<'a>, index: usize, new: &Known) -> Result<(), OpenError> {
        let Some(Argument::AsTensor(tensor)) = op.at(0) else {
            return Ok(());
        };
        let own = tensor.name.as_str();
        let (Some(Known::Value(old)), Known::Value(new)) = (self.known.get(own).cloned(), new)
        else {
            return memory::written(self, op, own, index, new);
        };
        let root = self.flow.root(own);
        let names = self.known.keys().copied();
        let others: Vec<&str> = names.filter(|name| self.flow.root(name) == root).collect();
        for other in others {
            let Some(Known::Value(value)) = self.known.get(other) else {
                continue;
            };
            if value.node == old.node && new.dims == old.dims && new.axes == old.axes {
                let value = Value {
                    node: new.node,
                    ..value.clone()
                };
                self.known.insert(other, Known::Value(value));
            } else if other == own {
                self.known.insert(other, Known::Value(new.clone()));
            } else if self.flow.is_read_after(other, index) {
                return Err(op.refuse(format!(
                    "it writes into memory that is also read as `{}`; write it without the underscore \
                     (inplace=False)",
                    other.chars().take(80).collect::<String>()
                )));
            }
        }
        Ok(())
    }

    /// Compares a shape with the one that the file gives for it.
    fn agrees(&self, op: &Op<'a>, output: &str, known: &Known) -> Result<(), OpenError> {
        let (Known::Value(value), Some(meta)) = (known, self.metas.get(output)) else {
            return Ok(());
        };
        let mut fits = meta.sizes.len() == value.rank();
        for (axis, size) in meta.sizes.iter().take(value.rank()).enumerate() {
            let Length { count, of_batch } = value.length(axis);
            let whole = match (self.batch, of_batch) {
                (Batch::Fixed(n), true) => count.and_then(|c| c.checked_mul(n)),
                (Batch::Any | Batch::One, true) => continue,
                (_, false) => count,
            };
            let (Some(whole), Some(size)) = (whole, size.int()) else {
                continue;
            };
            fits &= whole as i64 == size;
        }
        if fits {
            return Ok(());
        }
        let found: Vec<Option<usize>> = (0..value.rank()).map(|a| value.length(a).count).collect();
        let told: Vec<Option<i64>> = meta.sizes.iter().map(SymInt::int).collect();
        Err(op.refuse(format!(
            "its output would have the shape {}, but the file says {}",
            shape_text(&found),
            shape_text(&told)
        )))
    }

    /// Records that a constant of this many values is computed.
    pub fn afford(&mut self, op: &Op<'a>, values: usize) -> Result<(), OpenError> {
        let left = self.constants_left.checked_sub(values);
        self.constants_left =
            left.ok_or_else(|| op.refuse("its constants need more memory than is allowed"))?;
        Ok(())
    }

    /// Records the training flag of a BatchNorm or a noise layer.
    pub fn seen(&mut self, layer: &str, training: bool) {
        let list = if training {
            &mut self.flags.training
        } else {
            &mut self.flags.inference
        };
        list.push(layer.to_owned());
    }

    /// Makes a value known by its name.
    fn learn(&mut self, name: &'a str, value: Value) {
        if let Some(order) = layout(&value) {
            self.graph.layouts.entry(value.node).or_insert(order);
        }
        self.known.insert(name, Known::Value(value));
    }

    /// The node of the output, with its axes in an order that can be told.
    fn finished(&mut self, value: &Value) -> Result<NodeId, OpenError> {
        let own = self.graph.layouts.get(&value.node);
        if layout(value).is_some_and(|order| own == Some(&order)) {
            return Ok(value.node);
        }
        let node = self.plain_output(value)?;
        Ok(node)
    }

    /// What a name refers to.
    pub fn known(
        &self,
        op: &Op<'a>,
        arg: Option<&Argument>,
        what: &str,
    ) -> Result<Known, OpenError> {
        let name = match arg {
            Some(Argument::AsTensor(tensor)) => tensor.name.as_str(),
            Some(Argument::AsOptionalTensor(inner)) => return self.known(op, Some(inner), what),
            _ => return Err(op.refuse(format!("its argument `{what}` is no tensor"))),
        };
        let known = self.known.get(name).cloned();
        known.ok_or_else(|| {
            let name: String = name.chars().take(80).collect();
            op.refuse(format!(
                "its argument `{what}` is `{name}`, which no node computes"
            ))
        })
    }

    /// The argument at this place, which depends on the photo.
    pub fn value(&self, op: &Op<'a>, at: usize) -> Result<Value, OpenError> {
        match self.known(op, op.at(at), &at.to_string())? {
            Known::Value(value) => Ok(value),
            Known::Stored(_)
            | Known::Constant(_)
            | Known::Length(_)
            | Known::Empty(_)
            | Known::Draws { .. } => {
                Err(op.refuse(format!("its input {at} does not depend on the photo")))
            }
        }
    }

    /// A weight of the node; `None` where it is left out.
    pub fn weight(&mut self, op: &Op<'a>, name: &str) -> Result<Option<Constant>, OpenError> {
        let Some(arg) = op.arg(name) else {
            return Ok(None);
        };
        if matches!(arg, Argument::AsOptionalTensor(inner) if matches!(**inner, Argument::AsNone(_)))
        {
            return Ok(None);
        }
        let known = self.known(op, Some(arg), name)?;
        self.constant(op, known, name).map(Some)
    }

    /// A value that does not depend on the photo.
    pub fn constant(
        &mut self,
        op: &Op<'a>,
        known: Known,
        what: &str,
    ) -> Result<Constant, OpenError> {
        match known {
            Known::Stored(stored) => {
                let tensor = self.tensors.read(&stored)?;
                Ok(Constant {
                    from: Some(stored),
                    ..Constant::new(tensor)
                })
            }
            Known::Constant(constant) => Ok(constant),
            Known::Value(_) | Known::Length(_) | Known::Empty(_) | Known::Draws { .. } => Err(op.refuse(format!(
                "its argument `{what}` depends on the photo; only a weight or a constant is supported there"
            ))),
        }
    }
}

/// For each axis of the program its index here, if each is one axis here.
fn layout(value: &Value) -> Option<Vec<usize>> {
    if value.rank() != value.dims.len() {
        return None;
    }
    let axes = value
        .axes
        .iter()
        .enumerate()
        .map(|(i, list)| match *list.as_slice() {
            [axis] => Some(axis),
            // The batch axis of a program for one photo.
            [] if i == 0 => Some(0),
            _ => None,
        });
    let axes: Vec<usize> = axes.collect::<Option<_>>()?;
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    (sorted == (0..value.rank()).collect::<Vec<_>>()).then_some(axes)
}
