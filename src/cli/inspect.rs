//! `modelens inspect`: lists what a model file holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::terminal::{self, printable};
use super::{Failure, Reading};
use crate::model::counts::{counts, layer_params};
use crate::model::graph::NodeId;
use crate::model::modules::Container;
use crate::model::norms::Reads;
use crate::model::pass::output_shapes;
use crate::model::releases::{self, ActiveLayers, ReleaseChange, ReleaseRow};
use crate::model::{CallModes, Card, Flags, Layer, Mode, Model, RecordedBy, Semantics};

/// Lists what a model file holds.
#[derive(Debug, clap::Args)]
pub struct InspectArgs {
    #[arg(help = super::model_help())]
    model: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// The version of the JSON, described by `docs/inspect.schema.json`: it changes when a key changes its
/// meaning or goes; new keys do not change it.
const SCHEMA: u32 = 1;

#[derive(Debug, Serialize)]
struct Report<'a> {
    schema: u32,
    format: &'static str,
    framework: &'a str,
    semantics: &'static str,
    total_params: usize,
    trainable_params: usize,
    non_trainable_params: usize,
    card: Card,
    /// What the layers do by the rules of each release, in each call.
    releases: Vec<ReleaseRow>,
    /// What changes if the next release reads the file.
    next_release: Option<NextRelease>,
    /// PyTorch: the modules that hold others, such as `layer1`; `--modules` and `--trainable` take their
    /// names as they take those of layers.
    containers: Vec<String>,
    layers: Vec<LayerReport<'a>>,
}

#[derive(Debug, Serialize)]
struct NextRelease {
    #[serde(flatten)]
    change: ReleaseChange,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct LayerReport<'a> {
    name: &'a str,
    class: &'a str,
    trainable: bool,
    params: usize,
    /// With the batch axis, channels last for Keras and first for PyTorch; `null` for a side that is open,
    /// and in the place of all for a layer whose shape does not follow from the file.
    output_shape: Option<Vec<Option<usize>>>,
    /// The value at the layer's call in the file, the saver's defaults included.
    recorded_training: Option<bool>,
    /// Who wrote that value.
    recorded_by: Option<RecordedBy>,
    /// Of a normalisation layer: where it takes mean and variance from.
    normalises_with: Option<NormalisesWith>,
}

/// Where a normalisation layer takes mean and variance from in each mode, by the rules of the release that wrote
/// the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct NormalisesWith {
    training: Reads,
    inference: Reads,
}

impl InspectArgs {
    /// Prints the report.
    ///
    /// # Errors
    /// The model cannot be opened.
    pub fn run(&self) -> Result<(), Failure> {
        let model = self.reading.open(self.model.as_deref())?;
        let report = report(&model);
        let text = if self.json {
            let text = terminal::json(&report);
            text.map_err(|error| {
                Failure::File(format!("the report cannot be written as JSON: {error}"))
            })?
        } else {
            table(&model, &report)
        };
        terminal::introduce(&model);
        terminal::print(&text)
    }
}

fn report(model: &Model) -> Report<'_> {
    let flags = Flags::of_file(&model.graph);
    let counts = counts(model, &flags, model.semantics);
    let params = |layer: usize| {
        let inside = model.graph.subtree(layer);
        inside
            .map(|id| layer_params(&model.graph.layers[id], model.semantics))
            .sum()
    };
    let listed = model
        .graph
        .layers
        .iter()
        .enumerate()
        .filter(|(_, l)| l.listed);
    let modes =
        Mode::BOTH.map(|mode| CallModes::of(&model.graph, &flags, mode.into(), model.semantics));
    let normalises_with = |id: usize| {
        let layer = &model.graph.layers[id];
        let [training, inference] = modes
            .each_ref()
            .map(|modes| Reads::of(layer, &modes.effective(&model.graph, &flags, id)));
        Some(NormalisesWith {
            training: training?,
            inference: inference?,
        })
    };
    let shapes = output_shapes(model);
    Report {
        schema: SCHEMA,
        format: model.format.extension(),
        framework: &model.framework,
        semantics: model.semantics.id(),
        total_params: counts.total,
        trainable_params: counts.trainable,
        non_trainable_params: counts.non_trainable,
        card: Card::of(model),
        releases: releases::rows(&model.graph, &flags),
        next_release: releases::next_reader(model.semantics).map(|runner| {
            let change = ReleaseChange::of(model, &flags, runner);
            let sentence = change.sentence(&model.framework);
            NextRelease { change, sentence }
        }),
        containers: match model.semantics {
            Semantics::PyTorch => Container::all(&model.graph)
                .into_iter()
                .map(|container| container.path)
                .collect(),
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Vec::new(),
        },
        layers: listed
            .map(|(id, layer)| LayerReport {
                name: &layer.name,
                class: &layer.class,
                trainable: layer.trainable,
                params: params(id),
                output_shape: shapes[id]
                    .as_ref()
                    .map(|(node, shape)| with_batch(model, *node, shape)),
                recorded_training: layer.recorded.value(),
                recorded_by: layer.recorded.by(&layer.class, model.semantics),
                normalises_with: normalises_with(id),
            })
            .collect(),
    }
}

/// The shape of a batch whose size is open, with the axes as the framework has them.
fn with_batch(model: &Model, node: NodeId, shape: &[Option<usize>]) -> Vec<Option<usize>> {
    let sides: Vec<Option<usize>> = std::iter::once(None).chain(shape.iter().copied()).collect();
    match model.graph.layouts.get(&node) {
        Some(axes) if axes.len() == sides.len() => axes.iter().map(|&axis| sides[axis]).collect(),
        Some(_) | None if model.semantics == Semantics::PyTorch && sides.len() == 4 => {
            [0, 3, 1, 2].map(|axis| sides[axis]).to_vec()
        }
        Some(_) | None => sides,
    }
}

fn table(model: &Model, report: &Report<'_>) -> String {
    let listed: Vec<&Layer> = model.graph.layers.iter().filter(|l| l.listed).collect();
    let depth = |layer: &Layer| {
        std::iter::successors(layer.parent, |&id| model.graph.layers[id].parent).count()
    };
    let names: Vec<String> = listed
        .iter()
        .map(|l| format!("{}{}", "  ".repeat(depth(l)), printable(&l.name)))
        .collect();
    let width = names
        .iter()
        .map(|n| n.chars().count())
        .max()
        .unwrap_or(0)
        .max(5);
    let mut lines = vec![
        format!("{} ({}), .{}", model.title, report.framework, report.format),
        format!(
            "parameters: {} total, {} trainable, {} non-trainable",
            report.total_params, report.trainable_params, report.non_trainable_params
        ),
    ];
    let card = report.card.lines().into_iter();
    let said_above = ["format", "parameters"];
    let card = card.filter(|(word, _)| !said_above.contains(word));
    lines.extend(card.map(|(word, text)| format!("{word}: {text}")));
    lines.push(String::new());
    lines.extend(release_table(&report.releases));
    lines.extend(report.next_release.iter().map(|next| next.sentence.clone()));
    lines.extend(norm_table(&report.layers));
    lines.push(String::new());
    lines.push(format!(
        "{:width$}  {:24} {:>9} {:>9}  recorded",
        "layer", "class", "trainable", "params"
    ));
    for (name, layer) in names.iter().zip(&report.layers) {
        let recorded = match (layer.recorded_training, layer.recorded_by) {
            (Some(training), by) => {
                let by = by.map_or("", RecordedBy::words);
                format!(
                    "training={} ({by})",
                    if training { "True" } else { "False" }
                )
            }
            (None, _) => String::new(),
        };
        let line = format!(
            "{name:width$}  {:24} {:>9} {:>9}  {recorded}",
            layer.class,
            if layer.trainable { "yes" } else { "no" },
            layer.params
        );
        lines.push(line.trim_end().to_owned());
    }
    let lines: Vec<String> = lines.iter().map(|line| printable(line)).collect();
    lines.join("\n")
}

/// What the normalisation layers read, a line for each class and kind; nothing for a model without them.
fn norm_table(layers: &[LayerReport<'_>]) -> Vec<String> {
    let mut counts: BTreeMap<(&str, NormalisesWith), usize> = BTreeMap::new();
    for layer in layers {
        if let Some(reads) = layer.normalises_with {
            *counts.entry((layer.class, reads)).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return Vec::new();
    }
    let line = |[class, layers, training, inference]: [&str; 4]| {
        format!("{class:24}  {layers:>6}  {training:20}  {inference}")
    };
    let heads = ["normalises with", "layers", "in training", "in inference"];
    let rows = counts.iter().map(|((class, reads), layers)| {
        let [training, inference] = [reads.training, reads.inference].map(Reads::words);
        line([class, &layers.to_string(), training, inference])
    });
    [String::new(), line(heads)]
        .into_iter()
        .chain(rows)
        .collect()
}

/// The layers that are active, a line for each call and release; nothing for a model without such layers.
fn release_table(rows: &[ReleaseRow]) -> Vec<String> {
    type Column = (&'static str, fn(&ReleaseRow) -> ActiveLayers);
    let columns: [Column; 4] = [
        ("augmentation draws", |r| r.augmentation),
        ("dropout drops", |r| r.noise),
        ("BatchNorm on batch", |r| r.batch_norm),
        ("statistics move", |r| r.statistics),
    ];
    let shown = |(_, count): &Column| rows.iter().any(|row| count(row).of > 0);
    let columns: Vec<Column> = columns.into_iter().filter(shown).collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let line = |call: &str, rules: &str, cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:18}")).collect();
        let line = format!("{call:8}  {rules:20}  {}", cells.join("  "));
        line.trim_end().to_owned()
    };
    let heads = columns.iter().map(|(head, _)| (*head).to_owned());
    let mut lines = vec![line("call", "by the rules of", heads.collect())];
    for call in releases::CALLS.map(releases::call_name) {
        for row in rows.iter().filter(|row| row.call == call) {
            let cells = columns.iter().map(|(_, count)| {
                let ActiveLayers { active, of } = count(row);
                format!("{active} of {of}")
            });
            lines.push(line(call, row.rules.label(), cells.collect()));
        }
    }
    lines
}
