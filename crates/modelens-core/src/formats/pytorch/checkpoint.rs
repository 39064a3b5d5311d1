//! Finds the state dict in a checkpoint: under whatever key, beside whatever else, or inside a pickled
//! module.

use candle_core::DType;

use super::choice::WeightSet;
use super::pickle::{Node, Pickle, Value};
use super::torch_file::broken;
use super::{families, is_weight, no_float};
use crate::formats::OpenError;

/// The storage of a tensor's values.
pub struct Storage {
    pub key: String,
    /// `None` for a type that weights do not have.
    pub dtype: Option<DType>,
    pub count: usize,
}

/// A tensor whose values are not read yet.
pub struct Wanted {
    pub name: String,
    pub storage: Storage,
    pub offset: usize,
    pub size: Vec<usize>,
    pub stride: Vec<usize>,
}

/// The tensors of one state dict.
pub struct Found {
    pub tensors: Vec<Wanted>,
    /// The storages of all tensors of the file.
    pub all: Vec<Storage>,
    pub warning: Option<String>,
    pub chosen: bool,
}

/// A dictionary of tensors in a checkpoint.
struct Dictionary<'a> {
    /// The keys that lead to it, joined by dots; nothing for the whole file.
    path: String,
    tensors: Vec<(String, &'a Node)>,
    /// A weight of a kind that is not read, such as a sparse tensor.
    unreadable: Option<&'a str>,
}

impl Dictionary<'_> {
    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.tensors.iter().map(|(name, _)| name.as_str())
    }

    /// The number of tensors that a layer computes with.
    fn weights(&self) -> usize {
        let counts = |name: &&str| !name.ends_with("num_batches_tracked");
        self.names().filter(counts).count()
    }
}

/// Dictionaries deeper in a checkpoint than this are not searched.
const MOST_DEPTH: usize = 4;
/// Maximum number of tensors of one pickled module, which may refer to one part many times.
const MOST_TENSORS: usize = 1 << 16;

/// All dictionaries that hold tensors under names, at the top of the file or inside a checkpoint, and
/// all pickled modules.
fn dictionaries(pickle: &Pickle) -> Result<Vec<Dictionary<'_>>, OpenError> {
    match pickle.node(pickle.root) {
        Some(Node::Dict(_)) => {}
        Some(Node::Object(_)) if is_module(pickle, pickle.root) => {}
        _ => {
            return Err(OpenError::NotAModel(
                "it holds an object and not a state dict; save `model.state_dict()`".to_owned(),
            ));
        }
    }
    let mut found = Vec::new();
    // A file may refer to one dictionary from many places.
    let mut seen = Vec::new();
    let mut level = vec![(String::new(), pickle.root)];
    for _ in 0..MOST_DEPTH {
        let mut next = Vec::new();
        for (path, value) in level {
            if seen.contains(&value) {
                continue;
            }
            seen.push(value);
            if is_module(pickle, value) {
                let tensors = module_tensors(pickle, value)?;
                if !tensors.is_empty() {
                    found.push(Dictionary {
                        path,
                        tensors,
                        unreadable: None,
                    });
                }
                continue;
            }
            let Some(Node::Dict(items)) = pickle.node(value) else {
                continue;
            };
            let mut tensors = Vec::new();
            let mut unreadable = None;
            for &(key, value) in items {
                let (Some(name), Some(node)) = (pickle.text(key), pickle.node(value)) else {
                    continue;
                };
                match node {
                    Node::Tensor { .. } => tensors.push((name.to_owned(), node)),
                    Node::Opaque | Node::Object(_) if name.contains('.') && is_weight(name) => {
                        unreadable = Some(name);
                    }
                    Node::Dict(_) | Node::Object(_) if path.is_empty() => {
                        next.push((name.to_owned(), value));
                    }
                    Node::Dict(_) | Node::Object(_) => next.push((format!("{path}.{name}"), value)),
                    Node::Text(_)
                    | Node::Tuple(_)
                    | Node::List(_)
                    | Node::Global(_)
                    | Node::Persistent(_)
                    | Node::Opaque => {}
                }
            }
            if !tensors.is_empty() {
                found.push(Dictionary {
                    path,
                    tensors,
                    unreadable,
                });
            }
        }
        level = next;
    }
    Ok(found)
}

/// The entry of a pickled object's state.
fn attribute<'a>(pickle: &'a Pickle, object: Value, name: &str) -> Option<&'a [(Value, Value)]> {
    let Some(Node::Object(Some(state))) = pickle.node(object) else {
        return None;
    };
    let Some(Node::Dict(items)) = pickle.node(*state) else {
        return None;
    };
    let found = items
        .iter()
        .find(|(key, _)| pickle.text(*key) == Some(name));
    match pickle.node(found?.1) {
        Some(Node::Dict(items)) => Some(items),
        _ => None,
    }
}

/// True for a pickled `nn.Module`.
fn is_module(pickle: &Pickle, value: Value) -> bool {
    attribute(pickle, value, "_modules").is_some()
        && attribute(pickle, value, "_parameters").is_some()
}

/// The tensors of a pickled module under the names that its state dict would have.
fn module_tensors(pickle: &Pickle, root: Value) -> Result<Vec<(String, &Node)>, OpenError> {
    let mut tensors = Vec::new();
    let mut open = vec![(String::new(), root)];
    let mut visited = 0;
    while let Some((prefix, module)) = open.pop() {
        visited += 1;
        if tensors.len() > MOST_TENSORS || visited > MOST_TENSORS || prefix.len() > 1 << 10 {
            return Err(OpenError::TooLarge(
                "its module has far too many parts".to_owned(),
            ));
        }
        for part in ["_parameters", "_buffers"] {
            for &(key, value) in attribute(pickle, module, part).unwrap_or_default() {
                if let (Some(name), Some(node @ Node::Tensor { .. })) =
                    (pickle.text(key), pickle.node(value))
                {
                    tensors.push((format!("{prefix}{name}"), node));
                }
            }
        }
        for &(key, value) in attribute(pickle, module, "_modules").unwrap_or_default() {
            if let Some(name) = pickle.text(key) {
                open.push((format!("{prefix}{name}."), value));
            }
        }
    }
    Ok(tensors)
}

/// The tensors of the state dict, at the top of the file or inside a checkpoint. Of several state dicts
/// the one that was asked for is taken, else the moving average.
pub fn tensors(pickle: &Pickle, asked: Option<&WeightSet>) -> Result<Found, OpenError> {
    let mut all = dictionaries(pickle)?;
    let mut storages = Vec::new();
    for dictionary in &all {
        for (name, node) in &dictionary.tensors {
            storages.push(wanted(pickle, name, node)?.storage);
        }
    }
    let is_network = |d: &Dictionary<'_>| !families::networks(d.names()).is_empty();
    let networks: Vec<usize> = (0..all.len()).filter(|&i| is_network(&all[i])).collect();
    let paths: Vec<&str> = networks.iter().map(|&i| all[i].path.as_str()).collect();
    let by_key = match asked {
        Some(WeightSet::Key(key)) => networks.iter().copied().find(|&i| all[i].path == *key),
        Some(WeightSet::Ema | WeightSet::Raw) | None => None,
    };
    let taken = match (by_key, networks.as_slice()) {
        (Some(taken), _) => taken,
        // No known network: the largest, for the message about it.
        (None, []) => {
            let most = (0..all.len()).max_by_key(|&i| all[i].tensors.len());
            most.ok_or_else(|| no_tensors(pickle))?
        }
        (None, [one]) => *one,
        (None, several) => {
            if let Some(WeightSet::Key(key)) = asked {
                return Err(OpenError::Refused(format!(
                    "the file has no weights under `{key}`; it has them under {}",
                    families::listed(&paths)
                )));
            }
            let average = |i: &&usize| families::is_average(&all[**i].path);
            let averages: Vec<usize> = several.iter().filter(average).copied().collect();
            let raw: Vec<usize> = several.iter().filter(|i| !average(i)).copied().collect();
            let ([average], [raw]) = (averages.as_slice(), raw.as_slice()) else {
                return Err(OpenError::Refused(format!(
                    "the file holds several state dicts, under {}; choose one with --weights KEY",
                    families::listed(&paths)
                )));
            };
            match asked {
                Some(WeightSet::Ema) => *average,
                Some(WeightSet::Raw) => *raw,
                // An average without running statistics is no whole network.
                _ if all[*average].weights() >= all[*raw].weights() => *average,
                _ => *raw,
            }
        }
    };
    let others: Vec<&str> = paths
        .iter()
        .copied()
        .filter(|path| *path != all[taken].path)
        .collect();
    let several = !others.is_empty();
    let warning = several.then(|| families::set_sentence(&all[taken].path, &others));
    let taken = all.swap_remove(taken);
    if let Some(name) = taken.unreadable {
        return Err(no_float(name));
    }
    let tensors = taken
        .tensors
        .iter()
        .map(|(name, node)| wanted(pickle, name, node));
    Ok(Found {
        tensors: tensors.collect::<Result<_, _>>()?,
        all: storages,
        warning,
        chosen: several || by_key.is_some(),
    })
}

/// Names the keys that are there in place of tensors.
fn no_tensors(pickle: &Pickle) -> OpenError {
    let keys = match pickle.node(pickle.root) {
        Some(Node::Dict(items)) => items
            .iter()
            .filter_map(|&(key, _)| pickle.text(key))
            .collect(),
        _ => Vec::new(),
    };
    OpenError::NotAModel(match keys.as_slice() {
        [] => "it holds no tensors".to_owned(),
        keys => format!(
            "it holds no dictionary of tensors; its keys are {}",
            families::listed(keys)
        ),
    })
}

fn wanted(pickle: &Pickle, name: &str, node: &Node) -> Result<Wanted, OpenError> {
    let odd = || broken(format!("its tensor `{name}` is not understood"));
    let Node::Tensor {
        storage,
        offset,
        size,
        stride,
    } = node
    else {
        return Err(odd());
    };
    let Some(Node::Persistent(place)) = pickle.node(*storage) else {
        return Err(odd());
    };
    let [_, class, key, _, count, ..] = pickle.items(*place).ok_or_else(odd)? else {
        return Err(odd());
    };
    let class = match pickle.node(*class) {
        Some(Node::Global(class)) => class.as_str(),
        _ => return Err(odd()),
    };
    let dtype = match class.rsplit('.').next().unwrap_or_default() {
        "FloatStorage" => Some(DType::F32),
        "DoubleStorage" => Some(DType::F64),
        "HalfStorage" => Some(DType::F16),
        "BFloat16Storage" => Some(DType::BF16),
        "LongStorage" => Some(DType::I64),
        "ByteStorage" => Some(DType::U8),
        "IntStorage" => Some(DType::I32),
        _ => None,
    };
    let numbers = |value: Value| -> Option<Vec<usize>> {
        let numbers = pickle.ints(value)?;
        numbers
            .into_iter()
            .map(|n| usize::try_from(n).ok())
            .collect()
    };
    let Value::Int(count) = count else {
        return Err(odd());
    };
    let found = Wanted {
        name: name.to_owned(),
        storage: Storage {
            key: pickle.text(*key).ok_or_else(odd)?.to_owned(),
            dtype,
            count: usize::try_from(*count).map_err(|_| odd())?,
        },
        offset: usize::try_from(*offset).map_err(|_| odd())?,
        size: numbers(*size).ok_or_else(odd)?,
        stride: numbers(*stride).ok_or_else(odd)?,
    };
    if found.size.len() != found.stride.len() || found.size.len() > 8 {
        return Err(odd());
    }
    Ok(found)
}
