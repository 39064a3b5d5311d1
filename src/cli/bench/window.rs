//! Times frames of the window, without a screen, and the work that they wait for.

use std::sync::Arc;

use eframe::egui::{self, Event, Pos2, RawInput, Rect};

use super::{Stopwatch, failed};
use crate::app::{App, AppOptions};
use crate::augment::{AugmentLayer, Pipeline, Transform};
use crate::cli::Failure;
use crate::command::Action;
use crate::model::Model;
use crate::state::View;
use crate::theme::sizes;
use modelens_jobs::ModelSource;
use modelens_jobs::look::{self, Context, photo_size};
use modelens_jobs::{AugmentationLook, Grid, Look, PhotoCache, PhotosSource, Store, system_clock};

/// Times a redraw of the nine images, with the course's layers and with each layer alone, the first frame, and a
/// frame of each view.
pub fn time(watch: &mut Stopwatch<'_>) -> Result<(), Failure> {
    let model = ModelSource::Lab.open()?;
    watch.time(
        "redraw_nine",
        grid(&model, Pipeline::course(), Grid::OnePhoto)?,
    )?;
    let [height, width] = photo_size(model.graph.input_hwc);
    for layer in Transform::all(height, width).map(AugmentLayer::from) {
        let name = format!("redraw_nine_{}", layer.class());
        // One photo has nothing to mix with.
        let nine = if layer.mixes_labels() {
            Grid::NinePhotos
        } else {
            Grid::OnePhoto
        };
        watch.time(&name, grid(&model, Pipeline::from_iter([layer]), nine)?)?;
    }
    watch.time("first_frame", |_| {
        Window::open(AppOptions::default()).map(drop)
    })?;
    if View::ALL.iter().all(|view| !watch.takes(&name_of(*view))) {
        return Ok(());
    }
    let mut window = Window::open(AppOptions::default())?;
    for view in View::ALL {
        window.show(view);
        watch.time(&name_of(view), |i| {
            window.frame(i);
            Ok(())
        })?;
    }
    Ok(())
}

fn name_of(view: View) -> String {
    format!("frame_{}", view.id())
}

/// The window, tessellated but not shown.
pub struct Window {
    ctx: egui::Context,
    app: App,
}

impl Window {
    /// Opens a model and photos and draws the first frame. The jobs still compute.
    pub fn open(options: AppOptions) -> Result<Self, Failure> {
        let ctx = egui::Context::default();
        let app = App::in_context(&ctx, options).map_err(|e| failed(&e))?;
        let mut window = Self { ctx, app };
        window.frame(0);
        Ok(window)
    }

    /// Shows a view and waits until it is computed.
    pub fn show(&mut self, view: View) {
        self.app.command(&self.ctx, Action::Show(view).into());
        self.app.settle(&self.ctx);
        self.frame(0);
    }

    /// Draws a frame in which the pointer moves across the middle, as in a drag.
    pub fn frame(&mut self, i: u64) {
        let size: egui::Vec2 = sizes::WINDOW.into();
        let along = (i % 40) as f32 / 40.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            events: vec![Event::PointerMoved(Pos2::new(
                size.x * (0.3 + 0.6 * along),
                size.y * 0.5,
            ))],
            ..RawInput::default()
        };
        let mut output = self.ctx.run_ui(input, |ui| self.app.frame_ui(ui));
        // There is no graphics card that would take the pictures.
        output.textures_delta.clear();
        let triangles = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        drop(triangles);
    }
}

/// Returns a function that redraws a grid of nine images.
fn grid(
    model: &Model,
    pipeline: Pipeline,
    grid: Grid,
) -> Result<impl FnMut(u64) -> Result<(), Failure>, Failure> {
    let set = PhotosSource::Bundled
        .open()
        .map_err(|e| Failure::File(e.to_string()))?;
    let photo = set
        .photos
        .iter()
        .position(|p| p.name.starts_with("fish/fish9."))
        .unwrap_or(0);
    let mut store = Store::default();
    let photos = store.add_photos(Arc::new(set));
    let [height, width] = photo_size(model.graph.input_hwc);
    let semantics = model.semantics;
    let mut cache = PhotoCache::default();
    Ok(move |redraws| {
        let look = AugmentationLook {
            photos,
            photo,
            grid,
            cell_redraws: std::collections::BTreeMap::new(),
            height,
            width,
            channels: 3,
            pipeline: pipeline.clone(),
            semantics,
            seed: 7,
            redraws,
        };
        let context = Context {
            store: &store,
            proceed: &|| true,
            progress: &|_, _, _| {},
            unreadable: &|_, _, _| {},
            early: &|_, _| {},
            clock: system_clock,
        };
        let done = look::compute(Look::Augmentation(look), &context, &mut cache);
        done.map(drop).map_err(|e| Failure::File(e.to_string()))
    })
}
