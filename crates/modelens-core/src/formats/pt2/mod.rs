//! PyTorch's exported programs, as `torch.export.save` writes them: the graph of operators, the weights,
//! and the modules that both belong to.
//!
//! A zip archive of JSON and raw tensors; nothing in it is executed. PyTorch stores images as
//! `[N, C, H, W]`. Here they are `[N, H, W, C]`, and each value records how the program sees it
//! ([`value::Value`]). BatchNorm and dropout are operators with a flag for the mode. They are in
//! the program even if it was exported in evaluation mode, so both modes can be computed. Source: `torch/export/pt2_archive` and
//! `torch/_export/serde`.

mod archive;
mod arithmetic;
mod arrange;
mod build;
mod constants;
mod folding;
mod join;
mod live;
mod memory;
mod names;
mod node;
mod parts;
mod products;
mod save;
mod schema;
mod shapes;
mod stored;
mod value;
mod weighted;
mod windows;

use self::archive::Archive;
pub use self::archive::is_archive;
use self::build::{Built, SeenFlags};
use self::schema::Program;
use self::stored::Tensors;
use self::value::Batch;
use super::error::chosen_output;
use super::{ModelFile, OpenError, Reader};
use crate::model::graph::{Input, LayerKind, Operator};
use crate::model::{
    Assumption, Format, Graph, Model, ModelDescription, Preprocessing, Recognised, Semantics,
};

/// An exported program.
pub static PT2: Reader = Reader {
    format: Format {
        family: "PyTorch",
        endings: &["pt2"],
        rare_endings: &[],
        saved_as: &["safetensors"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: is_archive,
    open,
    save: |file, trained, _| save::safetensors(file, trained),
    takes_architecture: true,
};

/// Major version of the layout that is read.
const SCHEMA: u64 = 8;

/// Reads a `.pt2` file.
///
/// # Errors
/// A broken file, one of an older PyTorch, and unknown operators.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature of every reader"
)]
fn open(file: ModelFile<'_>) -> Result<Model, OpenError> {
    let program = read(&file.bytes)?;
    let output = chosen_output(file.architecture)?;
    let built = built(&program, &file.bytes, output)?;
    let types = built.tensors.other_types();
    let mut warnings = warnings(&built, &program);
    if !types.is_empty() {
        let types: Vec<&str> = types.into_iter().collect();
        warnings.push(format!(
            "weights are stored as {} and computed with in float32",
            types.join(" and ")
        ));
    }
    let root = program.graph_module.graph.nodes.iter();
    let root = root
        .filter_map(|node| names::modules(node).next())
        .map(|module| module.class)
        .next();
    let root = root.unwrap_or_default();
    let Built {
        mut graph,
        weights,
        flags,
        operators,
        outputs,
        ..
    } = built;
    let class = root.rsplit('.').next().unwrap_or_default();
    graph.name = class.chars().take(80).collect();
    let is_published = ["torchvision.", "timm."]
        .iter()
        .any(|from| root.starts_with(from));
    let mut assumed: Vec<Assumption> = Assumption::of_outputs(&outputs).into_iter().collect();
    let preprocessing = if is_published && graph.input_hwc[2] == Some(3) {
        Preprocessing::ImageNet
    } else if scales(&graph) {
        Preprocessing::Raw
    } else {
        assumed.push(Assumption {
            sentence: "the file does not say how photos are scaled; x / 255 was taken".to_owned(),
            choices: Vec::new(),
        });
        Preprocessing::ZeroToOne
    };
    let scale_unknown = preprocessing == Preprocessing::ZeroToOne;
    let version: String = program.torch_version.chars().take(40).collect();
    let description = ModelDescription {
        title: file.title.to_owned(),
        format: PT2.format,
        framework: format!("PyTorch {version}").trim().to_owned(),
        semantics: Semantics::PyTorch,
        recognised: Recognised {
            what: match graph.name.as_str() {
                "" => "a network".to_owned(),
                name => format!("`{name}`"),
            },
            how: format!(
                "the file is an exported program of {operators} operators{}",
                flags.words()
            ),
        },
        preprocessing,
        scale_unknown,
        graph,
        labels: Vec::new(),
        labels_from: String::new(),
        warnings,
        assumed,
    };
    Ok(Model {
        description,
        weights,
    })
}

/// The graph of the file and what belongs to it.
fn read(bytes: &[u8]) -> Result<Program, OpenError> {
    let text = Archive::open(bytes)?.graph()?;
    let program: Program = serde_json::from_slice(&text)
        .map_err(|e| OpenError::Broken(format!("its graph is not understood ({e})")))?;
    if program.schema_version.major != SCHEMA {
        return Err(OpenError::Refused(format!(
            "the exported program has version {} of its layout, and version {SCHEMA} is read; export it with \
             PyTorch 2.9 or newer",
            program.schema_version.major
        )));
    }
    Ok(program)
}

fn built<'a>(
    program: &'a Program,
    bytes: &'a [u8],
    output: Option<&str>,
) -> Result<Built<'a>, OpenError> {
    let tensors = Tensors::open(Archive::open(bytes)?)?;
    build::build(program, tensors, bytes.len(), output)
}

/// True if the first layer makes values from 0 to 255 about a hundred times smaller or more.
fn scales(graph: &Graph) -> bool {
    const SMALL: f64 = 0.02;
    let Some(first) = graph.nodes.get(1) else {
        return false;
    };
    let number = first.inputs.iter().find_map(|input| match input {
        Input::Number(number) => Some(number.abs()),
        Input::Node(_) => None,
    });
    match (&graph.layers[first.layer].kind, number) {
        (LayerKind::Operator(Operator::Divide), Some(by)) => by * SMALL >= 1.0,
        (LayerKind::Operator(Operator::Multiply), Some(by)) => by <= SMALL,
        (LayerKind::Rescaling(rescaling), _) => rescaling
            .scale
            .iter()
            .all(|by| f64::from(by.abs()) <= SMALL),
        _ => false,
    }
}

impl SeenFlags {
    /// The mode that the program was exported in.
    fn words(&self) -> &'static str {
        match (self.training.is_empty(), self.inference.is_empty()) {
            (true, true) => "",
            (true, false) => ", exported in .eval(); both modes are computed",
            (false, true) => ", exported in .train(); both modes are computed",
            (false, false) => {
                ", exported with some layers in .train() and others in .eval(); both modes are computed"
            }
        }
    }
}

/// Sentences about what the file holds besides what is shown, and what differs from PyTorch.
fn warnings(built: &Built<'_>, program: &Program) -> Vec<String> {
    let mut warnings = built.notes.clone();
    let SeenFlags {
        training,
        inference,
        loose,
    } = &built.flags;
    let named = |names: &[String]| {
        let shown: Vec<String> = names
            .iter()
            .take(3)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = names.len().saturating_sub(3);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        shown.join(", ") + &more
    };
    if !inference.is_empty() && !loose.is_empty() {
        warnings.push(format!(
            "dropout is on in .eval() too at {} (F.dropout without `training=self.training`); here it follows \
             the mode",
            named(loose)
        ));
    }
    let fixed: Vec<String> = training
        .iter()
        .filter(|name| !loose.contains(name))
        .cloned()
        .collect();
    if !inference.is_empty() && !fixed.is_empty() {
        let (few, mode) = if fixed.len() < inference.len() {
            (&fixed, "training")
        } else {
            (inference, "inference")
        };
        warnings.push(format!(
            "the program keeps {} in {mode} mode whatever the mode of the others; here all follow the mode",
            named(few)
        ));
    }
    if training.is_empty() {
        let paths = program
            .graph_module
            .module_call_graph
            .iter()
            .map(|call| call.fqn.as_str());
        let is_depth = |path: &&str| {
            let last = path.rsplit('.').next().unwrap_or_default();
            matches!(
                last,
                "stochastic_depth" | "drop_path" | "drop_path1" | "drop_path2"
            )
        };
        let count = paths.filter(is_depth).count();
        if count > 0 {
            warnings.push(format!(
                "{count} modules look like stochastic depth, which leaves no trace in a program exported in \
                 .eval(); export `model.train()` to see them"
            ));
        }
    }
    if let Batch::Fixed(n) = built.batch {
        warnings.push(format!(
            "the program was exported for {n} photos; here it takes any number"
        ));
    }
    warnings
}
