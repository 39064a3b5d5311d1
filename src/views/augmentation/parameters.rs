//! The parameters of one step. A change is pushed as a whole layer; the handler refuses what Keras
//! would refuse, and its reason stands below the fields.

use eframe::egui;
use eframe::egui::{ComboBox, DragValue, Layout, Slider, SliderClamping, Ui, vec2};

use crate::augment::{
    AugmentLayer, Factor, FillMode, FlipMode, Interpolation, Sampling, Step, Transform,
};
use crate::command::PipelineCommand;
use crate::theme::{self, sizes, text};
use crate::views::{Show, parts};
use crate::words::augmentation as words;

/// The largest crop and the largest size that can be chosen.
const LARGEST_SIDE: usize = 1024;
/// Where the contrast's upper end stops on the slider; larger numbers can be typed.
const CONTRAST_SLIDER: f64 = 2.0;

/// Fields for every argument of the layer.
pub fn parameters_ui(ui: &mut Ui, show: &mut Show<'_>, index: usize, step: &Step) {
    let mut layer = step.layer.clone();
    ui.indent("fields", |ui| {
        ui.spacing_mut().item_spacing = vec2(sizes::S1, sizes::S1);
        // The rail would have the colour of the card.
        ui.visuals_mut().widgets.inactive.bg_fill = theme::palette(ui).line;
        ui.spacing_mut().slider_width = sizes::SLIDER;
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
        transform_ui(ui, &mut layer.transform);
        if let Some(sampling) = layer.transform.sampling_mut() {
            sampling_ui(ui, sampling);
        }
        if layer.is_random() {
            seed_ui(ui, &mut layer);
        }
    });
    if layer != step.layer {
        show.push(PipelineCommand::SetLayer(index, layer));
    }
}

fn transform_ui(ui: &mut Ui, transform: &mut Transform) {
    match transform {
        Transform::Flip(flip) => row_ui(ui, "mode", |ui| {
            combo_ui(ui, "mode", &mut flip.mode, FlipMode::ALL, FlipMode::name);
        }),
        Transform::Rotation(layer) => factor_ui(ui, "factor", &mut layer.factor, [-1.0, 1.0], 0.0),
        Transform::Zoom(layer) => {
            factor_ui(
                ui,
                "height_factor",
                &mut layer.height_factor,
                [-1.0, 1.0],
                0.0,
            );
            let mut own = layer.width_factor.is_some();
            if parts::check_ui(ui, words::OWN_WIDTH_FACTOR, &mut own).changed() {
                layer.width_factor = own.then_some(layer.height_factor);
            }
            if let Some(factor) = &mut layer.width_factor {
                factor_ui(ui, "width_factor", factor, [-1.0, 1.0], 0.0);
            }
        }
        Transform::Translation(layer) => {
            factor_ui(
                ui,
                "height_factor",
                &mut layer.height_factor,
                [-1.0, 1.0],
                0.0,
            );
            factor_ui(
                ui,
                "width_factor",
                &mut layer.width_factor,
                [-1.0, 1.0],
                0.0,
            );
        }
        Transform::Shear(layer) => {
            factor_ui(ui, "x_factor", &mut layer.x_factor, [-1.0, 1.0], 0.0);
            factor_ui(ui, "y_factor", &mut layer.y_factor, [-1.0, 1.0], 0.0);
        }
        Transform::Contrast(layer) => {
            factor_ui(ui, "factor", &mut layer.factor, [0.0, CONTRAST_SLIDER], 0.0);
            range_ui(ui, &mut layer.value_range);
        }
        Transform::Brightness(layer) => {
            factor_ui(ui, "factor", &mut layer.factor, [-1.0, 1.0], -1.0);
            range_ui(ui, &mut layer.value_range);
        }
        Transform::Crop(layer) => size_ui(ui, &mut layer.height, &mut layer.width),
        Transform::Resizing(layer) => {
            size_ui(ui, &mut layer.height, &mut layer.width);
            interpolation_ui(ui, &mut layer.interpolation);
            parts::check_ui(ui, "crop_to_aspect_ratio", &mut layer.crop_to_aspect_ratio);
        }
        Transform::Rescaling(layer) => {
            row_ui(ui, "scale", |ui| {
                number_ui(ui, "scale", &mut layer.scale, 0.001);
                for (name, scale) in [("1/255", 1.0 / 255.0), ("1/127.5", 1.0 / 127.5)] {
                    if ui.small_button(name).clicked() {
                        layer.scale = scale;
                    }
                }
            });
            row_ui(ui, "offset", |ui| {
                number_ui(ui, "offset", &mut layer.offset, 0.01);
            });
        }
    }
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
fn factor_ui(ui: &mut Ui, name: &str, factor: &mut Factor, [low, high]: [f64; 2], scalar_low: f64) {
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
                        *factor = Factor::Scalar(factor.high().abs().clamp(scalar_low, 1.0));
                    }
                    if ui.selectable_label(is_pair, words::LOW_AND_HIGH).clicked() && !is_pair {
                        *factor = Factor::Pair(low.max(factor.low()), factor.high());
                    }
                });
            name_of(&combo.response, &words::form_of(name));
        });
    });
    match factor {
        Factor::Scalar(f) => slider_ui(ui, name, "", f, [scalar_low, high.min(1.0)]),
        Factor::Pair(a, b) => {
            slider_ui(ui, name, words::LOW, a, [low, high.min(1.0)]);
            slider_ui(ui, name, words::HIGH, b, [low, high]);
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
    ui.name_inputs(name, |ui| ui.add(drag));
}

fn size_ui(ui: &mut Ui, height: &mut usize, width: &mut usize) {
    for (name, side) in [(words::HEIGHT, height), (words::WIDTH, width)] {
        row_ui(ui, name, |ui| {
            // 0 can be typed, and is refused with its limit.
            let drag = parts::whole(side)
                .range(0..=LARGEST_SIDE)
                .suffix(words::PIXELS_SUFFIX);
            ui.name_inputs(name, |ui| ui.add(drag));
        });
    }
}

fn range_ui(ui: &mut Ui, [low, high]: &mut [f64; 2]) {
    row_ui(ui, "value_range", |ui| {
        number_ui(ui, &words::end_of("value_range", words::LOW), low, 0.1);
        number_ui(ui, &words::end_of("value_range", words::HIGH), high, 0.1);
    });
}

fn sampling_ui(ui: &mut Ui, sampling: &mut Sampling) {
    row_ui(ui, "fill_mode", |ui| {
        combo_ui(
            ui,
            "fill_mode",
            &mut sampling.fill_mode,
            FillMode::ALL,
            FillMode::name,
        );
    });
    if sampling.fill_mode == FillMode::Constant {
        row_ui(ui, "fill_value", |ui| {
            let drag = DragValue::new(&mut sampling.fill_value).speed(1.0);
            ui.name_inputs("fill_value", |ui| ui.add(drag));
        });
    }
    interpolation_ui(ui, &mut sampling.interpolation);
}

fn interpolation_ui(ui: &mut Ui, interpolation: &mut Interpolation) {
    row_ui(ui, "interpolation", |ui| {
        combo_ui(
            ui,
            "interpolation",
            interpolation,
            Interpolation::ALL,
            Interpolation::name,
        );
    });
}

fn seed_ui(ui: &mut Ui, layer: &mut AugmentLayer) {
    row_ui(ui, "seed", |ui| {
        let mut own = layer.seed.is_some();
        if parts::check_ui(ui, words::OF_ITS_OWN, &mut own).changed() {
            layer.seed = own.then_some(0);
        }
        if let Some(seed) = &mut layer.seed {
            ui.name_inputs(words::LAYER_SEED, |ui| ui.add(parts::whole(seed)));
        }
    });
}

fn combo_ui<T: Copy + PartialEq, const N: usize>(
    ui: &mut Ui,
    name: &str,
    value: &mut T,
    all: [T; N],
    label: fn(T) -> &'static str,
) {
    let combo = ComboBox::from_id_salt(name)
        .selected_text(label(*value))
        .show_ui(ui, |ui| {
            for choice in all {
                ui.selectable_value(value, choice, label(choice));
            }
        });
    name_of(&combo.response, name);
}

/// The accessible name of a combo box: what it sets, and to what.
fn name_of(response: &egui::Response, name: &str) {
    let ctx = &response.ctx;
    ctx.accesskit_node_builder(response.id, |node| node.set_label(name));
}
