//! Names and shapes of the tensors of many networks, without their values: which are opened as what,
//! and which are refused. The list is made by `tests/fixtures/generators/make_pytorch_shapes.py`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::choice::Told;
use super::torch_file::Read;
use super::{Recognition, StateDict, recognise};
use crate::formats::OpenError;

#[derive(Deserialize)]
struct Network {
    /// The name under which it opens; nothing if it must be refused.
    opens: Option<String>,
    tensors: Vec<(String, Vec<usize>)>,
}

#[allow(clippy::single_match_else, reason = "both are ways to the list")]
fn networks() -> BTreeMap<String, Network> {
    let text = match std::env::var("SHAPES_JSON") {
        Ok(path) => std::fs::read_to_string(path).expect("the list"),
        Err(_) => {
            let bytes = include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/fixtures/pytorch/shapes.json.zip"
            ));
            let mut archive = zip::ZipArchive::new(Cursor::new(&bytes[..])).expect("a zip archive");
            let mut text = String::new();
            let mut entry = archive.by_index(0).expect("one entry");
            entry.read_to_string(&mut text).expect("text");
            text
        }
    };
    serde_json::from_str(&text).expect("the list of networks")
}

fn state(tensors: &[(String, Vec<usize>)]) -> StateDict {
    let one = Tensor::zeros((1,), DType::F32, &Device::Cpu).expect("a zero");
    let tensor = |(name, shape): &(String, Vec<usize>)| {
        let tensor = one.broadcast_as(shape.as_slice()).expect("a shape");
        (name.clone(), tensor)
    };
    tensors.iter().map(tensor).collect()
}

fn opened(tensors: &[(String, Vec<usize>)], told: &Told) -> Result<Recognition, OpenError> {
    let read = Read {
        state: state(tensors),
        warning: None,
        chosen: false,
    };
    recognise(read, told)
}

/// The networks whose files need a warning, with a part of it: heads that only a training loss reads, and no head.
const WARNED: [(&str, &str); 3] = [
    ("timm/vit_huge_patch14_224", "the file has no head"),
    ("torchvision/googlenet", "`aux1.conv.bn.bias`"),
    ("torchvision/inception_v3", "`AuxLogits.conv0.bn.bias`"),
];

/// True if a network is opened with exactly the warnings that its file needs.
fn told(name: &str, found: &Recognition) -> bool {
    match WARNED.iter().find(|(warned, _)| *warned == name) {
        None => found.warnings.is_empty(),
        Some((_, part)) => matches!(&found.warnings[..], [warning] if warning.contains(part)),
    }
}

#[test]
fn every_network_opens_as_itself_or_is_refused() {
    let mut wrong = Vec::new();
    for (name, network) in networks() {
        let found = opened(&network.tensors, &Told::default());
        if std::env::var_os("SHAPES_JSON").is_some() {
            match &found {
                Ok(r) => println!(
                    "{name} OPENS {} {:?} {:?}",
                    r.graph.name, r.warnings, r.assumed
                ),
                Err(e) => println!("{name} REFUSED {e}"),
            }
        }
        let as_expected = match (&found, &network.opens) {
            (Ok(found), Some(opens)) => found.graph.name == *opens && told(&name, found),
            (Err(_), None) => true,
            (Ok(_), None) | (Err(_), Some(_)) => false,
        };
        if !as_expected {
            let found = found.map(|found| (found.graph.name, found.warnings));
            wrong.push(format!("{name}: {found:?}, not {:?}", network.opens));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
