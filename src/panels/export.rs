//! The export dialog: what to export, how, and where.

use std::ops::RangeInclusive;

use eframe::egui::{
    Align, Button, DragValue, Id, Image, Layout, Modal, Popup, Rect, Role, ScrollArea, Sense, Ui,
    Vec2, WidgetInfo, vec2,
};

use crate::command::ExportCommand;
use crate::model::Mode;
use crate::state::{
    Background, Export, ExportChoice, FigureFormat, FigureTheme, LEGIBLE, Part, Preset,
};
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::parts::Tip as _;
use crate::views::{Show, parts};
use crate::words::common;
use crate::words::export as words;
use egui_svg::{Width, png};

/// Draws the dialog while it is open.
pub fn export_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let Some(choice) = show.state.export.choice else {
        return;
    };
    let window = ui.ctx().content_rect();
    // In a small window, or a large lecture, the choices scroll and the preview is smaller.
    let margins = 2.0 * (sizes::S4 + sizes::S2);
    let room = vec2(
        window.width() - margins - sizes::EXPORT_CHOICES - sizes::S2,
        window.height() - sizes::EXPORT_FRAME,
    );
    let response = Modal::new(Id::unique("export")).show(ui.ctx(), |ui| {
        let mut close = false;
        ui.horizontal(|ui| {
            ui.label(text::strong(words::TITLE));
            let layout = Layout::right_to_left(Align::Center);
            ui.with_layout(layout, |ui| close = ui.button(common::CLOSE).clicked());
        });
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(sizes::EXPORT_CHOICES);
                let choices = ScrollArea::vertical().id_salt("choices");
                let choices = choices.max_height(room.y).min_scrolled_height(room.y);
                choices.show(ui, |ui| choices_ui(ui, show, choice));
            });
            ui.vertical(|ui| {
                let below = sizes::CONTROL_HEIGHT + sizes::S3 + 2.0 * sizes::S2;
                let fits = vec2(room.x, room.y - below);
                preview_ui(ui, show, fits.min(sizes::PREVIEW.into()));
                ui.add_space(sizes::S3);
                buttons_ui(ui, show);
            });
        });
        close
    });
    // A menu or a text field takes Escape first.
    if response.inner || response.should_close() {
        show.push(ExportCommand::Show(false));
    }
}

fn choices_ui(ui: &mut Ui, show: &mut Show<'_>, choice: ExportChoice) {
    let mut new = choice;
    parts::title_ui(ui, words::WHAT);
    let sides = show.state.settings.view.page().sides(show.state);
    let [left, right] = sides.unwrap_or([words::LEFT_COLUMN, words::RIGHT_COLUMN]);
    let parts = [
        (Part::View, words::THE_VIEW),
        (Part::Side(Mode::Training), left),
        (Part::Side(Mode::Inference), right),
        (Part::Window, words::THE_WINDOW),
    ];
    for (part, label) in parts {
        let has_sides = sides.is_some() || !matches!(part, Part::Side(_));
        let enabled = has_sides && (part == Part::View || !choice.moves());
        ui.add_enabled_ui(enabled, |ui| {
            ui.radio_value(&mut new.part, part, label)
                .tip_if_disabled(if has_sides {
                    words::WHOLE_VIEW_MOVES
                } else {
                    words::NO_COLUMNS
                });
        });
    }
    if !choice.moves() {
        plots_ui(ui, &show.state.export.plots, &mut new.part);
    }
    ui.add_enabled_ui(new.part != Part::Window, |ui| {
        parts::check_ui(ui, words::WITH_CAPTION, &mut new.caption);
    });
    ui.add_space(sizes::S2);
    parts::title_ui(ui, words::FORMAT);
    format_ui(ui, &show.state.export, &mut new);
    ui.add_space(sizes::S2);
    parts::title_ui(ui, words::SIZE);
    page_ui(ui, &mut new);
    if new.page.is_none() {
        width_ui(ui, &mut new);
    }
    text_ui(ui, show.state.export.text, &mut new);
    ui.add_space(sizes::S2);
    parts::title_ui(ui, words::THEME);
    theme_ui(ui, &mut new);
    ui.add_space(sizes::S2);
    parts::title_ui(ui, words::BACKGROUND);
    background_ui(ui, &mut new);
    ui.add_enabled_ui(show.state.export.has_numbers, |ui| {
        parts::check_ui(ui, words::WITH_NUMBERS, &mut new.numbers);
    });
    if new != choice {
        show.push(ExportCommand::Choose(new));
    }
}

/// What the figure is written as. Choices that its format excludes are taken back.
fn format_ui(ui: &mut Ui, export: &Export, choice: &mut ExportChoice) {
    let before = *choice;
    let moves = export.moments > 0;
    ui.horizontal(|ui| {
        ui.radio_value(&mut choice.format, FigureFormat::Png, "PNG");
        ui.radio_value(&mut choice.format, FigureFormat::Svg, "SVG");
        if cfg!(not(target_family = "wasm")) {
            ui.radio_value(&mut choice.format, FigureFormat::Pdf, "PDF");
        }
    });
    ui.add_enabled_ui(moves, |ui| {
        ui.horizontal(|ui| {
            for (format, label) in [
                (FigureFormat::Gif, words::GIF),
                (FigureFormat::Apng, words::APNG),
            ] {
                ui.radio_value(&mut choice.format, format, label)
                    .tip_if_disabled(words::DOES_NOT_MOVE);
            }
        });
    });
    let palette = theme::palette(ui);
    if cfg!(target_family = "wasm") {
        parts::wrapped_ui(ui, text::note(words::PDF_BY_BROWSER, palette));
    }
    match choice.format {
        FigureFormat::Svg => {
            parts::check_ui(ui, words::OUTLINE, &mut choice.outline);
        }
        FigureFormat::Pdf => {
            ui.add_enabled_ui(moves, |ui| {
                parts::check_ui(ui, words::FRAME_PAGES, &mut choice.frame_pages);
            });
        }
        FigureFormat::Png | FigureFormat::Gif | FigureFormat::Apng => {}
    }
    // The box of the last view that moved.
    choice.frame_pages &= moves;
    if choice.moves() {
        parts::wrapped_ui(ui, text::note(words::frames(export.moments), palette));
        choice.part = Part::View;
    }
    if choice.moves() && !before.moves() && matches!(choice.width, Width::Scale(_)) {
        choice.width = Width::Scale(ExportChoice::SCALES[0]);
    }
    if choice.format != FigureFormat::Svg && choice.theme == FigureTheme::Auto {
        choice.theme = FigureTheme::Light;
    }
    if choice.format == FigureFormat::Gif && choice.background == Background::None {
        choice.background = Background::Theme;
    }
}

fn theme_ui(ui: &mut Ui, choice: &mut ExportChoice) {
    ui.horizontal(|ui| {
        ui.radio_value(&mut choice.theme, FigureTheme::Light, common::LIGHT);
        ui.radio_value(&mut choice.theme, FigureTheme::Dark, common::DARK);
        ui.add_enabled_ui(choice.format == FigureFormat::Svg, |ui| {
            ui.radio_value(&mut choice.theme, FigureTheme::Auto, words::AUTO)
                .tip(words::AUTO_TIP)
                .tip_if_disabled(words::AUTO_NEEDS_SVG);
        });
    });
    // White does not follow the scheme of the page.
    if choice.theme == FigureTheme::Auto && choice.background == Background::White {
        choice.background = Background::Theme;
    }
}

fn background_ui(ui: &mut Ui, choice: &mut ExportChoice) {
    let (is_auto, is_gif) = (
        choice.theme == FigureTheme::Auto,
        choice.format == FigureFormat::Gif,
    );
    ui.horizontal(|ui| {
        for background in Background::ALL {
            let (suits, why) = match background {
                Background::Theme => (true, ""),
                Background::White => (!is_auto, words::WHITE_IS_LIGHT),
                Background::None => (!is_gif, words::GIF_IS_OPAQUE),
            };
            ui.add_enabled_ui(suits, |ui| {
                ui.radio_value(&mut choice.background, background, background.label())
                    .tip_if_disabled(why);
            });
        }
    });
}

/// Save and copy, and the message of the last action.
fn buttons_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let is_drawn = show.state.export.drawn.is_some();
    ui.horizontal(|ui| {
        if ui
            .add_enabled(is_drawn, Button::new(common::SAVE))
            .clicked()
        {
            show.push(ExportCommand::Save);
        }
        let choice = show.state.export.choice;
        let can_copy = is_drawn
            && choice.is_none_or(|choice| match choice.format {
                FigureFormat::Png | FigureFormat::Svg => true,
                FigureFormat::Pdf | FigureFormat::Gif | FigureFormat::Apng => false,
            });
        if ui
            .add_enabled(can_copy, Button::new(common::COPY))
            .clicked()
        {
            show.push(ExportCommand::Copy);
        }
    });
    if let Some(animation) = &show.state.export.animation {
        let [done, all] = [animation.frames.len(), animation.moments.len()];
        let progress = words::drawing_frame((done + 1).min(all), all);
        parts::wrapped_ui(ui, text::note(progress, palette));
    } else if let Some(message) = &show.state.export.message {
        parts::wrapped_ui(ui, text::note(message, palette));
    }
}

/// The page that the figure is for.
fn page_ui(ui: &mut Ui, choice: &mut ExportChoice) {
    let name = |page: Option<Preset>| page.map_or(words::ANY_PAGE, Preset::label);
    let button = parts::drop_button_ui(ui, words::FOR, name(choice.page), false);
    Popup::menu(&button).show(|ui| {
        for page in std::iter::once(None).chain(Preset::ALL.map(Some)) {
            let entry = Entry {
                name: name(page),
                chosen: page == choice.page,
                ..Entry::default()
            };
            if menu::entry_ui(ui, entry).clicked() && page != choice.page {
                choice.page = page;
                choice.text = None;
                choice.background = match (page, choice.theme) {
                    (Some(_), FigureTheme::Light) => Background::White,
                    (Some(_), FigureTheme::Dark | FigureTheme::Auto) | (None, _) => {
                        Background::Theme
                    }
                };
            }
        }
    });
}

/// The least size of text on paper, and a word where it is small; `found` is what it came to.
fn text_ui(ui: &mut Ui, found: Option<f32>, choice: &mut ExportChoice) {
    let on_paper = choice.page.is_some() || matches!(choice.width, Width::Millimetres { .. });
    if !on_paper {
        return;
    }
    let given = choice.page.map_or(LEGIBLE, |page| page.paper().text);
    ui.horizontal(|ui| {
        let mut wanted = choice.text.is_some() || choice.page.is_some();
        ui.add_enabled_ui(choice.page.is_none(), |ui| {
            parts::check_ui(ui, words::TEXT_SIZE, &mut wanted);
        });
        if wanted {
            let mut points = choice.text.unwrap_or(f64::from(given));
            let before = points;
            number_ui(ui, words::POINTS, &mut points, TEXT_RANGE);
            ui.label(words::POINTS);
            if points != before || choice.page.is_none() {
                choice.text = Some(points);
            }
        } else {
            choice.text = None;
        }
    });
    if let Some(found) = found.filter(|found| *found < LEGIBLE - 0.05) {
        let warning = words::small_text(found);
        parts::wrapped_ui(ui, text::note(warning, theme::palette(ui)));
    }
}

/// The sizes of text on offer, in points of print.
const TEXT_RANGE: RangeInclusive<f64> = 5.0..=24.0;

/// How wide the figure is: pixels a point, pixels, or millimetres.
fn width_ui(ui: &mut Ui, choice: &mut ExportChoice) {
    let width = &mut choice.width;
    ui.horizontal(|ui| {
        for scale in ExportChoice::SCALES {
            ui.radio_value(width, Width::Scale(scale), format!("{scale}×"));
        }
    });
    ui.horizontal(|ui| {
        let is_chosen = matches!(width, Width::Pixels(_));
        if ui.radio(is_chosen, words::PIXELS).clicked() && !is_chosen {
            *width = Width::Pixels(ExportChoice::PIXELS);
        }
        if let Width::Pixels(pixels) = width {
            let range = f64::from(png::MIN_WIDTH)..=f64::from(png::MAX_SIDE);
            number_ui(ui, words::PIXELS, pixels, range);
        }
    });
    ui.horizontal(|ui| {
        let is_chosen = matches!(width, Width::Millimetres { .. });
        if ui.radio(is_chosen, words::MILLIMETRES).clicked() && !is_chosen {
            *width = Width::Millimetres {
                mm: ExportChoice::MILLIMETRES,
                dpi: png::DPI,
            };
        }
        if let Width::Millimetres { mm, dpi } = width {
            number_ui(ui, words::MILLIMETRES, mm, 1.0..=MOST);
            ui.label(words::DPI);
            number_ui(ui, words::DPI, dpi, 1.0..=MOST);
        }
    });
}

/// The most millimetres, and the most pixels per inch. Their product is checked when drawing.
const MOST: f64 = 9999.0;

fn number_ui(ui: &mut Ui, name: &str, value: &mut f64, range: RangeInclusive<f64>) {
    let field = DragValue::new(value).speed(1.0).fixed_decimals(0);
    ui.name_inputs(name, |ui| parts::field_ui(ui, field.range(range)));
}

/// One plot alone, from a list.
fn plots_ui(ui: &mut Ui, plots: &[&'static str], part: &mut Part) {
    let chosen = match part {
        Part::Plot(name) => Some(*name),
        Part::View | Part::Side(_) | Part::Window => None,
    };
    let Some(&first) = plots.first() else {
        return;
    };
    if ui.radio(chosen.is_some(), words::ONE_PLOT).clicked() && chosen.is_none() {
        *part = Part::Plot(first);
    }
    if let Some(chosen) = chosen {
        let button = parts::drop_button_ui(ui, words::PLOT, chosen, false);
        Popup::menu(&button).show(|ui| {
            for &name in plots {
                let entry = Entry {
                    name,
                    chosen: name == chosen,
                    ..Entry::default()
                };
                if menu::entry_ui(ui, entry).clicked() {
                    *part = Part::Plot(name);
                }
            }
        });
    }
}

/// The figure, as large as there is room.
fn preview_ui(ui: &mut Ui, show: &Show<'_>, size: Vec2) {
    let palette = theme::palette(ui);
    let (room, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words::PREVIEW));
    let export = &show.state.export;
    parts::inside_ui(ui, room, Layout::top_down(Align::Center), |ui| {
        if let Some(preview) = &export.preview {
            let size = preview.size_vec2();
            let scale = (room.width() / size.x).min(room.height() / size.y);
            let place = Rect::from_center_size(room.center(), size * scale);
            Image::new(preview).paint_at(ui, place);
            let line = eframe::egui::Stroke::new(sizes::LINE, palette.line);
            let kind = eframe::egui::StrokeKind::Outside;
            ui.painter().rect_stroke(place, 0.0, line, kind);
        } else if export.drawn.is_some() || export.message.is_none() {
            // If drawing failed, the reason is shown by the buttons.
            parts::empty_ui(ui, room, words::DRAWING);
        }
    });
}
