//! What the list of layers and the table of layers share.

use eframe::egui::{
    Color32, FontId, Id, Pos2, Rect, Role as AccessRole, Sense, Ui, Vec2, WidgetInfo, pos2,
};

use crate::command::Command;
use crate::model::modules::is_module;
use crate::model::{Mode, Role};
use crate::state::{Base, ModuleRow};
use crate::theme::{self, sizes};
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::words::layers as words;
use crate::words::number;

/// The switch of a module's mode in PyTorch, as the mark of the mode; a click calls the other method. `has_modes`
/// is false for a module that computes the same in both, whose mark is small.
pub fn mode_switch_ui(
    ui: &Ui,
    show: &mut Show<'_>,
    base: &Base,
    module: ModuleRow,
    center: Pos2,
    id: Id,
) {
    sensing_mode_switch_ui(ui, show, base, module, center, (id, Sense::click()));
}

/// The same, which may be out of Tab's way.
pub fn sensing_mode_switch_ui(
    ui: &Ui,
    show: &mut Show<'_>,
    base: &Base,
    module: ModuleRow,
    center: Pos2,
    (id, sense): (Id, Sense),
) {
    let mode = base.module_mode(module, show.state.settings.call);
    let rect = Rect::from_center_size(center, Vec2::splat(sizes::MODE_SWITCH));
    let palette = theme::palette(ui);
    if let ModuleRow::Layer(id) = module {
        let layer = &base.model.graph.layers[id];
        if !is_module(&layer.class) {
            // A function has the mode of the module that calls it.
            if has_modes(layer.kind.role()) {
                super::mark(ui.painter(), center, sizes::LAMP, mode, palette);
            }
            return;
        }
    }
    let response = ui.interact(rect, id, sense);
    let name = base.module_name(module);
    let on = mode == Mode::Training;
    response.widget_info(|| {
        WidgetInfo::selected(
            AccessRole::CheckBox,
            ui.is_enabled(),
            on,
            words::training_mode(name),
        )
    });
    let has_modes = match module {
        ModuleRow::Layer(id) => has_modes(base.model.graph.layers[id].kind.role()),
        ModuleRow::Container(_) => true,
    };
    let diameter = if has_modes {
        sizes::LAMP
    } else {
        sizes::SMALL_LAMP
    };
    if response.hovered() {
        ui.painter()
            .circle_filled(center, rect.width() / 2.0, palette.line);
    }
    super::mark(ui.painter(), center, diameter, mode, palette);
    super::focus_ring(ui, &response, rect);
    if response.clicked() {
        let other = match mode {
            Mode::Training => Mode::Inference,
            Mode::Inference => Mode::Training,
        };
        show.push(Command::CallModule(base.module_reference(module), other));
    }
    response.tip(words::mode_tip(name, mode));
}

/// A name in one line; if there is no room, its middle is cut out.
pub fn name_ui(ui: &Ui, rect: Rect, name: &str, font: &FontId, color: Color32) {
    let layout = |text: String| ui.painter().layout_no_wrap(text, font.clone(), color);
    let mut galley = layout(name.to_owned());
    // Names of one block differ at the end, so the middle is what may go.
    let mut kept = name.chars().count();
    while galley.size().x > rect.width() && kept > 3 {
        kept -= 1;
        galley = layout(number::shortened(name, kept));
    }
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
}

/// True if a layer may behave differently in training and in inference.
pub fn has_modes(role: Role) -> bool {
    matches!(role, Role::BatchNorm | Role::Noise | Role::Augmentation)
}
