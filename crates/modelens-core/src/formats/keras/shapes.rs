//! Shapes through the graph, before anything is computed. They give the input channels that the weights
//! must fit, and refuse settings that can't work together.

use super::specs::WeightSpec;
use crate::formats::OpenError;
use crate::model::graph::{Graph, Input};
use crate::model::layers::LayerKind;
use crate::model::layers::shape::{ImageShape, MAX_VALUES, Shapes, value_count};
use crate::model::shape_text;

/// By layer with weights, the shape of its input; `None` if the layer is never called.
pub(super) fn inputs(
    graph: &Graph,
    specs: &[WeightSpec],
) -> Result<Vec<Option<ImageShape>>, OpenError> {
    let mut shapes: Vec<ImageShape> = Vec::with_capacity(graph.nodes.len());
    let mut inputs: Vec<Option<ImageShape>> = vec![None; graph.layers.len()];
    for node in &graph.nodes {
        let layer = &graph.layers[node.layer];
        let spec = &specs[node.layer];
        let refuse = |reason: String| OpenError::UnsupportedSetting {
            layer: layer.name.clone(),
            reason,
        };
        let arguments: Vec<&[Option<usize>]> = node
            .inputs
            .iter()
            .map(|input| match *input {
                Input::Node(id) => shapes[id].as_slice(),
                Input::Number(_) => &[],
            })
            .collect();
        let x = arguments.first().copied().unwrap_or_default();
        if *spec != WeightSpec::None {
            let channels = x.last().copied().flatten().ok_or_else(|| {
                refuse("the file leaves open how many channels its input has".to_owned())
            })?;
            let earlier = inputs[node.layer].as_ref().and_then(|s| *s.last()?);
            if let Some(known) = earlier.filter(|&known| known != channels) {
                return Err(refuse(format!(
                    "it is called on {known} and on {channels} channels"
                )));
            }
            spec.check(x).map_err(refuse)?;
            inputs[node.layer] = Some(x.to_vec());
        }
        let shape = if arguments.is_empty() {
            graph.input_hwc.to_vec()
        } else {
            output(&layer.kind, spec, &arguments).map_err(refuse)?
        };
        if value_count(&shape) > MAX_VALUES {
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

/// The shape of one node's value; the error is a reason in words.
fn output(
    kind: &LayerKind,
    spec: &WeightSpec,
    inputs: &[&[Option<usize>]],
) -> Result<ImageShape, String> {
    let needs = spec.needs(inputs.first().copied().unwrap_or_default());
    let shapes = Shapes {
        inputs,
        weights: &|name| {
            let need = needs.iter().find(|need| need.name == name);
            need.map(|need| need.shape.clone())
        },
    };
    if let LayerKind::Noise(noise) = kind {
        noise.check_input(shapes.x())?;
    }
    let op = kind.op();
    let shape = op.output_shape(&shapes)?;
    if value_count(&shape) <= MAX_VALUES && op.scratch_values(&shapes) > MAX_VALUES {
        return Err(format!(
            "it makes more than {MAX_VALUES} values of one image while it computes"
        ));
    }
    Ok(shape)
}
