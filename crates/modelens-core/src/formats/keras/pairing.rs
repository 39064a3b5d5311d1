//! Pairs the layers of a weights file with those of a network: by name where names tell layers
//! apart, by number where Keras numbered them.

use std::collections::BTreeMap;

use super::specs::ExpectedWeight;
use super::stored::{StoredLayer, StoredModel, StoredWeight};

/// One layer of a network that must have weights.
#[derive(Clone, Debug)]
pub(super) struct ExpectedLayer {
    pub id: usize,
    pub name: String,
    pub class: String,
    /// The path of its numbered group.
    pub key: String,
    pub needs: Vec<ExpectedWeight>,
}

/// What a pairing is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairedBy {
    Names,
    /// The numbers of groups, which Keras counts by class.
    Numbers,
    /// The order in the file alone.
    Order,
}

impl ExpectedLayer {
    /// The file's weight for one that is needed: by name if all names are known, else by position.
    pub fn weight<'a>(&self, file: &'a StoredLayer, need: usize) -> Option<&'a StoredWeight> {
        let by_name =
            |need: &ExpectedWeight| file.weights.iter().find(|w| need.is_called(&w.short));
        if self.needs.iter().all(|n| by_name(n).is_some()) {
            return by_name(self.needs.get(need)?);
        }
        file.weights.get(need)
    }

    /// True if the file's layer has exactly the weights that are needed.
    pub fn fits(&self, file: &StoredLayer) -> bool {
        let shape = |i| self.weight(file, i).map(|w: &StoredWeight| &w.shape);
        let mut needs = self.needs.iter().enumerate();
        file.weights.len() == self.needs.len() && needs.all(|(i, n)| shape(i) == Some(&n.shape))
    }
}

/// For each layer of the network the index of the file's layer; `None` if their numbers differ or
/// a layer has no partner.
pub(super) fn pair(
    stored: &StoredModel,
    expected: &[ExpectedLayer],
) -> Option<(PairedBy, Vec<usize>)> {
    if stored.layers.len() != expected.len() {
        return None;
    }
    let complete = |order: Vec<Option<usize>>| order.into_iter().collect::<Option<Vec<usize>>>();
    if let Some(order) = complete(indices_by_name(stored, expected)) {
        let own = expected.iter().zip(&order);
        let has_own_names = own.clone().any(|(w, _)| !split_counter(&w.name).1);
        let shapes_fit = own.clone().all(|(w, &i)| w.fits(&stored.layers[i]));
        // Names that are only counters prove less: if their shapes do not fit, try the order.
        if has_own_names || shapes_fit || stored.numbered {
            return Some((PairedBy::Names, order));
        }
    }
    if stored.numbered {
        return complete(indices_by_key(stored, expected)).map(|order| (PairedBy::Numbers, order));
    }
    Some((PairedBy::Order, (0..expected.len()).collect()))
}

fn indices_by_key(stored: &StoredModel, expected: &[ExpectedLayer]) -> Vec<Option<usize>> {
    let keys = stored.layers.iter().enumerate();
    let keys: BTreeMap<&str, usize> = keys.map(|(i, l)| (l.key.as_str(), i)).collect();
    let of = |w: &ExpectedLayer| keys.get(w.key.as_str()).copied();
    expected.iter().map(of).collect()
}

fn indices_by_name(stored: &StoredModel, expected: &[ExpectedLayer]) -> Vec<Option<usize>> {
    let theirs = ranked(stored.layers.iter().map(|l| l.name.as_str()));
    let ours = ranked(expected.iter().map(|w| w.name.as_str()));
    let theirs: BTreeMap<_, _> = theirs.into_iter().zip(0..).collect();
    ours.iter().map(|rank| theirs.get(rank).copied()).collect()
}

/// Names without the counter of a Keras session: the number in `conv2d_17` becomes its rank among
/// all numbers of `conv2d`.
fn ranked<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<(&'a str, usize)> {
    let mut counters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for name in names.clone() {
        if let ((stem, number), true) = split_counter(name) {
            counters.entry(stem).or_default().push(number);
        }
    }
    for numbers in counters.values_mut() {
        numbers.sort_unstable();
    }
    let rank = |name: &'a str| match split_counter(name) {
        ((stem, number), true) => {
            let place = counters[stem].partition_point(|&n| n < number);
            (stem, place)
        }
        _ => (name, 0),
    };
    names.map(rank).collect()
}

/// Stem and number of a name, and whether Keras itself gives such names.
fn split_counter(name: &str) -> ((&str, usize), bool) {
    const STEMS: [&str; 7] = [
        "conv2d",
        "depthwise_conv2d",
        "separable_conv2d",
        "dense",
        "batch_normalization",
        "layer_normalization",
        "normalization",
    ];
    let split = name
        .rsplit_once('_')
        .and_then(|(stem, number)| Some((stem, number.parse().ok()?)));
    let (stem, number) = split.unwrap_or((name, 0));
    ((stem, number), STEMS.contains(&stem))
}

/// PairedBy many layers fit one after the other, and in words where the first difference lies.
pub(super) fn difference(stored: &StoredModel, expected: &[ExpectedLayer]) -> (usize, String) {
    let mut order = indices_by_name(stored, expected);
    let named = order.iter().flatten().count();
    if stored.numbered {
        let keys = indices_by_key(stored, expected);
        if keys.iter().flatten().count() > named {
            order = keys;
        }
    } else if named * 2 < expected.len() {
        order = (0..expected.len()).map(Some).collect();
    }
    for (n, (expected, place)) in expected.iter().zip(&order).enumerate() {
        let name = &expected.name;
        let Some(file) = place.and_then(|i| stored.layers.get(i)) else {
            let need = expected.needs.first();
            let shape = need.map(|n| format!("{} {:?}", n.name, n.shape));
            let shape = shape.unwrap_or_default();
            return (n, format!("the file has no layer for `{name}` ({shape})"));
        };
        if expected.fits(file) {
            continue;
        }
        let other = if file.name.is_empty() {
            &file.key
        } else {
            &file.name
        };
        let mut needs = expected.needs.iter().enumerate();
        let wrong = needs.find_map(|(i, need)| {
            let weight = expected.weight(file, i);
            let shape = weight.map(|w| &w.shape);
            (shape != Some(&need.shape)).then_some((need, shape))
        });
        let text = match wrong {
            Some((need, Some(shape))) => format!(
                "its first layer that differs is `{name}`: {} needs the shape {:?}, and the file's \
                 `{other}` has {shape:?}",
                need.name, need.shape
            ),
            Some((need, None)) => format!(
                "its first layer that differs is `{name}`: the file's `{other}` has no {}",
                need.name
            ),
            None => format!(
                "its first layer that differs is `{name}`: it has {} weights, the file's `{other}` {}",
                expected.needs.len(),
                file.weights.len()
            ),
        };
        return (n, text);
    }
    let more = stored.layers.len().saturating_sub(expected.len());
    (
        expected.len(),
        format!("the file has {more} more layers with weights"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_do_not_matter() {
        let of = |names: &[&'static str]| ranked(names.iter().copied());
        let fresh = of(&[
            "conv2d",
            "bn_a",
            "conv2d_1",
            "conv2d_10",
            "dense",
            "block_1",
        ]);
        let late = of(&[
            "conv2d_94",
            "bn_a",
            "conv2d_95",
            "conv2d_104",
            "dense_3",
            "block_1",
        ]);
        assert_eq!(fresh, late);
        assert_eq!(fresh[3], ("conv2d", 2));
        assert_ne!(of(&["block_1"]), of(&["block_2"]));
    }
}
