//! The layers a person can add, with parameters to start from.

use super::{
    Factor, FlipMode, Interpolation, RandomBrightness, RandomContrast, RandomCrop, RandomFlip,
    RandomRotation, RandomShear, RandomTranslation, RandomZoom, Rescaling, Resizing, Sampling,
    Transform,
};

impl Transform {
    /// Every layer once; crop and resizing of `height` x `width`, so that an added one changes no
    /// size before it is told to.
    pub fn all(height: usize, width: usize) -> [Self; 10] {
        let sampling = Sampling::default();
        let value_range = [0.0, 255.0];
        let factor = Factor::Scalar(0.2);
        [
            Self::Flip(RandomFlip {
                mode: FlipMode::Horizontal,
            }),
            Self::Rotation(RandomRotation { factor, sampling }),
            Self::Zoom(RandomZoom {
                height_factor: factor,
                width_factor: None,
                sampling,
            }),
            Self::Translation(RandomTranslation {
                height_factor: factor,
                width_factor: factor,
                sampling,
            }),
            Self::Shear(RandomShear {
                x_factor: factor,
                y_factor: factor,
                sampling,
            }),
            Self::Contrast(RandomContrast {
                factor,
                value_range,
            }),
            Self::Brightness(RandomBrightness {
                factor,
                value_range,
            }),
            Self::Crop(RandomCrop { height, width }),
            Self::Resizing(Resizing {
                height,
                width,
                interpolation: Interpolation::default(),
                crop_to_aspect_ratio: false,
            }),
            Self::Rescaling(Rescaling {
                scale: 1.0 / 255.0,
                offset: 0.0,
            }),
        ]
    }

    /// How the layer reads pixels beside the image; `None` for those that move none.
    pub fn sampling(&self) -> Option<Sampling> {
        match self {
            Self::Rotation(layer) => Some(layer.sampling),
            Self::Zoom(layer) => Some(layer.sampling),
            Self::Translation(layer) => Some(layer.sampling),
            Self::Shear(layer) => Some(layer.sampling),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn sampling_mut(&mut self) -> Option<&mut Sampling> {
        match self {
            Self::Rotation(layer) => Some(&mut layer.sampling),
            Self::Zoom(layer) => Some(&mut layer.sampling),
            Self::Translation(layer) => Some(&mut layer.sampling),
            Self::Shear(layer) => Some(&mut layer.sampling),
            _ => None,
        }
    }
}
