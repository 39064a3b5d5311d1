//! Which layer of a file of weights is which layer of a network: by names where they tell layers
//! apart, by counting where Keras has counted them.

use std::collections::BTreeMap;

use super::specs::Need;

/// The weights of a file, or of one model inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub layers: Vec<FileLayer>,
    /// They lie in numbered groups; in the other layout, in groups named after the layers.
    pub by_number: bool,
    /// Layers with weights that lie outside.
    pub outside: Vec<String>,
}

/// One layer with weights.
#[derive(Clone, Debug, Default)]
pub(super) struct FileLayer {
    /// The path of a numbered group, or the name.
    pub key: String,
    /// Empty where the file does not tell.
    pub name: String,
    pub weights: Vec<FileWeight>,
}

#[derive(Clone, Debug)]
pub(super) struct FileWeight {
    /// The last part of its name.
    pub short: String,
    /// From the root of the file.
    pub path: String,
    pub shape: Vec<usize>,
}

/// One layer with weights of a network.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub id: usize,
    pub name: String,
    pub class: String,
    /// The path of its numbered group.
    pub key: String,
    pub needs: Vec<Need>,
}

/// What the pairing rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Names,
    /// Groups are counted by class.
    Numbers,
    Order,
}

impl Found {
    /// The same with its layers in this order.
    pub fn in_order(&self, order: &[usize]) -> Self {
        Self {
            layers: order.iter().map(|&i| self.layers[i].clone()).collect(),
            ..self.clone()
        }
    }
}

impl Wanted {
    /// The file's weight for one need: by its name where all names are known, else by its place.
    pub fn weight<'a>(&self, file: &'a FileLayer, need: usize) -> Option<&'a FileWeight> {
        let by_name = |need: &Need| file.weights.iter().find(|w| need.is_called(&w.short));
        if self.needs.iter().all(|n| by_name(n).is_some()) {
            return by_name(self.needs.get(need)?);
        }
        file.weights.get(need)
    }

    /// Whether the file's layer has exactly the weights needed.
    pub fn fits(&self, file: &FileLayer) -> bool {
        let shape = |i| self.weight(file, i).map(|w: &FileWeight| &w.shape);
        let mut needs = self.needs.iter().enumerate();
        file.weights.len() == self.needs.len() && needs.all(|(i, n)| shape(i) == Some(&n.shape))
    }
}

/// The file's layer for each of the network's, where there are as many of both.
pub(super) fn pair(found: &Found, wanted: &[Wanted]) -> Option<(How, Vec<usize>)> {
    if found.layers.len() != wanted.len() {
        return None;
    }
    let complete = |order: Vec<Option<usize>>| order.into_iter().collect::<Option<Vec<usize>>>();
    if let Some(order) = complete(by_names(found, wanted)) {
        let own = wanted.iter().zip(&order);
        let named = own.clone().any(|(w, _)| !is_counted(&w.name).1);
        let counted_shapes = own.clone().all(|(w, &i)| w.fits(&found.layers[i]));
        // Counted names alone are a weaker sign: where their shapes do not fit, order may.
        if named || counted_shapes || found.by_number {
            return Some((How::Names, order));
        }
    }
    if found.by_number {
        return complete(by_keys(found, wanted)).map(|order| (How::Numbers, order));
    }
    Some((How::Order, (0..wanted.len()).collect()))
}

fn by_keys(found: &Found, wanted: &[Wanted]) -> Vec<Option<usize>> {
    let keys = found.layers.iter().enumerate();
    let keys: BTreeMap<&str, usize> = keys.map(|(i, l)| (l.key.as_str(), i)).collect();
    let of = |w: &Wanted| keys.get(w.key.as_str()).copied();
    wanted.iter().map(of).collect()
}

fn by_names(found: &Found, wanted: &[Wanted]) -> Vec<Option<usize>> {
    let theirs = ranked(found.layers.iter().map(|l| l.name.as_str()));
    let ours = ranked(wanted.iter().map(|w| w.name.as_str()));
    let theirs: BTreeMap<_, _> = theirs.into_iter().zip(0..).collect();
    ours.iter().map(|rank| theirs.get(rank).copied()).collect()
}

/// Names without what only counts how many layers a session has made: `conv2d_17` becomes the
/// number of its place among all `conv2d`.
fn ranked<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<(&'a str, usize)> {
    let mut counters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for name in names.clone() {
        if let ((stem, number), true) = is_counted(name) {
            counters.entry(stem).or_default().push(number);
        }
    }
    for numbers in counters.values_mut() {
        numbers.sort_unstable();
    }
    let rank = |name: &'a str| match is_counted(name) {
        ((stem, number), true) => {
            let place = counters[stem].partition_point(|&n| n < number);
            (stem, place)
        }
        _ => (name, 0),
    };
    names.map(rank).collect()
}

/// Stem and number of a name, and whether it is one that Keras gives by itself.
fn is_counted(name: &str) -> ((&str, usize), bool) {
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

/// How many layers fit one after the other, and in words where the first difference lies.
pub(super) fn difference(found: &Found, wanted: &[Wanted]) -> (usize, String) {
    let mut order = by_names(found, wanted);
    let named = order.iter().flatten().count();
    if found.by_number {
        let keys = by_keys(found, wanted);
        if keys.iter().flatten().count() > named {
            order = keys;
        }
    } else if named * 2 < wanted.len() {
        order = (0..wanted.len()).map(Some).collect();
    }
    for (n, (wanted, place)) in wanted.iter().zip(&order).enumerate() {
        let name = &wanted.name;
        let Some(file) = place.and_then(|i| found.layers.get(i)) else {
            let need = wanted.needs.first();
            let shape = need.map(|n| format!("{} {:?}", n.name, n.shape));
            let shape = shape.unwrap_or_default();
            return (n, format!("the file has no layer for `{name}` ({shape})"));
        };
        if wanted.fits(file) {
            continue;
        }
        let other = if file.name.is_empty() {
            &file.key
        } else {
            &file.name
        };
        let mut needs = wanted.needs.iter().enumerate();
        let wrong = needs.find_map(|(i, need)| {
            let weight = wanted.weight(file, i);
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
                wanted.needs.len(),
                file.weights.len()
            ),
        };
        return (n, text);
    }
    let more = found.layers.len().saturating_sub(wanted.len());
    (
        wanted.len(),
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
