//! Folders for training, validation and test.
//!
//! Courses hand out their photos as `train/cats/1.jpg`, `validation/cats/9.jpg`, under many names:
//! `Train`, `training_set`, `valid`, `val`, `dev`, `test`, `eval`, `seg_train/seg_train`. Keras takes
//! one of them at a time; taken together, its rules would make classes of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::listing::{Inside, Places, is_class, level_of_classes};

/// What the photos of a split are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    Training,
    Validation,
    Test,
}

const TRAINING: [&str; 2] = ["train", "training"];
const VALIDATION: [&str; 6] = [
    "val",
    "valid",
    "validate",
    "validation",
    "dev",
    "development",
];
const TEST: [&str; 10] = [
    "test",
    "testing",
    "tests",
    "eval",
    "evaluation",
    "evaluate",
    "holdout",
    "pred",
    "predict",
    "prediction",
];
/// Words of such a name that say nothing.
const PLAIN: [&str; 14] = [
    "set", "sets", "data", "dataset", "image", "images", "img", "imgs", "photo", "photos",
    "pictures", "folder", "split", "samples",
];

/// The part that a folder's name says, and the rest of the name without words that say nothing, which
/// all folders of a split share (`seg_train`, `seg_test`).
fn part_of(name: &str) -> Option<(Part, Vec<String>)> {
    let mut parts = Vec::new();
    let mut rest = Vec::new();
    for word in words(name) {
        // `trainset` is `train` and `set`.
        let bare = PLAIN.iter().find_map(|plain| word.strip_suffix(plain));
        let part = [Some(word.as_str()), bare]
            .into_iter()
            .flatten()
            .find_map(|word| {
                let is_in = |words: &[&str]| words.contains(&word);
                match () {
                    () if is_in(&TRAINING) => Some(Part::Training),
                    () if is_in(&VALIDATION) => Some(Part::Validation),
                    () if is_in(&TEST) => Some(Part::Test),
                    () => None,
                }
            });
        match part {
            Some(part) => parts.push(part),
            None if PLAIN.contains(&word.as_str()) => {}
            None => rest.push(word),
        }
    }
    match parts[..] {
        [part] => Some((part, rest)),
        _ => None,
    }
}

/// Whether a folder's name is that of a part.
pub(super) fn is_part(name: &str) -> bool {
    part_of(name).is_some()
}

/// The words of a name in lower case: `TrainingSet` and `training-set` are `training`, `set`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && was_lower);
        if begins {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// One folder of a split.
struct PartFolder {
    part: Part,
    /// Its name, as messages show it.
    name: String,
    /// The path of the folder of its classes, with a `/` at its end.
    level: String,
    classes: Vec<String>,
    photos: usize,
}

/// The folders of a split.
pub(super) struct Parts(Vec<PartFolder>);

impl Parts {
    /// The split inside `root`; `None` if its folders are none: each must have the name of a part, the
    /// rest of the names must agree, and the training folder must hold class folders.
    pub fn of(
        paths: &[&str],
        folders: &[String],
        root: &str,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let inside = Inside::new(paths, root);
        if inside.folders.len() < 2 {
            return None;
        }
        let named = inside.folders.keys().map(|name| part_of(name));
        let named: Vec<(Part, Vec<String>)> = named.collect::<Option<_>>()?;
        let rests: BTreeSet<&Vec<String>> = named.iter().map(|(_, rest)| rest).collect();
        if rests.len() > 1 {
            return None;
        }
        let with_photos = |((part, _), (name, photos)): ((Part, _), (&&str, &usize))| {
            let prefix = format!("{root}{name}/");
            let level = level_of_classes(paths, &prefix).unwrap_or(prefix);
            let within = Inside::new(paths, &level);
            let empty = folders.iter().filter_map(|path| path.strip_prefix(&level));
            let empty =
                empty.filter(|path| !path.contains('/') && is_class(path) && !path.is_empty());
            let classes: BTreeSet<&str> = empty.chain(within.folders.keys().copied()).collect();
            PartFolder {
                part,
                name: (*name).to_owned(),
                level,
                // `test/test/1.jpg` has no classes either.
                classes: match within.folders.len() {
                    0 => Vec::new(),
                    1 if classes.iter().any(|class| part_of(class).is_some()) => Vec::new(),
                    _ => classes.into_iter().map(str::to_owned).collect(),
                },
                photos: *photos,
            }
        };
        let parts = named.into_iter().zip(&inside.folders).map(with_photos);
        let mut parts: Vec<PartFolder> = parts.collect();
        parts.sort_by_key(|folder| folder.part);
        if parts.first().is_some_and(|first| first.classes.is_empty()) {
            let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
            notes.push(format!(
                "{} look like a split, but `{}` holds no class folders, so they are taken as classes",
                quoted(&names),
                parts[0].name
            ));
            return None;
        }
        Some(Self(parts))
    }

    /// Where the photos belong, and what has to be said about it.
    pub fn places(self, notes: &mut Vec<String>) -> Places {
        let used = || self.0.iter().filter(|folder| !folder.classes.is_empty());
        let has = |part: Part| used().any(|folder| folder.part == part);
        let names = |part: Part| {
            let of = used().filter(|folder| folder.part == part);
            quoted(&of.map(|folder| folder.name.as_str()).collect::<Vec<_>>())
        };
        let [training, validation, test] =
            [Part::Training, Part::Validation, Part::Test].map(names);
        notes.push(match [Part::Training, Part::Validation, Part::Test].map(has) {
            [true, true, true] => {
                format!("{training} trains, {validation} validates, {test} takes no part in training")
            }
            [true, true, false] => format!("{training} trains, {validation} validates"),
            [true, false, true] => format!(
                "{training} trains, {test} validates, because there is no folder for validation"
            ),
            [true, false, false] => format!("{training} holds the classes"),
            [false, ..] => "there is no folder for training".to_owned(),
        });
        // Sorted, and so those of the training folder where there is one.
        let first = self.0.iter().filter(|folder| folder.part == self.0[0].part);
        let classes: BTreeSet<&String> = first.flat_map(|folder| &folder.classes).collect();
        let classes: Vec<String> = classes.into_iter().cloned().collect();
        let mut places = BTreeMap::new();
        for folder in &self.0 {
            let PartFolder {
                part, name, level, ..
            } = folder;
            if folder.classes.is_empty() {
                let photos = match folder.photos {
                    1 => "its photo is".to_owned(),
                    n => format!("its {n} photos are"),
                };
                notes.push(format!("`{name}` has no class folders: {photos} left out"));
                continue;
            }
            let mut others = Vec::new();
            for own in &folder.classes {
                let same = classes.iter().position(|class| class == own);
                let alike = || {
                    classes
                        .iter()
                        .position(|class| class.to_lowercase() == own.to_lowercase())
                };
                let class = same.or_else(alike);
                if class.is_none() {
                    others.push(own.as_str());
                }
                places.insert(format!("{level}{own}/"), (class, Some(*part)));
            }
            let reference = &self.0[0].name;
            if !others.is_empty() {
                notes.push(format!(
                    "`{name}` has classes that `{reference}` lacks ({}): their photos are left out",
                    quoted(&others)
                ));
            }
            let lacking = classes.iter().filter(|class| {
                !folder
                    .classes
                    .iter()
                    .any(|own| own.to_lowercase() == class.to_lowercase())
            });
            let lacking: Vec<&str> = lacking.map(String::as_str).collect();
            if !lacking.is_empty() && *part != self.0[0].part {
                notes.push(format!("`{name}` has no folder for {}", quoted(&lacking)));
            }
        }
        Places {
            classes,
            folders: places,
        }
    }
}

/// Says what to open where a folder with the name of a part is beside others.
pub(super) fn hint(paths: &[&str], root: &str, inside: &Inside<'_>, notes: &mut Vec<String>) {
    for name in inside.folders.keys() {
        let within = Inside::new(paths, &format!("{root}{name}/"));
        if part_of(name).is_some() && within.folders.len() > 1 && within.direct == 0 {
            notes.push(format!(
                "`{name}` holds folders of its own: open it alone if these are the classes"
            ));
        }
    }
}

/// A few names: `a`, `b` and 3 more.
pub(super) fn quoted(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = (names.iter().take(SHOWN))
        .map(|name| format!("`{name}`"))
        .collect();
    match (names.len().saturating_sub(SHOWN), shown.as_slice()) {
        (0, [rest @ .., last]) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (0, _) => shown.join(", "),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts() {
        for (name, part) in [
            ("train", Part::Training),
            ("TRAIN", Part::Training),
            ("Training", Part::Training),
            ("training_set", Part::Training),
            ("TrainingSet", Part::Training),
            ("trainset", Part::Training),
            ("train_images", Part::Training),
            ("Valid", Part::Validation),
            ("val", Part::Validation),
            ("validation-set", Part::Validation),
            ("dev", Part::Validation),
            ("test_set", Part::Test),
            ("Eval", Part::Test),
        ] {
            assert_eq!(part_of(name), Some((part, Vec::new())), "{name}");
        }
        let seg = vec!["seg".to_owned()];
        assert_eq!(part_of("seg_train"), Some((Part::Training, seg)));
        for name in [
            "trains",
            "cats",
            "value",
            "contest",
            "train_test",
            "devices",
            "",
        ] {
            assert_eq!(part_of(name), None, "{name}");
        }
    }
}
