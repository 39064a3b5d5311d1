//! Where in a window the parts of a view stand, which a figure of one of them cuts out.

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

/// Where the parts of a view lie; kept while a figure asks for it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What the figure shows of the view, where that is not all of it.
    pub only: Option<Part>,
    /// Headings, and the columns that are theirs.
    pub headings: Vec<(Rect, Heading)>,
    /// Of the columns, training first.
    pub columns: [Option<Rect>; 2],
    /// Of what a figure can show alone, by name.
    pub plots: Vec<(&'static str, Rect)>,
}

impl Places {
    /// Where a context keeps them.
    pub fn id() -> Id {
        Id::unique("places in the view")
    }

    /// The heading of the column that this lies in.
    pub fn heading(&self, part: Rect) -> Option<&Heading> {
        let mut headings = self.headings.iter();
        let found = headings.find(|(column, _)| column.contains(part.center()));
        found.map(|(_, heading)| heading)
    }
}

/// Says that the whole window is drawn as a figure.
pub fn note_still(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(still_id(), true));
}

/// Whether the whole window is drawn as a figure: it tells neither of files nor of times.
pub fn is_still(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(still_id()).unwrap_or(false))
}

fn still_id() -> Id {
    Id::unique("the window is a figure")
}

/// What a figure shows of the view, where that is not all of it.
pub fn only_part(ui: &Ui) -> Option<Part> {
    let places = ui.data(|data| data.get_temp::<Places>(Places::id()));
    places.and_then(|places| places.only)
}

/// Whether this is drawn for a figure, which nobody can click.
pub fn is_figure(ui: &Ui) -> bool {
    ui.data(|data| data.get_temp::<Places>(Places::id()).is_some())
}

/// Tells a figure of one side that this belongs to it.
pub fn note_column(ui: &Ui, mode: Mode, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            let column = &mut places.columns[mode as usize];
            *column = Some(column.map_or(rect, |known| known.union(rect)));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// Tells a figure what stands above this column.
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

/// Tells a figure that this can be shown alone, under this name.
pub fn note_plot(ui: &Ui, name: &'static str, rect: Rect) {
    ui.data_mut(|data| {
        if let Some(mut places) = data.get_temp::<Places>(Places::id()) {
            places.plots.push((name, rect));
            data.insert_temp(Places::id(), places);
        }
    });
}

/// The same for a plot that each column has.
pub fn note_plot_of(ui: &Ui, mode: Mode, names: [&'static str; 2], rect: Rect) {
    note_plot(ui, names[mode as usize], rect);
}
