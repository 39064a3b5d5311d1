//! The model card: the facts about a file that the window and the command line both show.

use serde::Serialize;

use super::counts::counts;
use super::graph::{Layer, LayerKind, Noise, Weight};
use super::{Assumption, Flags, ModelDescription, Reading, RecordedBy, unknown};
use crate::number::thousands;

/// Maximum number of items that a sentence names; the others are counted.
const MOST_RANGES: usize = 3;

/// The facts about one model.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// The network, and how it is known.
    pub recognised: String,
    pub recognised_by: String,
    pub format: &'static str,
    /// The release that wrote the file.
    pub framework: String,
    /// The rules of that release.
    pub rules: &'static str,
    /// `[height, width, channels]`; `null` for any.
    pub input: [Option<usize>; 3],
    /// How photos are scaled before the first layer.
    pub preprocessing: &'static str,
    /// True if nothing tells it, and the usual one was taken.
    pub scale_unknown: bool,
    pub layers: usize,
    pub total_params: usize,
    pub trainable_params: usize,
    /// With four bytes per value.
    pub weight_bytes: usize,
    pub recorded_training: Vec<Recorded>,
    pub frozen: Frozen,
    pub dropout: Vec<Dropout>,
    pub batch_norm: BatchNorms,
    /// True if the outputs are classes.
    pub classifies: bool,
    pub labels: usize,
    pub labels_from: String,
    /// What the file does not tell about its network, and what was taken.
    pub assumed: Vec<Assumption>,
    /// Layers that are not known here, and what they act as; `null` without any.
    pub unknown: Option<String>,
}

/// A `training=` value recorded in the file.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    pub layer: String,
    pub training: bool,
    pub by: RecordedBy,
}

/// Layers with weights whose `trainable` flag is off in the file.
#[derive(Clone, Debug, Serialize)]
pub struct Frozen {
    pub layers: usize,
    /// Number of layers with weights.
    pub of: usize,
    pub ranges: Vec<Range>,
}

/// Consecutive layers with weights, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    pub first: usize,
    pub last: usize,
    pub from: String,
    pub to: String,
}

/// A dropout or noise layer.
#[derive(Clone, Debug, Serialize)]
pub struct Dropout {
    pub layer: String,
    pub class: String,
    pub rate: Option<f64>,
}

/// All BatchNorm layers, with the distinct values of their settings.
#[derive(Clone, Debug, Serialize)]
pub struct BatchNorms {
    pub layers: usize,
    pub epsilon: Vec<f64>,
    /// In Keras' convention: the share of the old value that is kept.
    pub momentum: Vec<f64>,
}

impl Card {
    /// The card of a model with the flags of its file.
    pub fn of(model: &ModelDescription) -> Self {
        let graph = &model.graph;
        let counts = counts(model, &Flags::of_file(graph), model.semantics);
        let weights = graph.layers.iter().flat_map(|l| &l.weights);
        let values: usize = weights.map(Weight::len).sum();
        let recorded = graph.layers.iter().filter_map(|layer| {
            Some(Recorded {
                layer: layer.name.clone(),
                training: layer.recorded.value()?,
                by: layer.recorded.by(&layer.class, model.semantics)?,
            })
        });
        let dropout = graph.layers.iter().filter_map(|layer| {
            let LayerKind::Noise(noise) = &layer.kind else {
                return None;
            };
            Some(Dropout {
                layer: layer.name.clone(),
                class: layer.class.clone(),
                rate: rate(noise),
            })
        });
        Self {
            recognised: model.recognised.what.clone(),
            recognised_by: model.recognised.how.clone(),
            format: model.format.extension(),
            framework: model.framework.clone(),
            rules: model.semantics.label(),
            input: graph.input_hwc,
            preprocessing: model.preprocessing.label(),
            scale_unknown: model.scale_unknown,
            layers: graph.layers.iter().filter(|l| l.listed).count(),
            total_params: counts.total,
            trainable_params: counts.trainable,
            weight_bytes: values * size_of::<f32>(),
            recorded_training: recorded.collect(),
            frozen: Frozen::of(&graph.layers),
            dropout: dropout.collect(),
            batch_norm: BatchNorms::of(&graph.layers),
            classifies: Reading::of(graph).is_some(),
            labels: model.labels.len(),
            labels_from: model.labels_from.clone(),
            assumed: model.assumed.clone(),
            unknown: unknown::sentence(graph),
        }
    }

    /// The lines of the card, each a heading and its text.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let side = |n: Option<usize>| n.map_or_else(|| "any".to_owned(), |n| n.to_string());
        let [h, w, c] = self.input.map(side);
        let labels = match self.labels {
            0 if !self.classifies => "none: the last layer returns features".to_owned(),
            0 => "unknown: outputs are shown by their numbers".to_owned(),
            n => format!("{n}, from {}", self.labels_from),
        };
        let mut lines = vec![
            ("recognised", self.recognised.clone()),
            ("how surely", self.recognised_by.clone()),
            ("format", format!(".{}", self.format)),
            (
                "written by",
                format!("{}; auto: the rules of {}", self.framework, self.rules),
            ),
            (
                "input",
                if self.scale_unknown {
                    format!("{h} x {w} x {c}, scale unknown")
                } else {
                    format!("{h} x {w} x {c}, scaled by {}", self.preprocessing)
                },
            ),
            ("layers", thousands(self.layers)),
            (
                "parameters",
                format!(
                    "{}, of which {} trainable",
                    thousands(self.total_params),
                    thousands(self.trainable_params)
                ),
            ),
            (
                "memory",
                format!("{} of weights", size_text(self.weight_bytes)),
            ),
            ("recorded", self.recorded()),
            ("frozen", self.frozen.sentence()),
            ("dropout", self.dropouts()),
            ("BatchNorm", self.batch_norm.sentence()),
            ("classes", labels),
        ];
        let assumed = self.assumed.iter();
        lines.extend(assumed.map(|a| ("assumed", a.sentence.clone())));
        lines.extend(self.unknown.clone().map(|unknown| ("unknown", unknown)));
        lines
    }

    fn recorded(&self) -> String {
        match self.recorded_training.as_slice() {
            [] => "no training= value in the file".to_owned(),
            all => {
                let word = |r: &Recorded| {
                    let value = if r.training { "True" } else { "False" };
                    let by = r.by.words();
                    format!("training={value} on `{}` ({by})", r.layer)
                };
                // What a person wrote comes first.
                let mut sorted: Vec<&Recorded> = all.iter().collect();
                sorted.sort_by_key(|r| r.by != RecordedBy::Person);
                let named = sorted.into_iter().take(MOST_RANGES).map(word);
                named.collect::<Vec<String>>().join(", ") + &more(all.len())
            }
        }
    }

    fn dropouts(&self) -> String {
        let word = |d: &Dropout| match d.rate {
            Some(rate) => format!("`{}` {rate}", d.layer),
            None => format!("`{}` ({})", d.layer, d.class),
        };
        match self.dropout.as_slice() {
            [] => "this base has none: dropout lives in the head".to_owned(),
            all => {
                let named: Vec<String> = all.iter().take(MOST_RANGES).map(word).collect();
                let n = all.len();
                let plural = if n == 1 { "" } else { "s" };
                format!("{n} layer{plural}: {}{}", named.join(", "), more(n))
            }
        }
    }
}

fn more(n: usize) -> String {
    match n.saturating_sub(MOST_RANGES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    }
}

fn rate(noise: &Noise) -> Option<f64> {
    if let Noise::Dropout { rate, .. } = noise {
        Some(*rate)
    } else {
        None
    }
}

impl Frozen {
    fn of(layers: &[Layer]) -> Self {
        let weighted: Vec<&Layer> = layers.iter().filter(|l| !l.weights.is_empty()).collect();
        let mut ranges: Vec<Range> = Vec::new();
        for (i, layer) in weighted.iter().enumerate() {
            if layer.trainable {
                continue;
            }
            match ranges.last_mut().filter(|range| range.last == i) {
                Some(range) => {
                    range.last = i + 1;
                    range.to.clone_from(&layer.name);
                }
                None => ranges.push(Range {
                    first: i + 1,
                    last: i + 1,
                    from: layer.name.clone(),
                    to: layer.name.clone(),
                }),
            }
        }
        Self {
            layers: weighted.iter().filter(|l| !l.trainable).count(),
            of: weighted.len(),
            ranges,
        }
    }

    fn sentence(&self) -> String {
        let Self { layers, of, ranges } = self;
        if *of == 0 {
            return "no layer has weights".to_owned();
        }
        if layers == of {
            return format!("all {of} layers with weights");
        }
        if *layers == 0 {
            return format!("none of {of} layers with weights");
        }
        let word = |r: &Range| {
            if r.first == r.last {
                format!("{} (`{}`)", r.first, r.from)
            } else {
                format!("{} to {} (`{}` to `{}`)", r.first, r.last, r.from, r.to)
            }
        };
        let named: Vec<String> = ranges.iter().take(MOST_RANGES).map(word).collect();
        let named = named.join(", ") + &more(ranges.len());
        format!("{layers} of {of} layers with weights: {named}")
    }
}

impl BatchNorms {
    fn of(layers: &[Layer]) -> Self {
        let norms = layers.iter().filter_map(|l| match &l.kind {
            LayerKind::BatchNorm(settings) => Some(settings),
            _ => None,
        });
        let norms: Vec<_> = norms.collect();
        let distinct = |values: Vec<f64>| {
            let mut values = values;
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        Self {
            layers: norms.len(),
            epsilon: distinct(norms.iter().map(|n| n.epsilon).collect()),
            momentum: distinct(norms.iter().map(|n| n.momentum).collect()),
        }
    }

    fn sentence(&self) -> String {
        if self.layers == 0 {
            return "none: nothing changes by batch statistics".to_owned();
        }
        let values = |all: &[f64]| {
            let all: Vec<String> = all.iter().map(f64::to_string).collect();
            all.join(" and ")
        };
        let plural = if self.layers == 1 { "" } else { "s" };
        format!(
            "{} layer{plural}, epsilon {}, momentum {}",
            self.layers,
            values(&self.epsilon),
            values(&self.momentum)
        )
    }
}

/// Decimal units, as file managers use them.
fn size_text(bytes: usize) -> String {
    let bytes = bytes as f64;
    if bytes < 1e6 {
        format!("{:.1} kB", bytes / 1e3)
    } else {
        format!("{:.1} MB", bytes / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{efficientnet_lite0, lab_mobilenetv2};

    fn line(card: &Card, word: &str) -> String {
        let lines = card.lines();
        let found = lines.into_iter().find(|(name, _)| *name == word);
        found.unwrap_or_else(|| panic!("no line {word}")).1
    }

    #[test]
    fn the_bundled_bases() {
        let model = lab_mobilenetv2();
        let card = Card::of(&model);
        assert!(
            line(&card, "recognised").contains("MobileNetV2"),
            "{card:?}"
        );
        assert_eq!(card.batch_norm.layers, 52);
        assert_eq!(card.batch_norm.epsilon, [1e-3]);
        assert_eq!(card.batch_norm.momentum, [0.999]);
        assert_eq!(line(&card, "classes"), "4, from the base");
        let model = efficientnet_lite0();
        let card = Card::of(&model);
        assert!(line(&card, "classes").starts_with("1000, from ImageNet-1k"));
        assert!(line(&card, "how surely").contains("tensors"));
    }

    #[test]
    fn frozen_ranges_and_a_base_without_dropout() {
        let mut model = lab_mobilenetv2();
        model
            .graph
            .layers
            .retain(|l| !matches!(l.kind, LayerKind::Noise(_)));
        for layer in &mut model.graph.layers {
            layer.trainable = true;
        }
        let none = Frozen::of(&model.graph.layers);
        assert!(
            none.sentence().starts_with("none of "),
            "{}",
            none.sentence()
        );
        let weighted: Vec<usize> = (0..model.graph.layers.len())
            .filter(|&i| !model.graph.layers[i].weights.is_empty())
            .collect();
        for i in [0, 1, 2, 5] {
            model.graph.layers[weighted[i]].trainable = false;
        }
        let some = Frozen::of(&model.graph.layers);
        assert_eq!(some.layers, 4);
        let spans: Vec<_> = some.ranges.iter().map(|r| (r.first, r.last)).collect();
        assert_eq!(spans, [(1, 3), (6, 6)]);
        assert!(
            some.sentence().contains("1 to 3 (`Conv1` to `"),
            "{}",
            some.sentence()
        );
        for layer in &mut model.graph.layers {
            layer.trainable = false;
        }
        let all = Frozen::of(&model.graph.layers);
        assert!(all.sentence().starts_with("all "), "{}", all.sentence());
        let card = Card::of(&model);
        assert_eq!(
            line(&card, "dropout"),
            "this base has none: dropout lives in the head"
        );
    }
}
