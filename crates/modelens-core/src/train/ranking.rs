//! Runs that differ in the two switches, ranked by what they classify correctly in inference, and why
//! they differ.

use super::summary::{Summary, percent};
use crate::model::Mode;

/// A run of a comparison, with what it came to for each seed; the first is the seed that is shown.
#[derive(Clone, Debug)]
pub struct RunResults<'a> {
    pub name: &'a str,
    pub seeds: Vec<&'a Summary>,
}

/// The runs of a comparison, the best first.
#[derive(Clone, Debug)]
pub struct Ranking {
    places: Vec<Place>,
    /// Number of photos in a step.
    batch: usize,
    /// Number of seeds that every run has finished.
    seeds: usize,
    validation_photos: usize,
}

/// Runs that classify equally many photos and whose bases have moved equally far.
#[derive(Clone, Debug)]
struct Place {
    names: Vec<String>,
    scores: Scores,
}

/// What a run came to, over all seeds.
#[derive(Clone, Debug, PartialEq)]
struct Scores {
    /// Photos classified correctly in inference, for each seed.
    right: Vec<usize>,
    /// The same with training=True.
    right_training: Vec<usize>,
    /// The largest relative movement of a layer's weights in the base.
    base_weights: f64,
    /// The largest number of BatchNorm layers in the base whose statistics moved.
    statistics_moved: usize,
    /// The smallest accuracy on the training photos in the last epoch.
    training_accuracy: f64,
    steps: usize,
}

impl Scores {
    fn of(seeds: &[&Summary]) -> Option<Self> {
        let count = |mode: Mode| -> Option<Vec<usize>> {
            seeds.iter().map(|summary| summary.right(mode)).collect()
        };
        let largest = |of: fn(&Summary) -> f64| seeds.iter().map(|s| of(s)).fold(0.0, f64::max);
        Some(Self {
            right: count(Mode::Inference)?,
            right_training: count(Mode::Training)?,
            base_weights: largest(|s| s.base_weights),
            statistics_moved: seeds.iter().map(|s| s.statistics_moved).max()?,
            training_accuracy: seeds
                .iter()
                .map(|s| s.training.accuracy)
                .fold(1.0, f64::min),
            steps: seeds.first()?.steps,
        })
    }

    /// True if the base is bit for bit the one in the file.
    fn kept(&self) -> bool {
        self.base_weights == 0.0 && self.statistics_moved == 0
    }
}

/// What one run came to over its seeds; `None` for a single seed.
pub fn spread(seeds: &[Summary]) -> Option<String> {
    let all = seeds.first()?.validation_photos;
    let counts = |mode: Mode| -> Option<String> {
        let right: Option<Vec<usize>> = seeds.iter().map(|seed| seed.right(mode)).collect();
        let right: Vec<String> = right?.iter().map(usize::to_string).collect();
        Some(right.join(", "))
    };
    let (inference, training) = (counts(Mode::Inference)?, counts(Mode::Training)?);
    (seeds.len() > 1).then(|| {
        format!(
            "With {} seeds it names {inference} of {all} right in inference, and {training} with \
             training=True.",
            seeds.len()
        )
    })
}

/// `16 of 18`, or if the counts differ `14 to 16 of 18`.
pub fn range(right: &[usize], all: usize) -> String {
    match (right.iter().min(), right.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most} of {all}"),
        (_, Some(most)) => format!("{most} of {all}"),
        (_, None) => String::new(),
    }
}

fn mean(counts: &[usize]) -> f64 {
    counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64
}

/// In how many seeds the first of two runs classifies more photos, and in how many the second does.
fn seeds_ahead(first: &Scores, second: &Scores) -> [usize; 2] {
    let pairs = || first.right.iter().zip(&second.right);
    [
        pairs().filter(|(a, b)| a > b).count(),
        pairs().filter(|(a, b)| a < b).count(),
    ]
}

/// True if another seed may put two runs, of which the first is ahead, in the other order: they are at most
/// one photo apart, or many seeds contradict.
fn is_chance(first: &Scores, second: &Scores) -> bool {
    let [ahead, behind] = seeds_ahead(first, second);
    let lead = (mean(&first.right) - mean(&second.right)).abs();
    lead <= 1.0 || ahead.max(behind) <= 2 * ahead.min(behind)
}

impl Ranking {
    /// Ranks the runs over the seeds that all of them have finished, with `batch` photos in a step; `None`
    /// for fewer than two runs, before each has finished one seed, and without validation photos.
    pub fn of(runs: &[RunResults<'_>], batch: usize) -> Option<Self> {
        let seeds = runs.iter().map(|run| run.seeds.len()).min()?;
        if runs.len() < 2 || seeds == 0 {
            return None;
        }
        let mut places: Vec<Place> = Vec::new();
        for run in runs {
            let scores = Scores::of(&run.seeds[..seeds])?;
            match places.iter_mut().find(|place| place.scores == scores) {
                Some(place) => place.names.push(run.name.to_owned()),
                None => places.push(Place {
                    names: vec![run.name.to_owned()],
                    scores,
                }),
            }
        }
        // The sort is stable: runs that are equally good stay in their order.
        places.sort_by_key(|place| std::cmp::Reverse(place.scores.right.iter().sum::<usize>()));
        Some(Self {
            places,
            batch,
            seeds,
            validation_photos: runs[0].seeds[0].validation_photos,
        })
    }

    /// Which runs are best, which are worst, and why, in one sentence; no order where the difference may be
    /// chance.
    pub fn verdict(&self) -> String {
        let (Some(best), Some(worst)) = (self.places.first(), self.places.last()) else {
            return String::new();
        };
        let all = || self.places.iter().flat_map(|place| &place.scores.right);
        let counts: Vec<usize> = all().copied().collect();
        if mean(&best.scores.right) - mean(&worst.scores.right) < 1.0 {
            return format!(
                "All runs classify about equally many photos, {}: the accuracy does not tell them apart",
                self.count(&counts)
            );
        }
        if is_chance(&best.scores, &worst.scores) {
            let why = if self.seeds > 1 {
                "which run is ahead depends on the seed"
            } else {
                "they are one photo apart, and one photo is chance"
            };
            return format!(
                "No clear order: the runs classify {}, and {why}",
                self.count(&counts)
            );
        }
        let [first, last] = self.ends().map(|places| self.listed(&places));
        let [does, does_worst] = self.ends().map(|places| match places.len() {
            1 => "does",
            _ => "do",
        });
        if worst.scores.kept() && !best.scores.kept() {
            let moved = percent(best.scores.base_weights);
            let why = if worst.scores.training_accuracy < 0.9 {
                format!(
                    "the head alone is not done after {} steps, while the whole base was fitted to \
                     these photos",
                    worst.scores.steps
                )
            } else {
                let one = 100.0 / self.validation_photos.max(1) as f64;
                format!("one validation photo is already {one:.0}% of the accuracy")
            };
            return format!(
                "Against the advice, {first} {does} best here; {last} {does_worst} worst: {why}, and the \
                 price is a base whose weights moved by up to {moved}"
            );
        }
        let [ahead, behind] = seeds_ahead(&best.scores, &worst.scores);
        let often = if behind > 0 {
            format!(" in {ahead} of {} seeds", self.seeds)
        } else {
            String::new()
        };
        let said = format!("{first} {does} best; {last} {does_worst} worst{often}");
        let reasons = self.reasons(&best.scores, &worst.scores);
        match reasons.split_last() {
            None => said,
            Some((only, [])) => format!("{said}: {only}"),
            Some((end, begin)) => format!("{said}: {}, and {end}", begin.join(", ")),
        }
    }

    /// The places that may be the best, and those that may be the worst: what is ahead by chance is not told
    /// apart.
    fn ends(&self) -> [Vec<&Place>; 2] {
        let [best, worst] = [self.places.first(), self.places.last()];
        let near = |end: Option<&Place>, other: Option<&Place>| -> Vec<&Place> {
            let is_near = |place: &&Place, end: Option<&Place>| {
                end.is_some_and(|end| is_chance(&end.scores, &place.scores))
            };
            let places = self.places.iter();
            places
                .filter(|place| is_near(place, end) && !is_near(place, other))
                .collect()
        };
        [near(best, worst), near(worst, best)]
    }

    /// Runs with their counts: `a (16 of 18) and b (15 of 18)`.
    fn listed(&self, places: &[&Place]) -> String {
        let named: Vec<String> = places.iter().map(|place| self.named(place, "")).collect();
        match named.as_slice() {
            [begin @ .., end] if !begin.is_empty() => format!("{} and {end}", begin.join(", ")),
            _ => named.concat(),
        }
    }

    /// What is different about the worst run.
    fn reasons(&self, best: &Scores, worst: &Scores) -> Vec<String> {
        let mut reasons = Vec::new();
        let on_batch = worst.statistics_moved > 0 && best.statistics_moved == 0;
        if on_batch && worst.base_weights > 0.0 {
            reasons.push(format!(
                "it learned from the statistics of {} photos at a time",
                self.batch
            ));
        } else if on_batch {
            reasons.push(format!(
                "its stored statistics moved, {} photos at a time, although every weight was frozen",
                self.batch
            ));
        }
        if worst.base_weights > 2.0 * best.base_weights {
            let moved = percent(worst.base_weights);
            reasons.push(format!(
                "its pretrained weights were driven up to {moved} away"
            ));
        }
        let gap = mean(&worst.right_training) - mean(&worst.right);
        if worst.statistics_moved > 0 && gap >= (0.1 * self.validation_photos as f64).max(1.0) {
            reasons.push(format!(
                "inference uses other statistics than training did (with training=True the same \
                 weights classify {})",
                self.count(&worst.right_training)
            ));
        }
        reasons
    }

    /// All runs with their counts, the best first, in one sentence. Runs whose difference may be chance share a
    /// rank.
    pub fn in_words(&self) -> String {
        let mut ranks: Vec<Vec<&Place>> = Vec::new();
        for place in &self.places {
            match ranks.last_mut() {
                Some(rank) if is_chance(&rank[0].scores, &place.scores) => rank.push(place),
                _ => ranks.push(vec![place]),
            }
        }
        let rank = |(i, rank): (usize, &Vec<&Place>)| {
            let named: Vec<String> = rank.iter().map(|p| self.named(p, EITHER)).collect();
            let named = named.join(", ");
            if ranks.len() > 1 {
                format!("{}. {named}", i + 1)
            } else {
                named
            }
        };
        let list: Vec<String> = ranks.iter().enumerate().map(rank).collect();
        let list = list.join("; ");
        if self.seeds > 1 {
            format!(
                "Validation photos classified correctly in inference, with {} seeds: {list}.",
                self.seeds
            )
        } else {
            format!("Validation photos classified correctly in inference: {list}.")
        }
    }

    /// The runs of a place and what they classify; `either` follows runs that differ only in the call.
    fn named(&self, place: &Place, either: &str) -> String {
        format!(
            "{} ({})",
            label(&place.names, either),
            self.count(&place.scores.right)
        )
    }

    fn count(&self, right: &[usize]) -> String {
        range(right, self.validation_photos)
    }
}

/// Follows the label of two runs that differ only in the call.
const EITHER: &str = " with either training= value";

/// What runs with these names have in common: two runs that differ only in the call get one label, which ends
/// in `either`.
fn label(names: &[String], either: &str) -> String {
    let parts: Vec<(&str, &str)> = names.iter().map(|name| switches(name)).collect();
    match parts.as_slice() {
        [(call, flag)] if !flag.is_empty() => format!("{flag} with {call}"),
        [(_, a), (_, b)] if a == b && !a.is_empty() => format!("{a}{either}"),
        _ => names.join(" and "),
    }
}

/// A run's name as the call of its base, and what its flag means in one word.
fn switches(name: &str) -> (&str, &str) {
    match name.split_once(", trainable=") {
        Some((call, "True")) => (call, "unfrozen"),
        Some((call, "False")) => (call, "frozen"),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Semantics;
    use crate::train::trainer::Score;

    fn summary(right: [usize; 2], base_weights: f64, statistics_moved: usize) -> Summary {
        let score = |right: usize| Score {
            loss: 1.0,
            accuracy: right as f64 / 18.0,
        };
        Summary {
            semantics: Semantics::Keras3,
            base_call: Some(false),
            lost_evals: None,
            base_learns: base_weights > 0.0,
            base_weights,
            head_weights: 0.1,
            batch_norms: 52,
            statistics_moved,
            base_statistics: 0.1,
            steps: 40,
            training: score(18),
            validation: Some(right.map(score)),
            validation_photos: 18,
        }
    }

    fn ranking(runs: &[(&str, &[Summary])]) -> Ranking {
        let runs: Vec<RunResults<'_>> = runs
            .iter()
            .map(|(name, seeds)| RunResults {
                name,
                seeds: seeds.iter().collect(),
            })
            .collect();
        Ranking::of(&runs, 8).expect("a ranking")
    }

    const NAMES: [&str; 4] = [
        "training=True, trainable=True",
        "training=False, trainable=True",
        "training=True, trainable=False",
        "training=False, trainable=False",
    ];

    #[test]
    fn a_frozen_base_that_wins_is_explained_by_what_the_other_did() {
        let [open, frozen] = [summary([12, 2], 0.23, 52), summary([15, 16], 0.0, 0)];
        let runs = [&open, &open, &frozen, &frozen].map(std::slice::from_ref);
        let found = ranking(&[
            (NAMES[0], runs[0]),
            (NAMES[1], runs[1]),
            (NAMES[2], runs[2]),
            (NAMES[3], runs[3]),
        ]);
        assert_eq!(
            found.verdict(),
            "frozen (16 of 18) does best; unfrozen (2 of 18) does worst: it learned from the statistics of 8 \
             photos at a time, its pretrained weights were driven up to 23% away, and inference uses other \
             statistics than training did (with training=True the same weights classify 12 of 18)"
        );
        assert_eq!(
            found.in_words(),
            "Validation photos classified correctly in inference: 1. frozen with either training= value (16 \
             of 18); 2. unfrozen with either training= value (2 of 18)."
        );
    }

    #[test]
    fn what_speaks_against_the_advice_is_said_with_its_reason() {
        let open = summary([17, 17], 0.02, 52);
        let mut frozen = summary([12, 12], 0.0, 0);
        frozen.training.accuracy = 0.7;
        let both = |frozen: &Summary| {
            let runs = [
                (NAMES[0], vec![open.clone()]),
                (NAMES[3], vec![frozen.clone()]),
            ];
            ranking(&runs.each_ref().map(|(name, seeds)| (*name, &seeds[..]))).verdict()
        };
        let said = both(&frozen);
        assert!(said.starts_with("Against the advice, unfrozen with training=True (17 of 18)"));
        assert!(
            said.contains("the head alone is not done after 40 steps"),
            "{said}"
        );
        assert!(said.contains("moved by up to 2.0%"), "{said}");
        frozen.training.accuracy = 1.0;
        assert!(both(&frozen).contains("one validation photo is already 6%"));
    }

    #[test]
    fn several_seeds_are_a_range_over_the_seeds_that_all_have() {
        let open = [summary([12, 2], 0.2, 52), summary([13, 9], 0.3, 52)];
        let frozen = [summary([15, 16], 0.0, 0)];
        let first = ranking(&[(NAMES[0], &open), (NAMES[3], &frozen)]);
        assert!(
            first.in_words().contains("(2 of 18)"),
            "{}",
            first.in_words()
        );
        let frozen = [frozen[0].clone(), summary([17, 17], 0.0, 0)];
        let both = ranking(&[(NAMES[0], &open), (NAMES[3], &frozen)]);
        let said = both.in_words();
        assert!(said.contains("with 2 seeds"), "{said}");
        assert!(
            said.contains("1. frozen with training=False (16 to 17 of 18)"),
            "{said}"
        );
        assert!(
            both.verdict().contains("up to 30% away"),
            "{}",
            both.verdict()
        );
    }

    #[test]
    fn statistics_that_moved_under_frozen_weights_are_the_reason() {
        let [train, eval] = [summary([7, 13], 0.0, 52), summary([15, 16], 0.0, 0)];
        let runs = [(NAMES[2], vec![train]), (NAMES[3], vec![eval])];
        let said = ranking(&runs.each_ref().map(|(name, seeds)| (*name, &seeds[..]))).verdict();
        assert!(said.contains("although every weight was frozen"), "{said}");
        assert!(!said.contains("driven"), "{said}");
    }

    /// Runs with these numbers of correct photos, a seed each.
    fn told(runs: &[(&str, &[usize])]) -> [String; 2] {
        let runs: Vec<(&str, Vec<Summary>)> = runs
            .iter()
            .map(|(name, right)| {
                let seeds = right.iter().map(|&right| summary([right, right], 0.0, 0));
                (*name, seeds.collect())
            })
            .collect();
        let runs: Vec<(&str, &[Summary])> = runs.iter().map(|(n, s)| (*n, &s[..])).collect();
        let found = ranking(&runs);
        [found.verdict(), found.in_words()]
    }

    #[test]
    fn a_lead_of_one_photo_is_chance() {
        let [verdict, list] = told(&[("a", &[16]), ("b", &[15])]);
        assert!(
            verdict.starts_with("No clear order: the runs classify 15 to 16 of 18"),
            "{verdict}"
        );
        assert!(
            list.ends_with("inference: a (16 of 18), b (15 of 18)."),
            "{list}"
        );
        let [verdict, list] = told(&[("a", &[15]), ("b", &[16]), ("c", &[3])]);
        assert_eq!(
            verdict,
            "b (16 of 18) and a (15 of 18) do best; c (3 of 18) does worst"
        );
        assert!(
            list.ends_with("1. b (16 of 18), a (15 of 18); 2. c (3 of 18)."),
            "{list}"
        );
    }

    #[test]
    fn seeds_that_contradict_give_no_order() {
        let [verdict, _] = told(&[("a", &[16, 9, 14]), ("b", &[3, 12, 8])]);
        assert!(verdict.starts_with("No clear order"), "{verdict}");
        assert!(verdict.contains("depends on the seed"), "{verdict}");
        let [verdict, _] = told(&[("a", &[16, 17, 17, 15]), ("b", &[6, 4, 3, 16])]);
        assert_eq!(
            verdict,
            "a (15 to 17 of 18) does best; b (3 to 16 of 18) does worst in 3 of 4 seeds"
        );
    }

    #[test]
    fn equal_runs_and_single_runs_are_not_ranked() {
        let one = summary([16, 16], 0.0, 0);
        let seeds = std::slice::from_ref(&one);
        let equal = ranking(&[(NAMES[2], seeds), (NAMES[3], seeds)]);
        assert!(
            equal
                .verdict()
                .contains("about equally many photos, 16 of 18")
        );
        let alone = [RunResults {
            name: "a",
            seeds: vec![&one],
        }];
        assert!(Ranking::of(&alone, 8).is_none());
        let none = Summary {
            validation: None,
            ..one.clone()
        };
        let runs = ["a", "b"].map(|name| RunResults {
            name,
            seeds: vec![&none],
        });
        assert!(Ranking::of(&runs, 8).is_none());
    }
}
