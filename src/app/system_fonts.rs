//! System fonts for names in scripts that the bundled fonts lack. They are searched only when such a
//! name is shown, on their own thread. Figures never use them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use eframe::egui::Context;
use skrifa::{FontRef, MetadataProvider as _};

use super::App;
use crate::theme;

/// The most font files to look into.
const MOST_FILES: usize = 3000;
/// The depth of nested folders to search.
const DEEPEST: usize = 4;
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
            drop(sender.send(covering(&folders(), new)));
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

/// The folders where systems keep fonts.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/System/Library/Fonts",
        "/Library/Fonts",
    ]
    .map(PathBuf::from)
    .into();
    let under = |variable: &str, folder: &str| {
        let home = std::env::var_os(variable)?;
        Some(Path::new(&home).join(folder))
    };
    let own = [
        under("HOME", ".local/share/fonts"),
        under("HOME", ".fonts"),
        under("HOME", "Library/Fonts"),
        under("WINDIR", "Fonts"),
    ];
    folders.extend(own.into_iter().flatten());
    folders
}

/// Fonts that together cover as many of the characters as possible. Each one adds at least one.
fn covering(folders: &[PathBuf], mut missing: BTreeSet<char>) -> Vec<Found> {
    let mut files = Vec::new();
    for folder in folders {
        list(folder, DEEPEST, &mut files);
    }
    files.sort_by_key(|path| (rank(path), path.clone()));
    let mut found = Vec::new();
    for path in files {
        if missing.is_empty() || found.len() == MOST_FONTS {
            break;
        }
        let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= MOST_BYTES);
        let Some(bytes) = small.then(|| std::fs::read(&path).ok()).flatten() else {
            continue;
        };
        let Ok(font) = FontRef::from_index(&bytes, 0) else {
            continue;
        };
        let letters = font.charmap();
        let before = missing.len();
        missing.retain(|&c| letters.map(c).is_none());
        if missing.len() < before {
            found.push(Found { path, bytes });
        }
    }
    found
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_font = path.extension().is_some_and(|e| {
            let e = e.to_string_lossy().to_lowercase();
            ["ttf", "otf", "ttc"].contains(&e.as_str())
        });
        if is_folder && depth > 0 {
            list(&path, depth - 1, files);
        } else if is_font && files.len() < MOST_FILES {
            files.push(path);
        }
    }
}

/// Sorts plain sans-serif faces first: they match the bundled one.
fn rank(path: &Path) -> usize {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().to_lowercase();
    let special = [
        "bold", "italic", "oblique", "light", "thin", "black", "serif", "mono",
    ];
    let odd = special.iter().filter(|word| name.contains(**word)).count();
    // "sans serif" is not a serif.
    let sans = usize::from(!name.contains("sans"));
    2 * odd + sans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_font_is_taken_only_for_letters_it_has() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts");
        let cyrillic = covering(std::slice::from_ref(&assets), BTreeSet::from(['Ж']));
        assert_eq!(cyrillic.len(), 1);
        let name = cyrillic[0].path.file_name();
        assert!(name.is_some_and(|n| n.to_string_lossy().starts_with("JetBrainsMono")));
        let none = covering(std::slice::from_ref(&assets), BTreeSet::from(['\u{e123}']));
        assert!(none.is_empty());
        assert!(covering(&[assets], BTreeSet::new()).is_empty());
        assert!(covering(&[PathBuf::from("/no/such/folder")], BTreeSet::from(['Ж'])).is_empty());
    }
}
