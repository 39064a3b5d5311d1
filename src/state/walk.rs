//! The walk of the moving statistics over further batches, and what is measured in the background.

use std::collections::BTreeMap;

use eframe::egui::TextureHandle;

use super::{Playback, Player};
use crate::model::LayerId;
use modelens_jobs::{
    BatchNormEvent, BatchNormJob, LayerDistance, MeasuredBatch, PassLook, SmallPhoto,
};

/// Batches that are measured without being asked for: enough to see how they scatter.
pub const SPREAD: usize = 8;
/// The most batches of one press of "run".
pub const MAX_STEPS: usize = 200;
/// The most batches in all.
pub const MAX_WALK: usize = 1000;
/// The most walks under earlier settings that are kept.
const MOST_EARLIER: usize = 8;
/// The least time between two steps that are shown.
const STEP_SECS: f64 = 0.12;
/// How long a batch takes while the mechanism is watched.
pub const WATCHED_STEP_SECS: f64 = 2.4;

/// Batches of one layer under one setting, and how many of them the statistics have taken in.
pub struct Walk {
    /// Batches of one press of "run".
    pub steps: usize,
    /// `None`: the layer's own.
    pub momentum: Option<f64>,
    /// What the batches belong to.
    of: Option<WalkOf>,
    batches: Vec<MeasuredBatch>,
    /// The first photos of each batch.
    photos: Vec<Vec<SmallPhoto>>,
    /// Those of one batch for the screen, with the number of the batch.
    pub textures: Option<(usize, Vec<TextureHandle>)>,
    /// Whether the mechanism is shown in the place of the plots.
    pub watches: bool,
    /// Plays the walk slowly.
    pub player: Player,
    /// Batches that the statistics have taken in.
    walked: usize,
    /// Number of batches to walk to; the walk is over when `walked` reaches it.
    goal: usize,
    last_step_secs: f64,
    /// Walks under earlier settings, the latest last: they come back with their setting.
    earlier: Vec<EarlierWalk>,
    distances: Option<(PassLook, BTreeMap<LayerId, f32>)>,
    /// The job that was asked for last.
    pub sent: Option<BatchNormJob>,
}

/// A setting, and the layer that is walked under it.
type WalkOf = (PassLook, LayerId);

/// A walk under a setting that was left.
#[derive(Debug)]
struct EarlierWalk {
    of: WalkOf,
    batches: Vec<MeasuredBatch>,
    photos: Vec<Vec<SmallPhoto>>,
    walked: usize,
}

/// How far a walk had come under one setting, for undo.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkMark {
    of: WalkOf,
    walked: usize,
}

/// Which part of a walk is shown.
#[derive(Clone)]
pub struct WalkShown {
    walked: usize,
    goal: usize,
    watches: bool,
    player: Player,
    textures: Option<(usize, Vec<TextureHandle>)>,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            steps: 10,
            momentum: None,
            of: None,
            batches: Vec::new(),
            photos: Vec::new(),
            textures: None,
            watches: false,
            player: Player::default(),
            walked: 0,
            goal: 0,
            last_step_secs: 0.0,
            earlier: Vec::new(),
            distances: None,
            sent: None,
        }
    }
}

impl Walk {
    /// The batches measured so far, if they belong to this setting.
    pub fn batches(&self, pass: &PassLook, layer: LayerId) -> &[MeasuredBatch] {
        if self.is_of(pass, layer) {
            &self.batches
        } else {
            &[]
        }
    }

    /// How many of them the statistics have taken in.
    pub fn walked(&self) -> usize {
        self.walked
    }

    /// Whether steps are still to be shown.
    pub fn is_walking(&self) -> bool {
        self.walked < self.goal
    }

    /// The distance of a layer that the look itself did not measure.
    pub fn distance(&self, pass: &PassLook, layer: LayerId) -> Option<f32> {
        let (of, distances) = self.distances.as_ref()?;
        distances.get(&layer).copied().filter(|_| of == pass)
    }

    fn is_of(&self, pass: &PassLook, layer: LayerId) -> bool {
        self.of
            .as_ref()
            .is_some_and(|(p, l)| *l == layer && p == pass)
    }

    /// Goes on by as many batches as were chosen.
    pub fn run(&mut self) {
        self.player.restart();
        self.goal = (self.walked + self.steps).min(MAX_WALK);
    }

    /// Ends the walk at the current batch.
    pub fn stop(&mut self) {
        self.goal = self.walked;
        self.player.pause();
    }

    /// Plays as many batches as were chosen, slowly enough to watch each.
    pub fn play(&mut self) {
        self.stop();
        self.player
            .play(self.steps.min(MAX_WALK.saturating_sub(self.walked)));
    }

    /// Plays one batch.
    pub fn play_one(&mut self) {
        self.stop();
        self.player
            .play(MAX_WALK.saturating_sub(self.walked).min(1));
    }

    /// Holds still in a batch, of which this part has been played.
    pub fn hold(&mut self, batch: usize, played: f64) {
        let is_over = played >= 1.0;
        self.walked = (batch + usize::from(is_over)).min(self.batches.len());
        self.goal = self.walked;
        self.player.hold(if is_over { 0.0 } else { played });
    }

    /// Number of batches that are measured.
    pub fn measured(&self) -> usize {
        self.batches.len()
    }

    /// Plays to the end of the present batch; returns what that came to.
    pub fn advance(&mut self, now_secs: f64) -> Playback {
        let is_ready = self.walked < self.batches.len();
        let playback = self.player.advance(now_secs, WATCHED_STEP_SECS, is_ready);
        if playback == Playback::StepDone {
            self.walked += 1;
            self.goal = self.walked;
        }
        playback
    }

    /// The number of the batch that is shown: the one that enters, or else the one that entered last.
    /// With reduced motion none is shown entering.
    pub fn shown_batch(&self, reduce_motion: bool) -> Option<usize> {
        let enters = !reduce_motion && (self.player.is_playing() || self.player.played() > 0.0);
        let number = if enters {
            self.walked
        } else {
            self.walked.checked_sub(1)?
        };
        (number < self.batches.len()).then_some(number)
    }

    /// The first photos of a batch.
    pub fn photos(&self, batch: usize) -> &[SmallPhoto] {
        self.photos.get(batch).map_or(&[], Vec::as_slice)
    }

    /// Back to the file's statistics and the layer's own momentum.
    pub fn reset(&mut self) {
        self.walked = 0;
        self.goal = 0;
        self.momentum = None;
        self.player.restart();
    }

    /// Back to the file's statistics, with the chosen momentum.
    pub fn restart(&mut self) {
        self.walked = 0;
        self.goal = 0;
        self.player.restart();
    }

    /// Puts batches of another setting aside, and goes on where this setting was left, or else from the file's
    /// statistics.
    pub fn keep(&mut self, pass: &PassLook, layer: LayerId) {
        if self.is_of(pass, layer) {
            return;
        }
        if self.of.as_ref().is_some_and(|(_, of)| *of != layer) {
            self.momentum = None;
        }
        let of = (pass.clone(), layer);
        let known = self.earlier.iter().position(|walk| walk.of == of);
        let known = known.map(|place| self.earlier.remove(place));
        let batches = std::mem::take(&mut self.batches);
        let photos = std::mem::take(&mut self.photos);
        self.textures = None;
        self.player.rewind();
        if let Some(before) = self.of.replace(of)
            && self.walked > 0
        {
            self.earlier.push(EarlierWalk {
                of: before,
                batches,
                photos,
                walked: self.walked,
            });
            if self.earlier.len() > MOST_EARLIER {
                self.earlier.remove(0);
            }
        }
        (self.batches, self.photos, self.walked) = known.map_or_else(Default::default, |walk| {
            (walk.batches, walk.photos, walk.walked)
        });
        self.goal = self.walked;
    }

    /// How far the walk has come.
    pub fn mark(&self) -> Option<WalkMark> {
        let of = self.of.clone()?;
        let walked = self.walked;
        Some(WalkMark { of, walked })
    }

    /// Goes to a mark, if its batches are still there.
    pub fn restore(&mut self, mark: &WalkMark) {
        if self.of.as_ref() == Some(&mark.of) {
            self.walked = mark.walked.min(self.batches.len());
            self.goal = self.walked;
            self.player.restart();
        }
    }

    /// Which part is shown now.
    pub fn shown(&self) -> WalkShown {
        WalkShown {
            walked: self.walked,
            goal: self.goal,
            watches: self.watches,
            player: self.player.clone(),
            textures: self.textures.clone(),
        }
    }

    /// Shows what was shown before.
    pub fn show_again(&mut self, shown: WalkShown) {
        self.walked = shown.walked;
        self.goal = shown.goal;
        self.watches = shown.watches;
        self.player = shown.player;
        self.textures = shown.textures;
    }

    /// What is missing: first the distances of all layers, then batches.
    pub fn wanted(
        &self,
        pass: &PassLook,
        layer: LayerId,
        layers: &[LayerDistance],
    ) -> Option<BatchNormJob> {
        let known = self.distances.as_ref().is_some_and(|(of, _)| of == pass);
        let unknown = layers.iter().filter(|l| l.distance.is_none());
        let unknown: Vec<LayerDistance> = unknown.copied().collect();
        if !known && !unknown.is_empty() {
            return Some(BatchNormJob::Distances {
                pass: pass.clone(),
                layers: unknown,
            });
        }
        let played = self.walked + self.player.left();
        let (from, to) = (self.batches.len(), self.goal.max(played).max(SPREAD));
        (from < to).then(|| BatchNormJob::Batches {
            pass: pass.clone(),
            layer,
            from,
            to,
        })
    }

    /// Takes what was measured; what belongs to an earlier setting is dropped.
    pub fn take(&mut self, event: BatchNormEvent) {
        match event {
            BatchNormEvent::Distances { pass, distances } => {
                self.distances = Some((pass, distances.into_iter().collect()));
            }
            BatchNormEvent::Batch {
                pass,
                layer,
                number,
                batch,
                photos,
            } => {
                if self.is_of(&pass, layer) && number == self.batches.len() {
                    self.batches.push(batch);
                    self.photos.push(photos);
                }
            }
            BatchNormEvent::Done(_) => {}
        }
    }

    /// Shows the next step where its batch is measured and its time has come; tells in how many
    /// seconds to come back.
    pub fn step(&mut self, now_secs: f64) -> Option<f64> {
        if !self.is_walking() || self.walked >= self.batches.len() {
            return None;
        }
        let waited = now_secs - self.last_step_secs;
        if (0.0..STEP_SECS).contains(&waited) {
            return Some(STEP_SECS - waited);
        }
        self.walked += 1;
        self.last_step_secs = now_secs;
        self.is_walking().then_some(STEP_SECS)
    }
}
