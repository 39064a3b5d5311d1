//! The parameters of one step. A change is pushed as a whole layer; the handler refuses what Keras
//! would refuse, and its reason is shown below the fields.

use eframe::egui;
use eframe::egui::{ComboBox, DragValue, Layout, Slider, SliderClamping, Ui, vec2};

use super::icons::{Icon, icon_ui};
use super::{add_menu, words};
use crate::augment::{
    AugmentLayer, Choice, Factor, FactorLimits, FillMode, Framework, ListLimits, Parameter,
    ParameterValue, PipelineStep, Sampling,
};
use crate::command::PipelineCommand;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::{Show, parts};

/// The largest crop and the largest size that can be chosen.
const LARGEST_SIDE: usize = 1024;
/// Pixels of the pointer that move a field of a list from one end of its range to the other.
const SPEED: f64 = 200.0;
/// Scales that networks are trained on, to choose with one click.
const USUAL_SCALES: [(&str, f64); 2] = [("1/255", 1.0 / 255.0), ("1/127.5", 1.0 / 127.5)];

/// Fields for every argument of the layer.
pub fn parameters_ui(ui: &mut Ui, show: &mut Show<'_>, index: usize, step: &PipelineStep) {
    let mut layer = step.layer.clone();
    ui.indent("fields", |ui| {
        ui.spacing_mut().item_spacing = vec2(sizes::S1, sizes::S1);
        // The rail would have the colour of the card.
        ui.visuals_mut().widgets.inactive.bg_fill = theme::palette(ui).line;
        ui.spacing_mut().slider_width = sizes::SLIDER;
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
        let list = List {
            class: layer.class(),
            framework: layer.framework(),
            size: add_menu::size(show.state),
        };
        fields_ui(ui, &mut layer, list);
        if layer.is_random() && layer.framework() == Framework::Keras {
            seed_ui(ui, &mut layer);
        }
        let palette = theme::palette(ui);
        let when = words::acts_when(&layer, show.state.semantics());
        parts::wrapped_ui(ui, text::note(when, palette));
        if let Some(difference) = super::step_difference(show.state, index) {
            let never_off = layer.is_never_off(show.state.semantics());
            let line = words::step_difference(difference, never_off);
            parts::wrapped_ui(ui, text::note(line, palette));
        }
    });
    if layer != step.layer {
        show.push(PipelineCommand::SetLayer(index, layer));
    }
}

/// A field for every argument. Numbers that belong to the layers in a list follow them.
fn fields_ui(ui: &mut Ui, layer: &mut AugmentLayer, list: List<'_>) {
    let mut change = None;
    let mut count = 0;
    for parameter in layer.transform.parameters() {
        if let ParameterValue::Layers(layers) = &parameter.value {
            count = layers.len();
        }
        change = change.or(parameter_ui(ui, parameter, list));
    }
    if let Some(change) = change {
        for parameter in layer.transform.parameters() {
            if let ParameterValue::List(numbers, _) = parameter.value
                && numbers.len() == count
            {
                change.apply(numbers);
            }
        }
    }
    layer.transform.match_lengths();
}

/// Returns what was changed in a list of layers.
fn parameter_ui(ui: &mut Ui, parameter: Parameter<'_>, list: List<'_>) -> Option<Change> {
    let name = parameter.name;
    match parameter.value {
        ParameterValue::Choice(choice) => choice_ui(ui, name, choice),
        ParameterValue::Factor(factor, limits) => factor_ui(ui, name, factor, limits),
        ParameterValue::OptionalFactor {
            factor,
            fallback,
            limits,
        } => {
            let mut own = factor.is_some();
            if parts::check_ui(ui, &words::of_its_own(name), &mut own).changed() {
                *factor = own.then_some(fallback);
            }
            if let Some(factor) = factor {
                factor_ui(ui, name, factor, limits);
            }
        }
        ParameterValue::Pixels(side) => pixels_ui(ui, name, side),
        ParameterValue::Flag(flag) => {
            parts::check_ui(ui, name, flag);
        }
        ParameterValue::Number(number, limits) => {
            slider_ui(ui, name, name, number, limits.slider);
        }
        ParameterValue::Whole(numbers, limits) => row_ui(ui, name, |ui| {
            let several = numbers.len() > 1;
            for (i, number) in numbers.iter_mut().enumerate() {
                // An even number can be typed where only odd ones are accepted, and is refused.
                let drag = parts::whole(number).range(limits.least..=limits.most);
                let name = words::nth(name, several.then_some(i + 1));
                ui.name_inputs(name, |ui| parts::field_ui(ui, drag));
            }
        }),
        ParameterValue::List(numbers, limits) => list_ui(ui, name, numbers, limits),
        ParameterValue::Fill(fill) => fill_ui(ui, name, fill),
        ParameterValue::Scale(scale) => row_ui(ui, name, |ui| {
            number_ui(ui, name, scale, 0.001);
            for (label, usual) in USUAL_SCALES {
                if ui.small_button(label).clicked() {
                    *scale = usual;
                }
            }
        }),
        ParameterValue::Offset(offset) => row_ui(ui, name, |ui| number_ui(ui, name, offset, 0.01)),
        ParameterValue::ValueRange([low, high]) => row_ui(ui, name, |ui| {
            number_ui(ui, &words::end_of(name, words::LOW), low, 0.1);
            number_ui(ui, &words::end_of(name, words::HIGH), high, 0.1);
        }),
        ParameterValue::Sampling(sampling) => sampling_ui(ui, sampling),
        ParameterValue::Layers(layers) => return layers_ui(ui, name, layers, list),
    }
    None
}

/// Layers inside of a layer: the fields of each, their order, and a menu to add one of the same framework.
fn layers_ui(
    ui: &mut Ui,
    name: &str,
    layers: &mut Vec<AugmentLayer>,
    list: List<'_>,
) -> Option<Change> {
    let n = layers.len();
    let mut change = None;
    for (i, layer) in layers.iter_mut().enumerate() {
        ui.push_id((name, i), |ui| {
            let class = layer.class();
            let number = i + 1;
            row_ui(ui, &words::nth(class, Some(number)), |ui| {
                let inside = |name: String| words::inside(&name, list.class);
                let up = inside(words::move_up(class, number));
                if icon_ui(ui, Icon::Up, &up, i > 0).clicked() {
                    change = Some(Change::Swap(i - 1));
                }
                let down = inside(words::move_down(class, number));
                if icon_ui(ui, Icon::Down, &down, number < n).clicked() {
                    change = Some(Change::Swap(i));
                }
                // A list without layers is none.
                let remove = inside(words::remove(class, number));
                if icon_ui(ui, Icon::Remove, &remove, n > 1).clicked() {
                    change = Some(Change::Remove(i));
                }
            });
            ui.indent("layer", |ui| {
                fields_ui(ui, layer, List { class, ..list });
            });
        });
    }
    if let Some(change) = change {
        change.apply(layers);
    }
    ui.push_id((name, "add"), |ui| {
        let button = egui::Button::new(words::ADD).small();
        let button = ui.add(button).tip(words::add_to(list.class));
        parts::named(ui, &button, &words::add_to(list.class));
        layers.extend(add_menu::menu_ui(&button, list.size, &[list.framework]));
    });
    change
}

/// The layer that holds a list of layers.
#[derive(Clone, Copy)]
struct List<'a> {
    class: &'a str,
    framework: Framework,
    /// `[height, width]` of photos, for layers that are added.
    size: [usize; 2],
}

/// What a click changes in a list of layers.
#[derive(Clone, Copy)]
enum Change {
    /// The layer at this place and the next one change places.
    Swap(usize),
    Remove(usize),
}

impl Change {
    /// Does the same to the layers, and to what belongs to them.
    fn apply<T>(self, list: &mut Vec<T>) {
        match self {
            Self::Swap(i) if i + 1 < list.len() => list.swap(i, i + 1),
            Self::Remove(i) if i < list.len() => drop(list.remove(i)),
            Self::Swap(_) | Self::Remove(_) => {}
        }
    }
}

/// Numbers of which there may be several: how many, and a field for each.
fn list_ui(ui: &mut Ui, name: &str, numbers: &mut Vec<f64>, limits: ListLimits) {
    row_ui(ui, name, |ui| {
        let ListLimits {
            lengths,
            each,
            whole,
            ..
        } = limits;
        for (i, number) in numbers.iter_mut().enumerate() {
            let [low, high] = each.slider;
            let speed = if whole { 1.0 } else { (high - low) / SPEED };
            number_ui(ui, &words::nth(name, Some(i + 1)), number, speed);
            if whole {
                *number = number.round();
            }
        }
        if lengths.len() < 2 {
            return;
        }
        let form = words::form_of(name);
        let chosen = numbers.len();
        let combo = ComboBox::from_id_salt(&form)
            .selected_text(words::numbers(chosen))
            .show_ui(ui, |ui| {
                for &n in lengths {
                    let label = words::numbers(n);
                    if ui.selectable_label(n == chosen, label).clicked() {
                        let [low, _] = each.slider;
                        let last = numbers.last().copied();
                        numbers.resize(n, last.unwrap_or(low));
                    }
                }
            });
        name_of(&combo.response, &form);
    });
}

/// A colour, or noise where none is given.
fn fill_ui(ui: &mut Ui, name: &str, fill: &mut Option<[f64; 3]>) {
    row_ui(ui, name, |ui| {
        let mut own = fill.is_some();
        if parts::check_ui(ui, words::OF_ITS_OWN, &mut own).changed() {
            *fill = own.then_some([0.0; 3]);
        }
        for (i, value) in fill.iter_mut().flatten().enumerate() {
            number_ui(ui, &words::nth(name, Some(i + 1)), value, 1.0);
        }
    });
}

/// A label in a column of its own, and a field.
fn row_ui(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        let size = vec2(sizes::FIELD_LABEL, sizes::INPUT_ROW);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_min_width(sizes::FIELD_LABEL);
            parts::line_ui(ui, text::note(label, palette))
        });
        add(ui);
    });
}

/// One number, which Keras reads as a range around 0, or a pair.
fn factor_ui(ui: &mut Ui, name: &str, factor: &mut Factor, limits: FactorLimits) {
    let is_pair = !factor.is_scalar();
    row_ui(ui, name, |ui| {
        let label = if is_pair {
            words::LOW_AND_HIGH
        } else {
            words::ONE_NUMBER
        };
        ui.push_id(name, |ui| {
            let combo = ComboBox::from_id_salt("form")
                .selected_text(label)
                .show_ui(ui, |ui| {
                    if ui.selectable_label(!is_pair, words::ONE_NUMBER).clicked() && is_pair {
                        let [low, high] = limits.number.slider;
                        *factor = Factor::Scalar(factor.high().abs().clamp(low, high));
                    }
                    if ui.selectable_label(is_pair, words::LOW_AND_HIGH).clicked() && !is_pair {
                        let [lowest, _] = limits.low.slider;
                        *factor = Factor::Pair(lowest.max(factor.low()), factor.high());
                    }
                });
            name_of(&combo.response, &words::form_of(name));
        });
    });
    match factor {
        Factor::Scalar(f) => slider_ui(ui, name, "", f, limits.number.slider),
        Factor::Pair(a, b) => {
            slider_ui(ui, name, words::LOW, a, limits.low.slider);
            slider_ui(ui, name, words::HIGH, b, limits.high.slider);
        }
    }
}

/// A slider within the limits. A number beyond them can be typed, and is refused with its limit.
fn slider_ui(ui: &mut Ui, name: &str, end: &str, value: &mut f64, [low, high]: [f64; 2]) {
    row_ui(ui, end, |ui| {
        let slider = Slider::new(value, low..=high)
            .clamping(SliderClamping::Never)
            .trailing_fill(true)
            .step_by(0.01)
            .max_decimals(3);
        let label = if end.is_empty() {
            name.to_owned()
        } else {
            words::end_of(name, end)
        };
        ui.name_inputs(label, |ui| ui.add(slider));
    });
}

fn number_ui(ui: &mut Ui, name: &str, value: &mut f64, speed: f64) {
    let drag = DragValue::new(value).speed(speed).max_decimals(5);
    ui.name_inputs(name, |ui| parts::field_ui(ui, drag));
}

fn pixels_ui(ui: &mut Ui, name: &str, side: &mut usize) {
    row_ui(ui, name, |ui| {
        // 0 can be typed, and is refused with its limit.
        let drag = parts::whole(side)
            .range(0..=LARGEST_SIDE)
            .suffix(words::PIXELS_SUFFIX);
        ui.name_inputs(name, |ui| parts::field_ui(ui, drag));
    });
}

fn sampling_ui(ui: &mut Ui, sampling: &mut Sampling) {
    choice_ui(ui, "fill_mode", &mut sampling.fill_mode);
    if sampling.fill_mode == FillMode::Constant {
        row_ui(ui, "fill_value", |ui| {
            let drag = DragValue::new(&mut sampling.fill_value).speed(1.0);
            ui.name_inputs("fill_value", |ui| parts::field_ui(ui, drag));
        });
    }
    choice_ui(ui, "interpolation", &mut sampling.interpolation);
}

fn seed_ui(ui: &mut Ui, layer: &mut AugmentLayer) {
    row_ui(ui, "seed", |ui| {
        let mut own = layer.seed.is_some();
        if parts::check_ui(ui, words::OF_ITS_OWN, &mut own).changed() {
            layer.seed = own.then_some(0);
        }
        if let Some(seed) = &mut layer.seed {
            ui.name_inputs(words::LAYER_SEED, |ui| {
                parts::field_ui(ui, parts::whole(seed))
            });
        }
    });
}

fn choice_ui(ui: &mut Ui, name: &str, choice: &mut dyn Choice) {
    row_ui(ui, name, |ui| {
        let chosen = choice.chosen();
        let combo = ComboBox::from_id_salt(name)
            .selected_text(chosen)
            .show_ui(ui, |ui| {
                for label in choice.names() {
                    if ui.selectable_label(label == chosen, label).clicked() {
                        choice.choose(label);
                    }
                }
            });
        name_of(&combo.response, name);
    });
}

/// The accessible name of a combo box: what it sets, and to what.
fn name_of(response: &egui::Response, name: &str) {
    let ctx = &response.ctx;
    ctx.accesskit_node_builder(response.id, |node| node.set_label(name));
}
