//! Training runs: what learns, what moves, and how well.

use std::sync::Arc;

use modelens::dataset::folder::bundled;
use modelens::model::open::ModelSource;
use modelens::model::{Model, Semantics};
use modelens::train::optimizer::Kind;
use modelens::train::recipe::{BaseCall, BaseFlags, Recipe, StageRecipe};
use modelens::train::trainer::{Step, Trainer};
use modelens::worker::Same;
use modelens::worker::fine_tune::{FineTune, HeadChoice};

fn setup(model: Arc<Model>, seed: u64) -> FineTune {
    FineTune {
        preprocessing: model.preprocessing,
        semantics: model.semantics,
        model: Same(model),
        photos: Same(Arc::new(bundled())),
        head: HeadChoice::New {
            dropout: 0.2,
            sigmoid: false,
        },
        optimizer: Kind::Adam,
        batch: 32,
        validation: 0.2,
        seed,
        augment: None,
    }
}

fn recipe(epochs: usize, base: BaseFlags, call: Option<bool>) -> Recipe {
    Recipe {
        name: "run".into(),
        stages: vec![StageRecipe {
            epochs,
            rate: 1e-3,
            base,
            call: BaseCall::Given(call),
        }],
        outer: modelens::model::Mode::Training.into(),
    }
}

fn run(setup: &FineTune, recipe: &Recipe) -> (Trainer, Vec<Step>) {
    let network = Arc::new(setup.network().expect("a network"));
    let mut prepared = setup
        .prepare(network, &|_, _| (), &|| true)
        .expect("photos");
    let plan = recipe.plan(&prepared.network, &prepared.common);
    let mut trainer = Trainer::new(Arc::clone(&prepared.network), plan).expect("a plan");
    let mut steps = Vec::new();
    while let Some(step) = trainer
        .advance(&mut prepared.photos, &|| true)
        .unwrap_or_else(|e| panic!("{e}"))
    {
        steps.push(step);
    }
    (trainer, steps)
}

/// The head alone on a frozen base in inference mode: 75 photos to train with, 18 to validate.
/// Keras and PyTorch reach 0.90 and 0.94 on average.
fn accuracy_of_heads(source: &ModelSource, at_least: f64) {
    let model = Arc::new(source.open().expect("a bundled base"));
    let mut all = Vec::new();
    for seed in 0..8 {
        let begin = std::time::Instant::now();
        let setup = setup(Arc::clone(&model), seed);
        let (trainer, steps) = run(&setup, &recipe(30, BaseFlags::All(false), Some(false)));
        assert!(trainer.features_kept());
        let end = steps.last().and_then(|s| s.end.clone()).expect("an epoch");
        let accuracy = end.validation.expect("a validation")[1].accuracy;
        let secs = begin.elapsed().as_secs_f64();
        println!("seed {seed}: {accuracy:.3} in {secs:.1} s");
        assert!(secs < 30.0, "{secs} s");
        all.push(accuracy);
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    println!("mean {mean:.3}");
    assert!(mean >= at_least, "{mean}");
}

#[test]
#[ignore = "slow: sixteen runs of thirty epochs; .ci/run runs it"]
fn slow_accuracy_of_a_head_on_the_dog_breeds_base() {
    accuracy_of_heads(&ModelSource::DogBreeds, 0.87);
}

#[test]
#[ignore = "slow: sixteen runs of thirty epochs; .ci/run runs it"]
fn slow_accuracy_of_a_head_on_lite0() {
    accuracy_of_heads(&ModelSource::EfficientNetLite0, 0.91);
}

#[test]
fn semantics_of_the_bundled_bases() {
    let model = ModelSource::EfficientNetLite0.open().expect("a base");
    assert_eq!(model.semantics, Semantics::PyTorch);
}
