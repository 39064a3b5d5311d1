//! The formulas of BatchNorm with the chosen channel's numbers in them.

use super::Shown;
use crate::model::layers::batch_norm::takes_unbiased_variance;
use crate::model::{Mode, Semantics};
use crate::words::number::{fixed, measured, thousands, told_apart};

/// One moving value before and after a batch.
pub struct MovingUpdate {
    pub semantics: Semantics,
    /// Keras' convention.
    pub momentum: f64,
    pub moving: f64,
    pub batch: f64,
    /// Where the batch's variance is taken times `n / (n - 1)`.
    pub unbiased_n: Option<usize>,
    pub next: f64,
}

impl MovingUpdate {
    /// `0.999 × 0.2845 + 0.001 × 0.5296 = 0.2847`, with enough digits to tell the result from what
    /// was there before.
    pub fn text(&self) -> String {
        let Self { moving, next, .. } = *self;
        let show = if plain(next) == plain(moving) && next != moving {
            precise
        } else {
            plain
        };
        let rest = factor(1.0 - self.momentum);
        let kept = if self.semantics == Semantics::PyTorch {
            format!("(1 − {rest})")
        } else {
            factor(self.momentum)
        };
        let unbiased = self.unbiased_n.map_or_else(String::new, |n| {
            format!(" × {}/{}", thousands(n), thousands(n - 1))
        });
        let [moving, batch] = [moving, self.batch].map(|x| factor_of(&show(x)));
        let next = show(next);
        format!("{kept} × {moving} + {rest} × {batch}{unbiased} = {next}")
    }
}

impl MovingUpdate {
    /// The short form: `0.284500 → 0.284501`.
    pub fn short(&self) -> String {
        let [from, to] = told_apart([self.moving, self.next]);
        format!("{from} → {to}")
    }
}

/// Whether the layer's batch variance is taken times `n / (n - 1)` before it is stored.
pub fn is_unbiased(shown: &Shown<'_>) -> bool {
    takes_unbiased_variance(shown.semantics(), shown.outcome.shape.len())
}

/// The updates of the mean and the variance; `None` if the layer doesn't take this batch in, or is
/// called several times per pass.
pub fn updates(shown: &Shown<'_>) -> Option<[MovingUpdate; 2]> {
    let outcome = shown.outcome;
    let side = &outcome.training;
    if !side.effective.updates_statistics || outcome.calls > 1 {
        return None;
    }
    let semantics = shown.semantics();
    let unbiased = is_unbiased(shown);
    let [mean, variance] = shown.next();
    let update = |moving: &[f32], batch: &[f32], next, unbiased: bool| MovingUpdate {
        semantics,
        momentum: shown.momentum,
        moving: shown.at(moving),
        batch: shown.at(batch),
        unbiased_n: (unbiased && outcome.n > 1).then_some(outcome.n),
        next,
    };
    let (moving, batch) = (&outcome.moving, &side.batch);
    Some([
        update(&moving.mean, &batch.mean, mean, false),
        update(&moving.variance, &batch.variance, variance, unbiased),
    ])
}

/// `y = 1.2034 × (x − 0.5296) / √(0.3930 + 0.001) − 0.1132`: gamma, mean, variance, epsilon, beta.
pub fn output(shown: &Shown<'_>, mode: Mode) -> String {
    let outcome = shown.outcome;
    let used = &shown.side(mode).used;
    format!(
        "y = {} × (x{}) / √({} + {}){}",
        measured(shown.at(&outcome.gamma)),
        added(-shown.at(&used.mean)),
        measured(shown.at(&used.variance)),
        epsilon(outcome.epsilon),
        added(shown.at(&outcome.beta)),
    )
}

/// The same with the factor and the summand worked out: `y = 1.9173 × x − 1.1286`.
pub fn short_output(shown: &Shown<'_>, mode: Mode) -> String {
    let outcome = shown.outcome;
    let used = &shown.side(mode).used;
    let moments = [&used.mean, &used.variance].map(|values| shown.at(values));
    let own = [&outcome.gamma, &outcome.beta].map(|values| shown.at(values));
    let [scale, shift] = affine(own, moments, outcome.epsilon);
    format!("y = {} × x{}", measured(scale), added(shift))
}

/// Factor and summand of `gamma × (x − mean) / √(variance + epsilon) + beta`.
fn affine([gamma, beta]: [f64; 2], [mean, variance]: [f64; 2], epsilon: f64) -> [f64; 2] {
    let scale = gamma / (variance + epsilon).sqrt();
    [scale, beta - scale * mean]
}

/// A factor, in brackets if it is negative.
fn factor_of(text: &str) -> String {
    if text.starts_with('−') {
        format!("({text})")
    } else {
        text.to_owned()
    }
}

/// ` + 0.1`, ` − 0.1`.
fn added(x: f64) -> String {
    let sign = if x < 0.0 { '−' } else { '+' };
    format!(" {sign} {}", measured(x.abs()))
}

/// `0.001`, `1e−5`.
pub fn epsilon(x: f64) -> String {
    if x != 0.0 && x < 0.0005 {
        format!("{x:e}").replace('-', "−")
    } else {
        factor(x)
    }
}

/// A momentum without the noise of binary fractions: `0.999`, `0.001`.
pub fn factor(x: f64) -> String {
    let text = format!("{x:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// About four digits, of small numbers too: a sum must be seen to come out.
fn plain(x: f64) -> String {
    match x.abs() {
        0.0 | 0.01.. => measured(x),
        0.0005.. => fixed(x, 6),
        _ => format!("{x:.3e}").replace('-', "−"),
    }
}

/// Two digits more.
fn precise(x: f64) -> String {
    match x.abs() {
        0.0 | 0.01.. => fixed(x, 6),
        0.0005.. => fixed(x, 8),
        _ => format!("{x:.5e}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layers::batch_norm::{Moments, next_moving};

    /// What a written formula says, computed anew from its own digits.
    fn evaluated(text: &str) -> [f64; 2] {
        let number = |text: &str| -> f64 {
            let text = text.replace('−', "-").replace([',', '(', ')'], "");
            text.trim().parse().expect("a number")
        };
        let value = |text: &str| match text.trim().strip_prefix("(1 − ") {
            Some(rest) => 1.0 - number(rest.trim_end_matches(')')),
            None => match text.split_once('/') {
                Some((over, under)) => number(over) / number(under),
                None => number(text),
            },
        };
        let (left, right) = text.split_once(" = ").expect("an equation");
        let sum = left.split(" + ").map(|product| {
            let factors = product.split(" × ").map(value);
            factors.product::<f64>()
        });
        [sum.sum(), number(right)]
    }

    #[test]
    fn the_written_arithmetic_is_true() {
        let cases = [
            (0.999, 0.2845, 0.5296, 800),
            (0.99, -3.127, 0.441, 25),
            (0.9, 0.000_12, 0.000_34, 2),
            (0.999, 0.0012, 0.0034, 50),
            (0.999, 12.5, 12.6, 320_000),
            (0.0, 1.0, 7.0, 1),
        ];
        for semantics in Semantics::ALL {
            for (momentum, moving, batch, n) in cases {
                let one = |x: f64| Moments {
                    mean: vec![x as f32],
                    variance: vec![x as f32],
                };
                let next = next_moving(&one(moving), &one(batch), momentum, n, 4, semantics);
                let unbiased = !semantics.is_keras3() && n > 1;
                for (after, unbiased) in [(next.mean[0], false), (next.variance[0], unbiased)] {
                    let step = MovingUpdate {
                        semantics,
                        momentum,
                        moving,
                        batch,
                        unbiased_n: unbiased.then_some(n),
                        next: f64::from(after),
                    };
                    let text = step.text();
                    let [left, right] = evaluated(&text);
                    // Half a unit of the last digit of each of the three numbers.
                    let digits = 1.5e-4 * moving.abs().max(batch.abs()).max(0.0);
                    assert!((left - right).abs() <= digits.max(1e-9), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_small_step_shows_enough_digits() {
        let step = MovingUpdate {
            semantics: Semantics::Keras3,
            momentum: 0.999,
            moving: 0.2845,
            batch: 0.2854,
            unbiased_n: None,
            next: 0.284_500_9,
        };
        let text = step.text();
        assert_eq!(text, "0.999 × 0.284500 + 0.001 × 0.285400 = 0.284501");
    }

    #[test]
    fn negative_factors_stand_in_brackets() {
        let step = MovingUpdate {
            semantics: Semantics::PyTorch,
            momentum: 0.9,
            moving: -0.7382,
            batch: -2.5486,
            unbiased_n: None,
            next: -0.91924,
        };
        let text = step.text();
        assert_eq!(text, "(1 − 0.1) × (−0.7382) + 0.1 × (−2.5486) = −0.9192");
    }

    #[test]
    fn the_short_forms_say_the_same() {
        let [scale, shift] = affine([1.5, -0.25], [0.4, 0.1], 0.001);
        for x in [-2.0, 0.0, 0.4, 3.0] {
            let y: f64 = 1.5 * (x - 0.4) / 0.101_f64.sqrt() - 0.25;
            assert!((scale * x + shift - y).abs() < 1e-12);
        }
        let step = MovingUpdate {
            semantics: Semantics::PyTorch,
            momentum: 0.999,
            moving: 0.885_833,
            batch: 0.845_810,
            unbiased_n: None,
            next: 0.885_793,
        };
        assert_eq!(step.short(), "0.88583 → 0.88579");
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        assert_eq!(epsilon(1e-3), "0.001");
        assert_eq!(epsilon(1e-5), "1e−5");
        assert_eq!(factor(1.0 - 0.999), "0.001");
        assert_eq!(added(-0.25), " − 0.2500");
    }
}
