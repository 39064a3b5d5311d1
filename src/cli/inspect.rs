//! `modelens inspect`: lists what a model file holds.

use std::path::PathBuf;

use serde::Serialize;

use super::terminal::{self, printable};
use super::{Failure, Reading};
use crate::model::counts::{counts, layer_params};
use crate::model::{Card, Flags, Layer, Model};

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

#[derive(Debug, Serialize)]
struct Report<'a> {
    format: &'static str,
    framework: &'a str,
    semantics: &'static str,
    total_params: usize,
    trainable_params: usize,
    non_trainable_params: usize,
    card: Card,
    layers: Vec<LayerReport<'a>>,
}

#[derive(Debug, Serialize)]
struct LayerReport<'a> {
    name: &'a str,
    class: &'a str,
    trainable: bool,
    params: usize,
    recorded_training: Option<bool>,
}

impl InspectArgs {
    /// Prints the report.
    ///
    /// # Errors
    /// The model cannot be opened.
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
    let counts = counts(model, &Flags::of_file(&model.graph), model.semantics);
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
    Report {
        format: model.format.extension(),
        framework: &model.framework,
        semantics: model.semantics.id(),
        total_params: counts.total,
        trainable_params: counts.trainable,
        non_trainable_params: counts.non_trainable,
        card: Card::of(model),
        layers: listed
            .map(|(id, layer)| LayerReport {
                name: &layer.name,
                class: &layer.class,
                trainable: layer.trainable,
                params: params(id),
                recorded_training: layer.recorded_training,
            })
            .collect(),
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
    lines.push(format!(
        "{:width$}  {:24} {:>9} {:>9}  recorded",
        "layer", "class", "trainable", "params"
    ));
    for (name, layer) in names.iter().zip(&report.layers) {
        let recorded = match layer.recorded_training {
            Some(true) => "training=True",
            Some(false) => "training=False",
            None => "",
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
