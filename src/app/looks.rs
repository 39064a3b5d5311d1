//! What each view needs, and asking for it.

use eframe::egui::Context;

use super::App;
use crate::model::Reading;
use crate::state::{State, View};
use crate::worker::{
    AugmentationLook, DropoutSetting, Job, Look, PassLook, PredictLook, Request, Stage,
    TrainableLook,
};

/// Side of the pipeline's input, in pixels, if the model leaves its input size open.
const OPEN_SIDE: usize = 224;

/// The look a view needs under the current settings; `None` while something is missing.
pub fn desired(state: &State, view: View) -> Option<Look> {
    let base = state.opened.base.as_ref()?;
    let gallery = state
        .opened
        .gallery
        .as_ref()
        .filter(|g| g.chosen().is_some())?;
    let settings = &state.settings;
    let photos = gallery.id;
    if view == View::Augmentation {
        let [height, width, _] = base.model.graph.input_hwc;
        return Some(Look::Augmentation(AugmentationLook {
            photos,
            photo: gallery.photo,
            grid: settings.grid,
            cell_redraws: state.grid.cell_redraws.clone(),
            height: height.unwrap_or(OPEN_SIDE),
            width: width.unwrap_or(OPEN_SIDE),
            pipeline: settings.pipeline.clone(),
            semantics: state.semantics(),
            seed: settings.seed,
            redraws: settings.redraws,
        }));
    }
    let pass = PassLook {
        model: base.id,
        photos,
        photo: gallery.photo,
        batch: settings.batch.min(gallery.photos.photos.len()),
        seed: settings.seed,
        // A BatchNorm layer before any noise would not change. Its result is computed all the same,
        // since equal looks must have equal results.
        redraws: settings.redraws,
        random: settings.random,
        preprocessing: state.preprocessing(),
        flags: base.flags.clone(),
        augment: settings.augment_batch.then(|| settings.pipeline.clone()),
        semantics: state.semantics(),
        call: settings.call,
    };
    if view == View::Trainable {
        return Some(Look::Trainable(TrainableLook::new(pass, &base.model.graph)));
    }
    if view == View::Predict {
        Reading::of(&base.model.graph)?;
        return Some(Look::Predict(PredictLook::new(pass, settings.passes)));
    }
    let layer = base.layer(view)?;
    Some(match view {
        View::BatchNorm => Look::BatchNorm { pass, layer },
        View::Dropout | View::Augmentation | View::Trainable | View::FineTune | View::Predict => {
            Look::Dropout {
                pass: PassLook { batch: 1, ..pass },
                layer,
                setting: DropoutSetting {
                    rate: base.noise_rates.get(&layer).copied(),
                    passes: settings.monte_carlo,
                },
            }
        }
    })
}

impl App {
    /// Sends what the current settings need and nobody asked for yet.
    pub(super) fn ask(&mut self, ctx: &Context) {
        self.ask_thumbnail();
        let view = self.state.settings.view;
        let Some(look) = desired(&self.state, view) else {
            return;
        };
        let computed = &mut self.state.computed;
        let shown = computed
            .result(view)
            .is_some_and(|looked| looked.look == look && !looked.early);
        if shown || computed.sent.as_ref() == Some(&look) {
            return;
        }
        computed.sent = Some(look.clone());
        computed.sent_secs = ctx.input(|i| i.time);
        computed.start(Job::Look, Stage::Forward);
        self.forget_walk_job();
        self.jobs.send(Request::Look(Box::new(look)));
    }

    fn ask_thumbnail(&mut self) {
        let Some(gallery) = self.state.opened.gallery.as_ref() else {
            return;
        };
        if gallery.chosen().is_none() {
            return;
        }
        let (photos, photo) = (gallery.id, gallery.photo);
        let wanted = Some((photos, photo));
        let computed = &mut self.state.computed;
        let shown = computed.thumbnail.as_ref().map(|t| (t.photos, t.photo));
        if shown == wanted || computed.thumbnail_sent == wanted {
            return;
        }
        computed.thumbnail_sent = wanted;
        computed.start(Job::Thumbnail, Stage::DecodingPhoto);
        self.jobs.send(Request::Thumbnail { photos, photo });
    }
}
