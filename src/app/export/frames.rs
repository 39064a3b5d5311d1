//! The frames of an animation that the export dialog saves: one drawn per frame of the window.

use std::sync::Arc;

use eframe::egui::Context;

use super::{App, sized, what};
use crate::app::play::small_image;
use crate::figure::{DrawError, PageSize, What, draw};
use crate::state::DrawnFrames;
use egui_svg::Images;
use modelens_jobs::{Figure, FigureFrame};

impl App {
    /// Begins to draw the frames; the file is asked for after the last one.
    pub(super) fn begin_animation(&mut self, ctx: &Context) {
        self.state.export.animation = Some(DrawnFrames {
            moments: self.known_moments(None),
            frames: Vec::new(),
        });
        ctx.request_repaint();
    }

    /// Draws one more frame, or hands the finished animation on.
    pub(super) fn draw_next_frame(&mut self, ctx: &Context) {
        let Some(mut animation) = self.state.export.animation.take() else {
            return;
        };
        let Some(&moment) = animation.moments.get(animation.frames.len()) else {
            if let Some(still) = &self.state.export.drawn {
                let figure = Figure {
                    frames: animation.frames,
                    kind: still.kind,
                    numbers: still.numbers.clone(),
                };
                self.dialogs.save_figure(ctx, Arc::new(figure));
            }
            return;
        };
        let before = self.shown();
        self.show_moment(ctx, moment);
        let drawn = self.frame(ctx);
        self.show_again(before);
        match drawn {
            Ok(Some(svg)) => {
                animation.frames.push(FigureFrame {
                    svg,
                    milliseconds: moment.milliseconds,
                });
                self.state.export.animation = Some(animation);
                ctx.request_repaint();
            }
            // The window shows something else by now.
            Ok(None) => {}
            Err(error) => self.state.export.message = Some(error.to_string()),
        }
    }

    /// The present moment, as large as the last one, which has the most words; `None` if the dialog's figure is
    /// another one by now.
    fn frame(&self, ctx: &Context) -> Result<Option<String>, DrawError> {
        let export = &self.state.export;
        let (Some(from), Some(laid), Some(still)) = (&self.drawn_from, export.laid, &export.drawn)
        else {
            return Ok(None);
        };
        if from.settings != self.state.settings {
            return Ok(None);
        }
        let what = What {
            size: PageSize::Exact(laid.size),
            ..what(from)
        };
        let drawn = draw(&self.state, &self.pictures(ctx), &what)?;
        Ok(Some(sized(&drawn, still.kind, laid.width)))
    }

    /// The pictures of the window, and those that its frames have not reported yet: the photos of the shown batch.
    pub(super) fn pictures(&self, ctx: &Context) -> Images {
        let mut images = Images::of(ctx);
        let walk = &self.state.walk;
        if let Some((number, textures)) = &walk.textures {
            for (texture, photo) in textures.iter().zip(walk.photos(*number)) {
                images.insert(texture.id(), Arc::new(small_image(photo)));
            }
        }
        images
    }
}
