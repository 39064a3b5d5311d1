//! Carries out the commands of the augmentation view.

use eframe::egui::Context;

use super::App;
use crate::augment::Pipeline;
use crate::command::PipelineCommand;
use crate::views::augmentation::{self, cells, large_cell};

impl App {
    /// Changes the pipeline or its grid.
    pub(super) fn apply_pipeline(&mut self, ctx: &Context, command: PipelineCommand) {
        let grid = &mut self.state.grid;
        let steps = &mut self.state.settings.pipeline.steps;
        match command {
            PipelineCommand::SetPreset(preset) => self.set_pipeline(preset.pipeline()),
            PipelineCommand::UseOwn => {
                let own = self.state.own_pipeline().map(|own| own.pipeline.clone());
                if let Some(pipeline) = own {
                    self.set_pipeline(pipeline);
                }
            }
            PipelineCommand::ReadCode(code) => match Pipeline::from_code(&code) {
                Err(error) => grid.code_refused = Some(error.to_string()),
                Ok(pipeline) => {
                    grid.code_refused = None;
                    self.set_pipeline(pipeline);
                }
            },
            PipelineCommand::SetStep(step, on) => {
                if let Some(step) = steps.get_mut(step) {
                    step.on = on;
                }
            }
            PipelineCommand::SetLayer(index, layer) => match layer.validate() {
                Err(error) => grid.refused = Some((index, error.to_string())),
                Ok(()) => {
                    if let Some(step) = steps.get_mut(index) {
                        step.layer = layer;
                        grid.refused = None;
                    }
                }
            },
            PipelineCommand::Add(layer) => {
                let pipeline = &mut self.state.settings.pipeline;
                pipeline.add(layer);
                grid.expanded = pipeline.steps.len().checked_sub(1);
                grid.steps_changed();
            }
            PipelineCommand::Remove(index) => {
                if index < steps.len() {
                    steps.remove(index);
                    grid.expanded = grid
                        .expanded
                        .filter(|&open| open != index)
                        .map(|open| if open > index { open - 1 } else { open });
                    grid.steps_changed();
                }
            }
            PipelineCommand::Move { from, to } => {
                if from < steps.len() && to < steps.len() {
                    let step = steps.remove(from);
                    steps.insert(to, step);
                    grid.expanded = grid.expanded.map(|open| moved(open, from, to));
                    grid.steps_changed();
                }
            }
            PipelineCommand::Expand(step) => grid.expanded = step,
            PipelineCommand::Edit(editing) => {
                grid.editing = editing;
                grid.refused = None;
                if editing {
                    grid.open = None;
                }
            }
            PipelineCommand::SetGrid(choice) => {
                self.state.settings.grid = choice;
                grid.cell_redraws.clear();
                grid.open = None;
                grid.last_open = None;
            }
            PipelineCommand::Open(place) => {
                grid.show(place);
                // The keyboard focus follows: to the enlarged picture, and back to its cell.
                let focus = match (place, grid.last_open) {
                    (Some(_), _) => Some(large_cell::focus_id()),
                    (None, last) => last.map(cells::cell_id),
                };
                if let Some(id) = focus {
                    ctx.memory_mut(|memory| memory.request_focus(id));
                }
            }
            PipelineCommand::StepCell(step) => {
                let cells = self.cells();
                self.state.grid.step(step, cells);
            }
            PipelineCommand::RedrawCell(cell) => *grid.cell_redraws.entry(cell).or_default() += 1,
            PipelineCommand::SetDivider(at) => grid.divider = at.clamp(0.0, 1.0),
            PipelineCommand::ShowFill(show) => grid.show_fill = show,
        }
    }

    fn set_pipeline(&mut self, pipeline: Pipeline) {
        self.state.settings.pipeline = pipeline;
        self.state.grid.expanded = None;
        self.state.grid.steps_changed();
    }

    /// The number of cells per column of the shown grid.
    fn cells(&self) -> usize {
        augmentation::outcome(&self.state).map_or(0, |outcome| outcome.training.len())
    }
}

/// The new index of the step at `index` after one step moved from `from` to `to`.
fn moved(index: usize, from: usize, to: usize) -> usize {
    if index == from {
        to
    } else if from < index && index <= to {
        index - 1
    } else if to <= index && index < from {
        index + 1
    } else {
        index
    }
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn what_is_open_moves_with_its_step() {
        for (from, to) in [(0, 3), (3, 0), (1, 2), (2, 2)] {
            let mut order = vec![0, 1, 2, 3];
            let step = order.remove(from);
            order.insert(to, step);
            for (now, &before) in order.iter().enumerate() {
                assert_eq!(moved(before, from, to), now, "{before}: {from} to {to}");
            }
        }
    }
}
