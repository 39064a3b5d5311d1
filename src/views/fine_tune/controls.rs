//! What runs, with which optimizer, and the buttons that drive it.

use eframe::egui::{Align, Layout, Popup, Role, Ui, WidgetInfo};

use super::setup;
use super::words;
use crate::command::{Action, TrainCommand};
use crate::model::Semantics;
use crate::state::{MAX_EPOCHS, MAX_SEEDS, RATES, Status, TrainingState};
use crate::theme::{self, sizes, text};
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe::{EvalCalls, RunPreset};
use crate::views::parts::Tip as _;
use crate::views::{Show, menu, parts};
use crate::words::number::{estimate, seconds};

/// The row above the runs.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    ui.spacing_mut().item_spacing.x = sizes::S2;
    let rows = parts::rows(ui.max_rect());
    // Each part begins a new row while there are rows, and else follows the part before.
    let part_ui: [fn(&mut Ui, &mut Show<'_>); 4] =
        [settings_ui, optimizer_ui, evals_ui, buttons_ui];
    let row_of = match rows.len() {
        1 => [0, 0, 0, 0],
        2 => [0, 0, 1, 1],
        _ => [0, 1, 1, 2],
    };
    for (i, row) in rows.into_iter().enumerate() {
        parts::row_ui(ui, row, |ui| {
            for (part_ui, _) in part_ui.iter().zip(row_of).filter(|(_, row)| *row == i) {
                part_ui(ui, show);
            }
        });
    }
}

/// What runs.
fn settings_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let train = show.state.settings.train;
    let semantics = show.state.semantics();
    let presets: Vec<RunPreset> = RunPreset::ALL
        .into_iter()
        .filter(|preset| preset.suits(semantics))
        .collect();
    let chosen = train.preset(semantics);
    let preset = choice_ui(ui, "", chosen.label(), &presets, RunPreset::label, chosen);
    if let Some(preset) = preset {
        show.push(TrainCommand::SetPreset(preset));
    }
    setup::setup_ui(ui, show);
}

/// How it learns.
fn optimizer_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let train = show.state.settings.train;
    let label = train.optimizer.label();
    if let Some(kind) = choice_ui(
        ui,
        "",
        label,
        &OptimizerKind::ALL,
        OptimizerKind::label,
        train.optimizer,
    ) {
        show.push(TrainCommand::SetOptimizer(kind));
    }
    let rate = rate_label(train.rate);
    let chosen = choice_ui(ui, words::RATE, rate, &RATES, rate_label, train.rate);
    if let Some(rate) = chosen {
        show.push(TrainCommand::SetRate(rate));
    }
    let label = parts::label_ui(ui, text::muted(words::EPOCHS, palette));
    let mut epochs = train.epochs;
    let drag = parts::whole(&mut epochs).range(1..=MAX_EPOCHS);
    let response = parts::field_ui(ui, drag).labelled_by(label.id);
    if response.changed() {
        show.push(TrainCommand::SetEpochs(epochs));
    }
}

/// Where a PyTorch loop calls `base.eval()`. The preset that compares the places sets them itself.
fn evals_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let train = show.state.settings.train;
    let semantics = show.state.semantics();
    if semantics != Semantics::PyTorch || train.preset(semantics) == RunPreset::WhereEval {
        return;
    }
    let evals = choice_ui(
        ui,
        words::BASE_EVAL,
        train.evals.short_label(),
        &EvalCalls::ALL,
        EvalCalls::label,
        train.evals,
    );
    if let Some(evals) = evals {
        show.push(TrainCommand::SetEvals(evals));
    }
    if train.evals != EvalCalls::Never && ui.available_width() >= sizes::EVAL_NOTE {
        let note = text::note(words::BASE_ONLY, theme::palette(ui));
        parts::label_ui(ui, note).tip(words::BASE_ONLY_TIP);
    }
}

/// What can be done now, and at the right how far the runs are.
fn buttons_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let (shown, ready) = buttons(&show.state.training);
    for action in shown {
        show.action_ui(ui, action);
    }
    let label = parts::label_ui(ui, text::muted(words::SEEDS, palette));
    let mut seeds = show.state.settings.train.seeds;
    let drag = parts::whole(&mut seeds).range(1..=MAX_SEEDS);
    let response = parts::field_ui(ui, drag).labelled_by(label.id);
    if response.tip(words::SEEDS_TIP).changed() {
        show.push(TrainCommand::SetSeeds(seeds));
    }
    let room = ui.available_rect_before_wrap();
    parts::inside_ui(ui, room, Layout::right_to_left(Align::Center), |ui| {
        // Far from Stop, so that a late click on that does not lose the results.
        if matches!(show.state.training.status, Status::Paused | Status::Ended) {
            show.action_ui(ui, Action::ResetRuns);
        }
        parts::line_ui(ui, text::note(ready, palette));
    });
}

/// The buttons that drive the runs, and how far these are. The first place holds what begins or goes on
/// and is disabled in between, so that a late click on Pause or Stop does not begin new runs.
pub fn buttons(training: &TrainingState) -> (Vec<Action>, String) {
    let [done, total] = training.steps();
    let features = training.runs.iter().find_map(|run| run.features);
    let left = || {
        let each = training.secs / done.max(1) as f64;
        let rest = each * total.saturating_sub(done) as f64;
        words::time_left(done, total, &estimate(rest))
    };
    let running = || vec![Action::StartRuns, Action::PauseRuns, Action::StopRuns];
    match training.status {
        Status::Idle => (vec![Action::StartRuns, Action::StepRuns], String::new()),
        Status::Preparing => (running(), modelens_jobs::words::READING_PHOTOS.to_owned()),
        Status::Running if features.is_some() => {
            let [done, all] = features.unwrap_or_default();
            let note = words::features(done, all);
            (running(), note)
        }
        Status::Running if done == 0 => (running(), words::FIRST_STEP.to_owned()),
        Status::Running => (running(), left()),
        Status::Paused => {
            let all = vec![Action::ResumeRuns, Action::StepRuns];
            (all, words::paused(done, total))
        }
        Status::Ended => {
            let took = words::took(done, &seconds(training.secs));
            (vec![Action::StartRuns], took)
        }
    }
}

fn rate_label(rate: f64) -> &'static str {
    const NAMES: [&str; 7] = [
        "0.1", "0.01", "0.003", "0.001", "0.0003", "0.0001", "0.00001",
    ];
    let place = RATES.iter().position(|&r| r == rate);
    place.map_or(words::OWN_RATE, |i| NAMES[i])
}

/// A button with a short list; returns what was clicked.
fn choice_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    label: &str,
    value: &str,
    all: &[T],
    name: fn(T) -> &'static str,
    chosen: T,
) -> Option<T> {
    let button = parts::drop_button_ui(ui, label, value, true);
    let spoken = format!("{label} {value}").trim().to_owned();
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    let mut clicked = None;
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        for &one in all {
            let entry = menu::Entry {
                name: name(one),
                chosen: one == chosen,
                ..menu::Entry::default()
            };
            if menu::entry_ui(ui, entry).clicked() {
                clicked = Some(one);
                ui.close();
            }
        }
    });
    clicked
}
