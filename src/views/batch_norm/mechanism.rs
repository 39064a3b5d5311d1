//! The mechanism, batch by batch: photos enter, the batch mean forms, the stored mean slides towards it.

use eframe::egui::{
    Button, Color32, Id, Rect, RichText, Role, Sense, Shape, Stroke, StrokeKind, TextureId, Ui,
    WidgetInfo, pos2, vec2,
};

use super::arithmetic::{self, MovingUpdate};
use super::{Shown, words};
use crate::command::WalkCommand;
use crate::model::{Mode, Semantics};
use crate::state::{State, Walk, phase};
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut, Segment, Tip as _};
use crate::views::{Show, plots, terms};
use crate::words::call as call_words;
use crate::words::number::{measured, told_apart};

/// The parts of a step: photos enter, their mean forms, the stored mean slides.
const ENTERS: [f32; 2] = [0.0, 0.3];
const FORMS: [f32; 2] = [0.28, 0.5];
const SLIDES: [f32; 2] = [0.55, 0.95];

/// Momenta offered beside the layer's own, in Keras' convention.
const OFFERED: [f64; 2] = [0.9, 0.99];

/// The switch between the plots and the mechanism.
pub fn switch_ui(ui: &mut Ui, show: &mut Show<'_>, row: Rect) {
    let segment = |label, value| Segment {
        label,
        value,
        mode: None,
    };
    let segments = [segment(words::PLOTS, false), segment(words::WATCH, true)];
    let watches = show.state.walk.watches;
    let chosen = Some(watches);
    if let Some(watches) = parts::segments_ui(ui, row, words::BATCHES_AS, &segments, chosen) {
        show.push(WalkCommand::Watch(watches));
    }
}

/// The whole card.
pub fn mechanism_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, room: Rect) {
    let mut cut = Cut(room);
    if !parts::is_figure(ui) {
        controls_ui(ui, show, shown, &mut cut);
        cut.top(sizes::S1);
    }
    let scene = Scene::of(shown, show.state);
    let line = cut.bottom(sizes::CAPTION);
    parts::row_ui(ui, line, |ui| {
        parts::fitting_line_ui(ui, &scene.sentences(shown), theme::palette(ui));
    });
    let (photos, lanes) = cut
        .0
        .split_left_right_at_x(cut.0.left() + sizes::MECHANISM_PHOTOS);
    photos_ui(ui, &show.state.walk, &scene, photos);
    let height = (lanes.height() / 2.0).floor();
    let mut lanes = Cut(lanes.with_min_x(lanes.left() + sizes::S4));
    for mode in Mode::BOTH {
        lane_ui(ui, shown, &scene, mode, lanes.top(height));
    }
}

/// The switch, the player, and the momentum.
fn controls_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, cut: &mut Cut) {
    let row = cut.top(sizes::INPUT_ROW);
    let (switch, mut rest) = row.split_left_right_at_x(row.left() + sizes::WATCH_SWITCH);
    switch_ui(ui, show, switch);
    rest.min.x += sizes::S2;
    let end = parts::row_ui(ui, rest, |ui| {
        let walk = &show.state.walk;
        let begun = walk.walked() > 0 || walk.player.played() > 0.0;
        parts::player_ui(ui, show, walk.player.is_playing(), begun);
        ui.min_rect().right()
    });
    let mut momentum = rest.with_min_x(end + sizes::S3);
    if momentum.width() < sizes::MECHANISM_MOMENTUM {
        cut.top(sizes::S1);
        momentum = cut.top(sizes::INPUT_ROW);
    }
    momentum_ui(ui, show, shown, momentum);
}

/// The layer's own momentum and larger steps; says when it isn't the file's.
fn momentum_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let own = shown.outcome.momentum;
    let same = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let mut offered = vec![own];
    for momentum in OFFERED.into_iter().chain([shown.momentum]) {
        if !offered.iter().any(|&known| same(known, momentum)) {
            offered.push(momentum);
        }
    }
    let is_pytorch = shown.semantics() == Semantics::PyTorch;
    parts::row_ui(ui, row, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        ui.spacing_mut().interact_size = vec2(0.0, sizes::INPUT_ROW);
        ui.spacing_mut().button_padding.y = 0.0;
        parts::label_ui(ui, text::note(terms::MOMENTUM, palette));
        for momentum in offered {
            let value = arithmetic::factor(if is_pytorch { 1.0 - momentum } else { momentum });
            let is_own = same(momentum, own);
            let label = if is_own {
                words::of_the_file(&value)
            } else {
                value
            };
            let chosen = same(momentum, shown.momentum);
            let button = Button::new(RichText::new(&label).font(text::small())).selected(chosen);
            let response = ui.add(button);
            response.widget_info(|| {
                let name = words::momentum_choice(&label);
                WidgetInfo::selected(Role::RadioButton, true, chosen, name)
            });
            if response.clicked() {
                show.push(WalkCommand::SetMomentum((!is_own).then_some(momentum)));
            }
        }
        if !same(shown.momentum, own) {
            parts::line_ui(ui, text::note(words::NOT_THE_FILES, palette));
        }
    });
}

/// What of a step is to be seen.
struct Scene {
    /// The batch that enters, or that entered last.
    batch: Option<usize>,
    /// The parts of its step, 0 to 1.
    enters: f32,
    forms: f32,
    slides: f32,
    /// The chosen channel's stored mean and variance before and after the batch.
    before: [f64; 2],
    after: [f64; 2],
    /// Whether batches change them.
    moves: bool,
    /// Channel means of the batches, up to the present one.
    means: Vec<f64>,
    /// The axis of the means.
    range: [f64; 2],
}

impl Scene {
    fn of(shown: &Shown<'_>, state: &State) -> Self {
        let walk = &state.walk;
        let reduced = state.settings.reduce_motion;
        let batch = walk
            .shown_batch(reduced)
            .filter(|&batch| batch < shown.batches.len());
        let enters_now = batch.is_some_and(|batch| batch == shown.walked);
        let played = if enters_now {
            walk.player.played()
        } else {
            1.0
        };
        let count = batch.map_or(0, |batch| batch + 1);
        let steps = shown.walk_of(count);
        let at = |step: usize| {
            let one = |values: &[f32]| values.first().map_or(0.0, |&x| f64::from(x));
            steps
                .get(step)
                .map_or([0.0; 2], |m| [one(&m.mean), one(&m.variance)])
        };
        let mean = |m: &modelens_jobs::MeasuredBatch| shown.at(&m.moments.mean);
        let all = shown.batches.iter().map(mean);
        let walked = steps.iter().map(|m| f64::from(m.mean[0]));
        Self {
            batch,
            enters: phase(played, ENTERS),
            forms: phase(played, FORMS),
            slides: phase(played, SLIDES),
            before: at(count.saturating_sub(1)),
            after: at(count),
            moves: shown.outcome.training.effective.updates_statistics,
            means: shown.batches.iter().take(count).map(mean).collect(),
            range: plots::range(all.chain(walked)),
        }
    }

    /// What the batch does to the stored mean and to the stored variance.
    fn updates(&self, shown: &Shown<'_>) -> Option<[MovingUpdate; 2]> {
        let batch = &shown.batches[self.batch?];
        let update = |which: usize, batch_value: f64, unbiased: bool| MovingUpdate {
            semantics: shown.semantics(),
            momentum: shown.momentum,
            moving: self.before[which],
            batch: batch_value,
            unbiased_n: (unbiased && batch.n > 1).then_some(batch.n),
            next: self.after[which],
        };
        let unbiased = arithmetic::is_unbiased(shown);
        Some([
            update(0, shown.at(&batch.moments.mean), false),
            update(1, shown.at(&batch.moments.variance), unbiased),
        ])
    }

    /// The line below the lanes, in full and shorter.
    fn sentences(&self, shown: &Shown<'_>) -> [String; 3] {
        let Some(batch) = self.batch else {
            let share = arithmetic::factor(1.0 - shown.momentum);
            let line = words::before_play(self.moves.then_some(share.as_str()));
            return [line.clone(), line.clone(), line];
        };
        let number = batch + 1;
        if !self.moves {
            let value = measured(self.before[0]);
            let line = words::locked(number, &value, shown.outcome.training.effective.training);
            return [line.clone(), line.clone(), words::unchanged(&value)];
        }
        if self.slides == 0.0 {
            let measured_batch = &shown.batches[batch];
            let [mean, variance] = [
                &measured_batch.moments.mean,
                &measured_batch.moments.variance,
            ]
            .map(|v| shown.at(v));
            let deviation = variance.max(0.0).sqrt();
            let line = words::batch_forms(
                number,
                measured_batch.photos,
                measured_batch.n,
                &measured(mean),
                &measured(deviation),
            );
            let short = words::batch_formed(number, &measured(mean));
            return [line, short.clone(), short];
        }
        match self.updates(shown) {
            Some([mean, variance]) => [
                words::both_updates(number, &mean.text(), &variance.short()),
                words::mean_update(number, &mean.text()),
                words::mean_update(number, &mean.short()),
            ],
            None => Default::default(),
        }
    }

    /// A lane in words, for screen readers.
    fn lane_name(&self, shown: &Shown<'_>, mode: Mode, label: &str) -> String {
        let file = measured(shown.at(&shown.outcome.moving.mean));
        let moves = self.moves && mode == Mode::Training;
        match (self.batch, moves) {
            (Some(batch), true) => {
                let [from, to] = told_apart([self.before[0], self.after[0]]);
                let mean = measured(self.means.last().copied().unwrap_or(0.0));
                words::lane_moves(label, batch + 1, &mean, &from, &to)
            }
            (Some(_) | None, _) => words::lane_rests(label, &file),
        }
    }
}

/// The photos of the batch, at most eight.
fn photos_ui(ui: &Ui, walk: &Walk, scene: &Scene, room: Rect) {
    let palette = theme::palette(ui);
    let columns = 4_u8;
    let side = ((room.width() - 3.0 * sizes::PICTURE_GAP) / f32::from(columns))
        .min((room.height() - sizes::CAPTION) / 2.0)
        .floor();
    let pitch = side + sizes::PICTURE_GAP;
    let painter = ui.painter().with_clip_rect(room);
    // They come in from the left.
    let offset = (scene.enters - 1.0) * room.width();
    let textures = walk.textures.as_ref();
    let textures = textures.filter(|(of, _)| Some(*of) == scene.batch);
    for place in 0..2 * columns {
        let [row, column] = [place / columns, place % columns].map(f32::from);
        let at = room.min + pitch * vec2(column, row);
        let cell = Rect::from_min_size(at, vec2(side, side));
        let texture = textures.and_then(|(_, textures)| textures.get(usize::from(place)));
        let Some(texture) = texture else {
            if textures.is_none() {
                let line = Stroke::new(sizes::LINE, palette.line);
                painter.rect_stroke(cell, 0.0, line, StrokeKind::Inside);
            }
            continue;
        };
        photo(&painter, texture.id(), cell.translate(vec2(offset, 0.0)));
    }
    let caption = scene
        .batch
        .map_or_else(String::new, |b| words::batch_number(b + 1));
    let below = pos2(room.left(), room.min.y + 2.0 * pitch + sizes::LINE);
    let laid_out = painter.layout_no_wrap(caption, text::small(), palette.muted);
    painter.galley(below, laid_out, palette.muted);
}

fn photo(painter: &eframe::egui::Painter, texture: TextureId, cell: Rect) {
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(texture, cell, whole, theme::UNTINTED);
}

/// One column's stored mean on the common axis, and above it the means of the batches.
fn lane_ui(ui: &Ui, shown: &Shown<'_>, scene: &Scene, mode: Mode, rect: Rect) {
    let palette = theme::palette(ui);
    let semantics = shown.semantics();
    let outer = shown.pass.outer(mode);
    let look = parts::column_mode(outer, semantics);
    let label = call_words::label(outer, semantics);
    let colors = palette.mode(look);
    let painter = ui.painter().with_clip_rect(rect.expand(sizes::S1));
    let line_y = (rect.center().y + sizes::MECHANISM_RISE / 2.0).round();
    let (head, rest) = rect.split_left_right_at_x(rect.left() + sizes::LANE_LABEL);
    let center = pos2(head.left() + sizes::MARK / 2.0, line_y);
    parts::mark(&painter, center, sizes::MARK, look, palette);
    let name = painter.layout_no_wrap(label.to_owned(), text::semibold(), colors.ink);
    let at = pos2(center.x + sizes::MARK, line_y - name.size().y / 2.0);
    painter.galley(at, name, colors.ink);
    let (track, value_room) = rest.split_left_right_at_x(rest.right() - sizes::LANE_VALUE);
    let [low, high] = scene.range;
    let x = |value: f64| {
        let share = ((value - low) / (high - low)) as f32;
        track.left() + sizes::S3 + share * (track.width() - 2.0 * sizes::S3)
    };
    let line = Stroke::new(sizes::LINE, palette.line);
    painter.hline(track.x_range(), line_y, line);
    let file = shown.at(&shown.outcome.moving.mean);
    let is_training = mode == Mode::Training;
    let moves = is_training && scene.moves;
    let rise = sizes::MECHANISM_RISE;
    if is_training {
        let used = shown.outcome.training.uses_batch();
        let dash = [
            pos2(x(file), line_y - rise),
            pos2(x(file), line_y + rise / 2.0),
        ];
        let stroke = Stroke::new(sizes::LINE, palette.inference.ink);
        painter.extend(Shape::dashed_line(
            &dash,
            stroke,
            sizes::DASH / 2.0,
            sizes::DASH / 2.0,
        ));
        let ink = if used { colors.ink } else { palette.muted };
        means_ui(&painter, scene, used, ink, &x, [x(file), line_y - rise]);
    }
    let stored = if moves {
        let share = f64::from(scene.slides);
        scene.before[0] + share * (scene.after[0] - scene.before[0])
    } else {
        file
    };
    if moves && scene.batch.is_some() && scene.forms > 0.0 {
        // The gap to the batch, and the share of it that the stored mean takes.
        let batch = scene.means.last().copied().unwrap_or(file);
        let gap = [pos2(x(scene.before[0]), line_y), pos2(x(batch), line_y)];
        let shade = colors.ink.gamma_multiply(0.3 * scene.forms);
        painter.line_segment(gap, Stroke::new(sizes::CELL_RING, shade));
        let done = [gap[0], pos2(x(stored), line_y)];
        painter.line_segment(done, Stroke::new(sizes::CELL_RING, palette.inference.ink));
    }
    let mark = pos2(x(stored), line_y);
    painter.circle_filled(mark, sizes::LAMP / 2.0 + sizes::LINE, palette.panel);
    parts::mark(&painter, mark, sizes::MARK, Mode::Inference, palette);
    if !moves {
        let at = mark - vec2(0.0, sizes::MARK + sizes::S1);
        parts::padlock(&painter, at, sizes::MARK, true, palette.ink);
    }
    let written = if moves && scene.batch.is_some() {
        let [from, to] = told_apart([scene.before[0], scene.after[0]]);
        if scene.slides > 0.5 { to } else { from }
    } else {
        measured(file)
    };
    let words = words::stored(&written);
    let color = palette.inference.ink;
    let laid_out = painter.layout_no_wrap(words, text::small(), color);
    let left = value_room.left() + sizes::S3;
    painter.galley(
        pos2(left, line_y - laid_out.size().y / 2.0),
        laid_out,
        color,
    );
    let id: Id = ui.scope_id().with(("lane", mode as usize));
    let response = ui.interact(rect, id, Sense::hover());
    let name = scene.lane_name(shown, mode, label);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    response.tip(name);
}

/// A dot for each batch mean; that of the present batch comes down and stands out.
fn means_ui(
    painter: &eframe::egui::Painter,
    scene: &Scene,
    used: bool,
    ink: Color32,
    x: &dyn Fn(f64) -> f32,
    [file, y]: [f32; 2],
) {
    let Some((&last, earlier)) = scene.means.split_last() else {
        return;
    };
    for &mean in earlier {
        painter.circle_filled(pos2(x(mean), y), sizes::WALK_DOT, ink.gamma_multiply(0.45));
    }
    if scene.forms <= 0.0 {
        return;
    }
    let from_above = (1.0 - scene.forms) * sizes::MECHANISM_RISE;
    let at = pos2(x(last), y - from_above);
    let radius = sizes::MARK / 2.0 * scene.forms;
    if used {
        painter.circle_filled(at, radius, ink);
    } else {
        painter.circle_stroke(at, radius, Stroke::new(sizes::HOLLOW_STROKE, ink));
    }
    let label = painter.layout_no_wrap(measured(last), text::small(), ink);
    // On the side where there is room, and where it doesn't cover the line of the file.
    let right = at.x + sizes::MARK;
    let room = painter.clip_rect().right() - sizes::LANE_VALUE;
    let end = right + label.size().x;
    let left = if end <= room && !(right..end).contains(&file) {
        right
    } else {
        at.x - sizes::MARK - label.size().x
    };
    painter.galley(
        pos2(left, at.y - label.size().y / 2.0),
        label,
        ink.gamma_multiply(scene.forms),
    );
}
