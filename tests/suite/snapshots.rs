//! Snapshots of the figures of the views, compared exactly. `UPDATE_SNAPSHOTS=1 cargo test snapshots`
//! accepts what is drawn now; `docs/review-snapshots.sh` shows old and new side by side.

use std::path::PathBuf;

use eframe::egui::Context;
use egui_svg::Images;
use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::figure::{PageSize, What, draw};
use modelens::model::{Mode, Semantics};
use modelens::state::Part;
use modelens::state::View;

use crate::support::files::repository;
use crate::support::renderer::without_pictures;
use crate::support::window::in_context;

/// A state to draw.
struct Shot {
    name: String,
    view: View,
    part: Part,
    size: Option<[f32; 2]>,
    dark: bool,
    commands: Vec<Command>,
}

fn shot(name: &str, view: View, commands: Vec<Command>) -> Shot {
    Shot {
        name: name.to_owned(),
        view,
        part: Part::View,
        size: None,
        dark: false,
        commands,
    }
}

/// Each view in both themes, and further states.
fn shots() -> Vec<Shot> {
    use Action::{FreezeAll, UnfreezeAll};
    let rules = |semantics| Command::SetSemantics(Some(semantics));
    let mut shots = Vec::new();
    // Figures of runs are left out, as none has been started.
    for view in View::ALL.into_iter().filter(|view| !view.shows_runs()) {
        // A small page shows some of the many units of a dropout layer.
        let size = (view == View::Dropout).then_some([760.0, 560.0]);
        for (dark, suffix) in [(false, "light"), (true, "dark")] {
            shots.push(Shot {
                size,
                dark,
                ..shot(&format!("{}-{suffix}", view.id()), view, vec![])
            });
        }
    }
    shots.push(Shot {
        part: Part::Side(Mode::Training),
        ..shot("augmentation-training", View::Augmentation, vec![])
    });
    shots.push(shot(
        "batchnorm-frozen",
        View::BatchNorm,
        vec![FreezeAll.into()],
    ));
    shots.push(shot(
        "batchnorm-pytorch",
        View::BatchNorm,
        vec![FreezeAll.into(), rules(Semantics::PyTorch)],
    ));
    shots.push(shot(
        "batchnorm-norms",
        View::BatchNorm,
        vec![Command::CompareNorms(true)],
    ));
    shots.push(shot(
        "trainable-keras2",
        View::Trainable,
        vec![UnfreezeAll.into(), rules(Semantics::Keras2)],
    ));
    shots
}

const DEFAULTS: [Command; 3] = [
    Command::Do(Action::ResetFlags),
    Command::SetSemantics(None),
    Command::CompareNorms(false),
];

fn folder() -> PathBuf {
    repository("tests/snapshots")
}

#[test]
fn snapshots_of_every_view_are_as_committed() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let ctx = Context::default();
    let mut app = in_context(&ctx, AppOptions::default());
    let mut changed = Vec::new();
    for shot in shots() {
        let show = Action::Show(shot.view).into();
        for command in DEFAULTS.into_iter().chain(shot.commands).chain([show]) {
            app.command(&ctx, command);
        }
        app.settle(&ctx);
        let what = What {
            part: shot.part,
            size: shot.size.map_or(PageSize::Natural, PageSize::Exact),
            caption: true,
            dark: shot.dark,
            ..What::of(shot.view)
        };
        let drawn = draw(app.state(), &Images::without_window(&ctx), &what).expect(&shot.name);
        let svg = without_pictures(&drawn.svg);
        assert!(svg.len() < 100_000, "{} has {} bytes", shot.name, svg.len());
        let path = folder().join(&shot.name).with_extension("svg");
        if std::fs::read_to_string(&path).is_ok_and(|known| known == svg) {
            continue;
        }
        if update {
            std::fs::create_dir_all(folder()).expect("a folder");
            std::fs::write(&path, &svg).expect("a snapshot");
        } else {
            let now = std::env::temp_dir()
                .join(&shot.name)
                .with_extension("new.svg");
            std::fs::write(&now, &svg).expect("a snapshot");
            changed.push(format!("{}: now {}", shot.name, now.display()));
        }
    }
    let hint = "UPDATE_SNAPSHOTS=1 cargo test snapshots";
    assert!(
        changed.is_empty(),
        "changed; {hint} accepts:\n{}",
        changed.join("\n")
    );
}
