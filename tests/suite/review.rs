//! Draws changed snapshots for a person to look at: `docs/review-snapshots.sh`.

use std::path::Path;
use std::process::Command;

use egui_svg::png;
use image::{Rgba, RgbaImage, imageops};
use modelens::theme::fonts::FOR_FIGURES;

use crate::support::files::repository;

/// The space between pictures in pixels.
const GAP: u32 = 12;

/// What `git` prints; `None` if it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let done = Command::new("git")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("git starts");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    done.status.success().then_some(text)
}

/// Snapshots hold a hash in place of each photo: a square in a colour made from it is drawn instead.
fn with_placeholders(svg: &str) -> String {
    let mut parts = svg.split("xlink:href=\"sha256:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hash, rest) = part.split_once('"').expect("the end of an address");
        let number = u64::from_str_radix(hash, 16).expect("a hash");
        let [red, green, blue, ..] = number.to_be_bytes();
        let square = format!(
            "%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Crect width='9' height='9' fill='rgb({red},{green},{blue})'/%3E%3C/svg%3E"
        );
        out.push_str("xlink:href=\"data:image/svg+xml,");
        out.push_str(&square);
        out.push('"');
        out.push_str(rest);
    }
    out
}

fn pixels(svg: &str, what: &str) -> RgbaImage {
    let svg = with_placeholders(svg);
    let tree = png::tree(&svg, &FOR_FIGURES).expect(what);
    let width = tree.size().width().round() as u32;
    let raster = png::raster(&svg, width, &FOR_FIGURES).expect(what);
    let [width, height] = raster.size.map(|side| side as u32);
    RgbaImage::from_raw(width, height, raster.rgba.into_flattened()).expect(what)
}

/// Old, new, and the new one in pale grey with every changed pixel in red; and their number.
fn side_by_side(old: Option<&RgbaImage>, new: Option<&RgbaImage>) -> (RgbaImage, usize) {
    let size =
        |of: fn(&RgbaImage) -> u32| [old, new].into_iter().flatten().map(of).max().unwrap_or(1);
    let (width, height) = (size(RgbaImage::width), size(RgbaImage::height));
    let pixel = |image: Option<&RgbaImage>, x, y| image?.get_pixel_checked(x, y).copied();
    let mut changed = 0;
    let difference = RgbaImage::from_fn(width, height, |x, y| {
        let [before, after] = [old, new].map(|image| pixel(image, x, y));
        if before != after {
            changed += 1;
            return Rgba([214, 0, 0, 255]);
        }
        let [red, green, blue, _] = after.map_or([255; 4], |pixel| pixel.0).map(u32::from);
        let pale = (192 + (red + green + blue) / 12).min(255) as u8;
        Rgba([pale, pale, pale, 255])
    });
    let grey = Rgba([128, 128, 128, 255]);
    let mut page = RgbaImage::from_pixel(3 * width + 4 * GAP, height + 2 * GAP, grey);
    let all = [old, new, Some(&difference)];
    for (image, column) in all.into_iter().zip(0_u32..) {
        if let Some(image) = image {
            let x = GAP + column * (width + GAP);
            imageops::replace(&mut page, image, x.into(), GAP.into());
        }
    }
    (page, changed)
}

/// Compares the snapshots of the working tree with those of `MODELENS_REVIEW` (a commit).
#[test]
#[ignore = "makes pictures for a person: docs/review-snapshots.sh"]
fn changed_snapshots_side_by_side() {
    let base = std::env::var("MODELENS_REVIEW").unwrap_or_else(|_| "HEAD".to_owned());
    let snapshots = "tests/snapshots";
    let changed = git(&["diff", "--name-only", &base, "--", snapshots]).expect("a commit");
    let added = git(&["ls-files", "--others", "--exclude-standard", snapshots]).expect("a list");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("review");
    if out.exists() {
        std::fs::remove_dir_all(&out).expect("the pictures of the last review");
    }
    std::fs::create_dir_all(&out).expect("a folder");
    let mut files: Vec<&str> = changed.lines().chain(added.lines()).collect();
    files.retain(|file| Path::new(file).extension().is_some_and(|e| e == "svg"));
    files.sort_unstable();
    for file in &files {
        let old = git(&["show", &format!("{base}:{file}")]);
        let new = std::fs::read_to_string(repository(file)).ok();
        let [old, new] = [old, new].map(|svg| svg.map(|svg| pixels(&svg, file)));
        let (page, changed) = side_by_side(old.as_ref(), new.as_ref());
        let name = file.trim_start_matches(snapshots).trim_start_matches('/');
        let name = name.replace('/', "-");
        let path = out.join(name).with_extension("png");
        page.save(&path).expect("a picture");
        let kind = match (&old, &new) {
            (None, _) => "new".to_owned(),
            (_, None) => "deleted".to_owned(),
            _ => format!("{changed} pixels differ"),
        };
        println!("{file}: {kind}: {}", path.display());
    }
    println!("{} snapshots differ from {base}", files.len());
}

#[test]
fn a_changed_pixel_is_counted_and_marked() {
    let old = RgbaImage::from_pixel(4, 2, Rgba([255; 4]));
    let mut new = old.clone();
    new.put_pixel(3, 1, Rgba([0, 0, 0, 255]));
    let (page, changed) = side_by_side(Some(&old), Some(&new));
    assert_eq!(changed, 1);
    assert_eq!(page.dimensions(), (3 * 4 + 4 * GAP, 2 + 2 * GAP));
    let marked = page.get_pixel(GAP + 2 * (4 + GAP) + 3, GAP + 1);
    assert_eq!(*marked, Rgba([214, 0, 0, 255]));
    assert_eq!(side_by_side(Some(&old), None).1, 8, "deleted");
}
