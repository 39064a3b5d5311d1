//! ONNX files: a graph of operators with their weights, as exporters write it for inference.
//!
//! ONNX stores images as `[N, C, H, W]`. Here they stay `[N, H, W, C]`, and each value records the order
//! of its axes in the file, so that most transpositions cost nothing. Source: <https://onnx.ai/onnx/operators/>.

mod arithmetic;
mod blocks;
mod build;
mod constant;
mod fold;
mod fold_ints;
mod names;
mod node;
mod outside;
mod parts;
mod proto;
mod resize;
mod shapes;
mod stored;
mod value;
mod weighted;
mod windows;

use super::error::chosen_output;
use super::other_files::is_saved_model;
use super::{ModelFile, OpenError, Reader, SaveError};
use crate::formats::wire::{Field, Fields};
use crate::model::graph::LayerKind;
use crate::model::{
    Assumption, Format, Graph, Model, ModelDescription, Preprocessing, Recognised, Semantics,
};

/// ONNX: a graph for inference.
pub static ONNX: Reader = Reader {
    format: Format {
        family: "ONNX",
        endings: &["onnx"],
        rare_endings: &[],
        saved_as: &[],
        untrainable: Some(
            "an ONNX file is made for inference: it can be compared in both modes, but not trained; \
             train the model that it was exported from",
        ),
        without_batch_norm: Some(FOLDED),
    },
    recognises: looks_like,
    open,
    save: |_, _, _| Err(SaveError::ReadOnlyFormat),
    takes_architecture: true,
};

/// The notice for a file without a BatchNormalization node.
pub const FOLDED: &str = "The file has no BatchNormalization node: where the model had BatchNorm, the \
    exporter folded it into the convolutions, and nothing is left to compare.";

/// True if the bytes begin like an ONNX file: with its version and another known field.
fn looks_like(bytes: &[u8]) -> bool {
    let mut fields = Fields::new(bytes);
    let version = matches!(fields.next(), Some(Ok((1, Field::Varint(1..=99)))));
    // The second field may be truncated, so only its tag is read.
    let next = bytes
        .get(2)
        .is_some_and(|tag| matches!(tag, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42));
    version && next && !is_saved_model(bytes)
}

/// Reads an `.onnx` file.
///
/// # Errors
/// A broken file, weights in another folder, and unknown operators.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature of every reader"
)]
fn open(file: ModelFile<'_>) -> Result<Model, OpenError> {
    let output = chosen_output(file.architecture)?;
    let mut model = proto::Model::read(&file.bytes)?;
    outside::fetch(&mut model, file.beside)?;
    let (graph, weights) = build::build(&model, output)?;
    let has = |wanted: fn(&LayerKind) -> bool| graph.layers.iter().any(|l| wanted(&l.kind));
    let mut warnings = Vec::new();
    if has(|kind| matches!(kind, LayerKind::BatchNorm(_))) {
        warnings.push(
            "an ONNX file is made for inference and has no rules for training: its BatchNorm and dropout \
             layers are shown by PyTorch's"
                .to_owned(),
        );
    } else if has(|kind| matches!(kind, LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_))) {
        warnings.push(FOLDED.to_owned());
    }
    let outputs = model.graph.iter().flat_map(|graph| &graph.outputs);
    let mut outputs: Vec<String> = outputs.map(|o| o.name.to_owned()).collect();
    if let Some(at) = outputs
        .iter()
        .position(|name| Some(name.as_str()) == output)
    {
        outputs[..=at].rotate_right(1);
    }
    let clipped = |text: &str| text.chars().take(40).collect::<String>();
    let writer = [model.producer, model.producer_version]
        .map(clipped)
        .join(" ");
    let framework = match writer.trim() {
        "" => "ONNX".to_owned(),
        writer => format!("ONNX by {writer}"),
    };
    let description = ModelDescription {
        title: file.title.to_owned(),
        format: ONNX.format,
        framework,
        semantics: Semantics::PyTorch,
        recognised: Recognised::by_operators(&graph),
        preprocessing: preprocessing(&graph, model.producer),
        scale_unknown: false,
        graph,
        labels: Vec::new(),
        labels_from: String::new(),
        warnings,
        assumed: Assumption::of_outputs(&outputs).into_iter().collect(),
    };
    Ok(Model {
        description,
        weights,
    })
}

/// The scaling of torchvision if PyTorch wrote the file and the network does not scale its input.
fn preprocessing(graph: &Graph, producer: &str) -> Preprocessing {
    let first = graph
        .nodes
        .get(1)
        .map(|node| &graph.layers[node.layer].kind);
    let scales = matches!(
        first,
        Some(LayerKind::Rescaling(_) | LayerKind::Operator(_))
    );
    match Preprocessing::of(graph) {
        Preprocessing::Raw if producer == "pytorch" && !scales => Preprocessing::ImageNet,
        known => known,
    }
}
