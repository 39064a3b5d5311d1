//! The list of steps: adding, moving and removing them, lists of layers inside of a layer, and refused values.

use egui_kittest::kittest::Queryable as _;
use modelens::augment::{
    AugmentLayer, Factor, PipelinePreset, RandomCrop, RandomRotation, Transform,
};
use modelens::command::PipelineCommand;

use crate::augmentation::{classes, outcome, pipeline};
use crate::support::window::{Window, click, command, command_shown, open, settle, shows, small};

#[test]
fn layers_in_a_list_are_added_moved_and_removed() {
    let mut window = open(small());
    let code =
        "v2.RandomChoice([v2.RandomHorizontalFlip(), v2.RandomGrayscale(p=1)], p=[0.3, 0.7])";
    command(&mut window, PipelineCommand::ReadCode(code.to_owned()));
    command(&mut window, PipelineCommand::Edit(true));
    command(&mut window, PipelineCommand::Expand(Some(0)));
    let shown = |window: &Window| pipeline(window).steps[0].layer.code();
    click(&mut window, "Add a layer to v2.RandomChoice");
    assert!(
        !shows(&window, "KERAS"),
        "a list of torchvision's transforms"
    );
    click(&mut window, "v2.RandomVerticalFlip");
    let list = "v2.RandomHorizontalFlip(), v2.RandomGrayscale(p=1.0), v2.RandomVerticalFlip()";
    assert_eq!(
        shown(&window),
        format!("v2.RandomChoice([{list}], p=(0.3, 0.7, 1))")
    );
    click(
        &mut window,
        "Move v2.RandomVerticalFlip up, step 3 of v2.RandomChoice",
    );
    click(
        &mut window,
        "Remove v2.RandomHorizontalFlip, step 1 of v2.RandomChoice",
    );
    let list = "v2.RandomVerticalFlip(), v2.RandomGrayscale(p=1.0)";
    assert_eq!(
        shown(&window),
        format!("v2.RandomChoice([{list}], p=(1, 0.7))")
    );
    window.check_accessibility();
    // Keras' Pipeline is read as its steps.
    let code = "[RandomFlip(), Pipeline([RandomGrayscale(), RandomInvert()])]";
    command(&mut window, PipelineCommand::ReadCode(code.to_owned()));
    let read = ["RandomFlip", "RandomGrayscale", "RandomInvert"];
    assert_eq!(classes(&window), read);
}

#[test]
fn values_of_a_type_that_torchvision_refuses_are_refused() {
    let mut window = open(small());
    let read = |code: &str| PipelineCommand::ReadCode(code.to_owned());
    command_shown(&mut window, read("v2.MixUp()"));
    settle(&mut window);
    assert!(shows(&window, "v2.MixUp takes floats, but gets bytes"));
    let code = "v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.JPEG(50)])";
    command_shown(&mut window, read(code));
    settle(&mut window);
    assert!(shows(&window, "v2.JPEG takes bytes, but gets floats"));
    // From the menu, the conversion comes along.
    command_shown(
        &mut window,
        PipelineCommand::SetPreset(PipelinePreset::None),
    );
    let normalize = Transform::all(160, 160)
        .into_iter()
        .find(|transform| transform.class() == "v2.Normalize");
    let normalize = normalize.expect("Normalize");
    command(&mut window, PipelineCommand::Add(normalize.into()));
    assert_eq!(classes(&window), ["v2.ToDtype", "v2.Normalize"]);
    assert!(shows(&window, "scaled back to 0 to 255"));
    // Each channel is scaled back by its own numbers, so the picture is the photo.
    for cell in outcome(&window).training {
        let pairs = cell.image.pixels_hwc.iter().zip(&cell.original.pixels_hwc);
        assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1));
    }
}

#[test]
fn values_that_keras_refuses_are_refused_with_the_limit() {
    let mut window = open(small());
    click(&mut window, "Edit steps");
    click(&mut window, "Parameters of RandomRotation, step 2");
    let before = pipeline(&window);
    let rotation = Transform::Rotation(RandomRotation {
        factor: Factor::Scalar(1.5),
        sampling: modelens::augment::Sampling::default(),
    });
    command(&mut window, PipelineCommand::SetLayer(1, rotation.into()));
    assert_eq!(pipeline(&window), before);
    assert!(shows(&window, "factor is 1.5, but must lie within [-1, 1]"));
    let crop = Transform::Crop(RandomCrop {
        height: 0,
        width: 3,
    });
    command(&mut window, PipelineCommand::SetLayer(1, crop.into()));
    assert!(shows(&window, "height is 0 pixels, but must be at least 1"));
    let mut fine: AugmentLayer = before.steps[1].layer.clone();
    fine.transform = Transform::Rotation(RandomRotation {
        factor: Factor::Scalar(0.5),
        sampling: modelens::augment::Sampling::default(),
    });
    command(&mut window, PipelineCommand::SetLayer(1, fine));
    assert!(
        !shows(&window, "but must"),
        "the next change dismisses the message"
    );
    assert!(shows(&window, "RandomRotation(0.5)"), "in the code");
}

#[test]
fn steps_are_added_removed_and_moved() {
    let mut window = open(small());
    click(&mut window, "Edit steps");
    for transform in Transform::all(160, 160) {
        // One layer alone, so that the list stays short.
        let none = PipelineCommand::SetPreset(PipelinePreset::None);
        command_shown(&mut window, none);
        let class = transform.class();
        command(&mut window, PipelineCommand::Add(transform.into()));
        let notices = &window.state().state().computed.notices;
        assert!(notices.is_empty(), "{class}: {notices:?}");
        window.check_accessibility();
        // Some come with a conversion to floats.
        let classes = classes(&window);
        assert_eq!(classes.last(), Some(&class), "{classes:?}");
    }
    command(
        &mut window,
        PipelineCommand::SetPreset(PipelinePreset::CourseLab),
    );
    click(&mut window, "Move RandomFlip down, step 1");
    assert_eq!(classes(&window), ["RandomRotation", "RandomFlip"]);
    click(&mut window, "Move RandomFlip up, step 2");
    assert_eq!(classes(&window), ["RandomFlip", "RandomRotation"]);
    click(&mut window, "Remove RandomFlip, step 1");
    assert_eq!(classes(&window), ["RandomRotation"]);
    click(&mut window, "RandomRotation on, step 1");
    assert!(!pipeline(&window).steps[0].on);
    assert!(shows(&window, "No step is on"));
    click(&mut window, "Remove RandomRotation, step 1");
    assert!(shows(&window, "No steps. Add one."));
}

#[test]
fn a_step_is_dragged_to_another_place() {
    let mut window = open(small());
    click(&mut window, "Edit steps");
    let from = window
        .get_by_label("Drag RandomFlip, step 1")
        .rect()
        .center();
    let to = window
        .get_by_label("Drag RandomRotation, step 2")
        .rect()
        .center();
    window.drag_at(from);
    window.run_steps(2);
    let over = to + eframe::egui::vec2(20.0, 8.0);
    window.hover_at(over);
    window.run_steps(2);
    window.drop_at(over);
    settle(&mut window);
    assert_eq!(classes(&window), ["RandomRotation", "RandomFlip"]);
}
