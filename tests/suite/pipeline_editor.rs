//! The list of steps: lists of layers inside of a layer, and values that a transform refuses.

use modelens::augment::{PipelinePreset, Transform};
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
