//! The places of a view's parts, for a figure that shows only one of them.

use eframe::egui::{Context, Id, Rect, Ui};

use crate::model::Mode;
use crate::state::Part;

/// The line above a column: whose it is, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    pub mode: Mode,
    pub title: String,
    pub note: String,
}

/// The places of a view's parts; recorded while a figure is drawn.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The part that the figure shows, if it is not the whole view.
    pub only: Option<Part>,
    /// Headings, and the columns that are theirs.
    pub headings: Vec<(Rect, Heading)>,
    /// The columns, training first.
    pub columns: [Option<Rect>; 2],
    /// Of what a figure can show alone, by name.
    pub plots: Vec<(&'static str, Rect)>,
    /// What the figure has no room for, in words.
    pub left_out: Vec<&'static str>,
}

impl Places {
    /// Where a context keeps them.
    pub fn id() -> Id {
        Id::unique("places in the view")
    }

    /// The heading of the column that contains `part`.
    pub fn heading(&self, part: Rect) -> Option<&Heading> {
        let mut headings = self.headings.iter();
        let found = headings.find(|(column, _)| column.contains(part.center()));
        found.map(|(_, heading)| heading)
    }
}

/// Marks the context as drawing the whole window as a figure.
pub fn note_still(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(still_id(), true));
}

/// Whether the whole window is drawn as a figure, which shows no times.
pub fn is_still(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(still_id()).unwrap_or(false))
}

fn still_id() -> Id {
    Id::unique("the window is a figure")
}

/// The part that the figure shows, if it is not the whole view.
pub fn only_part(ui: &Ui) -> Option<Part> {
    let places = ui.data(|data| data.get_temp::<Places>(Places::id()));
    places.and_then(|places| places.only)
}

/// Whether this is drawn for a figure, which has no controls.
pub fn is_figure(ui: &Ui) -> bool {
    ui.data(|data| data.get_temp::<Places>(Places::id()).is_some())
}

/// Records a rectangle as part of one side for a figure.
pub fn note_column(ui: &Ui, mode: Mode, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            let column = &mut places.columns[mode as usize];
            *column = Some(column.map_or(rect, |known| known.union(rect)));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Records the heading of a column for a figure.
pub fn note_heading(ui: &Ui, column: Rect, mode: Mode, title: &str, note: &str) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            let [title, note] = [title, note].map(str::to_owned);
            places
                .headings
                .push((column, Heading { mode, title, note }));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Records what a figure leaves out because it is small.
pub fn note_left_out(ui: &Ui, what: &'static str) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            places.left_out.push(what);
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Records a plot that a figure can show alone, under this name.
pub fn note_plot(ui: &Ui, name: &'static str, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            places.plots.push((name, rect));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Records a plot that both columns have.
pub fn note_plot_of(ui: &Ui, mode: Mode, names: [&'static str; 2], rect: Rect) {
    note_plot(ui, names[mode as usize], rect);
}
