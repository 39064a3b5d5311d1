//! The folders in which Keras, torch hub, timm and Hugging Face keep the models that they downloaded.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use modelens_core::formats;

/// Most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 2_000;
/// Most models that are listed of one cache.
const MAX_MODELS: usize = 40;

/// Whose cache it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheOwner {
    Keras,
    TorchHub,
    HuggingFace,
}

/// A model in a cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedModel {
    pub owner: CacheOwner,
    /// The file's name; of a repository of Hugging Face `owner/name`, which is where timm's are too.
    pub name: String,
    pub path: PathBuf,
}

/// The models in the caches of this user, in the order of their names. The environment variables that
/// move the caches count: `KERAS_HOME`, `TORCH_HOME`, `HF_HOME`, `HF_HUB_CACHE`, `XDG_CACHE_HOME`.
pub fn cached_models() -> Vec<CachedModel> {
    models_in(&|name| std::env::var_os(name))
}

/// [`cached_models`] with these environment variables.
pub fn models_in(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<CachedModel> {
    let of = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let home = of("HOME").or_else(|| of("USERPROFILE"));
    let at_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let cache = of("XDG_CACHE_HOME").or_else(|| at_home(".cache"));
    let in_cache = |path: &str| cache.as_ref().map(|cache| cache.join(path));
    let keras = of("KERAS_HOME").or_else(|| at_home(".keras"));
    let torch = of("TORCH_HOME").or_else(|| in_cache("torch"));
    let hub = of("HF_HUB_CACHE").or_else(|| {
        let home = of("HF_HOME").or_else(|| in_cache("huggingface"))?;
        Some(home.join("hub"))
    });
    let mut models = Vec::new();
    if let Some(keras) = keras {
        models.extend(files_of(CacheOwner::Keras, &keras.join("models")));
    }
    if let Some(torch) = torch {
        let folder = torch.join("hub").join("checkpoints");
        models.extend(files_of(CacheOwner::TorchHub, &folder));
    }
    if let Some(hub) = hub {
        models.extend(repositories(&hub));
    }
    models
}

/// The entries of a folder by name; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.take(MAX_ENTRIES).filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = paths.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether a file's name is that of a model.
fn is_model(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let known = ending.is_some_and(|ending| formats::endings().any(|known| known == ending));
    known && path.is_file()
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn files_of(owner: CacheOwner, folder: &Path) -> Vec<CachedModel> {
    let files = entries(folder).into_iter().filter(|path| is_model(path));
    let models = files.take(MAX_MODELS).map(|path| CachedModel {
        owner,
        name: name_of(&path),
        path,
    });
    models.collect()
}

/// The models of `models--OWNER--NAME/snapshots/REVISION/FILE`, each in its newest revision.
fn repositories(hub: &Path) -> Vec<CachedModel> {
    let mut models = Vec::new();
    for repository in entries(hub) {
        let folder = name_of(&repository);
        let Some(name) = folder.strip_prefix("models--") else {
            continue;
        };
        let name = name.replacen("--", "/", 1);
        let revisions = entries(&repository.join("snapshots"));
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
        let Some(newest) = revisions.into_iter().max_by_key(changed) else {
            continue;
        };
        let files: Vec<PathBuf> = entries(&newest)
            .into_iter()
            .filter(|p| is_model(p))
            .collect();
        let alone = files.len() == 1;
        models.extend(files.into_iter().map(|path| CachedModel {
            owner: CacheOwner::HuggingFace,
            name: if alone {
                name.clone()
            } else {
                format!("{name}/{}", name_of(&path))
            },
            path,
        }));
        if models.len() >= MAX_MODELS {
            models.truncate(MAX_MODELS);
            break;
        }
    }
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cache_is_found_where_it_is_or_was_moved_to() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            ".keras/models/vgg16.h5",
            ".keras/models/notes.txt",
            ".cache/torch/hub/checkpoints/resnet18.pth",
            ".cache/huggingface/hub/models--timm--resnet18.a1_in1k/snapshots/0a/model.safetensors",
            ".cache/huggingface/hub/models--me--two/snapshots/0a/a.onnx",
            ".cache/huggingface/hub/models--me--two/snapshots/0a/b.onnx",
            ".cache/huggingface/hub/datasets--me--photos/snapshots/0a/c.onnx",
            "moved/models/other.keras",
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let home = root.path().as_os_str().to_owned();
        let names = |models: Vec<CachedModel>| -> Vec<String> {
            models.into_iter().map(|model| model.name).collect()
        };
        let found = models_in(&|name| (name == "HOME").then(|| home.clone()));
        let hub = ["me/two/a.onnx", "me/two/b.onnx", "timm/resnet18.a1_in1k"];
        assert_eq!(
            names(found),
            [&["vgg16.h5", "resnet18.pth"][..], &hub].concat()
        );
        let moved = models_in(&|name| match name {
            "KERAS_HOME" => Some(root.path().join("moved").into()),
            "TORCH_HOME" | "HF_HOME" => Some("/nowhere".into()),
            "HOME" => Some(home.clone()),
            _ => None,
        });
        assert_eq!(names(moved), ["other.keras"]);
        assert!(models_in(&|_| None).is_empty());
    }
}
