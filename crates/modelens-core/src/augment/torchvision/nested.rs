//! `RandomApply`, `RandomChoice` and `RandomOrder`: transforms that hold others.
//! Source: torchvision 0.29 `v2/_container.py`.

use serde::{Deserialize, Serialize};

use super::{
    Behaviour, ColorJitter, Draw, Draws, Image, ListLimits, Parameter, ParameterValue, PixelType,
    RandomGrayscale, RandomHorizontalFlip, TypeError, happens,
};
use crate::augment::behaviour::{Drawing, Drawn};
use crate::augment::{AugmentLayer, Transform};
use crate::random::StreamKey;

const PROBABILITIES: ListLimits = ListLimits {
    lengths: &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    ..ListLimits::of(&[], [0.0, 1e6], [0.0, 1.0])
};

/// All of its transforms with the probability `p`, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomApply {
    pub transforms: Vec<AugmentLayer>,
    pub p: f64,
}

/// One of its transforms, each with the probability of the same place in `p`; with equal ones if there are
/// none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomChoice {
    pub transforms: Vec<AugmentLayer>,
    /// Divided by their sum.
    pub p: Vec<f64>,
}

/// All of its transforms, in an order that is drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomOrder {
    pub transforms: Vec<AugmentLayer>,
}

/// What was drawn by the transforms that act on one image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NestedDraw {
    /// The place of each transform in its list, and its draw; in the order they act.
    pub steps: Vec<(usize, Draw)>,
    /// `[height, width]` of the output, if a transform changes the size.
    pub size: Option<[usize; 2]>,
}

impl Default for RandomApply {
    fn default() -> Self {
        Self {
            transforms: Vec::new(),
            p: 0.5,
        }
    }
}

/// Draws for the transforms at these places, one after the other.
pub(in crate::augment) fn draw_steps(
    transforms: &[AugmentLayer],
    places: impl IntoIterator<Item = usize>,
    drawing: &Drawing<'_>,
) -> Draw {
    let before = [drawing.height, drawing.width];
    let [mut height, mut width] = before;
    let mut steps = Vec::new();
    for place in places {
        let Some(layer) = transforms.get(place) else {
            continue;
        };
        // Streams of its own, so that what it draws does not depend on the draws of the others.
        let mut purpose = [drawing.stream.purpose, &[place as u64]].concat();
        purpose.extend(layer.seed);
        let stream = StreamKey {
            seed: drawing.stream.seed,
            purpose: &purpose,
        };
        let behaviour = layer.transform.behaviour();
        let image = if behaviour.draws_once_per_batch(drawing.semantics) {
            u64::MAX
        } else {
            drawing.index as u64
        };
        let draw = behaviour.draw_in_batch(&mut Drawing {
            draws: stream.draws_for(image),
            stream,
            height,
            width,
            ..*drawing
        });
        let own = draw.size(height, width);
        let size = own.or_else(|| behaviour.output_size_of(height, width));
        [height, width] = size.unwrap_or([height, width]);
        steps.push((place, draw));
    }
    Draw::Nested(NestedDraw {
        steps,
        size: ([height, width] != before).then_some([height, width]),
    })
}

/// The stream that decides for the whole list: of the image, or of the batch if images are mixed.
fn stream(transforms: &[AugmentLayer], drawing: &Drawing<'_>) -> Draws {
    if transforms.iter().any(AugmentLayer::mixes_images) {
        drawing.shared()
    } else {
        drawing.draws.clone()
    }
}

pub(in crate::augment) fn apply(
    transforms: &[AugmentLayer],
    draw: &Draw,
    image: &Image,
    pixels: PixelType,
) -> Image {
    let Draw::Nested(NestedDraw { steps, .. }) = draw else {
        return image.clone();
    };
    let mut pixels = pixels;
    let mut done: Option<Image> = None;
    for (place, draw) in steps {
        if let Some(layer) = transforms.get(*place) {
            let before = done.as_ref().unwrap_or(image);
            done = Some(layer.apply_as(draw, before, pixels));
            pixels = layer.transform.behaviour().pixel_type(pixels);
        }
    }
    done.unwrap_or_else(|| image.clone())
}

/// As [`apply`], for an 8-bit image; `None` if one of the transforms needs floats.
fn apply_bytes(transforms: &[AugmentLayer], draw: &Draw, image: &Image<u8>) -> Option<Image<u8>> {
    let Draw::Nested(NestedDraw { steps, .. }) = draw else {
        return None;
    };
    let mut done = image.clone();
    for (place, draw) in steps {
        let behaviour = transforms.get(*place)?.transform.behaviour();
        done = behaviour.apply_bytes(draw, &done)?;
    }
    Some(done)
}

pub(in crate::augment) fn apply_batch(
    transforms: &[AugmentLayer],
    draws: &[&Draw],
    images: &[&Image],
    pixels: PixelType,
) -> Vec<Image> {
    let steps = |draw: &Draw| match draw {
        Draw::Nested(NestedDraw { steps, .. }) => steps.clone(),
        _ => Vec::new(),
    };
    let steps: Vec<Vec<(usize, Draw)>> = draws.iter().map(|draw| steps(draw)).collect();
    let mut pixels = pixels;
    let mut done: Vec<Image> = images.iter().map(|&image| image.clone()).collect();
    // Transforms of a list that mixes images are chosen for the batch, so they are those of the first.
    let places = steps.first().map_or(&[][..], |steps| steps);
    for (step, (place, _)) in places.iter().enumerate() {
        let Some(layer) = transforms.get(*place) else {
            continue;
        };
        let draws = steps.iter().map(|steps| steps.get(step));
        let draws: Vec<&Draw> = draws
            .map(|step| step.map_or(&Draw::Nothing, |(_, draw)| draw))
            .collect();
        let before: Vec<&Image> = done.iter().collect();
        done = layer.apply_batch(&draws, &before, pixels);
        pixels = layer.transform.behaviour().pixel_type(pixels);
    }
    done
}

/// What all lists of transforms have in common.
macro_rules! list {
    ($class:ident, example [$($example:expr),*], |$own:ident, $draws:ident| $places:expr, |$mut:ident| $more:expr $(, { $($more_of:tt)* })?) => {
        impl Behaviour for $class {
            #[allow(clippy::needless_update, reason = "one of the lists has no other fields")]
            fn example(_: usize, _: usize) -> Self {
                Self {
                    transforms: [$(Transform::from($example)),*].map(AugmentLayer::from).into(),
                    ..Self::default()
                }
            }

            fn parameters(&mut self) -> Vec<Parameter<'_>> {
                let $mut = self;
                let transforms = ParameterValue::Layers(&mut $mut.transforms);
                let mut parameters = vec![Parameter::required("transforms", transforms)];
                parameters.extend($more);
                parameters
            }

            $($($more_of)*)?

            fn is_random(&self) -> bool {
                true
            }

            /// As for one of its transforms that gets the same values.
            fn refuses(&self, before: PixelType) -> Option<TypeError> {
                let mut layers = self.transforms.iter();
                layers.find_map(|layer| layer.transform.behaviour().refuses(before))
            }

            fn mixes_images(&self) -> bool {
                self.transforms.iter().any(AugmentLayer::mixes_images)
            }

            fn mixes_labels(&self) -> bool {
                self.transforms.iter().any(AugmentLayer::mixes_labels)
            }

            fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
                let mut stream = stream(&self.transforms, drawing);
                let ($own, $draws) = (self, &mut stream);
                let places: Vec<usize> = $places;
                draw_steps(&self.transforms, places, drawing)
            }

            fn apply(&self, draw: &Draw, image: &Image) -> Image {
                self.apply_as(draw, image, PixelType::Uint8)
            }

            fn apply_as(&self, draw: &Draw, image: &Image, pixels: PixelType) -> Image {
                apply(&self.transforms, draw, image, pixels)
            }

            fn apply_bytes(&self, draw: &Draw, image: &Image<u8>) -> Option<Image<u8>> {
                apply_bytes(&self.transforms, draw, image)
            }

            fn apply_batch(
                &self,
                draws: &[&Draw],
                images: &[&Image],
                pixels: PixelType,
            ) -> Vec<Image> {
                if self.mixes_images() {
                    apply_batch(&self.transforms, draws, images, pixels)
                } else {
                    self.apply_each(draws, images, pixels)
                }
            }

            fn can_turn_upside_down(&self) -> bool {
                self.transforms.iter().any(AugmentLayer::can_turn_upside_down)
            }
        }
    };
}

list! {
    RandomApply,
    example [ColorJitter::example(1, 1)],
    |own, draws| {
        let all = if happens(own.p, draws) { own.transforms.len() } else { 0 };
        (0..all).collect()
    },
    |own| [Parameter::probability(&mut own.p)]
}

list! {
    RandomChoice,
    example [RandomHorizontalFlip::example(1, 1), RandomGrayscale { p: 1.0 }],
    |own, draws| vec![own.choose(draws)],
    |own| [Parameter::list("p", &mut own.p, PROBABILITIES)],
    {
        fn match_lengths(&mut self) {
            if !self.p.is_empty() {
                self.p.resize(self.transforms.len(), 1.0);
            }
        }
    }
}

list! {
    RandomOrder,
    example [RandomHorizontalFlip::example(1, 1), ColorJitter::example(1, 1)],
    |own, draws| draws.permutation(own.transforms.len()),
    |_own| []
}

impl RandomChoice {
    fn choose(&self, draws: &mut Draws) -> usize {
        let n = self.transforms.len();
        let share = |place: usize| match self.p.get(place) {
            Some(&share) => share,
            None if self.p.is_empty() => 1.0,
            None => 0.0,
        };
        let sum: f64 = (0..n).map(share).sum();
        let mut rest = draws.unit() * sum;
        for place in 0..n {
            rest -= share(place);
            if rest < 0.0 {
                return place;
            }
        }
        n.saturating_sub(1)
    }
}

impl NestedDraw {
    /// What each transform drew that acts, in order.
    pub(in crate::augment) fn draws(&self) -> impl Iterator<Item = &Draw> {
        self.steps.iter().map(|(_, draw)| draw)
    }
}

impl Drawn for NestedDraw {
    fn words(&self) -> String {
        let words = self.draws().map(Draw::words);
        let words: Vec<String> = words.filter(|words| !words.is_empty()).collect();
        words.join(", ")
    }

    fn meaning(&self) -> Option<String> {
        let meanings: Vec<String> = self.draws().filter_map(Draw::meaning).collect();
        (!meanings.is_empty()).then(|| meanings.join(", "))
    }

    fn partner(&self) -> Option<(usize, f64)> {
        self.draws().find_map(Draw::partner)
    }

    /// Also where several transforms move pixels one after the other.
    fn bends(&self) -> bool {
        let moves = |draw: &&Draw| draw.input_from_output(1, 1).is_some();
        self.draws().any(Draw::bends) || self.draws().filter(moves).count() > 1
    }

    fn size(&self, _: usize, _: usize) -> Option<[usize; 2]> {
        self.size
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let own = self
            .steps
            .iter()
            .map(|(place, _)| ("chosen", *place as f64));
        own.chain(self.draws().flat_map(Draw::quantities)).collect()
    }

    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let vector = self
            .draws()
            .find_map(|draw| draw.input_from_output(height, width))?;
        Some(vector.map(|number| number as f32))
    }

    fn is_upside_down(&self) -> bool {
        self.draws().filter(|draw| draw.is_upside_down()).count() % 2 == 1
    }
}
