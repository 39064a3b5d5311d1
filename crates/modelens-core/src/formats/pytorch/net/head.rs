//! The head at the end of a network, also where someone has replaced it.
//!
//! A state dict tells the layers of a head that have tensors, and their numbers in an `nn.Sequential`.
//! What has no tensors, such as `ReLU` and dropout, is taken where numbers are missing, and said.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Net, Value};
use crate::formats::OpenError;
use crate::formats::pytorch::families::listed;
use crate::model::Assumption;
use crate::model::graph::Activation;

/// What `nn.Dropout` drops if nothing is said.
const DROPOUT: f64 = 0.5;
/// The activations that can be chosen between two layers of a head, as `head=relu`.
const ACTIVATIONS: [(&str, Activation); 8] = [
    ("relu", Activation::RELU),
    ("gelu", Activation::Gelu { approximate: false }),
    ("silu", Activation::Silu),
    ("tanh", Activation::Tanh),
    ("leaky_relu", leaky_relu(0.01)),
    ("elu", Activation::Elu { alpha: 1.0 }),
    ("sigmoid", Activation::Sigmoid),
    ("none", Activation::Linear),
];

const fn leaky_relu(negative_slope: f32) -> Activation {
    Activation::Relu {
        max_value: None,
        negative_slope,
        threshold: 0.0,
    }
}

/// The activation of a choice.
pub fn activation(id: &str) -> Option<Activation> {
    let found = ACTIVATIONS.iter().find(|(known, _)| *known == id);
    found.map(|(_, activation)| *activation)
}

/// The ids of all activations, for messages.
pub fn activations() -> Vec<&'static str> {
    ACTIVATIONS.iter().map(|(id, _)| *id).collect()
}

/// What a layer of a head computes, as its tensors tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Linear {
        input: usize,
        output: usize,
    },
    BatchNorm(usize),
    LayerNorm(usize),
    /// With one slope, or one for each channel.
    PRelu(usize),
}

/// A layer of a head that has tensors.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    kind: Kind,
}

/// What is between or before the parts of a head and has no tensors.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Part(usize),
    Activation(String),
    Dropout(String),
}

impl Part {
    /// Where it is in an `nn.Sequential`: the name of that, and its number.
    fn place(&self) -> (&str, Option<usize>) {
        let (parent, last) = self.name.rsplit_once('.').unwrap_or(("", &self.name));
        (parent, last.parse().ok())
    }

    /// The channels of its output, if it takes this many.
    fn after(&self, channels: usize) -> Option<usize> {
        match self.kind {
            Kind::Linear { input, output } => (input == channels).then_some(output),
            Kind::BatchNorm(n) | Kind::LayerNorm(n) => (n == channels).then_some(n),
            Kind::PRelu(n) => (n == 1 || n == channels).then_some(channels),
        }
    }

    fn is_linear(&self) -> bool {
        matches!(self.kind, Kind::Linear { .. })
    }
}

/// The order in which layers are listed: by the numbers in their names (`fc.2` before `fc.10`), a
/// linear layer before the norm of the same number.
fn natural(a: &Part, b: &Part) -> Ordering {
    let key = |part: &Part| {
        let numbers: Vec<Option<usize>> = part.name.split('.').map(number).collect();
        (numbers, !part.is_linear(), part.name.clone())
    };
    key(a).cmp(&key(b))
}

/// The number at the end of a name: 1 of `fc1`.
fn number(name: &str) -> Option<usize> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok()
}

/// The order of the parts from this many channels on, or nothing if they form no chain.
fn chain(mut parts: Vec<Part>, channels: usize) -> Option<Vec<Part>> {
    let fits = |parts: &[Part]| {
        let mut all = parts.iter();
        all.try_fold(channels, |c, part| part.after(c)).is_some()
    };
    parts.sort_by(natural);
    let numbered = parts.iter().all(|part| part.place().1.is_some());
    // Names of attributes tell no order. Two norms of equal width could be swapped.
    let only_linear = parts.iter().all(Part::is_linear);
    if fits(&parts) && (numbered || only_linear || parts.len() == 1 || is_paired(&parts)) {
        return Some(parts);
    }
    if numbered || !only_linear {
        return None;
    }
    // By their shapes, where each step has one way to go on.
    let (mut rest, mut sorted, mut at) = (parts, Vec::new(), channels);
    while !rest.is_empty() {
        let mut next = (0..rest.len()).filter(|&i| rest[i].after(at).is_some());
        let only = next.next().filter(|_| next.next().is_none())?;
        let part = rest.remove(only);
        at = part.after(at)?;
        sorted.push(part);
    }
    Some(sorted)
}

/// True if every norm has the number of the linear layer before it: `fc1`, `bn1`, `fc2`.
fn is_paired(parts: &[Part]) -> bool {
    let number = |part: &Part| number(part.name.rsplit('.').next().unwrap_or_default());
    let pairs = parts.windows(2).filter(|pair| !pair[1].is_linear());
    let mut pairs = pairs.peekable();
    parts.first().is_some_and(Part::is_linear)
        && pairs.peek().is_some()
        && pairs.all(|pair| {
            pair[0].is_linear()
                && number(&pair[0]).is_some()
                && number(&pair[0]) == number(&pair[1])
        })
}

/// Fills in what lies between the parts.
fn steps(parts: &[Part]) -> Vec<Step> {
    let mut steps = Vec::new();
    // Whether an activation, and a dropout, have come since the last linear layer.
    let (mut activated, mut dropped) = (true, false);
    for (i, part) in parts.iter().enumerate() {
        let (parent, number) = part.place();
        let before = i.checked_sub(1).map(|at| &parts[at]);
        let from = match before {
            None => number.map(|n| (0, n)),
            Some(before) => match (before.place(), number) {
                ((other, Some(at)), Some(n)) if other == parent && at < n => Some((at + 1, n)),
                _ => None,
            },
        };
        match (from, before) {
            (Some((first, end)), _) => {
                for at in first..end {
                    let name = format!("{parent}.{at}");
                    if !activated {
                        activated = true;
                        steps.push(Step::Activation(name));
                    } else if !dropped {
                        dropped = true;
                        steps.push(Step::Dropout(name));
                    }
                }
            }
            // Between attributes, or between one `nn.Sequential` and the next.
            (None, Some(before)) if part.is_linear() && !activated => {
                steps.push(Step::Activation(format!("{}.activation", before.name)));
            }
            (None, _) => {}
        }
        match part.kind {
            Kind::Linear { .. } => (activated, dropped) = (false, false),
            Kind::PRelu(_) => activated = true,
            Kind::BatchNorm(_) | Kind::LayerNorm(_) => {}
        }
        steps.push(Step::Part(i));
    }
    steps
}

impl Net<'_> {
    /// The head: the dense layer called `published`, or the layers that replace it, under `stem` or
    /// beside the network.
    pub fn head(&mut self, stem: &str, published: &str, x: Value) -> Result<Value, OpenError> {
        self.flattened_head(stem, published, x, None)
    }

    /// As [`Net::head`], for features that are the flattened pixels of an `image` `[C, H, W]`.
    pub fn flattened_head(
        &mut self,
        stem: &str,
        published: &str,
        x: Value,
        image: Option<[usize; 3]>,
    ) -> Result<Value, OpenError> {
        self.head = Some((stem.to_owned(), x.channels));
        let inside = format!("{stem}.");
        let keys = self.state.keys().filter(|k| k.starts_with(&inside));
        let keys: Vec<String> = keys.cloned().collect();
        let mut x = x;
        if !keys.is_empty() {
            let parts = self.parts(&keys);
            let Some(parts) = parts.and_then(|parts| chain(parts, x.channels)) else {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                self.warnings.push(format!(
                    "the head under `{stem}` is not understood and is left out ({}): the outputs are the \
                     {} features before it",
                    listed(&keys),
                    x.channels
                ));
                return Ok(x);
            };
            x = self.build_head(&parts, published, x, image)?;
        }
        let features = x.channels;
        if let Some(parts) = self.beside(x) {
            let names: Vec<&str> = parts.iter().map(|part| own_name(&part.name)).collect();
            self.assumed.push(Assumption {
                sentence: format!(
                    "the file does not tell how its parts are joined: {} {} taken to follow the \
                     network's {features} outputs",
                    listed(&names),
                    if names.len() == 1 { "is" } else { "are" }
                ),
                choices: Vec::new(),
            });
            let unflattened = image.filter(|_| keys.is_empty());
            x = self.build_head(&parts, published, x, unflattened)?;
        } else if keys.is_empty() {
            self.warnings.push(format!(
                "the file has no head (`{published}`), so the outputs are the {features} features \
                 before it"
            ));
        }
        Ok(x)
    }

    /// The layers of these tensors, if they are all of a kind that heads have.
    fn parts(&self, keys: &[String]) -> Option<Vec<Part>> {
        let mut layers: BTreeMap<&str, BTreeMap<&str, &[usize]>> = BTreeMap::new();
        for key in keys.iter().filter(|k| !k.ends_with("num_batches_tracked")) {
            let (layer, weight) = key.rsplit_once('.')?;
            let shape = self.builder.shape(key)?;
            layers.entry(layer).or_default().insert(weight, shape);
        }
        let part = |(name, weights): (&str, BTreeMap<&str, &[usize]>)| {
            let shape = |weight: &str| weights.get(weight).copied();
            let bias = shape("bias");
            let kind = match (shape("weight")?, weights.len(), bias) {
                (&[output, input], 1, None) => Kind::Linear { input, output },
                (&[output, input], 2, Some(&[n])) if n == output => Kind::Linear { input, output },
                (&[n], 4, Some(_)) => {
                    let all = ["bias", "running_mean", "running_var"];
                    let fits = all.iter().all(|w| shape(w) == Some(&[n]));
                    fits.then_some(Kind::BatchNorm(n))?
                }
                (&[n], 2, Some(&[m])) if n == m => Kind::LayerNorm(n),
                (&[n], 1, None) => Kind::PRelu(n),
                _ => return None,
            };
            let name = name.to_owned();
            Some(Part { name, kind })
        };
        layers.into_iter().map(part).collect()
    }

    /// The layers beside the network's own prefix, if they follow its outputs.
    fn beside(&self, x: Value) -> Option<Vec<Part>> {
        let keys = self.state.keys().filter(|key| key.starts_with('/'));
        let keys: Vec<String> = keys.cloned().collect();
        let parts = self.parts(&keys).filter(|parts| !parts.is_empty())?;
        let parts = chain(parts, x.channels)?;
        parts.iter().any(Part::is_linear).then_some(parts)
    }

    fn build_head(
        &mut self,
        parts: &[Part],
        published: &str,
        mut x: Value,
        mut image: Option<[usize; 3]>,
    ) -> Result<Value, OpenError> {
        // The published head has its dropout from its family.
        if let [one] = parts
            && one.name == published
        {
            return self.linear(published, x, image);
        }
        let chosen = self.told.head.activation.as_deref();
        let activation = chosen.and_then(activation).unwrap_or(Activation::RELU);
        let rate = self.told.head.dropout.unwrap_or(DROPOUT);
        let (mut activations, mut dropouts) = (Vec::new(), Vec::new());
        for step in steps(parts) {
            match step {
                Step::Activation(name) => {
                    x = self.named_activation(own_name(&name), x, activation);
                    activations.push(name);
                }
                Step::Dropout(name) => {
                    x = self.dropout(own_name(&name), x, rate);
                    dropouts.push(name);
                }
                Step::Part(at) => {
                    let Part { name, kind } = &parts[at];
                    x = match kind {
                        Kind::Linear { .. } => self.linear(name, x, image.take())?,
                        Kind::BatchNorm(_) => self.batch_norm_1d(name, x)?,
                        Kind::LayerNorm(_) => self.layer_norm(name, x, 1e-5)?,
                        Kind::PRelu(_) => self.prelu(name, x)?,
                    };
                }
            }
        }
        self.assume(chosen.unwrap_or("relu"), rate, &activations, &dropouts);
        Ok(x)
    }

    /// Says what was taken between the layers of the head.
    fn assume(&mut self, activation: &str, rate: f64, activations: &[String], dropouts: &[String]) {
        let names = |names: &[String]| {
            let names: Vec<&str> = names.iter().map(|name| own_name(name)).collect();
            listed(&names)
        };
        if !activations.is_empty() && self.told.head.activation.is_none() {
            let all = ACTIVATIONS
                .iter()
                .map(|(id, _)| self.told.with_option(&format!("head={id}")));
            self.assumed.push(Assumption {
                sentence: format!(
                    "the file does not tell the activations of its head: {} {} taken to be {activation}",
                    names(activations),
                    if activations.len() == 1 { "is" } else { "are" }
                ),
                choices: all.collect(),
            });
        }
        if !dropouts.is_empty() && self.told.head.dropout.is_none() {
            let rates = [rate, 0.2, 0.3, 0.0];
            let choices = rates.map(|rate| self.told.with_option(&format!("dropout={rate}")));
            self.assumed.push(Assumption {
                sentence: format!(
                    "the file does not tell the dropout of its head: {} {} taken to be dropout of rate \
                     {rate}",
                    names(dropouts),
                    if dropouts.len() == 1 { "is" } else { "are" }
                ),
                choices: choices.to_vec(),
            });
        }
    }
}

/// The name in the file of a layer beside the network's own prefix.
fn own_name(name: &str) -> &str {
    name.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(name: &str, input: usize, output: usize) -> Part {
        Part {
            name: name.to_owned(),
            kind: Kind::Linear { input, output },
        }
    }

    fn norm(name: &str, channels: usize) -> Part {
        Part {
            name: name.to_owned(),
            kind: Kind::BatchNorm(channels),
        }
    }

    /// The chain as a text: the parts' names, `a` for an activation, `d` for a dropout.
    fn read(parts: Vec<Part>, channels: usize) -> Option<String> {
        let parts = chain(parts, channels)?;
        let words = steps(&parts).into_iter().map(|step| match step {
            Step::Part(at) => parts[at].name.clone(),
            Step::Activation(_) => "a".to_owned(),
            Step::Dropout(_) => "d".to_owned(),
        });
        Some(words.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn missing_numbers_are_activations_and_dropouts() {
        for (parts, expected) in [
            (vec![linear("fc.1", 8, 3)], "d fc.1"),
            (vec![linear("fc.0", 8, 3)], "fc.0"),
            (
                vec![linear("fc.0", 8, 5), linear("fc.2", 5, 3)],
                "fc.0 a fc.2",
            ),
            (
                vec![linear("fc.0", 8, 5), linear("fc.3", 5, 3)],
                "fc.0 a d fc.3",
            ),
            (
                vec![linear("fc.0", 8, 5), norm("fc.1", 5), linear("fc.4", 5, 3)],
                "fc.0 fc.1 a d fc.4",
            ),
            (
                vec![linear("fc.0", 8, 5), norm("fc.2", 5), linear("fc.4", 5, 3)],
                "fc.0 a fc.2 d fc.4",
            ),
            (
                vec![
                    linear("fc.1", 8, 5),
                    linear("fc.10", 5, 3),
                    linear("fc.4", 5, 5),
                ],
                "d fc.1 a d fc.4 a d fc.10",
            ),
            (
                vec![linear("fc.0", 8, 5), linear("fc.1", 5, 3)],
                "fc.0 fc.1",
            ),
        ] {
            assert_eq!(read(parts, 8).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_are_ordered_by_shape_where_only_one_way_fits() {
        let output = linear("fc.output", 5, 3);
        let hidden = linear("fc.hidden", 8, 5);
        let found = read(vec![output.clone(), hidden], 8);
        assert_eq!(found.as_deref(), Some("fc.hidden a fc.output"));
        let found = read(
            vec![linear("fc1", 8, 5), linear("fc2", 5, 3), norm("bn1", 5)],
            8,
        );
        assert_eq!(found.as_deref(), Some("fc1 bn1 a fc2"));
        // Which of the two comes first?
        assert_eq!(
            read(vec![linear("b", 8, 8), linear("a", 8, 3), norm("n", 8)], 8),
            None
        );
        assert_eq!(read(vec![linear("fc.0", 16, 3)], 8), None);
        assert_eq!(read(vec![linear("fc.0", 8, 5), output], 9), None);
    }
}
