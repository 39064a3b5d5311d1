//! Labels in a table beside photos: `labels.csv` with a column of file names and one of classes.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::PhotoList;

/// The most bytes of a table.
pub const MAX_BYTES: u64 = 32 << 20;

/// Names of the column of the file names, in lower case.
const FILES: [&str; 16] = [
    "filename",
    "file_name",
    "file",
    "files",
    "filepath",
    "file_path",
    "path",
    "image",
    "images",
    "image_id",
    "image_name",
    "image_path",
    "imageid",
    "img",
    "id",
    "name",
];
/// Names of the column of the classes.
const LABELS: [&str; 13] = [
    "label",
    "labels",
    "class",
    "classes",
    "class_name",
    "category",
    "breed",
    "species",
    "target",
    "diagnosis",
    "dx",
    "y",
    "tag",
];

/// A table of labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Labels {
    /// By file name.
    of: HashMap<String, String>,
    /// The name of the column of the classes; empty without a heading.
    column: String,
}

impl Labels {
    /// Reads a table with commas, semicolons or tabs between its columns; `None` if it has no column
    /// of names and of classes. Without a heading, two columns are taken for these.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next()?;
        let separator = [',', ';', '\t'].into_iter().find(|&c| first.contains(c))?;
        let mut rows = text.lines().map(|line| cells(line, separator)).peekable();
        let heading = rows.peek()?.clone();
        let place = |names: &[&str]| {
            names.iter().find_map(|name| {
                heading
                    .iter()
                    .position(|cell| cell.trim().to_lowercase() == *name)
            })
        };
        let (file, label, column) = match (place(&FILES), place(&LABELS)) {
            (Some(file), Some(label)) if file != label => {
                rows.next();
                (file, label, heading[label].trim().to_owned())
            }
            // A heading would not name a file.
            _ if heading.len() == 2 && super::listing::is_photo(&heading[0]) => {
                (0, 1, String::new())
            }
            _ => return None,
        };
        let pair = |row: Vec<String>| {
            let cell = |place: usize| Some(row.get(place)?.trim().to_owned());
            Some((key(&cell(file)?), cell(label)?)).filter(|(f, l)| !f.is_empty() && !l.is_empty())
        };
        let of: HashMap<String, String> = rows.filter_map(pair).collect();
        (!of.is_empty()).then_some(Self { of, column })
    }

    /// The label of a photo: by its path, its end, its file name or the file name without its ending,
    /// as far as the table names it.
    fn of(&self, name: &str) -> Option<&String> {
        let mut rest = name;
        loop {
            let found = self.of.get(rest).or_else(|| {
                let (stem, _) = rest.rsplit_once('.')?;
                self.of.get(stem)
            });
            match (found, rest.split_once('/')) {
                (Some(label), _) => return Some(label),
                (None, Some((_, inner))) => rest = inner,
                (None, None) => return None,
            }
        }
    }

    /// Gives the photos their classes and leaves out those that the table does not name; returns the
    /// places of the others in the list before. `None`, and the list stays, if it names no photo.
    pub fn apply(&self, list: &mut PhotoList, table: &str) -> Option<Vec<usize>> {
        let labels: Vec<Option<&String>> = list.photos.iter().map(|p| self.of(&p.name)).collect();
        let classes: BTreeSet<&String> = labels.iter().copied().flatten().collect();
        if classes.is_empty() {
            return None;
        }
        let class = |label: &String| classes.iter().position(|known| *known == label);
        let places = (0..labels.len()).filter(|&i| labels[i].is_some());
        let mut places: Vec<usize> = places.collect();
        places.sort_by_key(|&i| (labels[i].and_then(class), i));
        let photos = places.iter().map(|&i| {
            let mut photo = list.photos[i].clone();
            photo.class = labels[i].and_then(class).unwrap_or_default();
            photo
        });
        let photos = photos.collect();
        let left_out = labels.len() - places.len();
        let column = match self.column.as_str() {
            "" => String::new(),
            column => format!(", column `{column}`"),
        };
        let mut note = format!("the classes are those of `{table}`{column}");
        if left_out > 0 {
            // Writing to a string cannot fail.
            let _ = write!(
                note,
                "; {left_out} photos that it does not name are left out"
            );
        }
        list.classes = classes.into_iter().cloned().collect();
        list.photos = photos;
        list.notes = vec![note];
        Some(places)
    }
}

/// A path with `/` between names, without `./`.
fn key(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.trim_start_matches("./").to_owned()
}

/// The cells of a line; a cell in quotes may hold the separator, and two quotes are one.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Photo;

    fn list(names: &[&str]) -> PhotoList {
        let photo = |name: &&str| Photo {
            name: (*name).to_owned(),
            class: 0,
            part: None,
        };
        PhotoList {
            title: String::new(),
            classes: vec!["photos".to_owned()],
            photos: names.iter().map(photo).collect(),
            notes: Vec::new(),
            as_given: false,
        }
    }

    #[test]
    fn photos_get_the_classes_of_a_table() {
        for table in [
            "id,breed\n000bec,boston_bull\n001513,dingo\n",
            "\u{feff}Filename;width;Label\r\n000bec.jpg;3;boston_bull\r\n./train/001513.jpg;4;dingo\r\n",
            "label\tfile\nboston_bull\ttrain/000bec.jpg\n\"dingo\"\ttrain\\001513.jpg\n",
            "000bec.jpg,boston_bull\n001513.jpg,dingo\n",
        ] {
            let labels = Labels::read(table).unwrap_or_else(|| panic!("{table}"));
            let mut list = list(&["test/5.jpg", "train/000bec.jpg", "train/001513.jpg"]);
            assert_eq!(
                labels.apply(&mut list, "labels.csv"),
                Some(vec![1, 2]),
                "{table}"
            );
            assert_eq!(list.classes, ["boston_bull", "dingo"]);
            assert_eq!(list.photos[1].class, 1);
            assert!(list.notes[0].contains("1 photos that it does not name are left out"));
        }
        for none in ["", "a,b,c\n1,2,3\n", "x,y\n1,2", "one column\nx"] {
            assert_eq!(Labels::read(none), None, "{none:?}");
        }
        let labels = Labels::read("file,label\na.jpg,x\n").unwrap();
        assert_eq!(labels.apply(&mut list(&["b.jpg"]), "t.csv"), None);
    }
}
