//! The families of networks that are recognised, and the search for one among the names of a state
//! dict. A new family is one [`Family`] in the table [`FAMILIES`].

use super::choice::{Told, WeightSet};
use super::{
    Recognition, StateDict, convnext, densenet, efficientnet_lite, inception, inverted, regnet,
    resnet, shufflenet, squeezenet, swin, vgg, vit,
};
use crate::formats::OpenError;
use crate::model::Assumption;

/// Networks whose modules have the same names.
pub struct Family {
    /// What messages call it.
    pub title: &'static str,
    /// Names of tensors that all its networks have. The first is searched for at the end of longer
    /// names, where `nn.DataParallel` and others put a prefix in front.
    pub signature: &'static [&'static str],
    /// The usual name of a tensor, where this family has another.
    pub renames: Option<fn(&str) -> Option<String>>,
    /// Proves that the tensors are those of one network of the family, and builds it. The tensors'
    /// names come without their prefix.
    pub build: fn(&StateDict, &Told) -> Result<Recognition, OpenError>,
}

/// All families, in the order in which they are tried.
pub static FAMILIES: [&Family; 25] = [
    &efficientnet_lite::FAMILY,
    &inverted::TORCHVISION_V2,
    &inverted::TORCHVISION_V3,
    &inverted::TORCHVISION_EFFICIENTNET,
    &inverted::TORCHVISION_MNASNET,
    &inverted::TIMM,
    &inverted::TIMM_FUSED,
    &convnext::TORCHVISION,
    &convnext::TIMM,
    &vit::TORCHVISION,
    &vit::TIMM,
    &swin::TORCHVISION,
    &swin::TIMM,
    &regnet::TORCHVISION,
    &regnet::TIMM,
    &shufflenet::FAMILY,
    &inception::GOOGLENET,
    &inception::INCEPTION_V3,
    &resnet::FAMILY,
    &resnet::OF_CHILDREN,
    &densenet::FAMILY,
    &squeezenet::FAMILY,
    &vgg::FAMILY,
    &vgg::PLAIN,
    &vgg::PLAIN_13,
];

/// A family's tensors in a state dict.
pub struct Found {
    family: &'static Family,
    /// What comes before each name, with its dot: `module.`.
    prefix: String,
}

/// The network that is opened.
pub struct Chosen {
    pub family: &'static Family,
    /// What comes before each name, with its dot.
    pub prefix: String,
    /// The prefixes of the other networks.
    others: Vec<String>,
}

impl Chosen {
    /// The tensors of the network, without their prefix, and with a `/` in front of their names those
    /// beside the network that belong to no other.
    pub fn split(&self, state: StateDict) -> StateDict {
        let mut all = StateDict::new();
        for (name, tensor) in state {
            // A network without a prefix does not own what others have put under theirs.
            let is_others = |other: &String| {
                other.len() > self.prefix.len() && name.starts_with(other.as_str())
            };
            let of_other = self.others.iter().any(is_others);
            match name.strip_prefix(&self.prefix) {
                Some(short) if !of_other => {
                    let renamed = self.family.renames.and_then(|rename| rename(short));
                    all.insert(renamed.unwrap_or_else(|| short.to_owned()), tensor);
                }
                _ if of_other || self.others.iter().any(|o| name.starts_with(o.as_str())) => {}
                _ if name.ends_with("num_batches_tracked") => {}
                _ => {
                    all.insert(format!("/{name}"), tensor);
                }
            }
        }
        all
    }

    /// A sentence if there are other networks in the state dict.
    pub fn sentence(&self) -> Option<String> {
        let keys = self
            .others
            .iter()
            .map(|prefix| prefix.trim_end_matches('.'));
        let keys: Vec<&str> = keys.collect();
        let taken = self.prefix.trim_end_matches('.');
        (!keys.is_empty()).then(|| set_sentence(taken, &keys))
    }
}

impl Found {
    fn is_average(&self) -> bool {
        is_average(&self.prefix)
    }
}

/// True if a key names a moving average of the weights.
pub fn is_average(key: &str) -> bool {
    let mut words = key.split(['.', '_', '-']);
    words.any(|word| {
        matches!(
            word,
            "ema" | "swa" | "avg" | "averaged" | "average" | "shadow" | "teacher"
        )
    })
}

/// The networks in a state dict, each with the prefix of its names.
pub fn networks<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Found> {
    let all: std::collections::BTreeSet<&str> = names.clone().collect();
    let mut found: Vec<Found> = Vec::new();
    for name in names {
        for family in FAMILIES {
            let Some(prefix) = name.strip_suffix(family.signature[0]) else {
                continue;
            };
            let at_boundary = prefix.is_empty() || prefix.ends_with('.');
            let has = |part: &&str| all.contains(format!("{prefix}{part}").as_str());
            if at_boundary
                && family.signature.iter().all(has)
                && !found.iter().any(|f| f.prefix == prefix)
            {
                found.push(Found {
                    family,
                    prefix: prefix.to_owned(),
                });
                break;
            }
        }
    }
    // Where two families claim the same tensors, the one that comes first in the table has them.
    let rank = |f: &Found| {
        FAMILIES
            .iter()
            .position(|family| std::ptr::eq(*family, f.family))
    };
    let claims = |f: &Found| {
        let first = format!("{}{}", f.prefix, f.family.signature[0]);
        let others = found.iter().filter(|g| g.prefix.len() > f.prefix.len());
        others
            .filter(|g| first.starts_with(&g.prefix))
            .any(|g| rank(g) < rank(f))
    };
    let lost: Vec<bool> = found.iter().map(claims).collect();
    let mut lost = lost.into_iter();
    found.retain(|_| !lost.next().unwrap_or_default());
    found
}

/// The network to open among those of a state dict.
///
/// # Errors
/// No known network, or several of which none was chosen.
pub fn choose<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    wanted: Option<&WeightSet>,
) -> Result<Chosen, OpenError> {
    let found = networks(names.clone());
    match (found.as_slice(), wanted) {
        ([], _) => Err(unknown(names)),
        ([_], Some(WeightSet::Ema | WeightSet::Raw)) => Err(OpenError::Refused(
            "the file holds one set of weights; leave --weights out".to_owned(),
        )),
        ([one], Some(WeightSet::Key(key))) if *key != one.prefix.trim_end_matches('.') => {
            Err(OpenError::Refused(format!(
                "the file holds no weights under `{key}`; leave --weights out"
            )))
        }
        ([one], _) => Ok(Chosen {
            family: one.family,
            prefix: one.prefix.clone(),
            others: Vec::new(),
        }),
        (several, wanted) => {
            let keys: Vec<&str> = several
                .iter()
                .map(|f| f.prefix.trim_end_matches('.'))
                .collect();
            let averages = several.iter().filter(|f| f.is_average()).count();
            let pair = several.len() == 2 && averages == 1;
            let one = several.iter().zip(&keys).find(|(f, key)| match wanted {
                Some(WeightSet::Key(wanted)) => wanted == *key,
                Some(WeightSet::Raw) => pair && !f.is_average(),
                Some(WeightSet::Ema) | None => pair && f.is_average(),
            });
            let Some((one, _)) = one else {
                return Err(OpenError::Refused(format!(
                    "the file holds {} networks, named {}; choose one with --weights KEY",
                    several.len(),
                    listed(&keys)
                )));
            };
            let others = several.iter().filter(|f| f.prefix != one.prefix);
            Ok(Chosen {
                family: one.family,
                prefix: one.prefix.clone(),
                others: others.map(|f| f.prefix.clone()).collect(),
            })
        }
    }
}

/// Says which of several sets of weights was taken.
pub fn set_sentence(taken: &str, others: &[&str]) -> String {
    format!(
        "the weights are those under {}; the file also holds weights under {} (--weights ema, raw or \
         KEY chooses)",
        quoted(taken),
        listed(others)
    )
}

fn quoted(key: &str) -> String {
    match key {
        "" => "no key".to_owned(),
        key => format!("`{key}`"),
    }
}

/// Maximum number of names in a message.
const MOST: usize = 5;

/// Names in backquotes; long lists are cut.
pub fn listed(keys: &[&str]) -> String {
    let mut shown: Vec<String> = keys.iter().take(MOST).map(|key| quoted(key)).collect();
    if keys.len() > MOST {
        shown.push(format!("{} more", keys.len() - MOST));
    }
    shown.join(", ")
}

/// The error for tensors of no known family.
pub fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> OpenError {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return OpenError::NotAModel("it holds no tensors".to_owned());
    }
    let first: Vec<&str> = names.iter().take(3).copied().collect();
    OpenError::Refused(format!(
        "the tensors of the file ({}{}) belong to no architecture that is known here, and a state dict has no graph. \
         Save the network as an exported program, which has one: \
         program = torch.export.export(model.eval(), (torch.zeros(2, 3, 224, 224),), \
         dynamic_shapes=({{0: torch.export.Dim(\"n\")}},)); torch.export.save(program, \"model.pt2\")",
        first.join(", "),
        if names.len() > 3 { ", ..." } else { "" }
    ))
}

/// Whose names the modules of a network have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Torchvision,
    Timm,
}

impl Naming {
    pub fn library(self) -> &'static str {
        match self {
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
        }
    }
}

/// What is taken for a network with widths that nobody published.
pub fn unpublished(like: &str) -> Assumption {
    Assumption {
        sentence: format!(
            "the file does not tell strides, epsilon and activations, and its widths are those of no published \
             network: they are taken as in {like}"
        ),
        choices: Vec::new(),
    }
}
