//! A block for each outer call, a column for each release.

use eframe::egui::{
    Align, Align2, Layout, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::{outcome, words};
use crate::command::Command;
use crate::model::releases::CALLS;
use crate::model::{Mode, Outer, Semantics};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};
use modelens_jobs::{ReleaseCell, ReleasesOutcome};

/// Lines of the head of the columns.
const HEAD: f32 = 2.0 * sizes::CARD_ROW;

/// What was measured, and at the right the switch for a rebuilt model.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let room = ui.max_rect();
    let base = show.state.opened.base.as_ref();
    let mut rebuilt = base.is_some_and(|base| base.flags.is_rebuilt());
    let layout = Layout::right_to_left(Align::Center);
    let end = parts::inside_ui(ui, room, layout, |ui| {
        let check = parts::check_ui(ui, words::REBUILT, &mut rebuilt);
        if check.tip(words::REBUILT_TIP).changed() {
            show.push(Command::SetRebuilt(rebuilt));
        }
        ui.min_rect().left()
    });
    let what = match (outcome(show.state), base) {
        (Some(outcome), Some(base)) => words::measured_on(outcome.photos, &base.model.framework),
        _ => String::new(),
    };
    parts::row_ui(ui, room.with_max_x(end - sizes::S2), |ui| {
        parts::line_ui(ui, text::note(what, palette))
    });
}

/// The heights of the parts of a block.
#[derive(Clone, Copy)]
struct Measures {
    band: f32,
    row: f32,
    /// Labels are above the values, which have a line each for their parts.
    stacks: bool,
    gap: f32,
}

impl Measures {
    const WINDOW: Self = Self {
        band: sizes::HEADER_BAND,
        row: sizes::STAT_ROW,
        stacks: false,
        gap: sizes::S2,
    };
    const LOW: Self = Self {
        band: sizes::LOW_HEADER,
        row: sizes::LOW_ROW,
        stacks: false,
        gap: sizes::S1,
    };
    const NARROW: Self = Self {
        band: sizes::HEADER_BAND,
        row: sizes::CODE_LINE,
        stacks: true,
        gap: sizes::S1,
    };

    /// The height of a row.
    fn row(self, outcome: &ReleasesOutcome, row: words::Row) -> f32 {
        let lines = if self.stacks {
            1 + cell_lines(outcome, row)
        } else {
            1
        };
        let apart = if self.stacks { self.gap } else { 0.0 };
        self.row * lines as f32 + apart
    }

    fn height(self, outcome: Option<&ReleasesOutcome>) -> f32 {
        let rows = match outcome {
            Some(outcome) => {
                let rows = words::rows(outcome).into_iter();
                rows.map(|row| self.row(outcome, row)).sum()
            }
            None => 5.0 * self.row,
        };
        let block = self.band + rows + self.gap;
        2.0 * sizes::S2 + HEAD + CALLS.len() as f32 * block
    }
}

/// The most lines of a cell of this row, if the parts of a value are below each other.
fn cell_lines(outcome: &ReleasesOutcome, (_, read): words::Row) -> usize {
    let lines = outcome
        .cells
        .iter()
        .map(|cell| read(cell).matches(", ").count() + 1);
    lines.max().unwrap_or(1)
}

/// The height of a figure of this width.
pub fn figure_height(outcome: Option<&ReleasesOutcome>, width: f32) -> f32 {
    if width < sizes::FIGURE_LEAST {
        Measures::NARROW.height(outcome)
    } else {
        Measures::WINDOW.height(outcome)
    }
}

/// The least height of a figure of this width.
pub fn least_height(outcome: Option<&ReleasesOutcome>, width: f32) -> f32 {
    if width < sizes::FIGURE_LEAST {
        Measures::NARROW.height(outcome)
    } else {
        Measures::LOW.height(outcome)
    }
}

/// The table; it scrolls if there is too little room.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let outcome = outcome(show.state);
    let whole = Measures::WINDOW.height(outcome);
    let measures = if parts::stacks(ui, cut.0.width()) {
        Measures::NARROW
    } else if parts::is_figure(ui) && cut.0.height() < whole - sizes::LINE {
        Measures::LOW
    } else {
        Measures::WINDOW
    };
    let height = measures.height(outcome);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let area = ScrollArea::vertical()
            .id_salt("releases")
            .auto_shrink(false);
        area.show_viewport(ui, |ui, _| {
            let size = vec2(ui.available_width(), height);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let rect = rect.with_max_x(rect.right() - sizes::SCROLL_BAR);
            parts::card(ui.painter(), rect, theme::palette(ui));
            parts::note_plot(ui, words::TABLE, rect);
            match outcome {
                Some(outcome) => table_ui(ui, show.state.semantics(), outcome, rect, measures),
                None => waiting_ui(ui, show, rect, Mode::Training),
            }
        });
    });
}

/// The columns: the labels of the rows, and one for each release.
struct Columns {
    labels: f32,
    each: f32,
}

impl Columns {
    fn of(rect: Rect, measures: Measures) -> Self {
        let share = if measures.stacks { 0.0 } else { 0.24 };
        let labels = (rect.width() * share).floor();
        let each = ((rect.width() - labels) / Semantics::ALL.len() as f32).floor();
        Self { labels, each }
    }

    fn cell(&self, row: Rect, column: usize) -> Rect {
        let left = row.left() + self.labels + self.each * column as f32;
        Rect::from_x_y_ranges(left..=left + self.each, row.y_range())
    }
}

fn table_ui(
    ui: &mut Ui,
    in_force: Semantics,
    outcome: &ReleasesOutcome,
    rect: Rect,
    measures: Measures,
) {
    let palette = theme::palette(ui);
    let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S2)));
    let columns = Columns::of(cut.0, measures);
    let head = cut.top(HEAD);
    for (i, rules) in Semantics::ALL.into_iter().enumerate() {
        let mut place = Cut(columns.cell(head, i));
        let is_long = place.0.width() < sizes::STAT_COLUMN;
        let name = if is_long {
            rules.short_label()
        } else {
            rules.label()
        };
        parts::row_ui(ui, place.top(sizes::CARD_ROW), |ui| {
            parts::line_ui(ui, text::strong(name))
        });
        let note = words::note(rules, outcome.writer, in_force);
        parts::row_ui(ui, place.0, |ui| {
            parts::line_ui(ui, text::note(note, palette))
        });
    }
    for outer in CALLS {
        block_ui(ui, outcome, outer, &columns, measures, &mut cut);
        cut.top(measures.gap);
    }
}

fn block_ui(
    ui: &mut Ui,
    outcome: &ReleasesOutcome,
    outer: Outer,
    columns: &Columns,
    measures: Measures,
    cut: &mut Cut,
) {
    let palette = theme::palette(ui);
    let [title, note] = words::call(outer);
    let band = cut.top(measures.band);
    let line = band.with_max_y(band.top() + sizes::LINE);
    ui.painter().rect_filled(line, 0, palette.line);
    match outer {
        Outer::Given(mode) => parts::heading_ui(ui, band, mode, title, note),
        // Neither mode: each release has its own answer.
        Outer::NotGiven => parts::row_ui(ui, band, |ui| {
            parts::label_ui(ui, text::strong(title));
            parts::line_ui(ui, text::note(note, palette));
        }),
    }
    let read = |rules: Semantics, row: fn(&ReleaseCell) -> String| {
        let value = outcome.cell(rules, outer).map(row).unwrap_or_default();
        if measures.stacks {
            value.replace(", ", ",\n")
        } else {
            value
        }
    };
    for (label, row) in words::rows(outcome) {
        let mut place = Cut(cut.top(measures.row(outcome, (label, row))));
        let labels = if measures.stacks {
            place.top(measures.row)
        } else {
            let right = place.0.left() + columns.labels - sizes::S2;
            place.0.with_max_x(right)
        };
        if measures.stacks {
            place.bottom(measures.gap);
        }
        let place = place.0;
        parts::row_ui(ui, labels, |ui| {
            parts::line_ui(ui, text::muted(label, palette))
        });
        let written = read(outcome.writer, row);
        for (i, rules) in Semantics::ALL.into_iter().enumerate() {
            let value = read(rules, row);
            let differs = value != written;
            let name = format!("{}: {value} ({label}, {title})", rules.label());
            cell_ui(ui, columns.cell(place, i), &value, differs, &name);
        }
    }
}

/// A value; one that differs from the writer's has a band and a sign.
fn cell_ui(ui: &Ui, rect: Rect, value: &str, differs: bool, name: &str) {
    let palette = theme::palette(ui);
    let font = if differs {
        text::semibold()
    } else {
        text::body()
    };
    let shown = if differs {
        let band = rect
            .shrink2(vec2(0.0, sizes::LINE))
            .with_max_x(rect.right() - sizes::S2);
        ui.painter()
            .rect_filled(band, sizes::CONTROL_RADIUS, palette.hover);
        format!("≠ {value}")
    } else {
        value.to_owned()
    };
    let at = pos2(rect.left() + sizes::S1, rect.center().y);
    ui.painter()
        .with_clip_rect(rect)
        .text(at, Align2::LEFT_CENTER, shown, font, palette.ink);
    let id = ui.scope_id().with(("release cell", name));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
}
