//! Tries scales on photos for a network that does not say which it was trained with.

use modelens_core::dataset::batch::{choose, load};
use modelens_core::dataset::{Image, PhotoSet};
use modelens_core::model::Model;
use modelens_core::model::labels;
use modelens_core::model::scale::ScaleReport;
use modelens_core::random::Draws;

use crate::look::{check_batch, photo_input, tensor_of};

/// Photos that the scales are tried on. They do not depend on the batch or the seed, so that every
/// view and command takes the same scale.
const PHOTOS: usize = 32;
/// Purpose of the draws that choose these photos.
const SCALE: u64 = u64::from_le_bytes(*b"scale\0\0\0");

/// What the network makes of the photos under each scale; `None` if the photos do not fit the network
/// or cannot be read.
pub fn try_scales(model: &Model, photos: &PhotoSet) -> Option<ScaleReport> {
    if photos.as_given {
        return None;
    }
    let input = photo_input(&model.graph, model.semantics);
    input.check(photos).ok()?;
    let mut draws = Draws::new(0, &[SCALE]);
    let indices = choose(photos.photos.len(), None, PHOTOS, &mut draws);
    check_batch(indices.len(), &input).ok()?;
    let loaded = load(photos, &indices, &input, &|_| true);
    let read = loaded
        .into_iter()
        .filter_map(|(i, image)| Some((i, image.ok()?)));
    let (indices, images): (Vec<usize>, Vec<Image>) = read.unzip();
    if images.is_empty() {
        return None;
    }
    let classes: Option<Vec<usize>> = outputs_of(model, photos).map(|outputs| {
        let of = |&photo: &usize| outputs[photos.photos[photo].class];
        indices.iter().map(of).collect()
    });
    let as_if = |how| tensor_of(&images, how).ok();
    ScaleReport::of(model, classes.as_deref(), &as_if)
}

/// The output of each class of the photos, if the network has one for each: by the names of its
/// classes, or by their number where it has no names.
fn outputs_of(model: &Model, photos: &PhotoSet) -> Option<Vec<usize>> {
    let n = labels::outputs(&model.graph)?;
    if model.labels.is_empty() {
        let fits = labels::fits(&photos.classes, n) && photos.classes.len() > 1;
        return fits.then(|| (0..photos.classes.len()).collect());
    }
    let place = |class: &String| {
        let same = |label: &String| label.to_lowercase() == class.to_lowercase();
        model.labels.iter().position(same)
    };
    photos.classes.iter().map(place).collect()
}
