//! Shapes through the graph, before anything is computed: they give the input channels that the
//! weights must fit, and refuse settings that cannot work together.

mod joined;

use self::joined::{broadcast, concatenated, sliced};
use super::specs::Spec;
use super::windows::{dilated, image, padded, window};
use crate::augment::AugmentLayer;
use crate::formats::OpenError;
use crate::model::graph::{Conv2d, Graph, Input, LayerKind, Merge, Node, Noise};
use crate::model::layers::normaliser::Normaliser;
use crate::model::layers::size::MAX_VALUES;
use crate::model::shape_text;

/// The axes of a value without the batch axis; `None` where only a photo will tell.
pub(super) type Shape = Vec<Option<usize>>;

/// For each layer with weights the shape of its input; `None` where the layer is never called.
pub(super) fn inputs(graph: &Graph, specs: &[Spec]) -> Result<Vec<Option<Shape>>, OpenError> {
    let mut shapes: Vec<Shape> = Vec::with_capacity(graph.nodes.len());
    let mut inputs: Vec<Option<Shape>> = vec![None; graph.layers.len()];
    for node in &graph.nodes {
        let layer = &graph.layers[node.layer];
        let spec = &specs[node.layer];
        let refuse = |reason: String| OpenError::UnsupportedSetting {
            layer: layer.name.clone(),
            reason,
        };
        if *spec != Spec::None {
            let input = node.inputs.first();
            let shape = input.map_or(&[][..], |&input| shape_of(input, &shapes));
            let last = shape.last().copied().flatten().ok_or_else(|| {
                refuse("the file leaves open how many channels its input has".to_owned())
            })?;
            let earlier = inputs[node.layer].as_ref().and_then(|s| *s.last()?);
            if let Some(known) = earlier.filter(|&known| known != last) {
                return Err(refuse(format!(
                    "it is called on {known} and on {last} channels"
                )));
            }
            spec.check(shape).map_err(refuse)?;
            inputs[node.layer] = Some(shape.to_vec());
        }
        let shape = output(&layer.kind, spec, node, &shapes, graph.input_hwc).map_err(refuse)?;
        if values(&shape) > MAX_VALUES {
            return Err(OpenError::TooLarge(format!(
                "layer `{}` makes more than {MAX_VALUES} values of one image",
                layer.name
            )));
        }
        if shape.contains(&Some(0)) {
            return Err(refuse(format!(
                "nothing is left of the image ({})",
                shape_text(&shape)
            )));
        }
        shapes.push(shape);
    }
    Ok(inputs)
}

/// Values of one image at least; what is open counts as 1, and the colours of a photo as 3.
fn values(shape: &[Option<usize>]) -> usize {
    let least = |(axis, n): (usize, &Option<usize>)| n.unwrap_or(if axis == 2 { 3 } else { 1 });
    let axes = shape.iter().enumerate().map(least);
    axes.fold(1, usize::saturating_mul)
}

fn shape_of(input: Input, shapes: &[Shape]) -> &[Option<usize>] {
    match input {
        Input::Node(id) => &shapes[id],
        Input::Number(_) => &[],
    }
}

/// The shape of one node's value; the error is a reason in words.
#[allow(clippy::too_many_lines, reason = "one arm a kind")]
fn output(
    kind: &LayerKind,
    spec: &Spec,
    node: &Node,
    shapes: &[Shape],
    input_hwc: [Option<usize>; 3],
) -> Result<Shape, String> {
    let Some(&first) = node.inputs.first() else {
        return Ok(input_hwc.to_vec());
    };
    let x = shape_of(first, shapes);
    Ok(match kind {
        LayerKind::Rescaling { scale, offset } => {
            for values in [scale, offset] {
                let fits = x
                    .last()
                    .copied()
                    .flatten()
                    .is_none_or(|c| c == values.len());
                if values.len() != 1 && !fits {
                    return Err(format!(
                        "it has {} factors for the shape {}",
                        values.len(),
                        shape_text(x)
                    ));
                }
            }
            x.to_vec()
        }
        LayerKind::Conv2d(c) | LayerKind::DepthwiseConv2d(c) | LayerKind::SeparableConv2d(c) => {
            convolution(c, spec, x)?
        }
        LayerKind::BatchNorm(_) => {
            // The batch axis counts, so the last axis has the number `x.len()`.
            let Spec::BatchNorm { axis, .. } = spec else {
                return Err("it has no axis".to_owned());
            };
            if *axis != -1 && *axis != x.len() as i64 {
                return Err(format!(
                    "it normalises over axis {axis}; only the last is supported"
                ));
            }
            x.to_vec()
        }
        LayerKind::TransposedConv2d(settings) => {
            let [h, w, _] = image(x)?;
            let Spec::TransposedConv {
                kernel, filters, ..
            } = *spec
            else {
                return Err("it has no kernel".to_owned());
            };
            let side = |n: Option<usize>, axis: usize| match n {
                None => Ok(None),
                Some(n) => settings
                    .side(axis, n, kernel[axis])
                    .map(Some)
                    .ok_or("its output cannot be counted, or nothing is left of it"),
            };
            vec![side(h, 0)?, side(w, 1)?, Some(filters)]
        }
        LayerKind::Normaliser(Normaliser::Group {
            groups: Some(groups),
            ..
        }) => {
            let channels = x.last().copied().flatten();
            if channels.is_none_or(|c| !c.is_multiple_of(*groups)) {
                return Err(format!(
                    "the channels of {} cannot be divided into {groups} groups",
                    shape_text(x)
                ));
            }
            x.to_vec()
        }
        LayerKind::Arrange(arrange) => arrange.shape(x)?,
        LayerKind::Reduce(reduce) => reduce.shape(x)?,
        LayerKind::ZeroPadding2d([top, bottom, left, right]) => {
            let [h, w, c] = image(x)?;
            vec![padded(h, *top, *bottom)?, padded(w, *left, *right)?, c]
        }
        LayerKind::Merge(Merge::Concatenate(axis)) => concatenated(*axis, node, shapes)?,
        LayerKind::Merge(Merge::Dot) => {
            let other = node
                .inputs
                .get(1)
                .map_or(&[][..], |&input| shape_of(input, shapes));
            if x.len() != 1 || other != x {
                return Err(format!(
                    "it multiplies the shapes {} and {}; only rows of one length are supported",
                    shape_text(x),
                    shape_text(other)
                ));
            }
            vec![Some(1)]
        }
        LayerKind::Merge(_) | LayerKind::Operator(_) | LayerKind::ScaledSum(_) => {
            let mut others = node.inputs[1..]
                .iter()
                .map(|&input| shape_of(input, shapes));
            others.try_fold(x.to_vec(), |all, other| broadcast(&all, other))?
        }
        LayerKind::GetItem(slices) => sliced(slices, x)?,
        LayerKind::Pool2d(p) => {
            let [h, w, c] = image(x)?;
            let side = |n, i: usize| window(n, p.size[i], p.strides[i], p.padding);
            vec![side(h, 0)?, side(w, 1)?, c]
        }
        LayerKind::GlobalPool2d { keep_dims, .. } => {
            let [_, _, c] = image(x)?;
            if *keep_dims {
                vec![Some(1), Some(1), c]
            } else {
                vec![c]
            }
        }
        LayerKind::AdaptivePool2d { output, .. } => {
            let [h, w, c] = image(x)?;
            if h.is_none() || w.is_none() {
                return Err("it needs images of a known size".to_owned());
            }
            vec![Some(output[0]), Some(output[1]), c]
        }
        LayerKind::Flatten => {
            let product = |n: usize, axis: &Option<usize>| axis.and_then(|a| n.checked_mul(a));
            vec![x.iter().try_fold(1, product)]
        }
        LayerKind::Dense(_) => {
            let Spec::Dense { units, .. } = spec else {
                return Err("it has no units".to_owned());
            };
            let mut shape = x.to_vec();
            *shape.last_mut().ok_or("it is called on a single number")? = Some(*units);
            shape
        }
        LayerKind::Noise(Noise::Dropout {
            noise_shape: Some(noise),
            ..
        }) => {
            let fits = |(n, axis): (&Option<usize>, &Option<usize>)| match (n, axis) {
                (Some(n), Some(axis)) => *n == 1 || n == axis,
                _ => true,
            };
            if noise.len() != x.len() + 1 || !noise[1..].iter().zip(x).all(fits) {
                return Err(format!(
                    "its noise shape {} does not fit the shape {}",
                    shape_text(noise),
                    shape_text(x)
                ));
            }
            x.to_vec()
        }
        LayerKind::Noise(Noise::SpatialDropout2d { .. }) => image(x)?.to_vec(),
        LayerKind::Augment(layer) => augmented(layer, image(x)?),
        _ => x.to_vec(),
    })
}

fn convolution(c: &Conv2d, spec: &Spec, x: &[Option<usize>]) -> Result<Shape, String> {
    let [h, w, channels] = image(x)?;
    let channels = channels.ok_or("the file leaves open how many channels its input has")?;
    let (kernel, out) = match *spec {
        Spec::Conv {
            kernel,
            groups,
            filters,
            ..
        } => {
            if !channels.is_multiple_of(groups) {
                return Err(format!(
                    "its {channels} channels cannot be divided into {groups} groups"
                ));
            }
            (kernel, Some(filters))
        }
        Spec::Depthwise {
            kernel, multiplier, ..
        } => (kernel, channels.checked_mul(multiplier)),
        Spec::Separable {
            kernel,
            multiplier,
            filters,
            ..
        } => (kernel, channels.checked_mul(multiplier).map(|_| filters)),
        _ => return Err("it has no kernel".to_owned()),
    };
    let out = out.ok_or("it has more channels than can be counted")?;
    let side = |n, i: usize| {
        window(
            n,
            dilated(kernel[i], c.dilation[i])?,
            c.strides[i],
            c.padding,
        )
    };
    let (height, width) = (side(h, 0)?, side(w, 1)?);
    // A separable convolution has a value of more channels on the way.
    if let Spec::Separable { multiplier, .. } = spec {
        let inner = channels.saturating_mul(*multiplier);
        if values(&[height, width, Some(inner)]) > MAX_VALUES {
            return Err(format!(
                "it makes more than {MAX_VALUES} values of one image before its pointwise step"
            ));
        }
    }
    Ok(vec![height, width, Some(out)])
}

fn augmented(layer: &AugmentLayer, [h, w, c]: [Option<usize>; 3]) -> Shape {
    // In Keras 3 a crop has its size in training only, but Keras too builds on that shape.
    match layer.own_size() {
        Some([height, width]) => vec![Some(height), Some(width), c],
        None => vec![h, w, c],
    }
}
