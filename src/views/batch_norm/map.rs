//! One channel of one photo as a picture, on a scale that both sides share.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use eframe::egui;
use eframe::egui::{
    Align2, Color32, ColorImage, Id, Mesh, Rect, Role, Sense, Shape, TextureHandle, TextureOptions,
    Ui, WidgetInfo, pos2, vec2,
};

use super::Shown;
use super::words;
use crate::model::Mode;
use crate::theme::{self, Palette, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::plots;
use crate::words::number::measured;

/// A channel of the chosen photo's output, in row order.
pub struct Map {
    values: Vec<f32>,
    height: usize,
    width: usize,
}

impl Map {
    /// `None` for a layer without positions.
    pub fn of(shown: &Shown<'_>, mode: Mode) -> Option<Self> {
        let [_, height, width, channels] = shown.outcome.shape[..] else {
            return None;
        };
        let values = shown.side(mode).map.chunks_exact(channels);
        let values: Vec<f32> = values
            .filter_map(|at| at.get(shown.channel).copied())
            .collect();
        (values.len() == height * width && !values.is_empty()).then_some(Self {
            values,
            height,
            width,
        })
    }

    /// The colours' ends: the range of both sides.
    pub fn scale(maps: &[&Self]) -> [f32; 2] {
        let values = maps.iter().flat_map(|map| &map.values);
        let [low, high] = values
            .filter(|x| x.is_finite())
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| {
                [low.min(x), high.max(x)]
            });
        if low < high {
            [low, high]
        } else if low == high {
            [low - 0.5, high + 0.5]
        } else {
            [0.0, 1.0]
        }
    }
}

/// The colour of a value, `share` of the way from the low end to the high one.
fn color(palette: &Palette, share: f32) -> Color32 {
    palette
        .map_low
        .lerp_to_gamma(palette.map_high, share.clamp(0.0, 1.0))
}

/// Draws the map into a square at the right end of `room`, with its scale beside it; returns the
/// room that is left.
pub fn map_ui(ui: &mut Ui, room: Rect, map: &Map, scale: [f32; 2], mode: Mode, name: &str) -> Rect {
    let palette = theme::palette(ui);
    let aspect = map.width as f32 / map.height as f32;
    let largest = room.width() * sizes::MAP_SHARE - sizes::MAP_SCALE;
    let height = room.height().min(largest / aspect).floor();
    let size = vec2((height * aspect).floor(), height);
    let left = room.right() - sizes::MAP_SCALE - size.x;
    let rect = Rect::from_min_size(pos2(left, room.top()), size);
    let texture = texture(ui, map, scale, mode);
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture.id(), rect, uv, theme::UNTINTED);
    scale_ui(ui, rect, scale, palette);
    let response = ui.interact(rect, ui.scope_id().with(("map", mode)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if let Some(pointer) = response.hover_pos() {
        let at = (pointer - rect.min) / size;
        let place = |share: f32, n: usize| ((share * n as f32) as usize).min(n - 1);
        let [row, column] = [place(at.y, map.height), place(at.x, map.width)];
        let value = f64::from(map.values[row * map.width + column]);
        let [row, column] = [row + 1, column + 1];
        let words = words::at_position(name, row, column, &measured(value));
        response.tip_at_pointer(words);
    }
    room.with_max_x(left - sizes::S3)
}

/// A bar from the low colour to the high one, with their values.
fn scale_ui(ui: &Ui, map: Rect, [low, high]: [f32; 2], palette: &Palette) {
    let left = map.right() + sizes::S1;
    let bar = Rect::from_x_y_ranges(left..=left + sizes::S2, map.y_range());
    let mut mesh = Mesh::default();
    let [top, bottom] = [color(palette, 1.0), color(palette, 0.0)];
    for (at, color) in [
        (bar.left_top(), top),
        (bar.right_top(), top),
        (bar.right_bottom(), bottom),
        (bar.left_bottom(), bottom),
    ] {
        mesh.colored_vertex(at, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(0, 2, 3);
    ui.painter().add(Shape::mesh(mesh));
    let right = bar.right() + sizes::S1;
    let ends = [
        (bar.top(), Align2::LEFT_TOP, high),
        (bar.bottom(), Align2::LEFT_BOTTOM, low),
    ];
    for (y, align, value) in ends {
        let label = plots::short(f64::from(value), f64::from(high - low));
        ui.painter()
            .text(pos2(right, y), align, label, text::tiny(), palette.muted);
    }
}

/// The texture, recreated only if its values or colours have changed.
fn texture(ui: &Ui, map: &Map, [low, high]: [f32; 2], mode: Mode) -> TextureHandle {
    let palette = theme::palette(ui);
    let mut hasher = DefaultHasher::new();
    let bits = map.values.iter().chain([&low, &high]);
    bits.for_each(|x| x.to_bits().hash(&mut hasher));
    (map.width, palette.dark).hash(&mut hasher);
    let key = hasher.finish();
    let id: Id = ui.scope_id().with(("map texture", mode));
    let kept = ui.data(|data| data.get_temp::<(u64, TextureHandle)>(id));
    if let Some((known, texture)) = kept
        && known == key
    {
        return texture;
    }
    let pixels = map.values.iter().map(|&x| {
        if x.is_finite() {
            color(palette, (x - low) / (high - low))
        } else {
            palette.error
        }
    });
    let image = ColorImage::new([map.width, map.height], pixels.collect());
    let options = TextureOptions {
        magnification: egui::TextureFilter::Nearest,
        ..TextureOptions::LINEAR
    };
    let texture = ui.ctx().load_texture("map", image, options);
    ui.data_mut(|data| data.insert_temp(id, (key, texture.clone())));
    texture
}
