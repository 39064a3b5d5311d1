//! A list of layers, each applied to the result of the one before.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bytes::{self, AnyImage, Value as _};
use super::color;
use super::layers::{
    RandomBrightness, RandomContrast, RandomFlip, RandomRotation, RandomTranslation, RandomZoom,
};
use super::torchvision::{DataType, ToDtype};
use super::{
    AugmentLayer, Draw, FlipMode, Framework, ParameterError, PixelType, Transform, TypeError,
};
use crate::dataset::Image;
use crate::rules::{Mode, Semantics};

/// One entry of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineStep {
    pub layer: AugmentLayer,
    /// A step that is off does nothing, in either mode.
    pub on: bool,
}

/// Layers in order, as in `keras.Sequential`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    pub steps: Vec<PipelineStep>,
}

/// A pipeline with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PipelinePreset {
    /// The transfer-learning lab: flip, and rotation by up to 0.2 turns.
    CourseLab,
    /// Keras' transfer-learning guide: flip, and rotation by up to 0.1 turns.
    KerasGuide,
    /// Everything, strongly.
    Strong,
    /// No layers.
    None,
}

impl PipelinePreset {
    /// In the order of the window's menu.
    pub const ALL: [Self; 4] = [Self::CourseLab, Self::KerasGuide, Self::Strong, Self::None];

    /// The name in the window.
    pub fn label(self) -> &'static str {
        match self {
            Self::CourseLab => "Course lab",
            Self::KerasGuide => "Keras guide",
            Self::Strong => "Strong",
            Self::None => "None",
        }
    }

    /// The layers, all on.
    pub fn pipeline(self) -> Pipeline {
        let flip = || {
            let mode = FlipMode::Horizontal;
            Transform::from(RandomFlip { mode })
        };
        let rotation = |turns: f64| {
            Transform::from(RandomRotation {
                factor: turns.into(),
                ..RandomRotation::default()
            })
        };
        let transforms = match self {
            Self::CourseLab => vec![flip(), rotation(0.2)],
            Self::KerasGuide => vec![flip(), rotation(0.1)],
            Self::Strong => {
                let zoom = RandomZoom {
                    height_factor: 0.3.into(),
                    ..RandomZoom::default()
                };
                let translation = RandomTranslation {
                    height_factor: 0.2.into(),
                    width_factor: 0.2.into(),
                    ..RandomTranslation::default()
                };
                let contrast = RandomContrast {
                    factor: 0.5.into(),
                    ..RandomContrast::default()
                };
                let brightness = RandomBrightness {
                    factor: 0.2.into(),
                    ..RandomBrightness::default()
                };
                vec![
                    flip(),
                    rotation(0.2),
                    zoom.into(),
                    translation.into(),
                    contrast.into(),
                    brightness.into(),
                ]
            }
            Self::None => Vec::new(),
        };
        transforms.into_iter().map(AugmentLayer::from).collect()
    }
}

impl FromIterator<AugmentLayer> for Pipeline {
    fn from_iter<I: IntoIterator<Item = AugmentLayer>>(layers: I) -> Self {
        Self {
            steps: layers
                .into_iter()
                .map(|layer| PipelineStep { layer, on: true })
                .collect(),
        }
    }
}

impl Pipeline {
    /// The transfer-learning lab's: `RandomFlip("horizontal")`, `RandomRotation(0.2)`.
    pub fn course() -> Self {
        PipelinePreset::CourseLab.pipeline()
    }

    /// The layers that are on, each with its index in the list.
    fn active(&self) -> impl Iterator<Item = (usize, &AugmentLayer)> {
        self.steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.on)
            .map(|(index, step)| (index, &step.layer))
    }

    /// True if a step that is on draws.
    pub fn draws(&self) -> bool {
        self.active().any(|(_, layer)| layer.is_random())
    }

    /// Checks the parameters of all steps, including those that are off.
    ///
    /// # Errors
    /// The first parameter that Keras would reject.
    pub fn validate(&self) -> Result<(), ParameterError> {
        self.steps.iter().try_for_each(|step| step.layer.validate())
    }

    /// Draws for a batch of `n` images of `height` x `width` pixels: for each image, one draw per step
    /// that is on.
    ///
    /// A step's stream is `[purpose..., index of the step]`, so switching one step on or off does
    /// not change the draws of the others.
    pub fn draw_batch(
        &self,
        semantics: Semantics,
        seed: u64,
        purpose: &[u64],
        n: usize,
        height: usize,
        width: usize,
    ) -> Vec<Vec<Draw>> {
        let mut images = vec![Vec::new(); n];
        let mut sizes = vec![[height, width]; n];
        for (index, layer) in self.active() {
            let purpose = [purpose, &[index as u64]].concat();
            let drawn = layer.draw_sizes(semantics, seed, &purpose, &sizes);
            for ((image, size), draw) in images.iter_mut().zip(&mut sizes).zip(drawn) {
                *size = layer.size_after(semantics, &draw, *size);
                image.push(draw);
            }
        }
        images
    }

    /// True if what becomes of an image depends on the other images of its batch.
    pub fn mixes_images(&self) -> bool {
        self.active().any(|(_, layer)| layer.mixes_images())
    }

    /// True if it mixes the labels of images.
    pub fn mixes_labels(&self) -> bool {
        self.active().any(|(_, layer)| layer.mixes_labels())
    }

    /// The type of the values that each step that is on gets, and true where they become whole numbers first:
    /// a transform of torchvision that takes an 8-bit image gets one.
    fn pixel_types(&self) -> Vec<(PixelType, bool)> {
        let mut pixels = PixelType::Uint8;
        // Photos are resized in floats, and layers of Keras make floats.
        let mut whole = false;
        let of_step = |(_, layer): (usize, &AugmentLayer)| {
            let before = pixels;
            pixels = layer.transform.behaviour().pixel_type(before);
            let of_torchvision = layer.framework() == Framework::Torchvision;
            let round = of_torchvision && before == PixelType::Uint8 && !whole;
            whole = of_torchvision;
            (before, round)
        };
        self.active().map(of_step).collect()
    }

    /// Checks that each step takes the type of values that it gets.
    ///
    /// # Errors
    /// The first transform for which torchvision would raise an error.
    pub fn check_types(&self) -> Result<(), TypeError> {
        let mut steps = self.active().zip(self.pixel_types());
        let refused =
            steps.find_map(|((_, layer), (pixels, _))| layer.transform.behaviour().refuses(pixels));
        refused.map_or(Ok(()), Err)
    }

    /// Adds a step at the end, with a conversion to floats before it if only that makes it work.
    pub fn add(&mut self, layer: AugmentLayer) {
        let with = |layers: &[AugmentLayer]| {
            let mut longer = self.clone();
            let steps = layers.iter().cloned();
            longer
                .steps
                .extend(steps.map(|layer| PipelineStep { layer, on: true }));
            longer
        };
        let to_floats = ToDtype {
            dtype: DataType::Float32,
            scale: true,
        };
        let converted = with(&[Transform::from(to_floats).into(), layer.clone()]);
        let added = with(&[layer]);
        let helps = added.check_types().is_err() && converted.check_types().is_ok();
        *self = if helps { converted } else { added };
    }

    /// True if a step of those that are on, counted from 0, takes an 8-bit image.
    pub fn takes_bytes(&self, step: usize) -> bool {
        let layer = self.active().nth(step);
        let of_torchvision =
            layer.is_some_and(|(_, layer)| layer.framework() == Framework::Torchvision);
        let pixels = self.pixel_types().get(step).map(|(pixels, _)| *pixels);
        of_torchvision && pixels == Some(PixelType::Uint8)
    }

    /// Does what was drawn for each image of a batch in one step of those that are on, counted from 0. Only images
    /// of bytes are computed with as such.
    pub fn apply_step(&self, step: usize, draws: &[&Draw], images: &[AnyImage]) -> Vec<AnyImage> {
        let Some(((_, layer), (pixels, round))) = self.active().zip(self.pixel_types()).nth(step)
        else {
            return images.to_vec();
        };
        let bytes = images.iter().map(|image| match image {
            AnyImage::Bytes(image) => Some(&**image),
            AnyImage::Floats(_) => None,
        });
        if self.takes_bytes(step)
            && let Some(bytes) = bytes.collect::<Option<Vec<&Image<u8>>>>()
            && let Some(done) = (layer.transform.behaviour()).apply_batch_bytes(draws, &bytes)
        {
            return done.into_iter().map(AnyImage::from).collect();
        }
        let floats = images.par_iter().map(|image| match image {
            AnyImage::Floats(image) if round => Cow::Owned(whole(image)),
            image => image.floats(),
        });
        let floats: Vec<Cow<'_, Image>> = floats.collect();
        let floats: Vec<&Image> = floats.iter().map(|image| &**image).collect();
        let done = layer.apply_batch(draws, &floats, pixels);
        done.into_iter().map(AnyImage::from).collect()
    }

    /// Does what was drawn for each image of a batch.
    pub fn apply_batch(&self, draws: &[Vec<Draw>], images: &[Arc<Image>]) -> Vec<Image> {
        if !self.mixes_images() {
            let pairs = draws.par_iter().zip(images);
            return pairs
                .map(|(draws, image)| self.apply(draws, image))
                .collect();
        }
        let takes_bytes = self.takes_bytes(0);
        let start = |image: &Arc<Image>| {
            if takes_bytes {
                bytes::to_bytes(image).into()
            } else {
                AnyImage::Floats(Arc::clone(image))
            }
        };
        let mut done: Vec<AnyImage> = images.iter().map(start).collect();
        for step in 0..self.active().count() {
            let drawn = draws.iter().map(|draws| draws.get(step));
            let drawn: Vec<&Draw> = drawn.map(|draw| draw.unwrap_or(&Draw::Nothing)).collect();
            done = self.apply_step(step, &drawn, &done);
        }
        done.into_iter().map(AnyImage::into_floats).collect()
    }

    /// What each image of a batch is labelled with after the draws: images of the batch with their
    /// shares of the label, the largest first. An image that was not mixed has the share 1 of its own.
    pub fn targets(draws: &[Vec<Draw>]) -> Vec<Vec<(usize, f64)>> {
        let n = draws.len();
        let steps = draws.iter().map(Vec::len).max().unwrap_or(0);
        let mut targets: Vec<Vec<f64>> = (0..n)
            .map(|own| (0..n).map(|i| if i == own { 1.0 } else { 0.0 }).collect())
            .collect();
        for step in 0..steps {
            let mixed = draws.iter().enumerate().map(|(image, draws)| {
                let own = &targets[image];
                match draws.get(step).and_then(Draw::partner) {
                    Some((partner, share)) if partner < n => {
                        let pairs = own.iter().zip(&targets[partner]);
                        pairs.map(|(a, b)| share * a + (1.0 - share) * b).collect()
                    }
                    _ => own.clone(),
                }
            });
            targets = mixed.collect();
        }
        let shares = targets.into_iter().map(|shares| {
            let mut shares: Vec<(usize, f64)> = shares
                .into_iter()
                .enumerate()
                .filter(|(_, share)| *share > 0.0)
                .collect();
            shares.sort_by(|a, b| b.1.total_cmp(&a.1));
            shares
        });
        shares.collect()
    }

    /// Does what was drawn for one image, step by step. As in the frameworks, each step that moves pixels
    /// resamples the result of the step before.
    pub fn apply(&self, draws: &[Draw], image: &Image) -> Image {
        let done = self.apply_any(draws, image, None, &mut |_, _| {});
        done.map_or_else(|| image.clone(), AnyImage::into_floats)
    }

    /// As [`Self::apply`], with an image of bytes where the last step makes one; `None` if no step is on.
    /// `rounded` is the image as bytes, if it is there already. `seen` gets the images before and after each step;
    /// before the first, none.
    pub fn apply_any(
        &self,
        draws: &[Draw],
        image: &Image,
        rounded: Option<&Image<u8>>,
        seen: &mut dyn FnMut(Option<&AnyImage>, &AnyImage),
    ) -> Option<AnyImage> {
        let steps = self.active().zip(self.pixel_types()).zip(draws);
        let mut done: Option<AnyImage> = None;
        for (((_, layer), (pixels, round)), draw) in steps {
            let behaviour = layer.transform.behaviour();
            let takes_bytes =
                layer.framework() == Framework::Torchvision && pixels == PixelType::Uint8;
            if takes_bytes {
                let before = match (&done, rounded) {
                    (Some(before), _) => before.bytes(),
                    (None, Some(image)) => Cow::Borrowed(image),
                    (None, None) => Cow::Owned(bytes::to_bytes(image)),
                };
                if let Some(next) = behaviour.apply_bytes(draw, &before) {
                    let next = AnyImage::from(next);
                    seen(done.as_ref(), &next);
                    done = Some(next);
                    continue;
                }
            }
            let before = match &done {
                Some(before) => before.floats(),
                None => Cow::Borrowed(image),
            };
            let next = AnyImage::from(if round {
                behaviour.apply_as(draw, &whole(&before), pixels)
            } else {
                behaviour.apply_as(draw, &before, pixels)
            });
            seen(done.as_ref(), &next);
            done = Some(next);
        }
        done
    }

    /// What the pipeline does with `training=False`.
    pub fn inference(&self, semantics: Semantics, image: &Image) -> Image {
        let done = self.infer(semantics, image);
        done.unwrap_or_else(|| image.clone())
    }

    /// As [`Self::inference`]; `None` if no step acts.
    pub fn infer(&self, semantics: Semantics, image: &Image) -> Option<Image> {
        let mut done: Option<Image> = None;
        for step in 0..self.active().count() {
            let before = done.as_ref().unwrap_or(image);
            // Layers that return their input are skipped, so that no copy is made.
            let next = self.inference_step(step, semantics, before);
            done = next.or(done);
        }
        done
    }

    /// What one step of those that are on, counted from 0, does with `training=False`; `None` if it returns
    /// its input.
    pub fn inference_step(
        &self,
        step: usize,
        semantics: Semantics,
        image: &Image,
    ) -> Option<Image> {
        let (_, layer) = self.active().nth(step)?;
        let behaviour = layer.transform.behaviour();
        match self.pixel_types().get(step) {
            _ if !behaviour.acts_in_inference(semantics) => None,
            Some(&(pixels, true)) => Some(behaviour.inference(&whole(image), pixels)),
            Some(&(pixels, false)) => Some(behaviour.inference(image, pixels)),
            None => None,
        }
    }

    /// `[height, width]` of the output for an image of `height` x `width` pixels.
    pub fn output_size(
        &self,
        semantics: Semantics,
        mode: Mode,
        height: usize,
        width: usize,
    ) -> [usize; 2] {
        self.active()
            .fold([height, width], |[height, width], (_, layer)| {
                layer.output_size(semantics, mode, height, width)
            })
    }

    /// `[height, width]` of the output of an image of `height` x `width` pixels after these draws.
    pub fn drawn_size(
        &self,
        semantics: Semantics,
        draws: &[Draw],
        height: usize,
        width: usize,
    ) -> [usize; 2] {
        let steps = self.active().zip(draws);
        steps.fold([height, width], |size, ((_, layer), draw)| {
            layer.size_after(semantics, draw, size)
        })
    }

    /// The image in the range of photos, 0 to 255, if torchvision's `ToDtype` and `Normalize` gave it another
    /// one. A network's own scale takes their place.
    pub fn in_photo_range(&self, mut image: Image) -> Image {
        let types = self.pixel_types();
        let layers: Vec<&AugmentLayer> = self.active().map(|(_, layer)| layer).collect();
        for (layer, (before, _)) in layers.into_iter().zip(types).rev() {
            layer.transform.behaviour().undo_range(&mut image, before);
        }
        image
    }

    /// What the steps that rescale make of the range of values `[0, 255]` of a channel. The second end is the
    /// lower one where they turn the values round.
    pub fn value_range(&self, channel: usize) -> [f64; 2] {
        self.active().fold([0.0, 255.0], |range, (_, layer)| {
            layer.transform.behaviour().value_range(range, channel)
        })
    }

    /// The draws of one image in words: `flipped, −41.3°`; `unchanged` if nothing changed.
    pub fn words(draws: &[Draw]) -> String {
        let words: Vec<String> = draws
            .iter()
            .map(Draw::words)
            .filter(|words| !words.is_empty())
            .collect();
        if words.is_empty() {
            return "unchanged".to_owned();
        }
        words.join(", ")
    }

    /// True if a step that is on runs whatever mode the model is in; see [`AugmentLayer::is_never_off`].
    pub fn is_never_off(&self, semantics: Semantics) -> bool {
        let mut layers = self.active();
        layers.any(|(_, layer)| layer.is_random() && layer.is_never_off(semantics))
    }

    /// True if a step that is on is a transform of torchvision.
    pub fn has_torchvision(&self) -> bool {
        self.active()
            .any(|(_, layer)| layer.framework() == Framework::Torchvision)
    }

    /// The steps that are on as a `v2.Compose`. Layers of Keras become the nearest transforms; a comment takes
    /// the place of one that has none.
    pub fn torchvision_code(&self) -> String {
        let line = |(_, layer): (usize, &AugmentLayer)| {
            let code = layer.torchvision_code();
            let code = code.unwrap_or_else(|| format!("...  # {}", layer.code()));
            format!("    {code},\n")
        };
        let lines: String = self.active().map(line).collect();
        if lines.is_empty() {
            return "v2.Identity()".to_owned();
        }
        format!("v2.Compose([\n{lines}])")
    }

    /// The steps that are on as a `keras.Sequential`, or a `Pipeline` where Keras needs one. A comment takes the place of a layer that the release
    /// does not have.
    pub fn keras_code(&self, semantics: Semantics) -> String {
        let lines = self
            .active()
            .map(|(_, layer)| match layer.missing_in(semantics) {
                Some(why) => (false, format!("    # {}: {why}\n", layer.class())),
                None => (true, format!("    keras.layers.{},\n", layer.code())),
            });
        let lines: Vec<(bool, String)> = lines.collect();
        let comments_and_layers: String = lines.iter().map(|(_, line)| line.as_str()).collect();
        if lines.is_empty() {
            // Keras 3 refuses to call a Sequential without layers.
            return "keras.layers.Identity()".to_owned();
        }
        let any = lines.iter().any(|(is_layer, _)| *is_layer);
        let nothing = if any {
            ""
        } else {
            "    keras.layers.Identity(),\n"
        };
        // A Sequential cannot be built with Equalization, which returns the tensor it gets.
        let no_model = |layer: &AugmentLayer| layer.is_training_only() && !layer.is_random();
        let pipeline = semantics != Semantics::Keras2
            && self
                .active()
                .any(|(_, layer)| no_model(layer) || layer.mixes_labels());
        let holder = if pipeline {
            "layers.Pipeline"
        } else {
            "Sequential"
        };
        format!("keras.{holder}([\n{comments_and_layers}{nothing}])")
    }
}

/// The 8-bit image nearest to an image, as floats.
fn whole(image: &Image) -> Image {
    color::map_values(
        image,
        #[inline(always)]
        |x| bytes::nearest(x).get(),
    )
}
