//! JPEG pixels equal those of TensorFlow and of Pillow, to the bit.

use std::sync::Arc;

use modelens::dataset::jpeg::PhotoDecoder;
use modelens::dataset::{Photo, PhotoList, PhotoSet, PhotosInMemory};

use crate::support::files::{read_npz, repository};
use crate::support::numbers::values;

#[test]
fn jpeg_pixels_are_those_of_each_framework() {
    let folder = repository("tests/fixtures/jpeg");
    let expected = read_npz(&folder.join("pixels.npz"));
    assert!(expected.len() >= 60, "{} arrays", expected.len());
    for (name, pixels) in &expected {
        let (file, library) = name.rsplit_once('/').expect("file/library");
        let library = match library {
            "tensorflow" => PhotoDecoder::TensorFlow,
            "pillow" => PhotoDecoder::Pillow,
            other => panic!("{other}"),
        };
        let bytes = std::fs::read(folder.join(format!("{file}.jpg"))).expect("a JPEG");
        let photo = Photo {
            name: format!("{file}.jpg"),
            class: 0,
            part: None,
        };
        let list = PhotoList {
            title: "jpeg".to_owned(),
            classes: vec!["jpeg".to_owned()],
            photos: vec![photo],
            notes: Vec::new(),
            as_given: false,
        };
        let files = Arc::new(PhotosInMemory(vec![bytes.into()]));
        let set = PhotoSet { list, files };
        let image = set
            .decode(0, library)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let [height, width] = [image.height() as usize, image.width() as usize];
        assert_eq!(pixels.dims(), [height, width, 3], "{name}");
        let found: Vec<f32> = image.as_raw().iter().map(|&v| f32::from(v)).collect();
        assert_eq!(found, values(pixels), "{name}");
    }
}
