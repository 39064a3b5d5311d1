//! egui's style, made of the palette, the sizes and the fonts.

use eframe::egui;
use eframe::egui::style::{ScrollStyle, WidgetVisuals};
use eframe::egui::{Color32, CornerRadius, Margin, Stroke, Style, TextStyle, Vec2, Visuals, vec2};

use super::{Palette, sizes, text};

/// The style of one theme.
pub fn style(palette: &Palette) -> Style {
    let mut style = Style {
        visuals: visuals(palette),
        ..Default::default()
    };
    style.text_styles = [
        (TextStyle::Small, text::small()),
        (TextStyle::Body, text::body()),
        (TextStyle::Button, text::body()),
        (TextStyle::Monospace, text::code()),
        (TextStyle::Heading, text::semibold()),
    ]
    .into();
    style.drag_value_text_style = TextStyle::Body;
    // A fade is one more thing that moves; and an idle window must not draw.
    style.animation_time = 0.0;
    style.scroll_animation = egui::style::ScrollAnimation::none();

    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::splat(sizes::S2);
    spacing.button_padding = vec2(sizes::S3, sizes::S1);
    spacing.interact_size = vec2(sizes::CONTROL_HEIGHT, sizes::CONTROL_HEIGHT);
    spacing.icon_spacing = sizes::S2 - 2.0;
    spacing.menu_margin = Margin::same(sizes::S2 as i8);
    spacing.window_margin = Margin::same(sizes::S4 as i8);
    spacing.menu_width = sizes::MENU_WIDTH;
    spacing.tooltip_width = sizes::MENU_WIDTH;
    spacing.scroll = ScrollStyle {
        bar_width: sizes::S2,
        floating_width: sizes::S1,
        ..ScrollStyle::floating()
    };
    style.interaction.selectable_labels = false;
    style
}

fn visuals(palette: &Palette) -> Visuals {
    let mut visuals = if palette.dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    let radius = CornerRadius::same(sizes::CONTROL_RADIUS);
    let line = Stroke::new(sizes::LINE, palette.line);
    let control = |fill: Color32, stroke: Stroke| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: stroke,
        corner_radius: radius,
        fg_stroke: Stroke::new(sizes::LINE, palette.ink),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = control(palette.panel, line);
    visuals.widgets.inactive = control(palette.panel, line);
    let strong = Stroke::new(sizes::LINE, palette.strong_line);
    visuals.widgets.hovered = control(palette.hover, strong);
    visuals.widgets.active = control(
        palette.hover,
        Stroke::new(sizes::LINE, palette.inference.ink),
    );
    visuals.widgets.open = control(palette.hover, strong);
    visuals.selection.bg_fill = palette.inference.band;
    visuals.selection.stroke = Stroke::new(sizes::FOCUS_STROKE, palette.inference.ink);
    visuals.weak_text_color = Some(palette.muted);
    visuals.hyperlink_color = palette.inference.ink;
    visuals.faint_bg_color = palette.hover;
    visuals.extreme_bg_color = palette.panel;
    visuals.text_edit_bg_color = Some(palette.panel);
    visuals.code_bg_color = palette.background;
    visuals.warn_fg_color = palette.training.ink;
    visuals.error_fg_color = palette.error;
    visuals.window_corner_radius = CornerRadius::same(sizes::PANEL_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(sizes::PANEL_RADIUS);
    visuals.window_fill = palette.panel;
    visuals.window_stroke = line;
    visuals.window_shadow = palette.shadow();
    visuals.popup_shadow = palette.shadow();
    visuals.panel_fill = palette.background;
    visuals.text_cursor.stroke.color = palette.ink;
    // A blinking cursor would redraw an idle window for ever.
    visuals.text_cursor.blink = false;
    visuals.slider_trailing_fill = true;
    visuals
}
