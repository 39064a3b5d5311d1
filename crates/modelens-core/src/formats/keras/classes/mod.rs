//! Keras' layer classes: the settings of a layer become a [`LayerKind`], and a [`WeightSpec`] of its weights.
//!
//! To add one: write the function that reads its settings and a line in [`CLASSES`].

mod activation;
mod arrange;
mod augmentation;
mod convolution;
mod noise;
mod normalization;
mod pooling;
mod training_only;

pub(super) use self::arrange::shape_of;
pub(super) use self::training_only::is_training_only;
use super::activations;
use super::settings::Settings;
use super::specs::WeightSpec;
use crate::augment::AugmentLayer;
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::{Dense, LayerKind, Merge, Pooling, Rescaling, ScaledSum};

/// What a layer computes, and which weights it has.
type Read = Result<(LayerKind, WeightSpec), OpenError>;

/// The class names in files, the usual one first, and the function that reads the settings.
type LayerClass = (&'static [&'static str], fn(Settings<'_>, Semantics) -> Read);

/// All layer classes but models, operators and the preprocessing layers of [`crate::augment::Transform`].
static CLASSES: &[LayerClass] = &[
    (&["InputLayer"], |_, _| plain(LayerKind::Input)),
    (&["Rescaling"], |s, _| rescaling(s)),
    (&["Conv2D"], convolution::conv),
    (&["DepthwiseConv2D"], convolution::depthwise),
    (&["SeparableConv2D"], convolution::separable),
    (
        &["Conv2DTranspose", "Convolution2DTranspose"],
        convolution::transposed,
    ),
    (&["Dense"], dense),
    (&["BatchNormalization", "BatchNormalizationV1"], |s, _| {
        normalization::batch(s)
    }),
    (&["LayerNormalization"], |s, _| normalization::layer(s)),
    (&["RMSNormalization"], |s, _| normalization::rms(s)),
    (&["GroupNormalization"], |s, _| normalization::group(s)),
    (&["UnitNormalization"], |s, _| normalization::unit(s)),
    (&["Normalization"], |s, _| normalization::fixed(s)),
    (&["Activation"], activation::named),
    (&["ReLU"], |s, _| activation::layer("ReLU", s)),
    (&["LeakyReLU"], |s, _| activation::layer("LeakyReLU", s)),
    (&["ELU"], |s, _| activation::layer("ELU", s)),
    (&["Softmax"], |s, _| activation::layer("Softmax", s)),
    (&["ThresholdedReLU"], |s, _| activation::thresholded(s)),
    (&["PReLU"], |s, _| activation::prelu(s)),
    (&["MaxPooling2D", "MaxPool2D"], |s, _| {
        pooling::window(Pooling::Max, s)
    }),
    (&["AveragePooling2D", "AvgPool2D"], |s, _| {
        pooling::window(Pooling::Average, s)
    }),
    (&["AdaptiveMaxPooling2D"], |s, _| {
        pooling::adaptive(Pooling::Max, s)
    }),
    (&["AdaptiveAveragePooling2D"], |s, _| {
        pooling::adaptive(Pooling::Average, s)
    }),
    (&["GlobalMaxPooling2D", "GlobalMaxPool2D"], |s, _| {
        pooling::global(Pooling::Max, s)
    }),
    (&["GlobalAveragePooling2D", "GlobalAvgPool2D"], |s, _| {
        pooling::global(Pooling::Average, s)
    }),
    // `FixedDropout` is what the `efficientnet` package calls its dropout with a noise shape.
    (&["Dropout", "FixedDropout"], |s, _| noise::dropout(s)),
    (&["SpatialDropout2D"], |s, _| noise::spatial_dropout(s)),
    (&["AlphaDropout"], |s, _| noise::alpha_dropout(s)),
    (&["GaussianDropout"], |s, _| noise::gaussian_dropout(s)),
    (&["GaussianNoise"], |s, _| noise::gaussian(s)),
    (&["StochasticDepth"], |s, _| noise::stochastic_depth(s)),
    (&["Add"], |_, _| plain(LayerKind::Merge(Merge::Add))),
    (&["Subtract"], |_, _| {
        plain(LayerKind::Merge(Merge::Subtract))
    }),
    (&["Multiply"], |_, _| {
        plain(LayerKind::Merge(Merge::Multiply))
    }),
    (&["Average"], |_, _| plain(LayerKind::Merge(Merge::Average))),
    (&["Maximum"], |_, _| plain(LayerKind::Merge(Merge::Maximum))),
    (&["Minimum"], |_, _| plain(LayerKind::Merge(Merge::Minimum))),
    (&["Dot"], |s, _| dot(s)),
    (&["Concatenate"], |s, _| concatenate(s)),
    (&["Flatten"], |_, _| plain(LayerKind::Flatten)),
    (&["Reshape"], |s, _| arrange::reshape(s)),
    (&["Permute"], |s, _| arrange::permute(s)),
    (&["RepeatVector"], |s, _| arrange::repeat_vector(s)),
    (&["ZeroPadding2D"], |s, _| arrange::zero_padding(s)),
    (&["Cropping2D"], |s, _| arrange::cropping(s)),
    (&["CenterCrop"], |s, _| arrange::center_crop(s)),
    (&["UpSampling2D"], |s, _| arrange::up_sampling(s)),
    (&["Identity"], |_, _| plain(LayerKind::Identity)),
    // Of bounding boxes it keeps the first ones; images pass through it.
    (
        &["ActivityRegularization", "MaxNumBoundingBoxes"],
        |_, _| plain(LayerKind::Identity),
    ),
    // Of ConvNeXt.
    (&["LayerScale"], |_, _| {
        Ok((LayerKind::LayerScale, WeightSpec::LayerScale))
    }),
    // Of InceptionResNetV2.
    (&["CustomScaleLayer"], |s, _| scaled_sum(s)),
];

/// Reads the settings of a layer; `None` for an unknown class.
pub(super) fn read(
    class: &str,
    settings: Settings<'_>,
    semantics: Semantics,
) -> Result<Option<(LayerKind, WeightSpec)>, OpenError> {
    settings.channels_last()?;
    if let Some((_, read)) = CLASSES.iter().find(|(names, _)| names.contains(&class)) {
        return read(settings, semantics).map(Some);
    }
    let layer = AugmentLayer::from_keras(class, &settings)?;
    Ok(layer.map(|layer| (LayerKind::Augment(layer), WeightSpec::None)))
}

/// A layer without weights.
#[allow(clippy::unnecessary_wraps, reason = "it is what every class returns")]
fn plain(kind: LayerKind) -> Read {
    Ok((kind, WeightSpec::None))
}

fn singles(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|x| x as f32).collect()
}

fn rescaling(settings: Settings<'_>) -> Read {
    plain(LayerKind::Rescaling(Rescaling {
        scale: singles(settings.numbers_or("scale", 1.0)?),
        offset: singles(settings.numbers_or("offset", 0.0)?),
    }))
}

fn dense(settings: Settings<'_>, semantics: Semantics) -> Read {
    let spec = WeightSpec::Dense {
        units: settings.count("units")?,
        bias: settings.bool_or("use_bias", true)?,
    };
    let activation = activations::parse(settings, "activation", semantics)?;
    Ok((LayerKind::Dense(Dense { activation }), spec))
}

fn dot(settings: Settings<'_>) -> Read {
    let axes = settings.numbers_or("axes", 1.0)?;
    if settings.bool_or("normalize", false)? || axes.iter().any(|a| ![1.0, -1.0].contains(a)) {
        return Err(settings.refuse("only plain products of two rows are supported"));
    }
    plain(LayerKind::Merge(Merge::Dot))
}

fn concatenate(settings: Settings<'_>) -> Read {
    // `as` saturates; shape inference checks the range.
    let axis = settings.number_or("axis", -1.0)? as i64;
    plain(LayerKind::Merge(Merge::Concatenate(axis)))
}

fn scaled_sum(settings: Settings<'_>) -> Read {
    plain(LayerKind::ScaledSum(ScaledSum {
        scale: settings.number_or("scale", 1.0)? as f32,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::{Framework, Transform};

    /// Classes that are not read here: models, and operators of Keras 2.
    const OTHERS: [&str; 4] = ["Functional", "Sequential", "SlicingOpLambda", "TFOpLambda"];

    #[test]
    fn every_class_has_one_entry() {
        let mut names: Vec<&str> = CLASSES
            .iter()
            .flat_map(|(names, _)| *names)
            .copied()
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// The supported classes in alphabetical order.
    fn supported() -> Vec<&'static str> {
        let usual = CLASSES
            .iter()
            .filter_map(|(names, _)| names.first().copied());
        let of_keras = |transform: Transform| {
            (transform.framework() == Framework::Keras).then(|| transform.class())
        };
        let augmenting = Transform::all(1, 1).into_iter().filter_map(of_keras);
        let mut all: Vec<&str> = usual.chain(augmenting).chain(OTHERS).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn the_page_of_layers_lists_every_class() {
        let page = include_str!("../../../../../../docs/layers.md");
        let section = |title: &str| {
            let (_, rest) = page.split_once(title).unwrap();
            rest.split("\n## ").next().unwrap().to_owned()
        };
        let listed = section("## Keras layers");
        for class in supported() {
            assert!(listed.contains(&format!("`{class}`")), "{class}");
        }
        let listed = section("## Keras 3 operators");
        for class in super::super::operators::KERAS3
            .iter()
            .flat_map(|c| c.split(", "))
        {
            assert!(listed.contains(&format!("`{class}`")), "{class}");
        }
    }
}
