//! What goes into the model: the photo, the batch, the seed, the preprocessing.

use eframe::egui;
use eframe::egui::{CornerRadius, Popup, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::command::{Action, Command};
use crate::model::Preprocessing;
use crate::state::{Gallery, MAX_BATCH, Thumbnail};
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::{Show, terms};
use crate::words::common;
use crate::words::input as words;
use crate::words::number;

/// The card.
pub fn input_card_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = sizes::S1;
    parts::title_ui(ui, words::TITLE);
    let size = vec2(ui.available_width(), sizes::INPUT_ROW * 5.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let picture = Rect::from_min_size(rect.min, vec2(sizes::THUMBNAIL_W, sizes::THUMBNAIL_H));
    picture_ui(ui, show, picture);
    let caption = Rect::from_min_max(picture.left_bottom(), pos2(picture.right(), rect.bottom()));
    let chosen = show.state.opened.gallery.as_ref().and_then(Gallery::chosen);
    let name = chosen.map_or("", |photo| photo.name.as_str());
    parts::row_ui(ui, caption, |ui| {
        parts::value_ui(ui, text::note(name, palette)).tip(name)
    });
    let mut cut = Cut(rect.with_min_x(picture.right() + sizes::S3));
    row_ui(ui, cut.top(sizes::INPUT_ROW), words::PHOTO, |ui| {
        photo_ui(ui, show);
    });
    row_ui(ui, cut.top(sizes::INPUT_ROW), common::CLASS, |ui| {
        let class = show
            .state
            .opened
            .gallery
            .as_ref()
            .and_then(class)
            .unwrap_or("–");
        parts::value_ui(ui, text::strong(class));
    });
    row_ui(ui, cut.top(sizes::INPUT_ROW), terms::BATCH, |ui| {
        batch_ui(ui, show);
    });
    row_ui(ui, cut.top(sizes::INPUT_ROW), terms::SEED, |ui| {
        seed_ui(ui, show);
    });
    row_ui(ui, cut.top(sizes::INPUT_ROW), terms::SCALE, |ui| {
        preprocessing_ui(ui, show);
    });
    let mut augment = show.state.settings.augment_batch;
    let tip = words::AUGMENT_TIP;
    let check = parts::check_ui(ui, words::AUGMENT, &mut augment);
    if check.tip(tip).changed() {
        show.push(Command::AugmentBatch(augment));
    }
    unknown_scale_ui(ui, show);
    suspicion_ui(ui, show);
}

/// Says that nothing tells the scale, with what each would predict.
fn unknown_scale_ui(ui: &mut Ui, show: &Show<'_>) {
    let state = show.state;
    if state.settings.preprocessing.is_some() {
        return;
    }
    let (Some(report), Some(base)) = (state.scale_report(), &state.opened.base) else {
        return;
    };
    let palette = theme::palette(ui);
    let line = RichText::new(words::SCALE_UNKNOWN).font(text::small());
    let mut why = vec![common::sentence_case(&report.sentence(&base.model))];
    why.extend(report.predictions(&base.model.labels));
    ui.label(line.color(palette.training.ink))
        .tip(why.join("\n"));
}

/// Suggests another scale if the current one looks wrong for the photos of the last look.
fn suspicion_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let looked = state.computed.result(state.settings.view);
    let suspicion = looked.and_then(|looked| looked.suspicion);
    let suspicion = suspicion.filter(|s| s.now == state.preprocessing());
    let (Some(suspicion), Some(base)) = (suspicion, &state.opened.base) else {
        return;
    };
    let why = common::sentence_case(&suspicion.sentence(&base.model.graph));
    let palette = theme::palette(ui);
    let own = state.automatic_preprocessing();
    ui.horizontal_wrapped(|ui| {
        let line = RichText::new(words::WRONG_SCALE).font(text::small());
        ui.label(line.color(palette.error)).tip(&why);
        if let Some(better) = suspicion.better {
            let button = egui::Button::new(
                RichText::new(words::use_scale(better.label())).font(text::small()),
            );
            if ui.add(button).tip(&why).clicked() {
                let choice = (better != own).then_some(better);
                show.push(Command::SetPreprocessing(choice));
            }
        }
    });
}

fn class(gallery: &Gallery) -> Option<&str> {
    let class = gallery.chosen()?.class;
    gallery.photos.classes.get(class).map(String::as_str)
}

/// A label in a column of its own, and what belongs to it.
fn row_ui(ui: &mut Ui, rect: Rect, label: &str, add: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    let (left, right) = rect.split_left_right_at_x(rect.left() + sizes::INPUT_LABEL);
    parts::row_ui(ui, left, |ui| {
        parts::label_ui(ui, text::muted(label, palette))
    });
    parts::row_ui(ui, right.with_min_x(right.left() + sizes::S1), |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        ui.spacing_mut().interact_size.y = sizes::INPUT_ROW - 2.0;
        ui.spacing_mut().button_padding = vec2(sizes::S1, 0.0);
        add(ui);
    });
}

fn picture_ui(ui: &mut Ui, show: &Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    ui.painter()
        .rect_filled(rect, sizes::IMAGE_RADIUS, palette.hover);
    let gallery = show.state.opened.gallery.as_ref();
    if let Some(why) = gallery.and_then(Gallery::chosen_unreadable) {
        unreadable_ui(ui, rect, &why);
        return;
    }
    let Some(thumbnail) = &show.state.computed.thumbnail else {
        return;
    };
    let uv = cover(thumbnail, rect);
    let shown = show
        .state
        .opened
        .gallery
        .as_ref()
        .is_some_and(|g| g.photo == thumbnail.photo);
    let opacity = if shown { 1.0 } else { sizes::STALE_OPACITY };
    let tint = theme::UNTINTED.gamma_multiply(opacity);
    let corners = CornerRadius::same(sizes::IMAGE_RADIUS);
    let shape = egui::epaint::RectShape::filled(rect, corners, tint);
    ui.painter()
        .add(shape.with_texture(thumbnail.texture.id(), uv));
    let response = ui.interact(rect, ui.scope_id().with("thumbnail"), Sense::hover());
    let name = thumbnail.name.as_str();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words::chosen_photo(name)));
    response.tip(name);
}

/// In the place of a picture that cannot be read; `why` names the photo and the reason.
fn unreadable_ui(ui: &mut Ui, rect: Rect, why: &str) {
    let palette = theme::palette(ui);
    let words = RichText::new(words::UNREADABLE).font(text::small());
    let room = rect.shrink(sizes::S1);
    let layout = egui::Layout::centered_and_justified(egui::Direction::TopDown);
    let response = parts::inside_ui(ui, room, layout, |ui| {
        parts::wrapped_ui(ui, words.color(palette.error))
    });
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, why));
    response.tip(why);
}

/// The middle of the picture, of the rectangle's aspect.
fn cover(thumbnail: &Thumbnail, rect: Rect) -> Rect {
    let size = thumbnail.texture.size_vec2().max(vec2(1.0, 1.0));
    let [own, wanted] = [size.x / size.y, rect.width() / rect.height()];
    let shown = if own > wanted {
        vec2(wanted / own, 1.0)
    } else {
        vec2(1.0, own / wanted)
    };
    Rect::from_center_size(pos2(0.5, 0.5), shown)
}

fn photo_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let gallery = show.state.opened.gallery.as_ref();
    let len = gallery.map_or(0, |g| g.photos.photos.len());
    for (action, left) in [(Action::PreviousPhoto, true), (Action::NextPhoto, false)] {
        let response = parts::chevron_ui(ui, action.info().label, left, len > 1);
        if parts::with_tooltip(response, action).clicked() {
            show.push(action);
        }
        if left {
            let value = match gallery {
                Some(gallery) if len > 0 => common::of(gallery.photo + 1, &number::thousands(len)),
                _ => "–".to_owned(),
            };
            parts::label_ui(ui, text::strong(value));
        }
    }
}

fn batch_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let mut batch = show.state.settings.batch;
    let drag = parts::whole(&mut batch).range(1..=MAX_BATCH);
    let response = ui.name_inputs(words::BATCH_SIZE, |ui| parts::field_ui(ui, drag));
    if response.tip(words::BATCH_TIP).changed() {
        show.push(Command::SetBatch(batch));
    }
    let photos = show.state.photos().map_or(0, |p| p.photos.len());
    let palette = theme::palette(ui);
    let note = if photos > 0 && photos < batch {
        words::only(photos)
    } else {
        words::PHOTOS.to_owned()
    };
    parts::line_ui(ui, text::note(note, palette));
}

fn seed_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let mut seed = show.state.settings.seed;
    let response = ui.name_inputs(words::SEED, |ui| {
        let enabled = !show.state.settings.seed_locked;
        ui.add_enabled_ui(enabled, |ui| parts::field_ui(ui, parts::whole(&mut seed)))
            .inner
    });
    if response.tip(words::SEED_TIP).changed() {
        show.push(Command::SetSeed(seed));
    }
    let mut locked = show.state.settings.seed_locked;
    let button = egui::Button::new(RichText::new(words::NEW_SEED).font(text::small()));
    let response = parts::with_tooltip(ui.add_enabled(!locked, button), Action::NewSeed);
    let label = Action::NewSeed.info().label;
    response.widget_info(|| WidgetInfo::labeled(Role::Button, !locked, label));
    if response.clicked() {
        show.push(Action::NewSeed);
    }
    let tip = words::LOCK_TIP;
    if parts::check_ui(ui, words::LOCK, &mut locked)
        .tip(tip)
        .changed()
    {
        show.push(Command::LockSeed(locked));
    }
}

fn preprocessing_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let chosen = show.state.settings.preprocessing;
    let by_file = show
        .state
        .opened
        .base
        .as_ref()
        .map(|b| b.model.preprocessing);
    let as_given = show.state.photos().is_some_and(|photos| photos.as_given);
    let label = match chosen {
        None if as_given => words::AS_GIVEN,
        _ => show.state.preprocessing().label(),
    };
    let button = parts::small_drop_button_ui(ui, label);
    let button = button.tip(words::SCALE_TIP);
    Popup::menu(&button).width(sizes::MENU_WIDTH).show(|ui| {
        let report = show.state.scale_report();
        let automatic = match (report, by_file) {
            _ if as_given => words::AS_GIVEN_TIP.to_owned(),
            (Some(report), _) => words::scale_by_evidence(report.best.label()),
            (None, Some(preprocessing)) => words::scale_by_file(preprocessing.label()),
            (None, None) => words::BY_FILE.to_owned(),
        };
        let labels = show.state.opened.base.as_ref().map(|b| &b.model.labels);
        let below = |how: Preprocessing| {
            let trial = report?.trials.iter().find(|trial| trial.how == how)?;
            Some(trial.words(labels?))
        };
        let entry = |name, chosen| Entry {
            name,
            chosen,
            ..Entry::default()
        };
        if menu::entry_ui(ui, entry(&automatic, chosen.is_none())).clicked() {
            show.push(Command::SetPreprocessing(None));
        }
        for preprocessing in Preprocessing::ALL {
            let below = below(preprocessing).unwrap_or_default();
            let entry = Entry {
                below: &below,
                ..entry(preprocessing.label(), chosen == Some(preprocessing))
            };
            if menu::entry_ui(ui, entry).clicked() {
                show.push(Command::SetPreprocessing(Some(preprocessing)));
            }
        }
    });
}
