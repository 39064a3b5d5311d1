//! MNIST, Fashion-MNIST and their kin as their sites ship them: `train-images-idx3-ubyte.gz` and so on.
//!
//! A file begins with two zeros, the type of its values (8: bytes), its number of axes, and each side as a
//! big-endian number. Source: <https://yann.lecun.org/exdb/mnist/>.

use std::io::Read;

use flate2::read::GzDecoder;

use super::numbers::{NumberPhotos, Numbered, Pixels};
use super::{Part, PhotoSet};

/// The most bytes of a file, unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Whether these are the first bytes of images, packed or not.
pub fn is_images(start: &[u8]) -> bool {
    let images = |start: &[u8]| matches!(start.first_chunk::<4>(), Some([0, 0, 8, 3 | 4]));
    if images(start) {
        return true;
    }
    let mut unpacked = [0; 4];
    start.starts_with(&[0x1f, 0x8b])
        && GzDecoder::new(start).read_exact(&mut unpacked).is_ok()
        && images(&unpacked)
}

/// The name of the file of labels for a file of images.
pub fn labels_of(images: &str) -> Option<String> {
    let name = images.replace("images", "labels").replace("idx3", "idx1");
    (name != images).then_some(name)
}

/// The two pairs of files of a folder.
pub const NAMES: [(&str, Part); 2] = [
    ("train-images-idx3-ubyte", Part::Training),
    ("t10k-images-idx3-ubyte", Part::Test),
];

/// The set of files of images, each with its labels and its part.
///
/// # Errors
/// Files that do not belong together, in words.
pub fn open(pairs: Vec<(Vec<u8>, Option<Vec<u8>>, Part)>, title: &str) -> Result<PhotoSet, String> {
    let (mut pixels, mut labels, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut size = None;
    let splits = pairs.len() > 1;
    for (images, own, part) in pairs {
        let (sides, values) = read(&images)?;
        let (count, hwc) = match sides[..] {
            [n, h, w] => (n, [h, w, 1]),
            [n, h, w, c] => (n, [h, w, c]),
            _ => return Err("the file holds no images".to_owned()),
        };
        if *size.get_or_insert(hwc) != hwc {
            return Err("the files hold images of different sizes".to_owned());
        }
        pixels.extend(values);
        match own {
            Some(own) => {
                let (sides, values) = read(&own)?;
                if sides != [count] {
                    return Err(format!("{count} images have labels of shape {sides:?}"));
                }
                labels.extend(values.iter().map(|&label| usize::from(label)));
            }
            None => labels.extend(std::iter::repeat_n(0, count)),
        }
        if splits {
            parts.extend(std::iter::repeat_n(part, count));
        }
    }
    let Some([height, width, channels]) = size.filter(|_| !labels.is_empty()) else {
        return Err("the file holds no images".to_owned());
    };
    let numbered = Numbered {
        photos: NumberPhotos {
            pixels: Pixels::Bytes(pixels),
            height,
            width,
            channels,
            places: Vec::new(),
        },
        labels,
        parts,
        names: Vec::new(),
    };
    let note = "the training images train, the test images validate".to_owned();
    Ok(numbered.into_set(title, if splits { vec![note] } else { Vec::new() }))
}

/// The sides and values of a file, packed or not.
fn read(bytes: &[u8]) -> Result<(Vec<usize>, Vec<u8>), String> {
    let mut unpacked = Vec::new();
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut reader = GzDecoder::new(bytes).take(MAX_BYTES);
        reader
            .read_to_end(&mut unpacked)
            .map_err(|e| format!("the file is broken ({e})"))?;
        &unpacked[..]
    } else {
        bytes
    };
    let Some((&[0, 0, 8, axes @ 1..=4], mut rest)) = bytes.split_first_chunk::<4>() else {
        return Err("the file is not of MNIST's format, or its values are no bytes".to_owned());
    };
    let mut sides = Vec::new();
    for _ in 0..axes {
        let (side, after) = rest.split_first_chunk::<4>().ok_or("the file is cut off")?;
        sides.push(u32::from_be_bytes(*side) as usize);
        rest = after;
    }
    let values = sides
        .iter()
        .try_fold(1_usize, |n, &side| n.checked_mul(side));
    if values != Some(rest.len()) {
        return Err(format!(
            "the file promises {sides:?} values and holds {}",
            rest.len()
        ));
    }
    Ok((sides, rest.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sides: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sides.len() as u8];
        bytes.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    #[test]
    fn images_and_labels_belong_together() {
        let images = file(&[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert!(is_images(&images));
        let labels = file(&[2], &[5, 0]);
        let train = (images.clone(), Some(labels.clone()), Part::Training);
        let test = (images.clone(), Some(labels), Part::Test);
        let set = open(vec![train.clone(), test], "mnist").unwrap();
        assert_eq!(set.classes.len(), 6);
        let names: Vec<&str> = set.photos.iter().map(|photo| photo.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "train/0/00001",
                "train/5/00000",
                "test/0/00003",
                "test/5/00002"
            ]
        );
        let image = set.files.pixels(0).unwrap().unwrap();
        assert_eq!((image.height, image.width, image.channels), (2, 3, 1));
        assert_eq!(image.pixels_hwc, [7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        assert_eq!(set.own_split(), Some([vec![0, 1], vec![2, 3]]));

        let wrong = (images.clone(), Some(file(&[3], &[0, 1, 2])), Part::Training);
        assert!(open(vec![wrong], "mnist").is_err());
        assert!(open(vec![(images[..9].to_vec(), None, Part::Test)], "mnist").is_err());
        assert_eq!(
            labels_of("t10k-images-idx3-ubyte.gz").as_deref(),
            Some("t10k-labels-idx1-ubyte.gz")
        );
    }
}
