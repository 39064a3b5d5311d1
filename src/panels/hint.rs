//! The hint of the first start: three numbered callouts beside the three things to click.

use eframe::egui::{
    Align2, Area, Frame, Id, Margin, Order, Popup, Pos2, Rect, Stroke, StrokeKind, Ui, pos2,
};

use crate::command::ShellCommand;
use crate::theme::{self, sizes, text};
use crate::views::Show;
use crate::views::parts::{self, Target};
use crate::words::hint as words;

/// What the callout beside a target says.
fn words_of(target: Target) -> &'static str {
    match target {
        Target::Views => words::VIEWS,
        Target::Redraw => words::REDRAW,
        Target::Flags => words::FLAGS,
    }
}

/// The callouts, while the hint is shown.
pub fn hint_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let shell = &show.state.shell;
    // An open menu covers it.
    if !shell.hint
        || Popup::is_any_open(ui.ctx())
        || shell.lecture.is_some()
        || show.state.opened.base.is_none()
    {
        return;
    }
    for target in Target::ALL {
        let noted = ui.data(|d| d.get_temp::<(Rect, u64)>(target.id()));
        // A target of another view is not there to be pointed at.
        let now = ui.ctx().cumulative_pass_nr();
        let Some((rect, _)) = noted.filter(|(_, pass)| *pass == now) else {
            continue;
        };
        let window = ui.ctx().content_rect();
        let (pivot, at) = match target {
            Target::Views => (Align2::LEFT_TOP, rect.left_bottom()),
            Target::Redraw => (Align2::RIGHT_TOP, rect.right_bottom()),
            Target::Flags => (Align2::LEFT_TOP, pos2(rect.left(), rect.bottom())),
        };
        let at = window
            .shrink(sizes::S2)
            .clamp(at + eframe::egui::vec2(0.0, sizes::S2));
        ring(ui, rect);
        callout_ui(ui, show, target, pivot, at);
    }
}

fn ring(ui: &Ui, rect: Rect) {
    let palette = theme::palette(ui);
    let layer = eframe::egui::LayerId::new(Order::Foreground, Id::unique("hint rings"));
    let stroke = Stroke::new(sizes::CELL_RING, palette.ink);
    ui.ctx().layer_painter(layer).rect_stroke(
        rect.expand(sizes::S1),
        sizes::CONTROL_RADIUS,
        stroke,
        StrokeKind::Outside,
    );
}

fn callout_ui(ui: &Ui, show: &mut Show<'_>, target: Target, pivot: Align2, at: Pos2) {
    let palette = theme::palette(ui);
    Area::new(target.id().with("callout"))
        .order(Order::Foreground)
        .pivot(pivot)
        .fixed_pos(at)
        .show(ui.ctx(), |ui| {
            Frame::new()
                .fill(palette.panel)
                .stroke(Stroke::new(sizes::CELL_RING, palette.ink))
                .corner_radius(sizes::CONTROL_RADIUS)
                .inner_margin(Margin::same(sizes::S3 as i8))
                .show(ui, |ui| {
                    ui.set_width(sizes::HINT_WIDTH);
                    let job = text::prose(words_of(target), ui.available_width(), palette);
                    ui.label(job);
                    if target == Target::Flags {
                        ui.horizontal(|ui| {
                            if ui.button(words::GOT_IT).clicked() {
                                show.push(ShellCommand::Hint(false));
                            }
                            let more = words::LESSONS;
                            parts::line_ui(ui, text::note(more, palette));
                        });
                    }
                });
        });
}
