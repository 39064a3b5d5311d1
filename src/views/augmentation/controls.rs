//! The row above the grid: preset, steps, kind of grid, redraw.

use eframe::egui;
use eframe::egui::{Button, Layout, Rect, RichText, Role, Ui, WidgetInfo};

use super::words;
use crate::augment::{Pipeline, PipelinePreset, PipelineStep};
use crate::command::PipelineCommand;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::picker::{self, Entry};
use crate::views::{Show, parts};
use modelens_jobs::Grid;

/// The preset and one chip for each step; the kind of grid and "redraw" at the right.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let room = ui.max_rect();
    let right = parts::inside_ui(ui, room, Layout::right_to_left(egui::Align::Center), |ui| {
        parts::redraw_ui(ui, show, words::REDRAW);
        grid_picker_ui(ui, show);
        edit_ui(ui, show);
        ui.min_rect().left()
    });
    let left = room.with_max_x(right - sizes::S2);
    parts::row_ui(ui, left, |ui| {
        preset_ui(ui, show);
        let chips = ui.available_rect_before_wrap();
        chips_ui(ui, show, chips);
    });
}

fn preset_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let pipeline = &state.settings.pipeline;
    let own = state.own_pipeline();
    let is_own = own.is_some_and(|own| own.pipeline == *pipeline);
    let named = PipelinePreset::ALL
        .into_iter()
        .find(|preset| preset.pipeline() == *pipeline);
    let value = match named {
        _ if is_own => words::FROM_FILE,
        Some(preset) => preset.label(),
        None => words::CHANGED,
    };
    let entries = || {
        let from_file = own.map(|own| Entry {
            name: words::FROM_FILE.to_owned(),
            note: own.name.clone(),
            chosen: is_own,
        });
        let preset = |preset: PipelinePreset| Entry {
            name: preset.label().to_owned(),
            note: String::new(),
            chosen: !is_own && named == Some(preset),
        };
        from_file
            .into_iter()
            .chain(PipelinePreset::ALL.map(preset))
            .collect()
    };
    if let Some(i) = picker::picker_ui(ui, words::PIPELINE, value, entries) {
        let presets = usize::from(own.is_some());
        let preset = i
            .checked_sub(presets)
            .and_then(|i| PipelinePreset::ALL.get(i));
        show.push(preset.map_or(PipelineCommand::UseOwn, |&p| PipelineCommand::SetPreset(p)));
    }
}

fn edit_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let editing = show.state.grid.editing;
    let button = Button::new(words::EDIT_STEPS)
        .corner_radius(sizes::PILL_RADIUS)
        .selected(editing);
    let tip = words::EDIT_STEPS_TIP;
    if ui.add(button).tip(tip).clicked() {
        show.push(PipelineCommand::Edit(!editing));
    }
}

fn grid_picker_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let chosen = show.state.settings.grid;
    let entries = || {
        let entry = |grid: Grid| Entry {
            name: grid.label().to_owned(),
            note: match grid {
                Grid::OnePhoto => words::AS_IN_COURSE,
                Grid::NinePhotos => words::ONE_DRAW_EACH,
                Grid::ThreeEpochs => words::DRAWN_ANEW_EACH,
            }
            .to_owned(),
            chosen: grid == chosen,
        };
        Grid::ALL.map(entry).into()
    };
    // The picker truncates its button to the room that is left; a child keeps the row's order.
    if let Some(i) = picker::picker_ui(ui, "", chosen.label(), entries) {
        show.push(PipelineCommand::SetGrid(Grid::ALL[i]));
    }
}

/// How much of each step a chip can say in the room there is.
#[derive(Clone, Copy)]
enum Detail {
    /// `RandomFlip("horizontal")`
    Call,
    /// `RandomFlip`
    Class,
    /// `Flip`
    Short,
}

impl Detail {
    fn words(self, step: &PipelineStep) -> (String, String) {
        let class = step.layer.class();
        let call = step.layer.code();
        match self {
            Self::Call => {
                let arguments = call.strip_prefix(class).unwrap_or_default();
                (class.to_owned(), arguments.to_owned())
            }
            Self::Class => (class.to_owned(), String::new()),
            Self::Short => {
                let class = class.trim_start_matches("v2.");
                (class.trim_start_matches("Random").to_owned(), String::new())
            }
        }
    }
}

/// The most detailed chips that fit; `None` if not even short ones do.
fn detail(ui: &Ui, pipeline: &Pipeline, room: f32) -> Option<Detail> {
    let palette = theme::palette(ui);
    let width = |detail: Detail| -> f32 {
        let steps = pipeline.steps.iter().map(|step| {
            let (name, arguments) = detail.words(step);
            let font = text::body();
            let galley = ui
                .painter()
                .layout_no_wrap(name + &arguments, font, palette.ink);
            galley.size().x + 2.0 * sizes::S3 + sizes::S1
        });
        steps.sum()
    };
    let all = [Detail::Call, Detail::Class, Detail::Short];
    all.into_iter().find(|&detail| width(detail) <= room)
}

fn chips_ui(ui: &mut Ui, show: &mut Show<'_>, room: Rect) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let pipeline = &show.state.settings.pipeline;
    let Some(detail) = detail(ui, pipeline, room.width()) else {
        let on = pipeline.steps.iter().filter(|step| step.on).count();
        let line = words::steps_on(on, pipeline.steps.len());
        parts::line_ui(ui, text::muted(line, palette));
        return;
    };
    for (i, step) in pipeline.steps.iter().enumerate() {
        let (name, arguments) = detail.words(step);
        let [ink, muted] = if step.on {
            [palette.ink, palette.muted]
        } else {
            [palette.muted; 2]
        };
        let mut first = RichText::new(name).color(ink);
        if !step.on {
            first = first.strikethrough();
        }
        let chip = Button::new((first, RichText::new(arguments).color(muted)))
            .corner_radius(sizes::PILL_RADIUS)
            .gap(0.0);
        let on_off = if step.on {
            words::TURNS_OFF
        } else {
            words::TURNS_ON
        };
        let tip = format!("{}\n{on_off}", step.layer.code());
        let response = ui.add(chip).tip(tip);
        let class = step.layer.class();
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, step.on, class));
        if response.clicked() {
            show.push(PipelineCommand::SetStep(i, !step.on));
        }
    }
}
