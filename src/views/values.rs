//! The measured values that a lesson may name, `{name}` in a text or in an expectation: those of the
//! open model here, those that a view measures in its folder.

use crate::lesson::{Value, Values};
use crate::model::counts::{Counts, counts};
use crate::model::{CallModes, Effective, Role, Statistics};
use crate::state::{Base, State, View};

/// A name, what it means, and the function that gives the value.
pub type Entry<F> = (&'static str, &'static str, F);

/// Reads one value from the state.
type Measure = fn(&State) -> Option<Value>;

/// Values of the window and of the open model.
#[rustfmt::skip]
const TABLE: &[Entry<Measure>] = &[
    ("rules", "the framework whose rules hold", |s| text(s.semantics().label())),
    ("photo", "the name of the chosen photo", |s| text(&s.opened.gallery.as_ref()?.chosen()?.name)),
    ("photos", "number of open photos", |s| count(s.photos()?.photos.len())),
    ("base", "the title of the open model", |s| text(&base(s)?.model.title)),
    ("layers", "number of layers in the list", |s| count(base(s)?.rows.len())),
    ("parameters", "number of parameters", |s| count(counted(s)?.total)),
    ("trainable_parameters", "number of parameters that an optimizer may change", |s| count(counted(s)?.trainable)),
    ("batch_norms", "number of BatchNorm layers", |s| count(base(s)?.batch_norms.len())),
    ("batch_norms_on_batch", "BatchNorm layers that use batch statistics in the outer call", |s| norms(s, |e| e.statistics == Some(Statistics::Batch))),
    ("batch_norms_moving", "BatchNorm layers whose moving statistics change in the outer call", |s| norms(s, |e| e.updates_statistics)),
    ("learning_layers", "layers whose weights an optimizer may change", learning),
    ("random_layers", "dropout and other noise layers", |s| count(base(s)?.noises.len())),
    ("random_layers_active", "noise layers that are active in the outer call", |s| count(effective(s, base(s)?, &base(s)?.noises).filter(|e| e.active).count())),
];

/// Every name with its meaning.
pub fn meanings() -> Vec<(&'static str, &'static str)> {
    let pages = View::ALL.into_iter().map(View::page);
    let measured = pages.flat_map(super::Page::value_names);
    meanings_of(TABLE).into_iter().chain(measured).collect()
}

/// Every name.
pub fn names() -> Vec<&'static str> {
    meanings().into_iter().map(|(name, _)| name).collect()
}

/// The names of a table with their meanings.
pub fn meanings_of<F>(table: &[Entry<F>]) -> Vec<(&'static str, &'static str)> {
    table
        .iter()
        .map(|(name, meaning, _)| (*name, *meaning))
        .collect()
}

/// The function that gives a value.
pub fn find<F: Copy>(table: &[Entry<F>], name: &str) -> Option<F> {
    let found = table.iter().find(|(known, _, _)| *known == name);
    found.map(|(_, _, value)| *value)
}

impl Values for State {
    fn value(&self, name: &str) -> Option<Value> {
        match find(TABLE, name) {
            Some(value) => value(self),
            None => View::ALL
                .into_iter()
                .find_map(|view| view.page().value(self, name)),
        }
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the tables are alike"
)]
pub fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the tables are alike"
)]
pub fn count(n: usize) -> Option<Value> {
    Some(Value::Count(n))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the tables are alike"
)]
pub fn number(x: impl Into<f64>) -> Option<Value> {
    Some(Value::Number(x.into()))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the tables are alike"
)]
pub fn share(x: f64) -> Option<Value> {
    Some(Value::Share(x))
}

fn base(state: &State) -> Option<&Base> {
    state.opened.base.as_ref()
}

fn counted(state: &State) -> Option<Counts> {
    let base = base(state)?;
    Some(counts(&base.model, &base.flags, state.semantics()))
}

fn effective<'a>(
    state: &'a State,
    base: &'a Base,
    layers: &'a [usize],
) -> impl Iterator<Item = Effective> + 'a {
    let graph = &base.model.graph;
    let modes = CallModes::of(graph, &base.flags, state.settings.call, state.semantics());
    layers
        .iter()
        .map(move |&id| modes.effective(graph, &base.flags, id))
}

fn norms(state: &State, is: fn(&Effective) -> bool) -> Option<Value> {
    let base = base(state)?;
    count(effective(state, base, &base.batch_norms).filter(is).count())
}

fn learning(state: &State) -> Option<Value> {
    let base = base(state)?;
    let layers = &base.model.graph.layers;
    let weighted = |id: &usize| {
        let role = layers[*id].kind.role();
        matches!(role, Role::Weights | Role::BatchNorm)
    };
    let ids: Vec<usize> = (0..layers.len()).filter(weighted).collect();
    count(effective(state, base, &ids).filter(|e| e.learns).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{BUNDLED, open_bundled};

    #[test]
    fn no_two_values_have_one_name() {
        let mut names = names();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
    }

    #[test]
    fn bundled_lessons_name_known_values_and_have_the_title_of_the_menu() {
        for (number, bundled) in BUNDLED.iter().enumerate() {
            let lesson = open_bundled(number, &names());
            let lesson = lesson.unwrap_or_else(|e| panic!("{}: {e}", bundled.title));
            assert_eq!(lesson.title, bundled.title);
            assert!(lesson.steps.iter().all(|step| !step.title.is_empty()));
        }
    }
}
