//! The program's icon: the pictures of each size are drawn from one SVG, by the program's own renderer.
//! `UPDATE_SNAPSHOTS=1 cargo test icon` draws them again.

use egui_svg::{FontFiles, png};

use crate::support::files::repository;

/// The sides in pixels of the pictures in `assets/icon`.
const SIDES: [u32; 5] = [16, 32, 48, 128, 256];
/// Those that Windows' `.ico` holds.
const IN_ICO: [u32; 4] = [16, 32, 48, 256];

#[test]
fn icons_are_drawn_from_the_svg() {
    let folder = repository("assets/icon");
    let svg = std::fs::read_to_string(folder.join("modelens.svg")).expect("the icon");
    let draw = |side: u32| {
        png::from_svg(&svg, side, &FontFiles::default(), None).expect("the icon is drawn")
    };
    let pictures = SIDES.map(|side| (format!("modelens-{side}.png"), draw(side)));
    let mut files = Vec::from(pictures);
    files.push((
        "modelens.ico".to_owned(),
        ico(&IN_ICO.map(|side| (side, draw(side)))),
    ));
    for (name, bytes) in files {
        let path = folder.join(&name);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &bytes).expect("the picture is written");
        }
        let kept = std::fs::read(&path).expect("the picture");
        assert!(kept == bytes, "{name} is not what modelens.svg draws");
    }
}

/// An `.ico` of PNG pictures: a header of 6 bytes, 16 bytes per picture, then the pictures.
fn ico(pictures: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let count = u16::try_from(pictures.len()).expect("few pictures");
    let mut bytes = [0, 1, count].map(u16::to_le_bytes).concat();
    let mut offset = 6 + 16 * u32::from(count);
    for (side, png) in pictures {
        // A side of 256 is written as 0. One plane, 32 bits per pixel.
        let side = (side % 256) as u8;
        bytes.extend([side, side, 0, 0, 1, 0, 32, 0]);
        let length = u32::try_from(png.len()).expect("a small picture");
        bytes.extend(length.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        offset += length;
    }
    bytes.extend(pictures.iter().flat_map(|(_, png)| png));
    bytes
}
