//! Which scale of the photos fits a network that does not say it: what each would predict, and what the
//! first BatchNorm and the outputs tell.
//!
//! Of the home-made networks that people publish, most were trained on `x / 255`, so it is taken unless
//! the evidence is against it.

use std::fmt::Write as _;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::first_norm::Distance;
use super::pass::{PassOptions, run};
use super::{Flags, Model, ModelDescription, Preprocessing, Reading};
use crate::rules::Mode;

/// An output is saturated if its probability is this high.
const SATURATED: f32 = 0.999;
/// The outputs are flat if no probability differs by more than this between photos.
const FLAT: f32 = 0.05;
/// The share of saturated photos that speaks against a scale.
const MOSTLY: f64 = 0.9;

/// What the network makes of the same photos under one scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleTrial {
    pub how: Preprocessing,
    /// At the first BatchNorm, if there is one.
    pub distance: Option<Distance>,
    /// If the network is a classifier.
    pub prediction: Option<TrialPrediction>,
}

/// The predictions of a batch in inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialPrediction {
    pub photos: usize,
    /// The class that comes first most often, and for how many photos.
    pub most: (usize, usize),
    /// Photos with the class of their folder first; `None` if the folders are not the classes.
    pub right: Option<usize>,
    /// Photos whose first class has a probability of 0.999 or more.
    pub saturated: usize,
    /// True if all photos get the same probabilities.
    pub flat: bool,
}

/// Why a scale was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaleEvidence {
    /// The batch is near the moving statistics of the first BatchNorm under this scale.
    BatchNorm,
    /// Photos from 0 to 255 saturate the outputs.
    Saturated,
    /// Photos from 0 to 1 all get the same outputs.
    Flat,
    /// Nothing: it is the usual one.
    Usual,
}

/// All scales tried on the same photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleReport {
    pub trials: Vec<ScaleTrial>,
    /// The scale that was taken.
    pub best: Preprocessing,
    pub evidence: ScaleEvidence,
}

impl Preprocessing {
    /// The scale of networks that say nothing about theirs.
    pub const USUAL: Self = Self::ZeroToOne;

    /// The scales that are tried on photos with this number of channels. `(x - 127) / 128` cannot be told apart
    /// from `x / 127.5 - 1`.
    fn tried(channels: usize) -> &'static [Self] {
        if channels == 3 {
            &[
                Self::ZeroToOne,
                Self::Raw,
                Self::MinusOneToOne,
                Self::ImageNet,
                Self::BgrMean,
            ]
        } else {
            &[Self::ZeroToOne, Self::Raw, Self::MinusOneToOne]
        }
    }
}

impl ScaleReport {
    /// Tries the scales on photos; `as_if` returns them under a scale, `classes` the class of each
    /// photo if the outputs of the network are the classes of the folders. `None` if the photos do not
    /// fit.
    pub fn of(
        model: &Model,
        classes: Option<&[usize]>,
        as_if: &dyn Fn(Preprocessing) -> Option<Tensor>,
    ) -> Option<Self> {
        let channels = as_if(Preprocessing::USUAL)?.dims().last().copied()?;
        let trial = |&how: &Preprocessing| {
            let x = as_if(how)?;
            Some(ScaleTrial {
                how,
                distance: Distance::of(model, &x),
                prediction: prediction(model, &x, classes),
            })
        };
        let trials = Preprocessing::tried(channels).iter().map(trial);
        let trials: Vec<ScaleTrial> = trials.collect::<Option<_>>()?;
        let (best, evidence) = best(&trials)?;
        Some(Self {
            trials,
            best,
            evidence,
        })
    }

    /// That the scale is unknown, what was taken and why.
    pub fn sentence(&self, model: &ModelDescription) -> String {
        let why = match self.evidence {
            ScaleEvidence::BatchNorm => {
                let norm = self.trials.iter().find_map(|trial| trial.distance);
                let norm = norm.and_then(|distance| model.graph.layers.get(distance.layer));
                let norm = norm.map_or("BatchNorm", |layer| layer.name.as_str());
                format!("which brings the photos near the statistics of `{norm}`")
            }
            ScaleEvidence::Saturated => {
                "because photos from 0 to 255 saturate the outputs".to_owned()
            }
            ScaleEvidence::Flat => "because photos from 0 to 1 all get the same outputs".to_owned(),
            ScaleEvidence::Usual => "as most home-made networks take it".to_owned(),
        };
        format!(
            "scale unknown: neither the file nor the network says how photos are scaled; {} was taken, \
             {why}",
            self.best.label()
        )
    }

    /// What each scale would predict, a sentence each.
    pub fn predictions(&self, labels: &[String]) -> Vec<String> {
        let lines = self.trials.iter().map(|trial| trial.line(labels));
        lines.collect()
    }
}

impl ScaleTrial {
    /// What this scale would predict: `x / 255: 18 of 20 right`.
    pub fn line(&self, labels: &[String]) -> String {
        format!("{}: {}", self.how.label(), self.words(labels))
    }

    /// What this scale would predict, without its name.
    pub fn words(&self, labels: &[String]) -> String {
        let Some(prediction) = &self.prediction else {
            return match self.distance {
                Some(distance) if distance.is_far() => {
                    "far from the first BatchNorm's statistics".to_owned()
                }
                Some(_) => "near the first BatchNorm's statistics".to_owned(),
                None => "no classes to compare".to_owned(),
            };
        };
        let TrialPrediction { photos, most, .. } = *prediction;
        let (class, count) = most;
        let class = match labels.get(class) {
            Some(label) => format!("`{label}`"),
            None => format!("class {class}"),
        };
        let mut words = match prediction.right {
            Some(right) => format!("{right} of {photos} right"),
            None => format!("{class} for {count} of {photos} photos"),
        };
        if prediction.saturated > 0 {
            // Writing to a string cannot fail.
            let _ = write!(
                words,
                ", {} with probability 0.999 or more",
                prediction.saturated
            );
        }
        if prediction.flat && photos > 1 {
            words += ", all with the same probabilities";
        }
        words
    }
}

fn prediction(model: &Model, x: &Tensor, classes: Option<&[usize]>) -> Option<TrialPrediction> {
    let reading = Reading::of(&model.graph)?;
    let flags = Flags::of_file(&model.graph);
    let options = PassOptions::of(model, &flags, Mode::Inference);
    let pass = run(model, x, &options, &|_, _| true).ok()?;
    let rows = pass.output.to_vec2::<f32>().ok()?;
    let rows: Vec<Vec<f32>> = rows.iter().map(|row| reading.probabilities(row)).collect();
    let first = |row: &Vec<f32>| {
        let order = row.iter().enumerate();
        // Of equal probabilities the first class counts.
        let first = order.rev().max_by(|a, b| a.1.total_cmp(b.1));
        first.map(|(class, &p)| (class, p))
    };
    let firsts: Vec<(usize, f32)> = rows.iter().map(first).collect::<Option<_>>()?;
    let outputs = rows.first()?.len();
    let count = |class: usize| firsts.iter().filter(|(first, _)| *first == class).count();
    let most = (0..outputs).rev().max_by_key(|&class| count(class))?;
    let is_flat = |class: usize| {
        let values = || rows.iter().map(|row| row[class]);
        let [low, high] = [
            values().fold(f32::INFINITY, f32::min),
            values().fold(0.0, f32::max),
        ];
        high - low <= FLAT
    };
    let right = classes.map(|classes| {
        let pairs = firsts.iter().zip(classes);
        pairs.filter(|((first, _), class)| first == *class).count()
    });
    Some(TrialPrediction {
        photos: rows.len(),
        most: (most, count(most)),
        right,
        saturated: firsts.iter().filter(|(_, p)| *p >= SATURATED).count(),
        flat: (0..outputs).all(is_flat),
    })
}

/// The scale that the evidence is for.
fn best(trials: &[ScaleTrial]) -> Option<(Preprocessing, ScaleEvidence)> {
    let usual = trials.first()?;
    let scores = trials
        .iter()
        .map(|trial| trial.distance.map(Distance::score));
    if let Some(scores) = scores.collect::<Option<Vec<f64>>>() {
        let near = |score: f64| score < 1.0;
        let nearest = (trials.iter().zip(&scores)).min_by(|a, b| a.1.total_cmp(b.1))?;
        let any_far = scores.iter().any(|&score| !near(score));
        return Some(match scores.first() {
            Some(&own) if near(own) && any_far => (usual.how, ScaleEvidence::BatchNorm),
            Some(&own) if !near(own) && near(*nearest.1) => {
                (nearest.0.how, ScaleEvidence::BatchNorm)
            }
            _ => (usual.how, ScaleEvidence::Usual),
        });
    }
    let is_saturated = |trial: &ScaleTrial| {
        trial
            .prediction
            .as_ref()
            .is_some_and(|p| p.saturated as f64 >= MOSTLY * p.photos as f64)
    };
    let is_flat = |trial: &ScaleTrial| {
        trial
            .prediction
            .as_ref()
            .is_some_and(|p| p.flat && p.photos > 1)
    };
    let raw = trials
        .iter()
        .find(|trial| trial.how == Preprocessing::Raw)?;
    if is_flat(usual) && !is_flat(raw) && !is_saturated(raw) {
        return Some((raw.how, ScaleEvidence::Flat));
    }
    if is_saturated(raw) && !is_saturated(usual) && !is_flat(usual) {
        return Some((usual.how, ScaleEvidence::Saturated));
    }
    Some((usual.how, ScaleEvidence::Usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(how: Preprocessing, saturated: usize, flat: bool) -> ScaleTrial {
        ScaleTrial {
            how,
            distance: None,
            prediction: Some(TrialPrediction {
                photos: 20,
                most: (0, 12),
                right: None,
                saturated,
                flat,
            }),
        }
    }

    #[test]
    fn evidence_decides_between_scales() {
        use Preprocessing::{Raw, ZeroToOne};
        let of = |usual: (usize, bool), raw: (usize, bool)| {
            best(&[trial(ZeroToOne, usual.0, usual.1), trial(Raw, raw.0, raw.1)])
        };
        assert_eq!(
            of((0, false), (20, false)),
            Some((ZeroToOne, ScaleEvidence::Saturated))
        );
        assert_eq!(of((0, true), (3, false)), Some((Raw, ScaleEvidence::Flat)));
        // A network that is sure under both, and one that saturates whatever it gets.
        assert_eq!(
            of((19, false), (20, false)),
            Some((ZeroToOne, ScaleEvidence::Usual))
        );
        assert_eq!(
            of((0, true), (20, true)),
            Some((ZeroToOne, ScaleEvidence::Usual))
        );
        assert_eq!(
            of((0, false), (0, false)),
            Some((ZeroToOne, ScaleEvidence::Usual))
        );
    }

    #[test]
    fn a_trial_says_what_it_would_predict() {
        let labels = ["cat".to_owned(), "dog".to_owned()];
        let words = trial(Preprocessing::Raw, 20, true).line(&labels);
        assert_eq!(
            words,
            "0 to 255: `cat` for 12 of 20 photos, 20 with probability 0.999 or more, all with the same \
             probabilities"
        );
    }
}
