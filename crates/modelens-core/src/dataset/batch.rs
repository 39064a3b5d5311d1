//! Which photos make up a batch, and loading them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::decode::{DecodeCause, DecodeError};
use super::input::PhotoInput;
use super::{Image, PhotoSet};
use crate::random::Draws;

/// `min(batch, n_photos)` different indices below `n_photos`, ascending.
///
/// `chosen` is always among them (unless `batch` is 0 or it is out of range). The others are drawn
/// uniformly without replacement, in a time that depends on `batch` only. Source: R. W. Floyd's
/// sampling, in J. Bentley, "Programming Pearls", CACM 30(9), 1987.
pub fn choose(
    n_photos: usize,
    chosen: Option<usize>,
    batch: usize,
    draws: &mut Draws,
) -> Vec<usize> {
    if batch >= n_photos {
        return (0..n_photos).collect();
    }
    let chosen = chosen.filter(|&index| index < n_photos && batch > 0);
    // The chosen photo is left out of the numbering, so it cannot be drawn a second time.
    let others = usize::from(chosen.is_some());
    let (n_drawn, n_left) = (batch - others, n_photos - others);
    let mut picked = BTreeSet::new();
    for last in n_left - n_drawn..n_left {
        let index = draws.below(last + 1);
        if !picked.insert(index) {
            picked.insert(last);
        }
    }
    let Some(chosen) = chosen else {
        return picked.into_iter().collect();
    };
    let mut indices: Vec<usize> = picked
        .into_iter()
        .map(|index| index + usize::from(index >= chosen))
        .collect();
    let place = indices.partition_point(|&index| index < chosen);
    indices.insert(place, chosen);
    indices
}

/// Decodes the photos at `indices` and resizes each as `input` says, several at a time.
///
/// The result is in the order of `indices`; a photo that cannot be read does not stop the others.
/// `on_done` gets the number of photos done so far, from any thread. Once it returns `false`, the
/// photos that have not begun come back as [`DecodeCause::Cancelled`].
///
/// # Panics
/// If an index is not below the number of photos.
pub fn load(
    set: &PhotoSet,
    indices: &[usize],
    input: &PhotoInput,
    on_done: &(dyn Fn(usize) -> bool + Sync),
) -> Vec<(usize, Result<Image, DecodeError>)> {
    let n_done = AtomicUsize::new(0);
    let cancelled = AtomicBool::new(false);
    indices
        .par_iter()
        // One photo takes milliseconds, so each is a job of its own, for even progress.
        .with_max_len(1)
        .map(|&index| {
            if cancelled.load(Ordering::Relaxed) {
                return (index, Err(set.error(index, DecodeCause::Cancelled)));
            }
            let image = set.image(index, input);
            let done = n_done.fetch_add(1, Ordering::Relaxed) + 1;
            if !on_done(done) {
                cancelled.store(true, Ordering::Relaxed);
            }
            (index, image)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::decode::tests::set_of;
    use crate::rules::Semantics;
    use image::{ImageFormat, RgbImage};
    use proptest::prelude::*;
    use std::io::Cursor;

    proptest! {
        #[test]
        fn a_batch_has_the_chosen_photo_and_no_photo_twice(
            n in 0_usize..50, chosen in proptest::option::of(0_usize..50),
            batch in 0_usize..60, seed: u64,
        ) {
            let indices = choose(n, chosen, batch, &mut Draws::new(seed, &[]));
            prop_assert_eq!(indices.len(), batch.min(n));
            prop_assert!(indices.is_sorted_by(|a, b| a < b));
            prop_assert!(indices.iter().all(|&index| index < n));
            if let Some(chosen) = chosen && chosen < n && batch > 0 {
                prop_assert!(indices.contains(&chosen));
            }
        }
    }

    #[test]
    fn every_other_photo_is_drawn_equally_often() {
        let mut counts = [0_u32; 6];
        for seed in 0..6000 {
            for index in choose(6, Some(2), 3, &mut Draws::new(seed, &[])) {
                counts[index] += 1;
            }
        }
        assert_eq!(counts[2], 6000);
        // 2 of 5 others: mean 2400, standard deviation 38.
        for index in [0, 1, 3, 4, 5] {
            assert!((2200..2600).contains(&counts[index]), "{counts:?}");
        }
    }

    #[test]
    fn loading_keeps_the_order_counts_and_stops() {
        let mut png = Cursor::new(Vec::new());
        let photo = RgbImage::from_pixel(7, 5, image::Rgb([1, 2, 3]));
        photo.write_to(&mut png, ImageFormat::Png).unwrap();
        let set = set_of(vec![png.into_inner(); 93]);
        let input = PhotoInput::of([Some(8), Some(6), Some(3)], Semantics::Keras3);
        let loaded = load(&set, &[3, 0, 5], &input, &|_| true);
        let indices: Vec<usize> = loaded.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [3, 0, 5]);
        for (_, image) in &loaded {
            let image = image.as_ref().unwrap();
            assert_eq!((image.height, image.width, image.channels), (8, 6, 3));
        }

        let all: Vec<usize> = (0..set.photos.len()).collect();
        let cancelled = load(&set, &all, &input, &|_| false)
            .into_iter()
            .filter(|(_, image)| matches!(image, Err(e) if e.cause == DecodeCause::Cancelled))
            .count();
        assert!(cancelled > 0 && cancelled < all.len(), "{cancelled}");
    }
}
