//! Times what the views with the longest waits compute, without drawing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui;

use super::{Stopwatch, failed};
use crate::app::{App, AppOptions};
use crate::cli::Failure;
use crate::state::View;
use modelens_jobs::look::{Context, LookError, compute};
use modelens_jobs::{Look, ModelSource, PassLook, PhotoCache, PhotosSource, Store, system_clock};

/// The views that a person waits for longest.
const VIEWS: [View; 2] = [View::Trainable, View::Predict];

/// Times all that a view shows, and its first numbers, both with photos that are not decoded yet.
pub fn time(watch: &mut Stopwatch<'_>) -> Result<(), Failure> {
    for view in VIEWS {
        let [whole, first] = ["look", "first_numbers"].map(|what| format!("{what}_{}", view.id()));
        if watch.takes(&whole) || watch.takes(&first) {
            let look = LookBench::open(ModelSource::Lab, view)?;
            watch.time(&whole, |_| look.compute(Until::All))?;
            watch.time(&first, |_| look.compute(Until::FirstNumbers))?;
        }
    }
    Ok(())
}

/// When a look is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Until {
    All,
    FirstNumbers,
}

/// What a view asks for when it is opened with the bundled photos.
pub struct LookBench {
    store: Store,
    look: Look,
}

impl LookBench {
    pub fn open(source: ModelSource, view: View) -> Result<Self, Failure> {
        let ctx = egui::Context::default();
        let options = AppOptions {
            model: source.clone(),
            ..AppOptions::default()
        };
        let mut app = App::in_context(&ctx, options).map_err(|e| failed(&e))?;
        app.settle(&ctx);
        let look = view.page().wanted(app.state());
        let mut look = look.ok_or_else(|| failed(&format!("{} shows nothing", view.id())))?;
        let mut store = Store::default();
        let model = store.add_model(Arc::new(source.open()?), source);
        let photos = PhotosSource::Bundled.open().map_err(|e| failed(&e))?;
        let photos = store.add_photos(Arc::new(photos));
        if let Some(pass) = pass_of(&mut look) {
            (pass.model, pass.photos) = (model, photos);
        }
        Ok(Self { store, look })
    }

    /// Computes it, with photos that are not decoded yet.
    pub fn compute(&self, until: Until) -> Result<(), Failure> {
        let has_numbers = AtomicBool::new(false);
        let stops_early = until == Until::FirstNumbers;
        let context = Context {
            store: &self.store,
            proceed: &|| !(stops_early && has_numbers.load(Ordering::Relaxed)),
            progress: &|_, _, _| {},
            unreadable: &|_, _, _| {},
            early: &|_, _| has_numbers.store(true, Ordering::Relaxed),
            clock: system_clock,
        };
        match compute(self.look.clone(), &context, &mut PhotoCache::default()) {
            Err(LookError::Cancelled) if stops_early => Ok(()),
            done => done.map(drop).map_err(|e| failed(&e)),
        }
    }
}

/// The batch of a look at one of these [`VIEWS`].
fn pass_of(look: &mut Look) -> Option<&mut PassLook> {
    match look {
        Look::Trainable(look) => Some(&mut look.pass),
        Look::Predict(look) => Some(&mut look.pass),
        Look::Augmentation(_)
        | Look::Dropout { .. }
        | Look::BatchNorm { .. }
        | Look::Modes(_)
        | Look::Norms(_)
        | Look::Releases(_) => None,
    }
}
