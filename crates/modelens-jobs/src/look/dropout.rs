//! One noise layer on the chosen photo: its units in both modes, the mean over many passes, and the
//! spread of the prediction.

use candle_core::Tensor;

use super::{Batch, Context, LookError, batch_for};
use crate::photos::PhotoCache;
use crate::{
    DropoutOutcome, DropoutSetting, DropoutSide, MeanOfPasses, MeanPoint, MonteCarlo, Outcome,
    PassLook, Stage, WATCHED_PASSES, WATCHED_UNITS, WatchedPass,
};
use modelens_core::model::graph::{LayerKind, Noise};
use modelens_core::model::layers::noise::ALPHA_PRIME;
use modelens_core::model::sampler::{Sampler, SamplerOptions};
use modelens_core::model::{Effective, LayerId, Mode, Model, Reading, Role};

/// The most passes that are averaged.
const MOST_PASSES: usize = 1024;
/// The most values that are drawn for the mean; layers with more units get fewer passes.
const MOST_VALUES: usize = 1 << 25;
/// Number of units that are listed.
const LISTED: usize = 16;
/// Number of passes that run through the whole network at once.
const AT_A_TIME: usize = 32;

pub fn compute(
    look: &PassLook,
    layer: LayerId,
    setting: DropoutSetting,
    context: &Context<'_>,
    cache: &mut PhotoCache,
) -> Result<(Vec<usize>, Outcome), LookError> {
    let model = context.model(look)?;
    let wrong = || LookError::WrongLayer(model.graph.layers[layer].name.clone());
    let LayerKind::Noise(own) = &model.graph.layers[layer].kind else {
        return Err(wrong());
    };
    let noise = own.with_strength(setting.rate.unwrap_or(own.strength()));
    // One photo: without batch statistics the others in the batch change nothing.
    let look = PassLook {
        batch: 1,
        ..look.clone()
    };
    let Batch { photos, chosen, x } = batch_for(&look, context, cache)?;
    let x = x.narrow(0, chosen, 1)?.contiguous()?;
    (context.progress)(Stage::Forward, 0, 0);
    let options = SamplerOptions {
        outer: look.call,
        semantics: look.semantics,
        flags: &look.flags,
        seed: look.seed,
        repeat: look.redraws,
        replaced: Some((layer, noise.clone())),
    };
    let proceed = || (context.proceed)();
    let sampler = Sampler::new(model, &x, options, &proceed)?;
    let units = sampler.input(layer).ok_or_else(wrong)?;
    let shape = units.dims()[1..].to_vec();
    let input = values(units)?;
    let effective = |column: Mode| {
        let flags = look.flags.in_column(column);
        flags.effective(model, layer, look.outer(column), look.semantics)
    };
    let largest = largest(&input);
    let mean = mean_of_passes(&sampler, layer, &noise, &input, &largest, context)?;
    let outcome = DropoutOutcome {
        file_rate: own.strength(),
        shape,
        training: training(&sampler, layer, effective(Mode::Training), &input)?,
        inference: untouched(effective(Mode::Inference), input),
        largest,
        mean,
        monte_carlo: monte_carlo(&sampler, model, setting.passes, context)?,
        noise,
    };
    Ok((photos, Outcome::Dropout(Box::new(outcome))))
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// The side of a layer that does nothing: every unit times 1.
fn untouched(effective: Effective, input: Vec<f32>) -> DropoutSide {
    DropoutSide {
        effective,
        output: input.clone(),
        mask: Some(vec![1.0; input.len()]),
        input,
        dropped: 0,
    }
}

/// The side of the first pass in training mode.
fn training(
    sampler: &Sampler<'_>,
    layer: LayerId,
    effective: Effective,
    input: &[f32],
) -> Result<DropoutSide, LookError> {
    let Some(done) = sampler.disturbed(layer, 0)? else {
        return Ok(untouched(effective, input.to_vec()));
    };
    let mask = done.mask.as_ref().map(values).transpose()?;
    Ok(DropoutSide {
        effective,
        input: input.to_vec(),
        output: values(&done.output)?,
        dropped: mask.iter().flatten().filter(|&&m| m == 0.0).count(),
        mask,
    })
}

/// Indices of the units with the largest absolute values, the largest first.
fn largest(units: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units.len()).collect();
    let by_size =
        |&a: &usize, &b: &usize| units[b].abs().total_cmp(&units[a].abs()).then(a.cmp(&b));
    if order.len() > LISTED {
        order.select_nth_unstable_by(LISTED, by_size);
        order.truncate(LISTED);
    }
    order.sort_by(by_size);
    order
}

fn mean_of_passes(
    sampler: &Sampler<'_>,
    layer: LayerId,
    noise: &Noise,
    input: &[f32],
    largest: &[usize],
    context: &Context<'_>,
) -> Result<MeanOfPasses, LookError> {
    let draws = sampler.disturbed(layer, 0)?.is_some();
    let norm = square(input.iter().map(|&x| f64::from(x))).sqrt();
    let most = (MOST_VALUES / input.len().max(1)).clamp(1, MOST_PASSES);
    let most = 1_usize << most.ilog2();
    let spread = if draws {
        Spread::of(noise, input)
    } else {
        Spread::default()
    };
    let mut sums = vec![0.0_f64; input.len()];
    let mut points = Vec::new();
    let mut watched = Vec::new();
    for passes in 1..=most {
        if !(context.proceed)() {
            return Err(LookError::Cancelled);
        }
        match sampler.disturbed(layer, passes as u64 - 1)? {
            Some(done) => {
                let output = values(&done.output)?;
                sums.iter_mut()
                    .zip(&output)
                    .for_each(|(sum, &x)| *sum += f64::from(x));
                if passes <= WATCHED_PASSES && norm > 0.0 {
                    let mask = done.mask.as_ref().map(values).transpose()?;
                    watched.push(watched_pass(&output, mask.as_deref()));
                }
            }
            None => sums
                .iter_mut()
                .zip(input)
                .for_each(|(sum, &x)| *sum += f64::from(x)),
        }
        let distance = || {
            let pairs = sums.iter().zip(input);
            let difference = pairs.map(|(sum, &x)| sum / passes as f64 - f64::from(x));
            square(difference).sqrt() / norm
        };
        if let Some(pass) = watched.get_mut(passes - 1) {
            let means = largest
                .iter()
                .map(|&unit| (sums[unit] / passes as f64) as f32);
            (pass.means, pass.distance) = (means.collect(), distance());
        }
        if passes.is_power_of_two() {
            (context.progress)(Stage::MeanOfPasses, passes, most);
            points.push(MeanPoint {
                passes,
                distance: distance(),
                expected: spread.after(passes).sqrt() / norm,
            });
        }
    }
    if norm == 0.0 {
        points.clear();
    }
    let mean = |&unit: &usize| (sums[unit] / most as f64) as f32;
    Ok(MeanOfPasses {
        points,
        largest: largest.iter().map(mean).collect(),
        watched,
    })
}

/// A pass without what earlier passes add to it.
fn watched_pass(output: &[f32], mask: Option<&[f32]>) -> WatchedPass {
    let shown = output.len().min(WATCHED_UNITS);
    let is_dropped = |unit: usize| mask.is_some_and(|mask| mask.get(unit) == Some(&0.0));
    WatchedPass {
        output: output[..shown].to_vec(),
        dropped: (0..shown).map(is_dropped).collect(),
        drops: (0..output.len()).filter(|&unit| is_dropped(unit)).count(),
        means: Vec::new(),
        distance: 0.0,
    }
}

fn square(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum()
}

/// The expected distance of the mean of k passes by the layer's formula:
/// `E|mean - x|^2 = bias + variance / k`, summed over the units. Units need not be independent, so it
/// also holds for shared draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Spread {
    bias: f64,
    variance: f64,
}

impl Spread {
    /// - `Dropout` and its variants: bias 0, variance `x^2 r / (1 - r)`; at rate 1 bias `x^2`, variance 0.
    /// - `GaussianDropout`: the same by definition. `GaussianNoise`: variance `stddev^2`.
    /// - `AlphaDropout`: the mean is `a (1 - r) x`, the variance `a^2 r (1 - r) (x - alpha')^2`.
    fn of(noise: &Noise, units: &[f32]) -> Self {
        let all = || units.iter().map(|&x| f64::from(x));
        let rate = noise.strength();
        let zeros = Self {
            bias: square(all()),
            variance: 0.0,
        };
        match noise {
            Noise::GaussianNoise { stddev } => Self {
                bias: 0.0,
                variance: stddev * stddev * units.len() as f64,
            },
            _ if rate >= 1.0 => zeros,
            Noise::AlphaDropout { .. } => {
                let a2 = 1.0 / ((1.0 - rate) * (1.0 + rate * ALPHA_PRIME * ALPHA_PRIME));
                let kept = a2.sqrt() * (1.0 - rate);
                Self {
                    bias: (kept - 1.0).powi(2) * square(all()),
                    variance: a2 * rate * (1.0 - rate) * square(all().map(|x| x - ALPHA_PRIME)),
                }
            }
            _ => Self {
                bias: 0.0,
                variance: square(all()) * rate / (1.0 - rate),
            },
        }
    }

    fn after(self, passes: usize) -> f64 {
        self.bias + self.variance / passes as f64
    }
}

/// Index of the largest value; the first of equal ones.
fn top(probabilities: &[f32]) -> usize {
    let all = probabilities.iter().enumerate();
    let best = all.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    best.map_or(0, |(class, _)| class)
}

fn monte_carlo(
    sampler: &Sampler<'_>,
    model: &Model,
    passes: usize,
    context: &Context<'_>,
) -> Result<Option<MonteCarlo>, LookError> {
    let (Some(reading), Some(inference)) = (Reading::of(&model.graph), sampler.inference()) else {
        return Ok(None);
    };
    if inference.rank() != 2 {
        return Ok(None);
    }
    let rows = |y: &Tensor| y.to_vec2::<f32>();
    let own = rows(inference)?;
    let own = reading.probabilities(own.first().map_or(&[][..], Vec::as_slice));
    let top_class = top(&own);
    let of_top = |all: &[f32]| all.get(top_class).copied().unwrap_or(0.0);
    let layers = model.graph.layers.iter();
    let mut done = MonteCarlo {
        top: top_class,
        inference: f64::from(of_top(&own)),
        probabilities: Vec::with_capacity(passes),
        winners: Vec::with_capacity(passes),
        drawing: sampler.drawing(),
        noises: layers.filter(|l| l.kind.role() == Role::Noise).count(),
    };
    if !sampler.output_varies() {
        done.probabilities = vec![of_top(&own); passes];
        done.winners = vec![top_class; passes];
        return Ok(Some(done));
    }
    for first in (0..passes).step_by(AT_A_TIME) {
        (context.progress)(Stage::MonteCarloPasses, first, passes);
        let last = (first + AT_A_TIME).min(passes);
        let outputs = sampler.outputs(first as u64..last as u64, &|| (context.proceed)())?;
        for row in rows(&outputs)? {
            let all = reading.probabilities(&row);
            done.probabilities.push(of_top(&all));
            done.winners.push(top(&all));
        }
    }
    Ok(Some(done))
}

#[cfg(test)]
#[path = "dropout_tests.rs"]
mod tests;
