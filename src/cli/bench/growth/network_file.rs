//! Writes ONNX files of networks of any size. Source: `onnx/onnx.proto`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

/// A network of 1 x 1 convolutions, each with a BatchNorm and a ReLU, with a classifier at its end. All its
/// weights are 0.
#[derive(Clone, Copy, Debug)]
pub struct NetworkSize {
    pub convolutions: usize,
    pub channels: usize,
    pub classes: usize,
}

/// Height and width of its input.
const SIDE: usize = 32;

/// Bytes of a message, with zeros at its end that are not kept in memory.
struct Part {
    bytes: Vec<u8>,
    zeros: usize,
}

impl NetworkSize {
    /// Writes the file; returns its length in bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(self, path: &Path) -> io::Result<u64> {
        let parts = self.parts();
        let length = parts.iter().map(|part| part.bytes.len() + part.zeros).sum();
        let mut file = BufWriter::new(File::create(path)?);
        // The version of the format, and that of the operators.
        file.write_all(&[8, 8])?;
        file.write_all(&field(8, &[16, 13]))?;
        file.write_all(&header(7, length))?;
        for Part { bytes, zeros } in parts {
            file.write_all(&bytes)?;
            io::copy(&mut io::repeat(0).take(zeros as u64), &mut file)?;
        }
        file.flush()?;
        Ok(std::fs::metadata(path)?.len())
    }

    /// The fields of the graph.
    fn parts(self) -> Vec<Part> {
        let Self {
            convolutions,
            channels,
            classes,
        } = self;
        let mut parts = Vec::new();
        let mut value = "x".to_owned();
        for i in 0..convolutions {
            let depth = if i == 0 { 3 } else { channels };
            let weight = |name: &str| format!("{name}{i}");
            parts.push(tensor(&weight("kernel"), &[channels, depth, 1, 1]));
            let statistics = ["gamma", "beta", "mean", "variance"].map(weight);
            parts.extend(statistics.iter().map(|name| tensor(name, &[channels])));
            let [conv, norm, relu] = ["conv", "norm", "relu"].map(weight);
            parts.push(node("Conv", &[&value, &weight("kernel")], &conv));
            let inputs: Vec<&str> = [&conv]
                .into_iter()
                .chain(&statistics)
                .map(|s| &**s)
                .collect();
            parts.push(node("BatchNormalization", &inputs, &norm));
            parts.push(node("Relu", &[&norm], &relu));
            value = relu;
        }
        parts.push(tensor("classifier", &[channels, classes]));
        parts.push(node("GlobalAveragePool", &[&value], "pooled"));
        parts.push(node("Flatten", &["pooled"], "flat"));
        parts.push(node("Gemm", &["flat", "classifier"], "logits"));
        parts.push(node("Softmax", &["logits"], "y"));
        parts.push(whole(field(11, &info("x", &[1, 3, SIDE, SIDE]))));
        parts.push(whole(field(12, &info("y", &[1, classes]))));
        parts
    }
}

fn whole(bytes: Vec<u8>) -> Part {
    Part { bytes, zeros: 0 }
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The start of a length-delimited field.
fn header(number: u8, length: usize) -> Vec<u8> {
    [vec![number << 3 | 2], varint(length)].concat()
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [header(number, bytes.len()), bytes.to_vec()].concat()
}

/// A `NodeProto` in the graph; it has the name of its output.
fn node(op: &str, inputs: &[&str], output: &str) -> Part {
    let mut fields: Vec<Vec<u8>> = inputs
        .iter()
        .map(|name| field(1, name.as_bytes()))
        .collect();
    fields.extend([2, 3].map(|number| field(number, output.as_bytes())));
    fields.push(field(4, op.as_bytes()));
    whole(field(1, &fields.concat()))
}

/// An initializer of float zeros in the graph.
fn tensor(name: &str, dims: &[usize]) -> Part {
    let zeros = dims.iter().product::<usize>() * size_of::<f32>();
    let mut message: Vec<u8> = dims
        .iter()
        .flat_map(|&d| [vec![8], varint(d)].concat())
        .collect();
    message.extend([16, 1]);
    message.extend(field(8, name.as_bytes()));
    message.extend(header(9, zeros));
    let mut bytes = header(5, message.len() + zeros);
    bytes.extend(message);
    Part { bytes, zeros }
}

/// A `ValueInfoProto` of floats.
fn info(name: &str, dims: &[usize]) -> Vec<u8> {
    let dims = dims
        .iter()
        .flat_map(|&d| field(1, &[vec![8], varint(d)].concat()));
    let shape = field(2, &dims.collect::<Vec<u8>>());
    let kind = field(1, &[vec![8, 1], shape].concat());
    [field(1, name.as_bytes()), field(2, &kind)].concat()
}
