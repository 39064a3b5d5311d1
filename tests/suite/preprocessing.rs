//! Wrong preprocessing shows at the first BatchNorm.

use modelens::dataset::decode::decode;
use modelens::dataset::resize::resize_rgb8;
use modelens::model::first_norm::Distance;
use modelens::model::pass::{PassOptions, run};
use modelens::model::{Flags, Mode, Preprocessing};
use modelens::worker::PhotosSource;
use modelens::worker::look::tensor_of;

use crate::support::dog_breeds;

#[test]
fn photos_on_another_scale_are_noticed_at_the_first_batch_norm() {
    let model = dog_breeds();
    let photos = PhotosSource::Bundled.open().expect("the bundled photos");
    let images: Vec<_> = photos
        .photos
        .iter()
        .step_by(16)
        .map(|photo| resize_rgb8(&decode(photo).expect("a photo"), 160, 160))
        .collect();
    let flags = Flags::all(&model.graph, true);
    let distance = |how: Preprocessing, mode: Mode| {
        let options = PassOptions {
            outer: mode.into(),
            semantics: model.semantics,
            flags: &flags,
            random: false,
            seed: 0,
            repeat: 0,
            taps: &[],
            weights: None,
        };
        let x = tensor_of(&images, how).expect("a batch");
        let pass = run(&model, &x, &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"));
        Distance::of(&model, &pass)
    };
    let right = distance(Preprocessing::MinusOneToOne, Mode::Training).expect("a distance");
    assert_eq!(right.warning(&model), None, "{right:?}");
    assert_eq!(
        distance(Preprocessing::MinusOneToOne, Mode::Inference),
        None
    );
    let wrong = distance(Preprocessing::Raw, Mode::Training).expect("a distance");
    let text = wrong.warning(&model).expect("a warning");
    assert!(
        text.contains("`bn_Conv1`") && wrong.deviations > 10.0,
        "{text}"
    );
}
