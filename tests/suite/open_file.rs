//! Model files that are replaced, truncated or deleted after they were opened.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::Context;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use modelens::app::{App, AppOptions};
use modelens::command::Command;
use modelens::formats::SaveError;
use modelens::model::layers::WeightMap;
use modelens::state::View;
use modelens::train::network::{Head, Network};
use modelens_jobs::{
    CacheOwner, CachedModel, ModelSource, Replace, SaveFailed, save_network as save,
};

use crate::support::files::{fixture, golden};
use crate::support::window;

/// A change to the file, and the cause that the window names when the file is opened again.
type Case = (fn(&Path), &'static str);

fn overwrite(path: &Path) {
    std::fs::write(path, "something else").expect("it can be written");
}

fn truncate(path: &Path) {
    let bytes = std::fs::read(path).expect("it can be read");
    std::fs::write(path, &bytes[..bytes.len() / 2]).expect("it can be written");
}

fn delete(path: &Path) {
    std::fs::remove_file(path).expect("it can be deleted");
}

#[test]
fn an_open_model_survives_changes_to_its_file() {
    let cases: [Case; 3] = [
        (overwrite, "not a model file"),
        (truncate, "cut off"),
        (delete, "cannot be read"),
    ];
    for (harm, cause) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("base.h5");
        std::fs::copy(golden().join("bnnet_keras3/model.h5"), &path).expect("a copy");
        let source = ModelSource::File(path.clone());
        let read_before = source.open().unwrap_or_else(|e| panic!("{e}"));
        let ctx = Context::default();
        let options = AppOptions {
            model: source.clone(),
            ..AppOptions::default()
        };
        let mut app = App::in_context(&ctx, options).expect("a thread");
        app.state_mut().settings.view = View::BatchNorm;
        app.settle(&ctx);
        let model = Arc::clone(&app.state().opened.base.as_ref().expect("a base").model);
        harm(&path);
        // The model still runs,
        app.command(&ctx, Command::SetSeed(99));
        app.settle(&ctx);
        let notices = &app.state().computed.notices;
        assert!(notices.is_empty(), "{:?}", notices[0].text);
        assert!(app.state().computed.result(View::BatchNorm).is_some());
        // opening the file again says why it fails and keeps the open model,
        app.command(&ctx, Command::OpenModel(source.clone()));
        app.settle(&ctx);
        let text = &app.state().computed.notices.first().expect("a notice").text;
        assert!(text.contains(cause) && text.ends_with("base.h5"), "{text}");
        let kept = &app.state().opened.base.as_ref().expect("a base").model;
        assert!(Arc::ptr_eq(kept, &model));
        // and saving says that it needs the original, and writes nothing.
        let network = Network::new(&read_before, Head::Own, &[], [32, 32]);
        let network = network.unwrap_or_else(|e| panic!("{e}"));
        let to = folder.path().join("tuned.h5");
        let failed = save(&source, &network, &WeightMap::default(), &to, Replace::No);
        let failed = failed.expect_err("the original is gone");
        assert!(
            matches!(failed, SaveFailed::Content(SaveError::Source(_))),
            "{failed}"
        );
        assert!(!to.exists());
    }
}

/// The menu of bases lists the cached models, and a click opens one.
#[test]
fn a_model_of_a_cache_opens_from_the_menu() {
    let mut window = window::open(AppOptions {
        model: ModelSource::File(fixture("alpaca_plain_open_keras3/model.h5")),
        ..AppOptions::default()
    });
    let path = fixture("bnnet_keras3/model.h5");
    let cached = |owner, name: &str| CachedModel {
        owner,
        name: name.to_owned(),
        path: path.clone(),
    };
    window.state_mut().state_mut().shell.cached = vec![
        cached(CacheOwner::Keras, "bnnet.h5"),
        cached(CacheOwner::HuggingFace, "timm/bnnet"),
    ];
    let base = |window: &window::Window| {
        let base = window.state().state().opened.base.as_ref();
        base.map(|base| base.source.clone())
    };
    for name in ["bnnet.h5", "timm/bnnet"] {
        let menus: Vec<_> = window.query_all_by_label_contains("Base ").collect();
        let menu = menus
            .iter()
            .find(|node| node.accesskit_node().role() == Role::Button);
        menu.expect("the menu of bases").click();
        window::settle(&mut window);
        window.get_by_label_contains(name).click();
        window::settle(&mut window);
        assert_eq!(
            base(&window),
            Some(ModelSource::File(path.clone())),
            "{name}"
        );
    }
}
