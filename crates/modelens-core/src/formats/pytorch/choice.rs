//! What is known of a state dict besides its tensors: what a person chose, and the `config.json` that
//! the Hugging Face hub keeps beside a file.

use std::collections::HashMap;

use serde::Deserialize;

use super::families::listed;
use super::net::{head_activation, head_activations};
use super::{MAX_HEADER, looks_like_safetensors};
use crate::formats::{Beside, ModelFile, OpenError};
use crate::model::Preprocessing;

/// The entries of a safetensors header that say what the tensors do not tell.
const ARCHITECTURE: &str = "modelens.architecture";
const PREPROCESSING: &str = "modelens.preprocessing";
/// Maximum bytes of `config.json`.
const MAX_CONFIG: u64 = 1 << 20;
/// The names of the files that `config.json` belongs to.
const HUB_FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// The network and its options, as told from outside the tensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// `resnet18`, in torchvision's or timm's spelling.
    pub name: Option<String>,
    /// What follows the colon of `resnet18:cifar`.
    pub options: Vec<String>,
    /// Which of several sets of weights to take.
    pub weights: Option<WeightSet>,
    pub head: HeadChoice,
    /// Who named the network.
    pub by: Teller,
    pub preprocessing: Option<Preprocessing>,
}

/// Where the name of a network comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Teller {
    #[default]
    Person,
    /// The `config.json` beside the file.
    Config,
    /// The header of a file that this program saved.
    Header,
}

/// What lies between the layers of a head, where the file does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeadChoice {
    /// The id of an activation: `relu`.
    pub activation: Option<String>,
    pub dropout: Option<f64>,
}

impl HeadChoice {
    /// As they are written after the colon of `--architecture`.
    fn options(&self) -> Vec<String> {
        let activation = self.activation.as_ref().map(|id| format!("head={id}"));
        let dropout = self.dropout.map(|rate| format!("dropout={rate}"));
        activation.into_iter().chain(dropout).collect()
    }
}

/// One of several sets of weights in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightSet {
    /// The moving average of the weights.
    Ema,
    /// The weights that the optimizer stepped.
    Raw,
    /// Those under this key.
    Key(String),
}

impl Told {
    /// What a person chose, else what the header of the file or `config.json` says.
    ///
    /// # Errors
    /// A `config.json` that belongs to the file and cannot be read.
    pub fn about(file: &ModelFile<'_>) -> Result<Self, OpenError> {
        let mut told = Self::chosen(file.architecture.unwrap_or_default())?;
        let header = metadata(&file.bytes);
        if let Some(config) = config(file.title, file.beside)? {
            told.preprocessing = config.preprocessing();
            if told.name.is_none() {
                told.name = config.architecture.map(|name| without_tag(&name));
                if told.name.is_some() {
                    told.by = Teller::Config;
                }
            }
        }
        // What was recorded beside these very tensors counts more than a `config.json` in the folder.
        let recorded = header.get(ARCHITECTURE);
        if let Some(recorded) = recorded.map(|text| Self::chosen(text)).transpose()?
            && (told.by == Teller::Config || told.name.is_none())
            && told.options.is_empty()
        {
            (told.name, told.options) = (recorded.name, recorded.options);
            if told.head == HeadChoice::default() {
                told.head = recorded.head;
            }
            told.by = Teller::Header;
        }
        if let Some(id) = header.get(PREPROCESSING) {
            let recorded = Preprocessing::ALL.into_iter().find(|how| how.id() == id);
            told.preprocessing = recorded.or(told.preprocessing);
        }
        Ok(told)
    }

    /// What a saved file records so that it opens as the same network, with photos scaled by
    /// `preprocessing`, without a `config.json` and without the choice of a person.
    pub fn to_metadata(&self, preprocessing: Preprocessing) -> Vec<(String, String)> {
        let mut entries = vec![(PREPROCESSING.to_owned(), preprocessing.id().to_owned())];
        let mut options = self.options.clone();
        options.extend(self.head.options());
        if self.name.is_some() || !options.is_empty() {
            let mut text = self.name.clone().unwrap_or_else(|| "auto".to_owned());
            if !options.is_empty() {
                text = format!("{text}:{}", options.join(","));
            }
            entries.push((ARCHITECTURE.to_owned(), text));
        }
        entries
    }

    /// Reads `NAME`, `NAME:OPTION,OPTION` or `auto:OPTION`.
    fn chosen(text: &str) -> Result<Self, OpenError> {
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        let name = without_tag(name.trim());
        let mut told = Self {
            name: (!name.is_empty() && name != "auto").then_some(name),
            ..Self::default()
        };
        for option in options.split(',').map(str::trim).filter(|o| !o.is_empty()) {
            if let Some(id) = option.strip_prefix("head=") {
                if head_activation(id).is_none() {
                    let known = head_activations().join(", ");
                    return Err(OpenError::Refused(format!(
                        "there is no activation `{id}` to choose; there are {known}"
                    )));
                }
                told.head.activation = Some(id.to_owned());
                continue;
            }
            if let Some(rate) = option.strip_prefix("dropout=") {
                let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
                told.head.dropout = Some(rate.ok_or_else(|| {
                    OpenError::Refused(format!("`{option}` is no share of 0 to 1"))
                })?);
                continue;
            }
            match (option, option.strip_prefix("weights=")) {
                ("ema", _) | (_, Some("ema")) => told.weights = Some(WeightSet::Ema),
                ("raw", _) | (_, Some("raw")) => told.weights = Some(WeightSet::Raw),
                (_, Some(key)) => told.weights = Some(WeightSet::Key(key.to_owned())),
                (option, None) => told.options.push(option.to_owned()),
            }
        }
        Ok(told)
    }

    /// What `--architecture` takes to choose as before and this option too.
    pub fn with_option(&self, option: &str) -> String {
        let name = self.name.as_deref();
        // The `config.json` is read again.
        let name = name.filter(|_| self.by != Teller::Config);
        let mut options = self.options.clone();
        options.extend(match &self.weights {
            Some(WeightSet::Ema) => Some("weights=ema".to_owned()),
            Some(WeightSet::Raw) => Some("weights=raw".to_owned()),
            Some(WeightSet::Key(key)) => Some(format!("weights={key}")),
            None => None,
        });
        options.extend(self.head.options());
        // Another value of the same option gives way.
        let kind = option.split_once('=').map(|(kind, _)| format!("{kind}="));
        options.retain(|o| o != option && kind.as_ref().is_none_or(|k| !o.starts_with(k)));
        options.push(option.to_owned());
        format!("{}:{}", name.unwrap_or("auto"), options.join(","))
    }

    /// Checks that the network that was named is one of those that the tensors fit: `is`, which may
    /// be chosen as `known`.
    ///
    /// # Errors
    /// Another name.
    pub fn check_name(&self, is: &str, known: &[&str]) -> Result<(), OpenError> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        if known.contains(&name.as_str()) || name == is {
            return Ok(());
        }
        let may = match known {
            [] => "leave the architecture out".to_owned(),
            known => format!("choose {} with --architecture", listed(known)),
        };
        let who = match self.by {
            Teller::Config => {
                format!("config.json beside the file says that the network is `{name}`")
            }
            Teller::Header => format!("the header of the file says that the network is `{name}`"),
            Teller::Person => format!("the architecture was given as `{name}`"),
        };
        Err(OpenError::Refused(format!(
            "{who}, but its tensors fit {is}; {may}"
        )))
    }

    /// Refuses all options after the colon of `--architecture`.
    ///
    /// # Errors
    /// Any option.
    pub fn no_options(&self) -> Result<(), OpenError> {
        match self.options.first() {
            None => Ok(()),
            Some(option) => Err(unknown_option(option, &[])),
        }
    }
}

/// The error for an option after the colon of `--architecture`.
pub fn unknown_option(option: &str, known: &[&str]) -> OpenError {
    OpenError::Refused(match known {
        [] => format!("the architecture has no option `{option}`"),
        known => format!(
            "the architecture has no option `{option}`; it has {}",
            known.join(", ")
        ),
    })
}

/// timm's name without the tag of its weights: `resnet18` of `resnet18.a1_in1k`.
fn without_tag(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The entries of a safetensors header besides its tensors; none where there is no such header.
fn metadata(bytes: &[u8]) -> HashMap<String, String> {
    let header = bytes
        .first_chunk::<8>()
        .map_or(u64::MAX, |n| u64::from_le_bytes(*n));
    if !looks_like_safetensors(bytes) || header > MAX_HEADER {
        return HashMap::new();
    }
    let read = safetensors::SafeTensors::read_metadata(bytes);
    let entries = read.ok().and_then(|(_, header)| header.metadata().clone());
    entries.unwrap_or_default()
}

/// The part of a hub's `config.json` that matters here.
#[derive(Debug, Deserialize)]
struct Config {
    architecture: Option<String>,
    pretrained_cfg: Option<Pretrained>,
}

#[derive(Debug, Deserialize)]
struct Pretrained {
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
}

impl Config {
    fn preprocessing(&self) -> Option<Preprocessing> {
        let all = |values: &Option<Vec<f64>>, expected: [f64; 3]| {
            let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-3;
            let values = values.as_ref().filter(|v| v.len() == 3);
            values.is_some_and(|v| v.iter().zip(expected).all(near))
        };
        let Pretrained { mean, std } = self.pretrained_cfg.as_ref()?;
        if all(mean, [0.5; 3]) && all(std, [0.5; 3]) {
            Some(Preprocessing::MinusOneToOne)
        } else if all(mean, [0.485, 0.456, 0.406]) && all(std, [0.229, 0.224, 0.225]) {
            Some(Preprocessing::ImageNet)
        } else if all(mean, [0.0; 3]) && all(std, [1.0; 3]) {
            Some(Preprocessing::ZeroToOne)
        } else {
            None
        }
    }
}

/// The `config.json` of the file. One that lies in a folder of several files is believed for a file
/// called as on the hub, or called as the network it names.
fn config(title: &str, beside: &dyn Beside) -> Result<Option<Config>, OpenError> {
    let broken = |why: String| OpenError::Broken(format!("config.json beside it {why}"));
    let stem = title.rsplit_once('.').map_or(title, |(stem, _)| stem);
    let is_hubs = HUB_FILES.contains(&title);
    let bytes = match beside.read("config.json", MAX_CONFIG) {
        Ok(bytes) => bytes,
        Err(error) if is_hubs => return Err(broken(error.to_string())),
        Err(_) => None,
    };
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let config: Config = match serde_json::from_slice(&bytes) {
        Ok(config) => config,
        Err(error) if is_hubs => return Err(broken(format!("is not understood ({error})"))),
        Err(_) => return Ok(None),
    };
    let named_alike = config.architecture.as_deref() == Some(stem);
    Ok((is_hubs || named_alike).then_some(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::InMemory;

    fn told(title: &str, architecture: Option<&str>, config: Option<&str>) -> Told {
        let config = config.map(|text| ("config.json".to_owned(), text.as_bytes().to_vec()));
        let beside = InMemory(config.into_iter().collect());
        let file = ModelFile {
            architecture,
            beside: &beside,
            ..ModelFile::new(title, Vec::new())
        };
        Told::about(&file).expect("a config")
    }

    #[test]
    fn a_choice_has_a_name_and_options() {
        let told = Told::chosen("resnet18:cifar,weights=ema,head=gelu").expect("a choice");
        assert_eq!(told.name.as_deref(), Some("resnet18"));
        assert_eq!(told.options, ["cifar"]);
        assert_eq!(told.weights, Some(WeightSet::Ema));
        assert_eq!(told.head.activation.as_deref(), Some("gelu"));
        assert_eq!(
            told.with_option("head=tanh"),
            "resnet18:cifar,weights=ema,head=tanh"
        );
        let told = Told::chosen("auto:weights=net").expect("a choice");
        assert_eq!(told.name, None);
        assert_eq!(told.weights, Some(WeightSet::Key("net".into())));
        for wrong in ["auto:head=max", "auto:dropout=2"] {
            assert!(Told::chosen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_config_tells_the_network_of_its_own_file_only() {
        let config = Some(r#"{"architecture": "tf_efficientnet_b0", "num_classes": 3}"#);
        for title in [
            "model.safetensors",
            "pytorch_model.bin",
            "tf_efficientnet_b0.pth",
        ] {
            let told = told(title, None, config);
            assert_eq!(told.name.as_deref(), Some("tf_efficientnet_b0"), "{title}");
            assert_eq!(told.by, Teller::Config);
        }
        assert_eq!(told("dogs_tf_run1.pth", None, config), Told::default());
        let chosen = told("model.safetensors", Some("efficientnet_b0"), config);
        assert_eq!(chosen.name.as_deref(), Some("efficientnet_b0"));
        assert_eq!(chosen.by, Teller::Person);
        // Of another library.
        let other = told(
            "model.safetensors",
            None,
            Some(r#"{"architectures": ["X"]}"#),
        );
        assert_eq!(other, Told::default());
    }

    #[test]
    fn a_config_tells_the_preprocessing() {
        let config = r#"{"architecture": "a.b", "pretrained_cfg":
            {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}"#;
        let told = told("model.safetensors", None, Some(config));
        assert_eq!(told.preprocessing, Some(Preprocessing::MinusOneToOne));
        assert_eq!(told.name.as_deref(), Some("a"));
    }

    /// A file with one tensor and what is recorded of `told`.
    fn recorded(told: &Told) -> Vec<u8> {
        let entries = told.to_metadata(Preprocessing::MinusOneToOne);
        let about: HashMap<String, String> = entries.into_iter().collect();
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]);
        safetensors::serialize([("a", view.unwrap())], Some(about)).unwrap()
    }

    #[test]
    fn what_was_told_is_recorded_and_read_again() {
        let config = br#"{"architecture": "resnet34", "pretrained_cfg":
            {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}"#;
        let beside = InMemory([("config.json".to_owned(), config.to_vec())].into());
        let told = Told::chosen("tf_efficientnet_b0:a,b,head=gelu").unwrap();
        let again = |architecture: Option<&str>| {
            let file = ModelFile {
                architecture,
                beside: &beside,
                ..ModelFile::new("model.safetensors", recorded(&told))
            };
            Told::about(&file).unwrap()
        };
        let by_header = Told {
            by: Teller::Header,
            preprocessing: Some(Preprocessing::MinusOneToOne),
            ..told.clone()
        };
        assert_eq!(again(None), by_header);
        // A person's word counts more than what is recorded.
        assert_eq!(again(Some("efficientnet_b0")).options, [""; 0]);
        assert_eq!(again(Some("efficientnet_b0")).by, Teller::Person);
        assert_eq!(again(Some("auto:cifar")).options, ["cifar"]);
        assert_eq!(again(Some("auto:cifar")).name.as_deref(), Some("resnet34"));
    }
}
