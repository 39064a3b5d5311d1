//! `modelens figure`: draws a view as SVG, PNG or PDF, or its animation, without a window.

mod animation;
mod captions;
mod lesson;
mod options;
mod output;
mod sidecar;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::outputs::Outputs;
use super::{Failure, photos_source, terminal, trainable};
use crate::app::{App, AppOptions};
use crate::command::{Action, Command};
use crate::figure::{DrawError, Drawn, LEGIBLE, POINTS_PER_MM, draw, on_paper, with_both_themes};
use crate::lesson::{LessonStep, Recorded};
use crate::model::LayerId;
use crate::model::graph::LayerNameError;
use crate::state::{State, View};
use crate::theme::text::BODY;
use crate::views::missing;
use egui_svg::{Images, Width, smallest_text};
use modelens_jobs::{ModelSource, PhotosSource};

pub(super) use lesson::opened as opened_lesson;
pub use options::FigureArgs;
use options::{Format, LookOptions, is_stdout};
use output::{LaidOut, write_files};

/// The model, and which view goes into which file.
type Jobs<'a> = (Option<&'a Path>, Vec<(View, PathBuf)>);

/// A file that will be written, with its bytes.
type Written = (PathBuf, Vec<u8>);

impl FigureArgs {
    /// Draws and writes the figures. If one of them cannot be drawn, nothing is written.
    ///
    /// # Errors
    /// Unusable arguments, and files that cannot be read or written.
    pub fn run(&self) -> Result<(), Failure> {
        let look = self.look()?;
        let files = match &self.from {
            Some(lesson) => self.of_lesson(lesson, &look)?,
            None => self.of_views(&look)?,
        };
        if self.from.is_some() || self.all.is_some() {
            let folder = files.first().and_then(|(path, _)| path.parent());
            if let Some(folder) = folder {
                if folder.exists() && !folder.is_dir() {
                    let path = folder.display();
                    return Err(Failure::File(format!("it is a file, not a folder: {path}")));
                }
                std::fs::create_dir_all(folder)
                    .map_err(|e| Failure::File(format!("{e}: {}", folder.display())))?;
            }
        }
        write_files(&files)?;
        if self.all.is_some() {
            terminal::note(
                "the view finetune is left out: it trains first, so it is drawn if you name it",
            );
        }
        let boxes = look.boxes.borrow();
        if !boxes.is_empty() {
            terminal::warn(format!(
                "boxes replace characters that the fonts lack ({}); an SVG without --outline-text \
                 keeps them as text",
                first_few(&boxes)
            ));
        }
        Ok(())
    }

    /// The figure of one view, or of every view.
    fn of_views(&self, look: &LookOptions) -> Result<Vec<Written>, Failure> {
        let (model, jobs) = self.jobs()?;
        if jobs.iter().any(|(view, _)| view.shows_runs()) {
            self.suits_runs()?;
        } else if self.sets_runs() {
            let why =
                "--preset, --eval-calls, --epochs, --rate and --seeds are for the view finetune";
            return Err(Failure::Usage(why.to_owned()));
        }
        if self.no_random
            && let Some((view, _)) = jobs.iter().find(|(view, _)| *view != View::BatchNorm)
        {
            let view = view.id();
            return Err(Failure::Usage(format!(
                "--no-random is for the view batchnorm: the view {view} shows what the random layers do"
            )));
        }
        if self.channel.is_some() && !jobs.iter().any(|(view, _)| *view == View::BatchNorm) {
            let why = "--channel is for the view batchnorm";
            return Err(Failure::Usage(why.to_owned()));
        }
        if self.compare_norms && !jobs.iter().any(|(view, _)| *view == View::BatchNorm) {
            let why = "--compare-norms is for the view batchnorm";
            return Err(Failure::Usage(why.to_owned()));
        }
        let source = self.reading.source(model);
        let photos = photos_source(self.input.as_deref());
        let outs: Vec<&Path> = jobs.iter().map(|(_, out)| out.as_path()).collect();
        let outputs = self.outputs(&source, &photos, &outs)?;
        if self.all.is_none() {
            outputs.check()?;
        } else {
            // The folder is made when the figures are complete.
            outputs.check_clashes()?;
        }
        let ctx = Context::default();
        let mut app = self.open(&ctx, model)?;
        let mut files = Vec::new();
        for (view, out) in jobs {
            // Of all views, those that the network has.
            if self.all.is_some()
                && let Some(why) = lacks(app.state(), view)
            {
                terminal::warn(format!("the view {} is left out: {why}", view.id()));
                continue;
            }
            self.choose(&mut app, &ctx, view)?;
            if view.shows_runs() {
                self.train(&mut app, &ctx);
            }
            self.settle(&mut app, &ctx)?;
            if let Some(why) = app.state().training.failure.clone() {
                return Err(Failure::File(why));
            }
            files.extend(if self.animate {
                self.animated(&mut app, &ctx, view, look, &out)?
            } else {
                self.drawn(app.state(), &ctx, view, look, None, &out)?
            });
        }
        Ok(files)
    }

    /// The files that are read and those that will be written.
    fn outputs(
        &self,
        model: &ModelSource,
        photos: &PhotosSource,
        figures: &[&Path],
    ) -> Result<Outputs, Failure> {
        let mut outputs = Outputs::new(self.make_folders);
        outputs.reads_model(model);
        outputs.reads_photos(photos);
        let endings: &[&str] = if self.animate {
            &Format::MOVING
        } else {
            &Format::STILL
        };
        for out in figures.iter().filter(|out| !is_stdout(out)) {
            outputs.writes("--out", out, endings)?;
            if self.sidecar {
                outputs.writes("--sidecar", &output::sidecar_of(out), &[])?;
            }
            if self.csv {
                outputs.writes("--csv", &out.with_extension("csv"), &[])?;
            }
            for format in &self.caption_file {
                let path = out.with_extension(format.extension());
                outputs.writes("--caption-file", &path, &[])?;
            }
        }
        Ok(outputs)
    }

    /// The files of the current figure of a view.
    fn drawn(
        &self,
        state: &State,
        ctx: &Context,
        view: View,
        look: &LookOptions,
        step: Option<&LessonStep>,
        out: &Path,
    ) -> Result<Vec<Written>, Failure> {
        for warning in state.scale_warnings(view) {
            // Once for all views.
            if look.warned.borrow_mut().insert(warning.clone()) {
                terminal::warn(format!("{warning}; set it with --preprocess"));
            }
        }
        let laid_out = self.laid_out(state, ctx, view, look)?;
        self.files(state, view, &laid_out, look, step, out)
    }

    /// A figure and its width. Says what is hard to read or left out.
    fn laid_out(
        &self,
        state: &State,
        ctx: &Context,
        view: View,
        look: &LookOptions,
    ) -> Result<LaidOut, Failure> {
        let what = look.what_of(view);
        let images = Images::without_window(ctx);
        let (mut drawn, width) = if let Some(paper) = &look.paper {
            let found = on_paper(state, &images, &what, paper).map_err(|e| unusable(&e))?;
            let mm = f64::from(found.width / POINTS_PER_MM);
            let dpi = look.width.dpi().unwrap_or(egui_svg::png::DPI);
            (found.drawn, Width::Millimetres { mm, dpi })
        } else {
            let drawn = draw(state, &images, &what).map_err(|e| unusable(&e))?;
            (drawn, look.width)
        };
        self.warn_of_small_text(view, &drawn, width, look)?;
        if !drawn.left_out.is_empty() {
            let left_out = drawn.left_out.join("; ");
            terminal::note(format!(
                "the view {} has no room here for {left_out}",
                view.id()
            ));
        }
        if look.both_themes {
            drawn = with_both_themes(state, &images, &what, drawn).map_err(|e| unusable(&e))?;
        }
        Ok(LaidOut { drawn, width })
    }

    /// The size of the smallest text on paper, in points of print; `None` for a screen.
    fn text_on_paper(&self, drawn: &Drawn, width: Width) -> Result<Option<f32>, Failure> {
        let points = match width {
            Width::Millimetres { mm, .. } => mm as f32 * POINTS_PER_MM,
            Width::Scale(scale) if self.written_format()? == Format::Pdf => {
                drawn.size[0] * scale as f32 * egui_svg::pdf::PER_PIXEL
            }
            Width::Scale(_) | Width::Pixels(_) => return Ok(None),
        };
        Ok(Some(
            smallest_text(&drawn.svg, BODY) * points / drawn.size[0],
        ))
    }

    fn warn_of_small_text(
        &self,
        view: View,
        drawn: &Drawn,
        width: Width,
        look: &LookOptions,
    ) -> Result<(), Failure> {
        let text = self.text_on_paper(drawn, width)?;
        // A rounding of the size is no fault.
        if let Some(text) = text.filter(|text| *text < LEGIBLE - 0.05) {
            let remedy = if look.paper.is_some() {
                "the view needs a larger page"
            } else {
                "--text-size 7pt lays the figure out with larger text"
            };
            terminal::warn(format!(
                "the smallest text of the view {} is {text:.1} pt high; {remedy}",
                view.id()
            ));
        }
        Ok(())
    }

    /// The model, and which view goes into which file.
    fn jobs(&self) -> Result<Jobs<'_>, Failure> {
        let usage = |why: &str| Err(Failure::Usage(why.to_owned()));
        if let Some(folder) = &self.all {
            if self.model.is_some() {
                return usage("--all draws every view: leave out VIEW");
            }
            if self.out.is_some() {
                return usage("--all names its files itself: leave out --out");
            }
            let extension = self.format.unwrap_or(Format::Svg).extension();
            // Training takes long, so finetune is drawn only if it is named.
            let looks = View::ALL.into_iter().filter(|view| !view.shows_runs());
            let jobs = looks.map(|view| (view, folder.join(view.id()).with_extension(extension)));
            return Ok((self.view.as_deref().map(Path::new), jobs.collect()));
        }
        let names = View::ALL.map(View::id).join(", ");
        let Some(name) = &self.view else {
            return usage(&format!(
                "name a view ({names}), --all DIR, or --from LESSON"
            ));
        };
        let Some(view) = View::from_id(name) else {
            return usage(&format!("there is no view `{name}`; expected {names}"));
        };
        let Some(out) = &self.out else {
            return usage("--out is missing: the file of the figure");
        };
        Ok((self.model.as_deref(), vec![(view, out.clone())]))
    }

    /// Opens the model and the photos, and sets the options that all views share.
    fn open(&self, ctx: &Context, model: Option<&Path>) -> Result<App, Failure> {
        let mut app = App::in_context(
            ctx,
            AppOptions {
                model: self.reading.source(model),
                photos: photos_source(self.input.as_deref()),
                ..AppOptions::default()
            },
        )
        .map_err(|error| Failure::File(format!("no thread can be started: {error}")))?;
        let settings = &mut app.state_mut().settings;
        settings.seed = self.seed;
        settings.random = !self.no_random;
        settings.compare_norms = self.compare_norms;
        if let Some(batch) = self.batch {
            settings.batch = batch;
        }
        self.settle(&mut app, ctx)?;
        if let Some(base) = &app.state().opened.base {
            terminal::introduce(&base.model);
        }
        if let Some(photos) = app.state().photos() {
            terminal::introduce_photos(photos);
        }
        if let scale @ Some(_) = self.reading.preprocess.0 {
            app.command(ctx, Command::SetPreprocessing(scale));
        }
        if let Some(spec) = &self.augment {
            let settings = &mut app.state_mut().settings;
            settings.pipeline = super::augment::pipeline(spec)?;
            settings.augment_batch = !self.no_random;
        }
        if let Some(name) = &self.photo {
            let photo = app.state().photos().map(|set| set.find(name));
            if let Some(photo) = photo {
                let photo = photo.map_err(|why| Failure::Usage(format!("--photo: {why}")))?;
                app.command(ctx, Command::SetPhoto(photo));
            }
        }
        let state = app.state_mut();
        let of_file = state.semantics();
        let semantics = self.semantics.0.unwrap_or(of_file);
        state.settings.semantics = Some(semantics);
        if let Some(base) = &mut state.opened.base {
            let mut flags = trainable::flags(&base.model, &self.trainable, semantics)?;
            trainable::record(self.recorded.0, &base.model, &mut flags);
            flags.set_rebuilt(self.rebuilt);
            flags.modules = trainable::modules(&base.model, &self.modules, semantics)?;
            base.flags = flags;
            base.compiled = base.flags.clone();
        }
        Ok(app)
    }

    /// Shows a view, its layer and its channel.
    fn choose(&self, app: &mut App, ctx: &Context, view: View) -> Result<(), Failure> {
        let base = app.state().opened.base.as_ref();
        let role = |id: LayerId| {
            base.and_then(|b| b.model.graph.layers.get(id))
                .map(|l| l.kind.role())
        };
        let takes = view.page().role();
        let mut commands = vec![Action::Show(view).into()];
        if let Some(name) = &self.layer {
            let found = match base {
                Some(base) => base.model.graph.find(name),
                None => Err(LayerNameError::Unknown(name.clone())),
            };
            let layer = found.map_err(|error| Failure::Usage(format!("--layer: {error}")))?;
            if role(layer) == takes {
                commands.push(Command::ShowLayer(layer));
            } else if self.all.is_none() {
                let view = view.id();
                return Err(Failure::Usage(format!(
                    "--layer: `{name}` is not a layer of the view {view}"
                )));
            }
        }
        let layer = base.and_then(|b| view.page().layer(b));
        if takes.is_some() && layer.is_none() && self.all.is_none() {
            let what = view.id();
            return Err(Failure::Usage(format!(
                "the model has no layer for the view {what}"
            )));
        }
        for command in commands {
            app.command(ctx, command);
        }
        if let (Some(channel), View::BatchNorm) = (self.channel, view) {
            self.settle(app, ctx)?;
            let channels = app
                .state()
                .computed
                .result(view)
                .map_or(0, |r| r.channels());
            if channel > channels {
                return Err(Failure::Usage(format!(
                    "--channel: the layer has {channels} channels"
                )));
            }
            app.command(ctx, Command::SetChannel(channel - 1));
        }
        Ok(())
    }

    /// Starts the runs of the view finetune.
    fn train(&self, app: &mut App, ctx: &Context) {
        let train = &mut app.state_mut().settings.train;
        train.preset = self.preset.map_or(train.preset, |preset| preset.0);
        train.evals = self.eval_calls.map_or(train.evals, |evals| evals.0);
        train.epochs = self.epochs.unwrap_or(train.epochs);
        train.rate = self.rate.unwrap_or(train.rate);
        train.batch = self.batch.unwrap_or(train.batch);
        train.seeds = self.seeds.unwrap_or(train.seeds);
        app.command(ctx, Action::StartRuns.into());
    }

    /// True if an option of the view finetune is given.
    fn sets_runs(&self) -> bool {
        self.preset.is_some()
            || self.eval_calls.is_some()
            || self.epochs.is_some()
            || self.rate.is_some()
            || self.seeds.is_some()
    }

    /// Refuses the options that the runs of finetune set themselves.
    fn suits_runs(&self) -> Result<(), Failure> {
        let usage = |why: &str| Err(Failure::Usage(why.to_owned()));
        if self.trainable != "file" || self.recorded.0 != Recorded::File || !self.modules.is_empty()
        {
            return usage(
                "finetune: each run sets --trainable, --recorded and --modules itself: leave them out",
            );
        }
        if self.side != options::Side::Both {
            return usage("finetune: the view has no columns: leave out --side");
        }
        Ok(())
    }

    /// Waits for the numbers.
    ///
    /// # Errors
    /// Something could not be opened or computed.
    fn settle(&self, app: &mut App, ctx: &Context) -> Result<(), Failure> {
        app.settle(ctx);
        let state = app.state();
        let gallery = state.opened.gallery.as_ref();
        let reason = gallery.and_then(crate::state::Gallery::chosen_unreadable);
        let notice = state.computed.notices.first().map(|n| n.text.clone());
        let Some(why) = notice.or(reason) else {
            return Ok(());
        };
        // A path comes last; the message of a computation has none.
        let named = [self.model.as_deref(), self.input.as_deref()];
        let has_path = named
            .into_iter()
            .flatten()
            .any(|p| why.contains(&*p.to_string_lossy()));
        Err(Failure::File(match &self.input {
            Some(input) if !has_path => format!("{why}: {}", input.display()),
            _ => why,
        }))
    }
}

/// Why a view would show nothing of this network; `None` if it shows something.
fn lacks(state: &State, view: View) -> Option<String> {
    let base = state.opened.base.as_ref();
    let has_layer = base.is_some_and(|base| view.page().layer(base).is_some());
    if view.page().role().is_some() && !has_layer {
        return Some("the network has no layer for it".to_owned());
    }
    missing(state, view)
}

fn unusable(error: &DrawError) -> Failure {
    Failure::Usage(error.to_string())
}

/// A few of the characters, for a sentence: `猫, 犬 and 3 more`.
fn first_few(characters: &BTreeSet<char>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = characters.iter().take(SHOWN).map(char::to_string).collect();
    match characters.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_a_few() {
        let of = |characters: &str| first_few(&characters.chars().collect());
        assert_eq!(of("ab"), "a, b");
        assert_eq!(of("abcdefg"), "a, b, c, d, e and 2 more");
    }
}
