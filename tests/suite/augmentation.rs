//! The augmentation view: the grid, the enlarged cell, the list of steps, and augmented batches.

use std::collections::BTreeMap;
use std::path::Path;

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use image::{DynamicImage, ImageBuffer, ImageEncoder as _, Luma, Rgb, Rgba};
use modelens::app::AppOptions;
use modelens::augment::{Pipeline, PipelinePreset, RandomCrop, Transform};
use modelens::command::{Action, Command, PipelineCommand};
use modelens::model::layers::LayerKind;
use modelens::model::{Flags, Mode, Semantics};
use modelens::state::{CellPlace, View};
use modelens_jobs::{
    AugmentationLook, AugmentationOutcome, Event, Grid, JobThread, Jobs as _, Look, ModelSource,
    Outcome, PassLook, PhotosSource, Request,
};

use crate::support::files::{fixture, ops, read_npz};
use crate::support::looks::Opened;
use crate::support::models::{lab_mobilenetv2, opened as opened_model, pass};
use crate::support::numbers::{distance, values};
use crate::support::window::{Window, click, command, open, photo, press, settle, shows, small};

pub fn outcome(window: &Window) -> AugmentationOutcome {
    let computed = &window.state().state().computed;
    match computed
        .result(View::Augmentation)
        .map(|looked| looked.outcome.clone())
    {
        Some(Outcome::Augmentation(outcome)) => outcome,
        other => panic!("an augmentation outcome, not {other:?}"),
    }
}

fn opened(window: &Window) -> Option<CellPlace> {
    window.state().state().grid.open
}

pub fn pipeline(window: &Window) -> Pipeline {
    window.state().state().settings.pipeline.clone()
}

pub fn classes(window: &Window) -> Vec<&'static str> {
    let steps = pipeline(window).steps;
    steps.iter().map(|step| step.layer.class()).collect()
}

#[test]
fn arrow_keys_step_through_all_nine_cells() {
    let mut window = open(small());
    let before = photo(&window);
    for mode in Mode::BOTH {
        let label = match mode {
            Mode::Training => "training=True, image 1:",
            Mode::Inference => "training=False, image 1:",
        };
        window.get_by_label_contains(label).focus();
        window.run_steps(2);
        press(&mut window, Key::Enter);
        for index in 0..9 {
            assert_eq!(opened(&window), Some(CellPlace { mode, index }));
            let title = format!("image {} of 9", index + 1);
            assert!(shows(&window, &title), "{title}");
            window.check_accessibility();
            press(&mut window, Key::ArrowRight);
        }
        assert_eq!(
            opened(&window),
            Some(CellPlace { mode, index: 0 }),
            "wraps from the last to the first"
        );
        press(&mut window, Key::ArrowLeft);
        assert_eq!(
            opened(&window),
            Some(CellPlace { mode, index: 8 }),
            "wraps from the first to the last"
        );
        press(&mut window, Key::Escape);
        assert_eq!(opened(&window), None);
        // The cell that was open has the focus again: Enter opens it.
        press(&mut window, Key::Enter);
        assert_eq!(opened(&window), Some(CellPlace { mode, index: 8 }));
        press(&mut window, Key::Escape);
    }
    assert_eq!(
        photo(&window),
        before,
        "the arrow keys move the cell, not the photo"
    );
}

#[test]
fn an_open_cell_shows_its_transform_and_moves_its_divider() {
    let mut window = open(small());
    let place = CellPlace {
        mode: Mode::Training,
        index: 2,
    };
    command(&mut window, PipelineCommand::Open(Some(place)));
    for text in [
        "WHAT WAS DRAWN",
        "INPUT FROM OUTPUT",
        "FILL MODE",
        "reflect",
        "It painted ",
    ] {
        assert!(shows(&window, text), "{text}");
    }
    let before = window.state().state().grid.divider;
    window.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    settle(&mut window);
    assert!(window.state().state().grid.divider > before);
    assert_eq!(opened(&window), Some(place), "the same cell");
    click(&mut window, "Show what the fill mode painted");
    assert!(window.state().state().grid.show_fill);
    let redraws = window.state().state().settings.redraws;
    press(&mut window, Key::R);
    assert_eq!(window.state().state().settings.redraws, redraws + 1);
    assert_eq!(opened(&window), Some(place), "still open");
}

#[test]
fn drawing_one_cell_again_changes_only_that_cell() {
    let mut window = open(small());
    let before = outcome(&window);
    let place = CellPlace {
        mode: Mode::Training,
        index: 4,
    };
    command(&mut window, PipelineCommand::Open(Some(place)));
    click(&mut window, "Redraw this image");
    let after = outcome(&window);
    for (i, (a, b)) in before.training.iter().zip(&after.training).enumerate() {
        assert_eq!(a.draws == b.draws, i != 4, "cell {i}");
    }
    // Redraw forgets the redraws of single cells.
    command(&mut window, Action::Redraw);
    assert!(window.state().state().grid.cell_redraws.is_empty());
}

#[test]
fn the_grid_shows_nine_photos_and_three_epochs() {
    let mut window = open(small());
    command(&mut window, PipelineCommand::SetGrid(Grid::NinePhotos));
    let nine = outcome(&window);
    let photos: Vec<usize> = nine.training.iter().map(|cell| cell.photo).collect();
    assert_eq!(photos.len(), 9);
    assert_eq!(Some(photos[0]), photo(&window));
    assert!(shows(&window, "fish9:"), "a caption with the photo's name");
    command(&mut window, PipelineCommand::SetGrid(Grid::ThreeEpochs));
    let epochs = outcome(&window);
    assert_eq!(epochs.training.len(), 27);
    assert_eq!(epochs.training[0].photo, epochs.training[9].photo);
    assert_ne!(
        epochs.training[0].draws, epochs.training[9].draws,
        "drawn again"
    );
    for text in ["epoch 1", "epoch 3", "does not grow"] {
        assert!(shows(&window, text), "{text}");
    }
    window.check_accessibility();
}

#[test]
fn fewer_photos_than_nine_make_fewer_cells() {
    let folder = tempfile::tempdir().expect("a folder");
    for (i, name) in ["a.png", "b.png"].iter().enumerate() {
        let pixel = Rgb([40 * i as u8, 90, 200]);
        let image = ImageBuffer::from_pixel(20, 30, pixel);
        image.save(folder.path().join(name)).expect("a photo");
    }
    let mut window = open(AppOptions {
        photos: PhotosSource::Folder(folder.path().to_owned()),
        ..AppOptions::default()
    });
    for (grid, cells) in [
        (Grid::NinePhotos, 2),
        (Grid::ThreeEpochs, 6),
        (Grid::OnePhoto, 9),
    ] {
        command(&mut window, PipelineCommand::SetGrid(grid));
        assert_eq!(outcome(&window).training.len(), cells, "{grid:?}");
    }
}

#[test]
fn a_file_with_augmentation_layers_starts_with_its_own_pipeline() {
    let file = fixture("alpaca_baked_ft120_keras3/model.keras");
    let mut window = open(AppOptions {
        model: ModelSource::File(file),
        ..AppOptions::default()
    });
    assert_eq!(classes(&window), ["RandomFlip", "RandomRotation"]);
    assert!(shows(&window, "This pipeline comes from the file"));
    assert!(shows(&window, "From the file"));
    command(
        &mut window,
        PipelineCommand::SetPreset(PipelinePreset::Strong),
    );
    assert!(!shows(&window, "This pipeline comes from the file"));
    command(&mut window, PipelineCommand::UseOwn);
    assert!(shows(&window, "This pipeline comes from the file"));
    let lite = ModelSource::EfficientNetLite0;
    command(&mut window, Command::OpenModel(lite));
    assert_eq!(
        pipeline(&window),
        Pipeline::course(),
        "the file has no augmentation layers"
    );
    assert!(!shows(&window, "the file's own"));
}

#[test]
fn a_pasted_composition_of_torchvision_is_never_off() {
    let mut window = open(small());
    let code = "transforms.Compose([transforms.RandomRotation(30), transforms.RandomErasing(p=1)])";
    command(&mut window, PipelineCommand::ReadCode(code.to_owned()));
    assert_eq!(classes(&window), ["v2.RandomRotation", "v2.RandomErasing"]);
    for text in [
        "Both sides are drawn anew",
        "the data loader makes new draws in both modes",
        "angles run from",
        "erased ",
        "v2.RandomErasing(p=1.0)",
    ] {
        assert!(shows(&window, text), "{text}");
    }
    let outcome = outcome(&window);
    assert!(outcome.inference.iter().all(|cell| cell.draws.len() == 2));
    command(&mut window, PipelineCommand::Edit(true));
    command(&mut window, PipelineCommand::Expand(Some(0)));
    for text in ["Never off", "Here it changes the values", "form of degrees"] {
        assert!(shows(&window, text), "{text}");
    }
    window.check_accessibility();
    click(&mut window, "+ Add");
    for text in ["KERAS", "TORCHVISION"] {
        assert!(shows(&window, text), "{text}");
    }
}

/// Scaled values are far from those of the photo, but they show the same picture.
#[test]
fn the_difference_from_the_photo_leaves_a_scaling_out() {
    let mut window = open(small());
    for code in [
        "v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])",
        "keras.Sequential([layers.Rescaling(1 / 127.5, offset=-1)])",
    ] {
        command(&mut window, PipelineCommand::ReadCode(code.to_owned()));
        let outcome = outcome(&window);
        assert_eq!(outcome.training.len(), 9, "{code}");
        for cell in outcome.training.iter().chain(&outcome.inference) {
            // torchvision takes whole numbers, and photos are resized in floats.
            let difference = cell.largest_difference.expect("an image of the same size");
            assert!(difference <= 0.501, "{code}: {difference}");
        }
        let [in_training, _] = outcome.step_differences[0];
        assert!(in_training.expect("one size") > 200.0, "{code}");
    }
}

#[test]
fn a_perspective_is_a_matrix_of_three_rows() {
    let mut window = open(small());
    for (code, shown, not) in [
        ("RandomPerspective(p=1)", "output, 3 × 3", "output, 2 × 3"),
        ("RandomRotation(30)", "output, 2 × 3", "output, 3 × 3"),
    ] {
        let code = format!("v2.Compose([v2.{code}])");
        command(&mut window, PipelineCommand::ReadCode(code));
        let cell = window
            .get_all_by_label_contains("training=True, image 5:")
            .next();
        let middle = cell.expect("a cell").rect().center();
        window.hover_at(middle - eframe::egui::Vec2::splat(3.0));
        window.run_steps(1);
        window.hover_at(middle);
        for _ in 0..40 {
            window.step();
        }
        assert!(shows(&window, shown), "{shown}");
        assert!(!shows(&window, not), "{not}");
    }
}

#[test]
fn a_locked_seed_does_not_change() {
    let mut window = open(small());
    let seed = |window: &Window| window.state().state().settings.seed;
    let before = seed(&window);
    click(&mut window, "lock");
    command(&mut window, Action::NewSeed);
    command(&mut window, Command::SetSeed(99));
    assert_eq!(seed(&window), before);
    click(&mut window, "lock");
    click(&mut window, "New seed");
    assert_eq!(seed(&window), before + 1);
}

#[test]
fn both_columns_get_the_same_augmented_batch() {
    let opened = Opened::bundled();
    let model = &opened.model;
    let layer = model
        .graph
        .find("Conv1_relu")
        .or_else(|_| model.graph.find("bn_Conv1"));
    let layer = layer.expect("the first BatchNorm or its activation");
    let first = model.graph.find("bn_Conv1").unwrap_or(layer);
    let pass = |augment: Option<Pipeline>, redraws| PassLook {
        redraws,
        flags: Flags::all(&model.graph, true),
        augment,
        semantics: Semantics::Keras3,
        ..opened.pass_look()
    };
    let statistics = |augment, redraws| match opened.outcome(Look::BatchNorm {
        pass: pass(augment, redraws),
        layer: first,
    }) {
        Outcome::BatchNorm(outcome) => [outcome.training.batch, outcome.inference.batch],
        _ => panic!("a BatchNorm outcome"),
    };
    let plain = statistics(None, 0);
    let [left, right] = statistics(Some(Pipeline::course()), 0);
    // Only a convolution precedes the first BatchNorm, so equal inputs give equal statistics.
    assert_eq!(left, right);
    assert_ne!(left, plain[0], "the pixels were augmented");
    assert_ne!(
        left,
        statistics(Some(Pipeline::course()), 1)[0],
        "drawn again"
    );
}

#[test]
fn a_pipeline_that_changes_the_image_size_is_refused_for_batches() {
    let mut window = open(AppOptions::default());
    let crop = Transform::Crop(RandomCrop {
        height: 100,
        width: 90,
    });
    command(&mut window, PipelineCommand::Add(crop.into()));
    command(&mut window, Command::AugmentBatch(true));
    command(&mut window, Action::Show(View::BatchNorm));
    assert!(shows(
        &window,
        "photos of 100 by 90 pixels, but the model takes 160 by 160"
    ));
    command(
        &mut window,
        PipelineCommand::SetPreset(PipelinePreset::CourseLab),
    );
    assert!(shows(&window, "Both sides see the same pixels"));
    assert!(shows(&window, "4 augmented photos"));
}

/// Writes a JPEG whose EXIF orientation is 6 (rotate by 90 degrees).
fn turned_jpeg(path: &Path) {
    let mut jpeg = Vec::new();
    let pixels = vec![120_u8; 40 * 20 * 3];
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
        .write_image(&pixels, 40, 20, image::ExtendedColorType::Rgb8)
        .expect("a JPEG");
    let tiff: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut segment = vec![0xff, 0xe1, 0, (8 + tiff.len()) as u8];
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    jpeg.splice(2..2, segment);
    std::fs::write(path, jpeg).expect("a file");
}

/// Keras and TensorFlow ignore the EXIF orientation, and so does modelens: the model sees the pixels as
/// they are stored.
#[test]
fn photos_of_every_kind_open_in_the_grid() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |name: &str, image: DynamicImage| {
        image.save(folder.path().join(name)).expect("a photo");
    };
    let rgb = |w, h| DynamicImage::from(ImageBuffer::from_pixel(w, h, Rgb([9_u8, 99, 199])));
    save("one.png", rgb(1, 1));
    save("row.png", rgb(50, 1));
    save("column.png", rgb(1, 50));
    save(
        "grey.png",
        ImageBuffer::from_pixel(30, 20, Luma([77_u8])).into(),
    );
    save(
        "rgba.png",
        ImageBuffer::from_pixel(30, 20, Rgba([1_u8, 2, 3, 4])).into(),
    );
    save(
        "deep.png",
        ImageBuffer::from_pixel(30, 20, Rgb([65535_u16, 9, 300])).into(),
    );
    turned_jpeg(&folder.path().join("turned.jpg"));
    let source = PhotosSource::Folder(folder.path().to_owned());
    let photos = source.open().expect("photos");
    let opened = Opened::new(lab_mobilenetv2(), photos.clone());
    for grid in Grid::ALL {
        for photo in 0..photos.photos.len() {
            for [height, width] in [[40, 40], [1, 1], [1, 7]] {
                let look = AugmentationLook {
                    photos: opened.photos_id,
                    photo,
                    grid,
                    cell_redraws: BTreeMap::from([(3, 1)]),
                    height,
                    width,
                    channels: 3,
                    pipeline: PipelinePreset::Strong.pipeline(),
                    semantics: Semantics::Keras3,
                    seed: 7,
                    redraws: 0,
                };
                let Outcome::Augmentation(outcome) = opened.outcome(Look::Augmentation(look))
                else {
                    panic!("an augmentation outcome");
                };
                assert_eq!(outcome.training[0].photo, photo);
            }
        }
    }
    let turned = photos
        .photos
        .iter()
        .position(|p| p.name == "turned.jpg")
        .expect("the JPEG");
    let jobs = JobThread::start(|| {}).expect("a thread");
    jobs.send(Request::OpenPhotos(source));
    let thumbnail = loop {
        match jobs.poll() {
            Some(Event::PhotosOpened { id: photos, .. }) => {
                let photo = turned;
                jobs.send(Request::Thumbnail { photos, photo });
            }
            Some(Event::Thumbnail { image, .. }) => break image,
            Some(Event::Failed { message, .. }) => panic!("{message}"),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    };
    assert!(
        thumbnail.width > thumbnail.height,
        "as stored, whatever EXIF says"
    );
    let mut window = open(AppOptions {
        photos: PhotosSource::Folder(folder.path().to_owned()),
        ..AppOptions::default()
    });
    for photo in 0..photos.photos.len() {
        command(&mut window, Command::SetPhoto(photo));
        assert_eq!(outcome(&window).training.len(), 9);
    }
    assert!(window.state().state().computed.notices.is_empty());
}

#[test]
fn a_model_with_keras_newer_layers_opens_and_infers_as_in_keras() {
    let model = opened_model(&ModelSource::File(ops("augment_layers.keras")));
    let unknown = model
        .graph
        .layers
        .iter()
        .filter(|layer| layer.kind == LayerKind::Unknown);
    assert_eq!(unknown.count(), 0);
    let io = read_npz(&ops("augment_layers.npz"));
    let y = pass(&model, &io["model_x"], Mode::Inference).output;
    let distance = distance(&values(&y), &values(&io["model_y"]));
    assert!(distance < 1e-4, "{distance:e}");
    // Every layer draws and runs in training, too.
    pass(&model, &io["model_x"], Mode::Training);
}

#[test]
fn mixed_photos_show_their_new_label() {
    let mut window = open(small());
    // The layers come from code that is pasted into the list of steps; a slip is named.
    command(&mut window, PipelineCommand::Edit(true));
    let code = |text: &str| PipelineCommand::ReadCode(text.to_owned());
    command(
        &mut window,
        code("keras.Sequential([layers.MixUp(beta=1.0)])"),
    );
    assert!(shows(&window, "MixUp has no argument `beta`"));
    command(
        &mut window,
        code("keras.Sequential([layers.MixUp(alpha=1.0)])"),
    );
    assert!(!shows(&window, "MixUp has no argument `beta`"));
    assert_eq!(classes(&window), ["MixUp"]);
    assert!(shows(
        &window,
        "A batch of one photo has nothing to mix with"
    ));
    command(&mut window, PipelineCommand::SetGrid(Grid::NinePhotos));
    assert!(shows(&window, "their label is mixed alike"));
    let cells = outcome(&window).training;
    for cell in &cells {
        let sum: f64 = cell.target.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{:?}", cell.target);
    }
    let classes = |window: &Window, index: usize| -> Vec<usize> {
        let state = window.state().state();
        let photos = &state.photos().expect("photos").photos;
        let cell = &outcome(window).training[index];
        cell.target
            .iter()
            .map(|&(photo, _)| photos[photo].class)
            .collect()
    };
    let two = |window: &Window, index: &usize| {
        let classes = classes(window, *index);
        classes.len() == 2 && classes[0] != classes[1]
    };
    let index = (0..cells.len())
        .find(|index| two(&window, index))
        .expect("two classes");
    let place = CellPlace {
        mode: Mode::Training,
        index,
    };
    command(&mut window, PipelineCommand::Edit(false));
    command(&mut window, PipelineCommand::Open(Some(place)));
    for text in ["NEW LABEL", "cannot fall below"] {
        assert!(shows(&window, text), "{text}");
    }
}
