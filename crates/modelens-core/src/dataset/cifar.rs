//! CIFAR-10 and CIFAR-100 as their site ships them: for Python (pickles) and binary.
//!
//! Images are planar: 1,024 reds, greens and blues of 32 by 32 pixels. Source:
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::collections::BTreeMap;

use super::numbers::{NumberPhotos, Numbered, Pixels};
use super::{Part, PhotoSet};

const SIDE: usize = 32;
const IMAGE_BYTES: usize = 3 * SIDE * SIDE;
/// The most bytes of one file; the largest has 155 MB.
pub const MAX_FILE_BYTES: u64 = 200 << 20;

/// Whether a file of this name belongs to the data set; it has no folders.
pub fn is_part(name: &str) -> bool {
    let batch = name
        .strip_prefix("data_batch_")
        .map(|rest| rest.trim_end_matches(".bin"));
    batch.is_some_and(|number| number.parse::<u8>().is_ok())
        || matches!(
            name,
            "test_batch"
                | "test_batch.bin"
                | "batches.meta"
                | "batches.meta.txt"
                | "train"
                | "test"
                | "meta"
                | "train.bin"
                | "test.bin"
                | "fine_label_names.txt"
        )
}

/// The set of these files, by name; `None` if they hold no batch.
///
/// # Errors
/// A batch that is not of this kind, in words.
pub fn open(files: &BTreeMap<String, Vec<u8>>, title: &str) -> Option<Result<PhotoSet, String>> {
    let batches: Vec<&String> = files
        .keys()
        .filter(|name| part_of(name).is_some())
        .collect();
    if batches.is_empty() {
        return None;
    }
    Some(read(files, &batches).map(|numbered| {
        let has = |part: Part| numbered.parts.contains(&part);
        let mut notes = Vec::new();
        if has(Part::Training) && has(Part::Test) {
            notes.push("the training batches train, the test batch validates".to_owned());
        }
        numbered.into_set(title, notes)
    }))
}

fn is_binary(name: &str) -> bool {
    name.strip_suffix(".bin").is_some()
}

fn part_of(name: &str) -> Option<Part> {
    match name.trim_end_matches(".bin") {
        "train" => Some(Part::Training),
        "test" | "test_batch" => Some(Part::Test),
        name if name.starts_with("data_batch_") => Some(Part::Training),
        _ => None,
    }
}

fn read(files: &BTreeMap<String, Vec<u8>>, batches: &[&String]) -> Result<Numbered, String> {
    let (mut pixels, mut labels, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for name in batches {
        let bytes = &files[*name];
        let fine =
            name.starts_with("train") || name.as_str() == "test" || name.as_str() == "test.bin";
        let (planes, own) = if is_binary(name) {
            // The coarse label comes before the fine one.
            binary(bytes, if fine { 2 } else { 1 })
        } else {
            pickled(bytes)
        }
        .ok_or_else(|| format!("`{name}` is no batch of CIFAR"))?;
        for image in planes.chunks_exact(IMAGE_BYTES) {
            let plane = |channel: usize| &image[channel * SIDE * SIDE..][..SIDE * SIDE];
            let rgb = plane(0).iter().zip(plane(1)).zip(plane(2));
            pixels.extend(rgb.flat_map(|((&r, &g), &b)| [r, g, b]));
        }
        let part = part_of(name).unwrap_or(Part::Training);
        parts.extend(std::iter::repeat_n(part, own.len()));
        labels.extend(own);
    }
    let names = ["batches.meta", "meta"].iter().find_map(|name| {
        let scanned = scan(files.get(*name)?)?;
        let names = ["label_names", "fine_label_names"].map(|key| scanned.texts.get(key).cloned());
        names.into_iter().flatten().next()
    });
    let listed = ["batches.meta.txt", "fine_label_names.txt"]
        .iter()
        .find_map(|name| {
            let text = String::from_utf8_lossy(files.get(*name)?).into_owned();
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Some(lines.map(str::to_owned).collect::<Vec<_>>())
        });
    Ok(Numbered {
        photos: NumberPhotos {
            pixels: Pixels::Bytes(pixels),
            height: SIDE,
            width: SIDE,
            channels: 3,
            places: Vec::new(),
        },
        labels,
        parts,
        names: names.or(listed).unwrap_or_default(),
    })
}

/// Planar pixels and labels of records of `labels` bytes and an image; the last label counts.
fn binary(bytes: &[u8], labels: usize) -> Option<(Vec<u8>, Vec<usize>)> {
    let record = labels + IMAGE_BYTES;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        return None;
    }
    let (mut planes, mut classes) = (Vec::new(), Vec::new());
    for record in bytes.chunks_exact(record) {
        classes.push(usize::from(record[labels - 1]));
        planes.extend_from_slice(&record[labels..]);
    }
    Some((planes, classes))
}

fn pickled(bytes: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    let scanned = scan(bytes)?;
    let labels = scanned
        .ints
        .get("fine_labels")
        .or_else(|| scanned.ints.get("labels"))?;
    let labels: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
    let fits = scanned.data.len() == labels.len() * IMAGE_BYTES && !labels.is_empty();
    (fits && labels.iter().all(|&label| label < 100)).then_some((scanned.data, labels))
}

/// What a batch's pickle holds: one dictionary whose values are lists and one array of bytes.
#[derive(Default)]
struct Scanned {
    ints: BTreeMap<&'static str, Vec<u32>>,
    texts: BTreeMap<&'static str, Vec<String>>,
    data: Vec<u8>,
}

const KEYS: [&str; 9] = [
    "data",
    "labels",
    "fine_labels",
    "coarse_labels",
    "filenames",
    "batch_label",
    "label_names",
    "fine_label_names",
    "coarse_label_names",
];

/// Goes through the opcodes of a pickle of protocol 2 and notes what follows each key. Nothing is
/// executed; `None` at an opcode that these files do not have. Source: Python's `pickletools`.
fn scan(bytes: &[u8]) -> Option<Scanned> {
    let mut scanned = Scanned::default();
    let mut key = "";
    let mut at = 0_usize;
    let mut take = |count: usize| -> Option<&[u8]> {
        let taken = bytes.get(at..at.checked_add(count)?)?;
        at += count;
        Some(taken)
    };
    loop {
        let opcode = take(1)?[0];
        let int = match opcode {
            b'.' => return Some(scanned),
            b'K' => Some(u32::from(take(1)?[0])),
            b'M' => Some(u32::from(u16::from_le_bytes(*take(2)?.first_chunk()?))),
            b'J' => Some(u32::from_le_bytes(*take(4)?.first_chunk()?)),
            _ => None,
        };
        if let Some(int) = int {
            scanned.ints.entry(key).or_default().push(int);
            continue;
        }
        let length = match opcode {
            b'U' => Some(usize::from(take(1)?[0])),
            b'T' | b'X' => Some(u32::from_le_bytes(*take(4)?.first_chunk()?) as usize),
            _ => None,
        };
        if let Some(length) = length {
            let text = take(length)?;
            if let Some(known) = KEYS.iter().find(|known| known.as_bytes() == text) {
                key = known;
            } else if length >= IMAGE_BYTES {
                scanned.data = text.to_vec();
            } else {
                let text = String::from_utf8_lossy(text).into_owned();
                scanned.texts.entry(key).or_default().push(text);
            }
            continue;
        }
        match opcode {
            // The protocol and places in the memo.
            0x80 | b'q' | b'h' => drop(take(1)?),
            b'r' | b'j' => drop(take(4)?),
            // The name of a function, on two lines.
            b'c' => {
                for _ in 0..2 {
                    while take(1)?[0] != b'\n' {}
                }
            }
            b'}'
            | b']'
            | b'('
            | b')'
            | b'e'
            | b'a'
            | b'u'
            | b's'
            | b'R'
            | b'b'
            | b't'
            | b'N'
            | 0x85..=0x89 => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::input::PhotoInput;
    use crate::rules::Semantics;

    /// `cPickle.dumps({'data': array, 'labels': [3, 1], ...}, 2)`, as the site's files are written.
    fn batch(key: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes =
            b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03".to_vec();
        bytes.extend(b"cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\n");
        bytes.extend(b"q\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes.extend(b"tb");
        bytes.extend([b'U', key.len() as u8]);
        bytes.extend(key.bytes());
        bytes.extend(b"q\x08]q\x09(K\x03K\x01eU\x09filenames]q\x0a(U\x05a.pngU\x05b.pngeu.");
        bytes
    }

    #[test]
    fn batches_for_python_and_binary_ones_hold_the_same() {
        let planes: Vec<u8> = (0..2 * IMAGE_BYTES).map(|i| (i / 7 % 251) as u8).collect();
        let mut records = Vec::new();
        for (image, label) in planes.chunks(IMAGE_BYTES).zip([3, 1]) {
            records.push(label);
            records.extend(image);
        }
        let names = b"plane\ncar\nbird\ncat\n\n".to_vec();
        let meta =
            b"\x80\x02}q\x01(U\x0blabel_namesq\x02]q\x03(U\x05planeU\x03carU\x04birdU\x03cateu."
                .to_vec();
        let python = BTreeMap::from([
            ("data_batch_1".to_owned(), batch("labels", &planes)),
            ("test_batch".to_owned(), batch("labels", &planes)),
            ("batches.meta".to_owned(), meta),
        ]);
        let binary = BTreeMap::from([
            ("data_batch_1.bin".to_owned(), records.clone()),
            ("test_batch.bin".to_owned(), records),
            ("batches.meta.txt".to_owned(), names),
        ]);
        let input = PhotoInput::of([Some(32), Some(32), Some(3)], Semantics::Keras3);
        let sets = [python, binary].map(|files| open(&files, "cifar").unwrap().unwrap());
        for set in &sets {
            assert_eq!(set.classes, ["plane", "car", "bird", "cat"]);
            let names: Vec<&str> = set.photos.iter().map(|photo| photo.name.as_str()).collect();
            assert_eq!(
                names,
                [
                    "train/car/00001",
                    "train/cat/00000",
                    "test/car/00003",
                    "test/cat/00002"
                ]
            );
            let image = set.image(1, &input).unwrap();
            let first = [0, 1, 2].map(|channel| f32::from(planes[channel * 1024 + 5]));
            assert_eq!(image.pixels_hwc[15..18], first);
        }
        let hundred = BTreeMap::from([("train".to_owned(), batch("fine_labels", &planes))]);
        let set = open(&hundred, "cifar").unwrap().unwrap();
        assert_eq!(set.classes, ["0", "1", "2", "3"]);
        let broken = BTreeMap::from([("test_batch".to_owned(), b"\x80\x02}.".to_vec())]);
        assert!(open(&broken, "cifar").unwrap().is_err());
        assert!(open(&BTreeMap::new(), "cifar").is_none());
    }
}
