//! Photos that are stored as numbers: arrays, and the data sets that come as such.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::decode::DecodeCause;
use super::{Image, Part, Photo, PhotoFiles, PhotoList, PhotoSet};

/// The values of photos, `[N, H, W, C]`.
pub(super) enum Pixels {
    /// From 0 to 255.
    Bytes(Vec<u8>),
    /// As the model's input layer takes them.
    Floats(Vec<f32>),
}

/// Photos as numbers.
pub(super) struct NumberPhotos {
    pub pixels: Pixels,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// The place of each photo of the set among the images.
    pub places: Vec<usize>,
}

impl fmt::Debug for NumberPhotos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            height,
            width,
            channels,
            ..
        } = self;
        write!(f, "NumberPhotos({height}x{width}x{channels})")
    }
}

impl PhotoFiles for NumberPhotos {
    fn size(&self, _photo: usize) -> Result<u64, DecodeCause> {
        Ok((self.height * self.width * self.channels) as u64)
    }

    fn read(&self, _photo: usize, _limit: u64) -> Result<Cow<'_, [u8]>, DecodeCause> {
        Err(DecodeCause::NotAnImage)
    }

    fn channels(&self) -> Option<usize> {
        Some(self.channels)
    }

    fn pixels(&self, photo: usize) -> Option<Result<Image, DecodeCause>> {
        let values = self.height * self.width * self.channels;
        let start = self.places[photo] * values;
        let range = start..start + values;
        let pixels_hwc = match &self.pixels {
            Pixels::Bytes(bytes) => bytes.get(range)?.iter().map(|&v| f32::from(v)).collect(),
            Pixels::Floats(floats) => floats.get(range)?.to_vec(),
        };
        Some(Ok(Image {
            height: self.height,
            width: self.width,
            channels: self.channels,
            pixels_hwc,
        }))
    }
}

/// Images with a class and a part each, as they are in a file.
pub(super) struct Numbered {
    pub photos: NumberPhotos,
    /// By image.
    pub labels: Vec<usize>,
    /// By image; empty without a split.
    pub parts: Vec<Part>,
    /// By label; those without a name are called by their number.
    pub names: Vec<String>,
}

impl Numbered {
    /// The set, by part and class. Photos are named by their class and their place in the file.
    pub fn into_set(mut self, title: &str, notes: Vec<String>) -> PhotoSet {
        let n_classes = self.labels.iter().max().map_or(1, |most| most + 1);
        let named = (self.names.len()..n_classes).map(|class| class.to_string());
        let named: Vec<String> = named.collect();
        self.names.extend(named);
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        let part = |i: usize| self.parts.get(i).copied();
        order.sort_by_key(|&i| (part(i), self.labels[i], i));
        let photo = |&i: &usize| {
            let class = self.labels[i];
            let within = match part(i) {
                Some(Part::Training) => "train/",
                Some(Part::Validation) => "validation/",
                Some(Part::Test) => "test/",
                None => "",
            };
            Photo {
                name: format!("{within}{}/{i:05}", self.names[class]),
                class,
                part: part(i),
            }
        };
        let photos = order.iter().map(photo).collect();
        self.photos.places = order;
        let channels = self.photos.channels;
        let mut notes = notes;
        if !matches!(channels, 1 | 3) {
            notes.push(match channels {
                2 => "the photos have 2 channels: the first is shown".to_owned(),
                n => format!(
                    "the photos have {n} channels: the first three are shown as red, green and blue"
                ),
            });
        }
        PhotoSet {
            list: PhotoList {
                title: title.to_owned(),
                classes: self.names,
                photos,
                notes,
                as_given: matches!(self.photos.pixels, Pixels::Floats(_)),
            },
            files: Arc::new(self.photos),
        }
    }
}
