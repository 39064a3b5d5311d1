//! System fonts for names in scripts that the bundled fonts lack. They are searched only when such a
//! name is shown, on their own thread. Figures never use them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use eframe::egui::Context;
use fontdb::{Database, FaceInfo, Source, Style, Weight};
use skrifa::{FontRef, MetadataProvider as _};

use super::App;
use crate::theme;

/// The most bytes of a font file; the largest, with all of Chinese, Japanese and Korean, have about
/// 20 MB.
const MOST_BYTES: u64 = 64 << 20;
/// The most fonts to load.
const MOST_FONTS: usize = 8;

/// A font file with characters that are needed.
#[derive(Clone, Debug)]
pub struct Found {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// The state of the search.
#[derive(Debug, Default)]
pub struct SystemFonts {
    /// True if names may have changed.
    pub check: bool,
    /// Characters that were searched for, found or not.
    asked: BTreeSet<char>,
    waits: Option<Receiver<Vec<Found>>>,
    fonts: Vec<Found>,
}

impl App {
    /// Searches for fonts if a name has characters that the loaded fonts lack.
    pub(super) fn find_fonts(&mut self, ctx: &Context) {
        let fonts = &mut self.fonts;
        if let Some(found) = fonts.waits.as_ref().and_then(|w| w.try_recv().ok()) {
            fonts.waits = None;
            if !found.is_empty() {
                fonts.fonts.extend(found);
                let added = fonts.fonts.iter().map(|f| (f.path.as_path(), &*f.bytes));
                ctx.set_fonts(theme::fonts_with(added));
                ctx.request_repaint();
            }
        }
        if !fonts.check || fonts.waits.is_some() {
            return;
        }
        fonts.check = false;
        let letters = letters(&self.state);
        let missing: BTreeSet<char> = ctx.fonts_mut(|known| {
            let font = theme::text::body();
            let missing = letters.into_iter().filter(|&c| !known.has_glyph(&font, c));
            missing.collect()
        });
        let new: BTreeSet<char> = missing.difference(&self.fonts.asked).copied().collect();
        if new.is_empty() {
            return;
        }
        self.fonts.asked.extend(&new);
        let (sender, receiver) = channel();
        let wake = ctx.clone();
        let look = move || {
            // The receiver is gone once the window is closed.
            drop(sender.send(covering(&installed(), new)));
            wake.request_repaint();
        };
        let thread = std::thread::Builder::new().name("system fonts".to_owned());
        // Without a thread the characters stay boxes; everything else works.
        if thread.spawn(look).is_ok() {
            self.fonts.waits = Some(receiver);
        }
    }
}

/// The characters of all names that come from files.
fn letters(state: &crate::state::State) -> BTreeSet<char> {
    let opened = &state.opened;
    let photos = opened.gallery.iter().flat_map(|g| {
        let names = g.photos.photos.iter().map(|p| p.name.as_str());
        names.chain(g.photos.classes.iter().map(String::as_str))
    });
    let model = opened.base.iter().flat_map(|b| {
        let layers = b.model.graph.layers.iter().map(|l| l.name.as_str());
        let labels = b.model.labels.iter().map(String::as_str);
        layers.chain(labels).chain([b.model.title.as_str()])
    });
    let letters = photos.chain(model).flat_map(str::chars);
    letters
        .filter(|c| !c.is_ascii() && !c.is_control())
        .collect()
}

/// The fonts that are installed on this system.
fn installed() -> Database {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    fonts
}

/// Fonts that together have as many of the letters as possible, each with at least one more.
fn covering(installed: &Database, mut missing: BTreeSet<char>) -> Vec<Found> {
    // egui reads the first face of a file.
    let faces = installed.faces().filter(|face| face.index == 0);
    let mut files: Vec<(usize, &PathBuf)> = faces
        .filter_map(|face| match &face.source {
            Source::File(path) => Some((rank(face), path)),
            Source::Binary(_) => None,
        })
        .collect();
    files.sort();
    let mut found = Vec::new();
    for (_, path) in files {
        if missing.is_empty() || found.len() == MOST_FONTS {
            break;
        }
        let small = std::fs::metadata(path).is_ok_and(|m| m.len() <= MOST_BYTES);
        let Some(bytes) = small.then(|| std::fs::read(path).ok()).flatten() else {
            continue;
        };
        let Ok(font) = FontRef::from_index(&bytes, 0) else {
            continue;
        };
        let letters = font.charmap();
        let before = missing.len();
        missing.retain(|&c| letters.map(c).is_none());
        if missing.len() < before {
            let path = path.clone();
            found.push(Found { path, bytes });
        }
    }
    found
}

/// Orders fonts by how well they match the bundled one: regular sans faces first.
fn rank(face: &FaceInfo) -> usize {
    let family = face.families.first().map_or("", |(name, _)| name.as_str());
    let family = family.to_lowercase();
    let is_sans = family.contains("sans");
    let unlike = [
        face.style != Style::Normal,
        face.weight != Weight::NORMAL,
        face.monospaced,
        family.contains("serif") && !is_sans,
    ];
    let unlike = unlike.into_iter().filter(|unlike| *unlike).count();
    2 * unlike + usize::from(!is_sans)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_font_is_taken_only_for_letters_it_has() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts");
        let mut bundled = Database::new();
        bundled.load_fonts_dir(assets);
        let cyrillic = covering(&bundled, BTreeSet::from(['Ж']));
        assert_eq!(cyrillic.len(), 1);
        let name = cyrillic[0].path.file_name();
        assert!(name.is_some_and(|n| n.to_string_lossy().starts_with("JetBrainsMono")));
        assert!(covering(&bundled, BTreeSet::from(['\u{e123}'])).is_empty());
        assert!(covering(&bundled, BTreeSet::new()).is_empty());
        assert!(covering(&Database::new(), BTreeSet::from(['Ж'])).is_empty());
    }
}
