//! Small files that unpack to more than the available memory: opening each fails, and until then takes
//! at most twice the length of the file plus a fixed bound.

use modelens::dataset::jpeg::PhotoDecoder;
use std::io::{Cursor, Write as _};
use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder};
use modelens::cli::arrays::read_input;
use modelens::dataset::decode::MAX_PIXELS;
use modelens_jobs::ModelSource;
use modelens_jobs::PhotosSource;
use serde_json::json;

use crate::support::files::{fixture, folder, repository, write};
use crate::support::memory::most_bytes;
use crate::support::protobuf::{field, model, product_with};

/// Bytes that opening a file may take beyond twice its length: the largest array allowed, while its
/// buffer grows.
const BOUND: u64 = 1 << 30;

/// The result of opening a file of this length, which must keep to the bound on memory.
fn bounded<T>(what: &str, length: u64, open: impl FnOnce() -> T) -> T {
    let (opened, most) = most_bytes(open);
    println!(
        "{what}: {} kB of file, {} kB of memory",
        length / 1000,
        most / 1000
    );
    assert!(most <= 2 * length + BOUND, "{what}: {most} bytes of memory");
    opened
}

/// The error of a file with these bytes, which must not open.
fn refused(name: &str, bytes: &[u8]) -> String {
    let folder = folder();
    let path = write(&folder, name, bytes);
    let opened = bounded(name, bytes.len() as u64, || {
        ModelSource::File(path).open().err()
    });
    opened.expect("it is refused").to_string()
}

/// A compressed zip archive of these entries.
fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1));
    for (name, bytes) in entries {
        out.start_file(*name, options).expect("a new entry");
        out.write_all(bytes).expect("its bytes");
    }
    out.finish().expect("a zip archive").into_inner()
}

#[test]
fn zip_entries_are_bounded() {
    let zeros = vec![0; 300 << 20];
    let config = br#"{"class_name": "Functional", "config": {}}"#;
    let bytes = packed(&[("config.json", config), ("model.weights.h5", &zeros)]);
    assert!(bytes.len() < 8 << 20, "{}", bytes.len());
    let text = refused("weights.keras", &bytes);
    assert!(text.contains("model.weights.h5 is larger than"), "{text}");
    let text = refused(
        "config.keras",
        &packed(&[("config.json", &zeros), ("model.weights.h5", b"")]),
    );
    assert!(text.contains("config.json is larger than 8 MB"), "{text}");
    let text = refused("storage.pth", &packed(&[("a/data.pkl", &zeros)]));
    assert!(text.contains("longer than the file says"), "{text}");
}

#[test]
fn configurations_of_many_small_objects_are_bounded() {
    let many = format!("[{}0]", "[],".repeat(2 << 20));
    let text = refused(
        "many.keras",
        &packed(&[("config.json", many.as_bytes()), ("model.weights.h5", b"")]),
    );
    assert!(!text.is_empty());
    let mut layers = br#"{"class_name": "Functional", "config": {"layers": "#.to_vec();
    layers.extend(many.as_bytes());
    layers.extend(b"}}");
    refused(
        "layers.keras",
        &packed(&[("config.json", &layers), ("model.weights.h5", b"")]),
    );
}

#[test]
fn compressed_hdf5_datasets_are_bounded() {
    let kernel = vec![0.0_f32; 75 << 20];
    let input = json!({"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [null, null, null, 1]},
                       "name": "i", "inbound_nodes": []});
    let dense = json!({"class_name": "Dense", "config": {"name": "d", "units": kernel.len(), "use_bias": false},
                       "name": "d", "inbound_nodes": [[["i", 0, 0, {}]]]});
    let config = json!({"class_name": "Functional", "config": {"name": "m", "layers": [input, dense],
                        "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}});
    let texts = |text: &str| AttrValue::StringArray(vec![text.to_owned()]);
    let mut file = FileBuilder::new();
    file.set_attr("model_config", AttrValue::String(config.to_string()));
    file.set_attr("keras_version", AttrValue::String("2.15.0".to_owned()));
    let mut weights = file.create_group("model_weights");
    weights.set_attr("layer_names", texts("d"));
    let mut group = weights.create_group("d");
    group.set_attr("weight_names", texts("d/kernel:0"));
    let mut inner = group.create_group("d");
    let dataset = inner.create_dataset("kernel:0");
    dataset.with_f32_data(&kernel);
    dataset.with_shape(&[1, kernel.len() as u64]);
    dataset.with_chunks(&[1, 1 << 22]);
    dataset.with_deflate(1);
    group.add_group(inner.finish());
    weights.add_group(group.finish());
    file.add_group(weights.finish());
    let bytes = file.finish().expect("an HDF5 file");
    drop(kernel);
    assert!(bytes.len() < 4 << 20, "{}", bytes.len());
    let text = refused("packed.h5", &bytes);
    assert!(
        text.contains("claims more values than a file of this size may hold"),
        "{text}"
    );
}

#[test]
fn pickles_are_bounded() {
    let start = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02";
    let many = |opcodes: &[u8]| {
        let mut bytes = start.to_vec();
        bytes.extend(opcodes.repeat((12 << 20) / opcodes.len()));
        refused("many.pt", &bytes)
    };
    for opcodes in [
        &b"}"[..],
        b"N",
        b"]2a",
        b"}\x94",
        b"(",
        b"N\x85",
        b"X\0\0\0\0",
        b"ca\nb\n",
    ] {
        let text = many(opcodes);
        assert!(text.contains("far too many values"), "{opcodes:?}: {text}");
    }
    // A string that declares 4 GB, and a storage that declares the largest possible number of values.
    let mut bytes = start.to_vec();
    bytes.extend(b"X\xff\xff\xff\xff");
    assert!(refused("text.pt", &bytes).contains("is cut off"));
    let mut bytes = start.to_vec();
    bytes.extend(b"}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n");
    bytes.extend(b"X\x01\0\0\x000X\x03\0\0\0cpu\x8a\x07\xff\xff\xff\xff\xff\xff\x7ftQK\0\x8a\x07\xff\xff\xff\xff\xff\xff\x7f\x85K\x01\x85\x89}tRs.");
    bytes.extend(b"\x80\x02].");
    let text = refused("storage.pt", &bytes);
    assert!(text.contains("claims more values"), "{text}");
}

#[test]
fn headers_of_safetensors_are_bounded() {
    let entry = br#""x":{"dtype":"F32","shape":[],"data_offsets":[0,0]},"#;
    let mut header = b"{".to_vec();
    header.extend(entry.repeat((17 << 20) / entry.len()));
    header.extend(br#""y":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#);
    let bytes = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
    let text = refused("many.safetensors", &bytes);
    assert!(text.contains("its header has"), "{text}");
    let huge = br#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#;
    let bytes = [&(huge.len() as u64).to_le_bytes()[..], huge].concat();
    assert!(refused("huge.safetensors", &bytes).contains("broken"));
}

#[test]
fn onnx_messages_are_bounded() {
    // Empty nodes, names and weights.
    for empty in [&b"\x0a\0"[..], b"\x2a\0", b"\x5a\0"] {
        let text = refused("many.onnx", &model(&empty.repeat(4 << 20)));
        assert!(text.contains("lists more than"), "{text}");
    }
    let text = refused("names.onnx", &model(&field(1, &b"\x0a\0".repeat(4 << 20))));
    assert!(text.contains("lists more than"), "{text}");
    let ints = field(5, &field(8, &vec![1; 4 << 20]));
    let text = refused("ints.onnx", &model(&field(1, &ints)));
    assert!(text.contains("a setting of more than"), "{text}");
    // A weight that declares more values than it has bytes.
    let tensor = [
        &b"\x08\xff\xff\xff\xff\x7f\x08\xff\xff\xff\xff\x7f\x10\x01"[..],
        &field(8, b"w"),
        &field(9, &[0; 8]),
    ]
    .concat();
    let text = refused("weight.onnx", &model(&product_with(&tensor)));
    assert!(text.contains("broken") && text.contains("`w`"), "{text}");
}

/// True if the array can be read.
fn reads(path: &Path) -> bool {
    let length = std::fs::metadata(path).expect("the file").len();
    let what = path.display().to_string();
    bounded(&what, length, || read_input(path).is_ok())
}

#[test]
fn numpy_arrays_are_bounded() {
    let folder = folder();
    let header = |shape: &str| {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let text = format!("{text:<117}\n");
        [&b"\x93NUMPY\x01\0\x76\0"[..], text.as_bytes()].concat()
    };
    // The second has all the bytes that it declares, and 256 MB are just allowed.
    for (shape, mb) in [
        ("(1000000000,)", 1),
        ("(78643200,)", 300),
        ("(67108864,)", 256),
        ("(18446744073709551615, 2)", 1),
    ] {
        let inner = [header(shape), vec![0_u8; mb << 20]].concat();
        let bytes = packed(&[("x.npy", &inner)]);
        assert_eq!(
            reads(&write(&folder, "x.npz", &bytes)),
            shape == "(67108864,)",
            "{shape}"
        );
    }
    // A header that declares 4 GB.
    let long = b"\x93NUMPY\x02\0\xf0\xff\xff\xff{'descr': '<f4'";
    assert!(!reads(&write(&folder, "x.npy", long)));
    // Nested brackets, which the reader's grammar would try in every combination.
    for open in ["[", "(", "{"] {
        let nested = header(&open.repeat(60));
        let start = std::time::Instant::now();
        assert!(!reads(&write(&folder, "x.npy", &nested)));
        let spent = start.elapsed();
        assert!(
            spent < std::time::Duration::from_secs(5),
            "{open}: {spent:?}"
        );
    }
}

#[test]
fn photos_are_bounded() {
    let png = |side: u32, kind: png::ColorType, depth: png::BitDepth| {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, side, side);
        encoder.set_color(kind);
        encoder.set_depth(depth);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().expect("a header");
        let mut stream = writer.stream_writer().expect("a stream");
        let row = vec![0; side as usize * kind.samples() * (depth as usize).div_ceil(8)];
        for _ in 0..side {
            stream.write_all(&row).expect("a row");
        }
        stream.finish().expect("its end");
        drop(writer);
        out
    };
    let side = MAX_PIXELS.isqrt() as u32;
    let (rgb, rgba) = (png::ColorType::Rgb, png::ColorType::Rgba);
    let (eight, sixteen) = (png::BitDepth::Eight, png::BitDepth::Sixteen);
    for (name, bytes, opens) in [
        ("large.png", png(side, rgb, eight), true),
        ("deep.png", png(side, rgba, sixteen), true),
        ("larger.png", png(side + 200, rgb, eight), false),
    ] {
        let folder = folder();
        let path = write(&folder, name, &bytes);
        let decoded = bounded(name, bytes.len() as u64, || {
            let set = PhotosSource::Folder(path.parent().expect("a folder").to_owned()).open();
            set.is_ok_and(|set| {
                (0..set.photos.len())
                    .any(|photo| set.decode(photo, PhotoDecoder::default()).is_ok())
            })
        });
        assert_eq!(decoded, opens, "{name}");
    }
}

#[test]
fn ordinary_files_take_at_most_twice_their_length() {
    let assets = repository("assets/base");
    let mut seen = 0;
    for entry in std::fs::read_dir(assets).expect("the bases") {
        let path = entry.expect("a file").path();
        let length = std::fs::metadata(&path).expect("the file").len();
        let (opened, most) = most_bytes(|| ModelSource::File(path.clone()).open().is_ok());
        if opened {
            println!(
                "{}: {length} bytes of file, {most} of memory",
                path.display()
            );
            assert!(
                most <= 2 * length + (8 << 20),
                "{}: {most} of memory",
                path.display()
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
    let path = fixture("bnnet_keras3/model.keras");
    let (_, most) = most_bytes(|| ModelSource::File(path).open().is_ok());
    assert!(most < 8 << 20, "{most}");
}
