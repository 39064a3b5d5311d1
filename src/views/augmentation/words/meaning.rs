//! Where a draw turns a photo into one of another class, as far as the names of the classes tell.

use crate::augment::{Draw, FlipDraw};
use crate::dataset::PhotoList;
use crate::words::number::fixed;
use modelens_jobs::GridCell;

/// What happened to the shape of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Motion {
    LeftRight,
    TopBottom,
    HalfTurn,
}

/// Names of classes that a motion turns into each other.
const PAIRS: [(Motion, [&str; 2]); 14] = [
    (Motion::HalfTurn, ["6", "9"]),
    (Motion::HalfTurn, ["b", "q"]),
    (Motion::HalfTurn, ["d", "p"]),
    (Motion::HalfTurn, ["n", "u"]),
    (Motion::HalfTurn, ["up", "down"]),
    (Motion::HalfTurn, ["left", "right"]),
    (Motion::LeftRight, ["b", "d"]),
    (Motion::LeftRight, ["p", "q"]),
    (Motion::LeftRight, ["left", "right"]),
    (Motion::LeftRight, ["west", "east"]),
    (Motion::TopBottom, ["b", "p"]),
    (Motion::TopBottom, ["d", "q"]),
    (Motion::TopBottom, ["up", "down"]),
    (Motion::TopBottom, ["smile", "frown"]),
];

/// Classes that are told apart by colour.
const COLOURS: [&str; 9] = [
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown",
];
/// Turns of the colour circle that make another colour.
const OTHER_COLOUR: f64 = 1.0 / 12.0;
/// Sentences at most.
const MOST: usize = 2;

/// The parts of a class's name, in small letters: `digit_6` has `digit` and `6`.
fn parts(class: &str) -> Vec<String> {
    let parts = class.split(|c: char| !c.is_alphanumeric());
    parts.map(str::to_lowercase).collect()
}

/// The motion of all draws of a cell; `None` if they leave the photo as it stands.
fn motion(draws: &[Draw]) -> Option<Motion> {
    let [mut left_right, mut top_bottom] = [false; 2];
    for draw in draws.iter().flat_map(Draw::each) {
        if let Draw::Flip(FlipDraw {
            left_right: across,
            top_bottom: down,
        }) = *draw
        {
            left_right ^= across;
            top_bottom ^= down;
        } else if draw.is_upside_down() {
            left_right = !left_right;
            top_bottom = !top_bottom;
        }
    }
    match (left_right, top_bottom) {
        (true, true) => Some(Motion::HalfTurn),
        (true, false) => Some(Motion::LeftRight),
        (false, true) => Some(Motion::TopBottom),
        (false, false) => None,
    }
}

/// The class that a photo of `class` looks like after the motion, out of `classes`.
fn looks_like<'a>(classes: &'a [String], class: &str, motion: Motion) -> Option<&'a str> {
    let own = parts(class);
    for (_, [a, b]) in PAIRS.iter().filter(|(of, _)| *of == motion) {
        for (from, to) in [(a, b), (b, a)] {
            let Some(place) = own.iter().position(|part| part == from) else {
                continue;
            };
            // The same name, but for this part.
            let mut wanted = own.clone();
            (*to).clone_into(&mut wanted[place]);
            if let Some(found) = classes.iter().find(|other| parts(other) == wanted) {
                return Some(found);
            }
        }
    }
    None
}

fn colour(class: &str) -> Option<&'static str> {
    let parts = parts(class);
    COLOURS
        .into_iter()
        .find(|colour| parts.iter().any(|part| part == colour))
}

/// The cells whose photo looks like one of another class now, or has another colour than its class.
pub fn lost(photos: &PhotoList, cells: &[GridCell]) -> Vec<String> {
    let classes = &photos.classes;
    let by_colour = classes
        .iter()
        .filter(|class| colour(class).is_some())
        .count()
        > 1;
    let of_cell = |(index, cell): (usize, &GridCell)| {
        let class = classes.get(photos.photos.get(cell.photo)?.class)?;
        let image = index + 1;
        let other = motion(&cell.draws).and_then(|motion| looks_like(classes, class, motion));
        if let Some(other) = other {
            return Some(format!(
                "Image {image} is labelled {class}, but looks like {other} now."
            ));
        }
        let what = colours_now(&cell.draws)?;
        (by_colour && colour(class).is_some())
            .then(|| format!("Image {image} is labelled {class}, but {what}."))
    };
    cells
        .iter()
        .enumerate()
        .filter_map(of_cell)
        .take(MOST)
        .collect()
}

/// What happened to the colours of a photo; `None` if they are still those of its class.
fn colours_now(draws: &[Draw]) -> Option<String> {
    let quantities: Vec<(&str, f64)> = draws.iter().flat_map(Draw::quantities).collect();
    let happened = |wanted: &str| {
        let found = |(name, number): &(&str, f64)| *name == wanted && *number == 1.0;
        quantities.iter().any(found)
    };
    let shifts = quantities.iter().filter(|(name, _)| *name == "hue_shift");
    let shift = shifts.map(|(_, shift)| shift.abs()).fold(0.0, f64::max);
    if happened("grey") {
        Some("has no colours now".to_owned())
    } else if happened("inverted") {
        Some("its colours are inverted now".to_owned())
    } else if happened("channels") {
        Some("its channels changed places".to_owned())
    } else if shift >= OTHER_COLOUR {
        let degrees = fixed(shift * 360.0, 0);
        Some(format!("its colours moved by {degrees}°"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::RotationDraw;
    use crate::augment::torchvision::{NestedDraw, OperationsDraw, TensorOperation};

    #[test]
    fn names_tell_which_motion_makes_another_class() {
        let classes = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let flip = |left_right, top_bottom| {
            Draw::Flip(FlipDraw {
                left_right,
                top_bottom,
            })
        };
        let turned = Draw::Rotation(RotationDraw { turns: 0.45 });
        for (names, class, draws, expected) in [
            (&["6", "9"][..], "6", vec![flip(true, true)], Some("9")),
            (&["6", "9"], "9", vec![turned.clone()], Some("6")),
            (&["6", "9"], "6", vec![flip(false, true)], None),
            (&["6", "8"], "6", vec![flip(true, true)], None),
            (&["b", "d", "p"], "b", vec![flip(true, false)], Some("d")),
            (&["b", "d", "p"], "b", vec![flip(false, true)], Some("p")),
            (
                &["b", "d", "p"],
                "b",
                vec![flip(true, false), turned],
                Some("p"),
            ),
            (
                &["turn_left", "turn_right"],
                "turn_left",
                vec![flip(true, false)],
                Some("turn_right"),
            ),
            (&["fish", "tool"], "fish", vec![flip(true, true)], None),
        ] {
            let classes = classes(names);
            let found = motion(&draws).and_then(|motion| looks_like(&classes, class, motion));
            assert_eq!(found, expected, "{class} {draws:?}");
        }
        let list = |draws: Vec<Draw>| {
            let steps = draws.into_iter().enumerate().collect();
            Draw::Nested(NestedDraw { steps, size: None })
        };
        let mirrored = list(vec![flip(true, false)]);
        assert_eq!(
            motion(std::slice::from_ref(&mirrored)),
            Some(Motion::LeftRight)
        );
        assert_eq!(
            motion(&[mirrored, flip(true, true)]),
            Some(Motion::TopBottom)
        );
        assert_eq!(colour("red-tulip"), Some("red"));
        assert_eq!(colour("redwood"), None);
    }

    #[test]
    fn what_happens_to_colours_is_said() {
        let done = |operation| {
            let operations = vec![operation];
            colours_now(&[Draw::Operations(OperationsDraw { operations })])
        };
        for (operation, expected) in [
            (TensorOperation::Hue(0.25), Some("its colours moved by 90°")),
            (TensorOperation::Hue(-0.05), None),
            (TensorOperation::Grayscale, Some("has no colours now")),
            (
                TensorOperation::Invert,
                Some("its colours are inverted now"),
            ),
            (
                TensorOperation::Channels([2, 1, 0]),
                Some("its channels changed places"),
            ),
            (TensorOperation::Contrast(1.5), None),
        ] {
            assert_eq!(
                done(operation.clone()).as_deref(),
                expected,
                "{operation:?}"
            );
        }
    }
}
