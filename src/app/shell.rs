//! Sheets and search, and the settings that are remembered between starts.

use std::path::Path;

use eframe::egui::Context;

use super::App;
use super::settings_file::Kept;
use crate::command::ShellCommand;
use crate::state::{Recent, Settings};
use crate::words::notices as words;

/// True for a file that the next start can open: what a page was given is gone by then.
pub(super) fn is_found_again(path: &Path) -> bool {
    !cfg!(target_family = "wasm") || modelens_jobs::is_address(path)
}

impl App {
    /// Carries out a command of the window itself.
    pub(super) fn apply_shell(&mut self, ctx: &Context, command: ShellCommand) {
        let shell = &mut self.state.shell;
        match command {
            ShellCommand::Search(search) => shell.search = search,
            ShellCommand::Sheet(sheet) => shell.sheet = sheet,
            ShellCommand::TypePath(text) => {
                if let Some(typed) = &mut shell.typed {
                    typed.text = text;
                    typed.refused = None;
                    typed.replaces = None;
                }
            }
            ShellCommand::TakePath => self.take_typed(ctx),
            ShellCommand::ForgetRecent => shell.recent = Recent::default(),
        }
    }

    /// Resets every setting to its default.
    pub(super) fn reset_settings(&mut self, ctx: &Context) {
        self.forget_runs();
        self.state.settings = Settings::default();
        self.leave_step(self.state.settings.view);
        self.state.grid.steps_changed();
        self.state.grid.expanded = None;
        let settings = &self.state.settings;
        ctx.set_theme(settings.theme);
        match &mut self.state.shell.lecture {
            Some(lecture) => lecture.zoom_before = 1.0,
            None => ctx.set_zoom_factor(1.0),
        }
    }

    /// Writes the remembered settings if they changed, but not in the middle of a gesture.
    pub(super) fn keep(&mut self, ctx: &Context) {
        if self.keeper.is_none() || ctx.input(|i| i.pointer.any_down()) {
            return;
        }
        let state = &self.state;
        // The settings of a lesson are not the user's.
        let settings = match &state.lesson {
            Some(open) => Settings {
                theme: state.settings.theme,
                ..(*open.before).clone()
            },
            None => state.settings.clone(),
        };
        let zoom = match &state.shell.lecture {
            Some(lecture) => lecture.zoom_before,
            None => ctx.zoom_factor(),
        };
        let mut kept = Kept {
            settings,
            zoom,
            recent: state.shell.recent.clone(),
            ..self.kept.clone()
        };
        // Nor are its files.
        if state.lesson.is_none() {
            let opened = &state.opened;
            if let Some(base) = &opened.base
                && base.source.path().is_none_or(is_found_again)
            {
                kept.model = Some(base.source.clone());
            }
            if let Some(gallery) = &opened.gallery
                && gallery.source.path().is_none_or(is_found_again)
            {
                kept.photos = Some(gallery.source.clone());
            }
        }
        self.kept = kept;
        if let Some(keeper) = &mut self.keeper
            && let Err(error) = keeper.keep(&self.kept)
        {
            let computed = &mut self.state.computed;
            computed.notify(words::SETTINGS_UNKEPT, error);
        }
    }
}
