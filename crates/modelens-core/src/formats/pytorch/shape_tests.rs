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
            (Ok(found), Some(opens)) => found.graph.name == *opens && found.warnings.is_empty(),
            (Err(_), None) => true,
            (Ok(_), None) | (Err(_), Some(_)) => false,
        };
        if !as_expected {
            let found = found.map(|found| found.graph.name);
            wrong.push(format!("{name}: {found:?}, not {:?}", network.opens));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
