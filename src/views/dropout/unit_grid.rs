//! The units of a layer as a grid of small squares.

use eframe::egui;
use eframe::egui::{Mesh, Rect, Shape, Stroke, Ui, Vec2, pos2, vec2};

use crate::theme::{self, ModeColors, sizes};

/// How many columns and rows, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    pub pitch: f32,
}

impl Grid {
    /// The grid with the largest squares in which `units` fill the width of the room. If there are
    /// too many units, it shows as many of the smallest squares as fit.
    pub fn fit(units: usize, room: Vec2) -> Self {
        let units = units.max(1);
        let most_columns = ((room.x / sizes::UNIT_MIN) as usize).max(1);
        // In a large room the squares grow with it.
        let largest = sizes::UNIT_MAX.max(room.x / sizes::UNIT_COLUMNS);
        let fewest = ((room.x / largest) as usize).clamp(1, most_columns);
        let pitch = |columns: usize| room.x / columns as f32;
        let rows = |columns: usize| units.div_ceil(columns);
        let fits = |columns: &usize| rows(*columns) as f32 * pitch(*columns) <= room.y;
        let Some(first) = (fewest..=most_columns).find(fits) else {
            let pitch = pitch(most_columns);
            let rows = ((room.y / pitch) as usize).max(1);
            return Self {
                columns: most_columns,
                rows,
                pitch,
            };
        };
        // A few more columns, if that fills the last row.
        let more = first..=(first + first / 8).min(most_columns);
        let columns = more
            .into_iter()
            .find(|&columns| units.is_multiple_of(columns))
            .unwrap_or(first);
        Self {
            columns,
            rows: rows(columns),
            pitch: pitch(columns),
        }
    }

    /// How many units it shows.
    pub fn shown(&self, units: usize) -> usize {
        units.min(self.columns * self.rows)
    }

    fn cell(&self, index: usize, origin: egui::Pos2) -> Rect {
        let [row, column] = [index / self.columns, index % self.columns];
        // Whole pixels: squares of one size with crisp edges.
        let min = origin + vec2(column as f32 * self.pitch, row as f32 * self.pitch);
        let gap = if self.pitch > 3.0 * sizes::UNIT_GAP {
            sizes::UNIT_GAP
        } else {
            1.0
        };
        let side = (self.pitch - gap).floor().max(1.0);
        Rect::from_min_size(pos2(min.x.round(), min.y.round()), Vec2::splat(side))
    }

    fn at(&self, pointer: egui::Pos2, origin: egui::Pos2) -> Option<usize> {
        let offset = (pointer - origin) / self.pitch;
        let inside = offset.x >= 0.0 && offset.y >= 0.0 && (offset.x as usize) < self.columns;
        inside.then(|| offset.y as usize * self.columns + offset.x as usize)
    }
}

/// The value drawn in full colour: the 98th percentile of both sides, so that one outlier does not
/// make all others pale.
pub fn full_value(sides: [&[f32]; 2]) -> f32 {
    let mut values: Vec<f32> = sides
        .into_iter()
        .flatten()
        .map(|x| x.abs())
        .filter(|x| x.is_finite())
        .collect();
    if values.is_empty() {
        return 1.0;
    }
    let rank = (values.len() - 1) * 98 / 100;
    let (_, value, _) = values.select_nth_unstable_by(rank, f32::total_cmp);
    if *value > 0.0 { *value } else { 1.0 }
}

/// What the squares show.
pub struct Units<'a> {
    pub count: usize,
    pub value: &'a dyn Fn(usize) -> f32,
    pub is_dropped: &'a dyn Fn(usize) -> bool,
    /// How far dropped units have gone out, 0 to 1.
    pub gone: f32,
}

/// Draws one side; returns the unit under the pointer.
pub fn unit_grid_ui(
    ui: &Ui,
    room: Rect,
    grid: Grid,
    units: &Units<'_>,
    full: f32,
    colors: &ModeColors,
) -> Option<usize> {
    let palette = theme::palette(ui);
    let shown = grid.shown(units.count);
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(shown * 12);
    mesh.reserve_triangles(shown * 6);
    let arm = (grid.pitch - sizes::UNIT_GAP) * sizes::UNIT_CROSS_SHARE;
    let arm = arm.min(sizes::UNIT_CROSS_MOST);
    let stroke = Stroke::new(sizes::LINE, palette.muted);
    let mut marks = Vec::new();
    for index in 0..shown {
        let mut cell = grid.cell(index, room.min);
        let dropped = (units.is_dropped)(index);
        if dropped && units.gone > 0.5 {
            // Lines, not a letter: text can be selected and searched in a figure.
            for end in [vec2(arm, arm), vec2(arm, -arm)] {
                let points = [cell.center() - end, cell.center() + end];
                marks.push(Shape::line_segment(points, stroke));
            }
        }
        if dropped {
            let side = (cell.width() * (1.0 - units.gone)).round();
            cell = Rect::from_center_size(cell.center(), Vec2::splat(side));
        }
        if cell.width() > 0.0 {
            let strength = (units.value)(index).abs() / full;
            rounded(&mut mesh, cell, colors.unit(strength));
        }
    }
    ui.painter().add(Shape::mesh(mesh));
    ui.painter().extend(marks);
    let pointer = ui.ctx().pointer_hover_pos().filter(|p| room.contains(*p))?;
    grid.at(pointer, room.min).filter(|&index| index < shown)
}

/// A square without its four corner pixels, as three rectangles: crisp, and part of one mesh.
fn rounded(mesh: &mut Mesh, cell: Rect, color: egui::Color32) {
    if cell.width() < sizes::UNIT_MIN {
        mesh.add_colored_rect(cell, color);
        return;
    }
    let inner = cell.shrink2(vec2(1.0, 0.0));
    mesh.add_colored_rect(inner, color);
    let [top, bottom] = [cell.top() + 1.0, cell.bottom() - 1.0];
    let left = Rect::from_min_max(pos2(cell.left(), top), pos2(inner.left(), bottom));
    let right = Rect::from_min_max(pos2(inner.right(), top), pos2(cell.right(), bottom));
    mesh.add_colored_rect(left, color);
    mesh.add_colored_rect(right, color);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_fill_the_width_where_there_is_room() {
        let room = vec2(500.0, 400.0);
        let grid = Grid::fit(1280, room);
        assert_eq!([grid.columns, grid.rows], [40, 32]);
        assert!((grid.pitch * grid.columns as f32 - room.x).abs() < 0.01);
        assert!(grid.pitch * grid.rows as f32 <= room.y);
    }

    #[test]
    fn too_many_units_are_shown_in_part() {
        let grid = Grid::fit(32_000, vec2(500.0, 400.0));
        let shown = grid.shown(32_000);
        assert!(shown > 3000 && shown < 32_000, "{shown}");
        assert!(grid.pitch * grid.rows as f32 <= 400.0);
    }

    #[test]
    fn few_units_stay_small() {
        let grid = Grid::fit(3, vec2(500.0, 400.0));
        assert!(grid.pitch <= sizes::UNIT_MAX * 1.1);
    }

    #[test]
    fn one_outlier_does_not_set_the_scale() {
        let mut values = vec![1.0_f32; 100];
        values[0] = 1000.0;
        assert_eq!(full_value([&values, &[]]), 1.0);
        assert_eq!(full_value([&[], &[]]), 1.0);
    }
}
