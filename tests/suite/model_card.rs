//! The model card, the choice of a network for weights alone, and the warning about the scale.

use modelens::app::AppOptions;
use modelens::command::{Action, Command};
use modelens::model::Preprocessing;
use modelens::state::View;
use modelens_jobs::ModelSource;

use crate::support::window::{click, command, open, shows};
use crate::weights_only::{files, unpacked};

#[test]
fn the_card_says_what_the_file_holds() {
    let mut window = open(AppOptions::default());
    command(&mut window, Action::ShowCard);
    for text in [
        "how surely",
        "with the layers of MobileNetV2",
        "2,263,108, of which 5,124 trainable",
        "9.1 MB of weights",
        "52 layers, epsilon 0.001, momentum 0.999",
        "4, from the base",
    ] {
        assert!(shows(&window, text), "{text}");
    }
    click(&mut window, "Close");
    assert!(!shows(&window, "how surely"));
}

#[test]
fn a_network_is_chosen_from_a_list_and_checked() {
    let (packed, _) = &files()[0];
    let (_folder, path) = unpacked(packed, "mine.h5");
    let mut window = open(AppOptions::default());
    let wrong = ModelSource::Weights {
        path: path.clone(),
        architecture: "VGG16".to_owned(),
    };
    command(&mut window, Command::OpenModel(wrong));
    assert!(shows(&window, "WHICH NETWORK"));
    assert!(shows(&window, "hey are not those of VGG16"));
    assert!(
        shows(&window, "2,263,108"),
        "the base from before is still open"
    );
    click(&mut window, "MobileNet");
    assert!(!shows(&window, "WHICH NETWORK"));
    let state = window.state().state();
    assert!(state.computed.notices.is_empty(), "the notice is dismissed");
    let base = state.opened.base.as_ref().expect("a base");
    assert_eq!(base.source.path(), Some(path.as_path()));
    let ModelSource::Weights { architecture, .. } = &base.source else {
        panic!("{:?}", base.source);
    };
    assert_eq!(architecture, "MobileNet");
}

#[test]
fn what_was_assumed_is_told_and_another_reading_is_one_click_away() {
    let path = crate::pytorch::file("stem3.safetensors");
    let mut window = open(AppOptions::default());
    command(
        &mut window,
        Command::OpenModel(ModelSource::File(path.clone())),
    );
    command(&mut window, Action::ShowCard);
    assert!(shows(&window, "doesn't say which of these it is"));
    click(&mut window, "resnet18:imagenet");
    let base = window.state().state().opened.base.as_ref();
    let base = base.expect("a base");
    let chosen = ModelSource::Weights {
        path,
        architecture: "resnet18:imagenet".to_owned(),
    };
    assert_eq!(base.source, chosen);
    let stem = |a: &modelens::model::Assumption| a.sentence.contains("3 x 3 kernel");
    assert!(!base.model.assumed.iter().any(stem), "the stem is told now");
}

#[test]
fn a_wrong_scale_is_reported_and_corrected_by_one_click() {
    let mut window = open(AppOptions::default());
    command(&mut window, Command::SetBatch(12));
    command(&mut window, Action::Show(View::BatchNorm));
    assert!(!shows(&window, "The scale looks wrong"));
    let wrong = Command::SetPreprocessing(Some(Preprocessing::ZeroToOne));
    command(&mut window, wrong);
    assert!(shows(&window, "The scale looks wrong"));
    click(&mut window, "Use 0 to 255");
    assert_eq!(window.state().state().settings.preprocessing, None);
    assert!(!shows(&window, "The scale looks wrong"));
}
