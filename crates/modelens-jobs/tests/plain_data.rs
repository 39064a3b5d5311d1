//! Every request and every event crosses as bytes: what the computing side gets and sends could as
//! well be in another process.

#![allow(clippy::expect_used, reason = "a test fails if it cannot go on")]

mod example_requests;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use modelens_core::model::{Flags, Mode, Role};
use modelens_core::train::recipe::RunPreset;
use modelens_jobs::{
    BatchNormEvent, BatchNormJob, Event, Executor, Experiment, Figure, FigureKind, FigureTo, Job,
    Look, LookResult, ModelSource, NormsLook, OpenedModel, Options, Outcome, PhotosSource, Queue,
    ReleasesLook, Request, Run, StoredId, TrainEvent, TrainRequest, Values,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The same value, written and read. Writing it again must give the same bytes.
fn through_bytes<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let bytes = postcard::to_allocvec(value).expect("it can be written");
    let read = postcard::from_bytes(&bytes).expect("it can be read");
    assert!(postcard::to_allocvec(&read).expect("it can be written") == bytes);
    read
}

/// A computing side that is reached by bytes only.
struct Side {
    queue: Arc<Queue>,
    executor: Executor,
    sent: Arc<Mutex<Vec<Event>>>,
    kinds: BTreeSet<&'static str>,
}

impl Side {
    fn new() -> Self {
        let queue = Arc::new(Queue::default());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let emit = {
            let sent = Arc::clone(&sent);
            move |event: Event| sent.lock().expect("no panic").push(through_bytes(&event))
        };
        Self {
            executor: Executor::new(Options::default(), Arc::clone(&queue), emit),
            queue,
            sent,
            kinds: BTreeSet::new(),
        }
    }

    /// The events that a request brings, until nothing is left to do.
    #[allow(clippy::needless_pass_by_value, reason = "callers make the request")]
    fn ask(&mut self, request: Request) -> Vec<Event> {
        self.kinds.insert(kind_of_request(&request));
        self.queue.put(through_bytes(&request));
        while let Some((task, ticket)) = self.queue.next() {
            self.executor.carry_out(task, ticket);
        }
        let events = std::mem::take(&mut *self.sent.lock().expect("no panic"));
        self.kinds.extend(events.iter().map(kind_of_event));
        events
    }

    fn open(&mut self, source: ModelSource) -> OpenedModel {
        let events = self.ask(Request::OpenModel(source));
        let opened = events.into_iter().find_map(|event| match event {
            Event::ModelOpened(opened) => Some(opened),
            _ => None,
        });
        opened.expect("a model")
    }

    fn look(&mut self, look: Look) -> LookResult {
        let events = self.ask(Request::Look(Box::new(look)));
        let result = events.into_iter().find_map(|event| match event {
            Event::Look(result) if !result.early => Some(result),
            _ => None,
        });
        LookResult::clone(&result.expect("a result"))
    }
}

fn kind_of_request(request: &Request) -> &'static str {
    match request {
        Request::OpenModel(_) => "OpenModel",
        Request::Ahead(_) => "Ahead",
        Request::OpenTrained(_) => "OpenTrained",
        Request::OpenPhotos(_) => "OpenPhotos",
        Request::Release(_) => "Release",
        Request::ListCaches => "ListCaches",
        Request::Thumbnail { .. } => "Thumbnail",
        Request::TryScales { .. } => "TryScales",
        Request::Look(_) => "Look",
        Request::Run(_) => "Run",
        Request::BatchNorm(_) => "BatchNorm",
        Request::Figure { .. } => "Figure",
        Request::Train(_) => "Train",
        Request::SaveModel { .. } => "SaveModel",
    }
}

fn kind_of_event(event: &Event) -> &'static str {
    match event {
        Event::Progress { .. } => "Progress",
        Event::ModelOpened(_) => "ModelOpened",
        Event::TrainedOpened { .. } => "TrainedOpened",
        Event::PhotosOpened { .. } => "PhotosOpened",
        Event::CachesListed(_) => "CachesListed",
        Event::WeightsAlone(_) => "WeightsAlone",
        Event::Thumbnail { .. } => "Thumbnail event",
        Event::ScalesTried { .. } => "ScalesTried",
        Event::Unreadable { .. } => "Unreadable",
        Event::Look(_) => "Look event",
        Event::BatchNorm(_) => "BatchNorm event",
        Event::Training(_) => "Training",
        Event::Ran(_) => "Ran",
        Event::Saved(_) => "Saved",
        Event::FigureDrawn { .. } => "FigureDrawn",
        Event::Cancelled(_) => "Cancelled",
        Event::Failed { .. } => "Failed",
    }
}

const KINDS: [&str; 31] = [
    "Ahead",
    "OpenModel",
    "OpenTrained",
    "OpenPhotos",
    "Release",
    "ListCaches",
    "Thumbnail",
    "TryScales",
    "Look",
    "Run",
    "BatchNorm",
    "Figure",
    "Train",
    "SaveModel",
    "Progress",
    "ModelOpened",
    "TrainedOpened",
    "PhotosOpened",
    "CachesListed",
    "WeightsAlone",
    "Thumbnail event",
    "ScalesTried",
    "Unreadable",
    "Look event",
    "BatchNorm event",
    "Training",
    "Ran",
    "Saved",
    "FigureDrawn",
    "Cancelled",
    "Failed",
];

/// A small network with dropout and BatchNorm, nested as in the course.
fn small_model() -> ModelSource {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/golden");
    ModelSource::File(fixtures.join("alpaca_plain_open_keras3/model.h5"))
}

#[test]
#[allow(clippy::too_many_lines, reason = "one conversation, in order")]
fn every_request_and_event_crosses_as_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut side = Side::new();
    let OpenedModel { id, model, .. } = side.open(small_model());
    let graph = &model.graph;
    let events = side.ask(Request::OpenPhotos(PhotosSource::Bundled));
    let photos = events.iter().find_map(|event| match event {
        Event::PhotosOpened { id, .. } => Some(*id),
        _ => None,
    });
    let photos = photos.expect("photos");
    side.ask(Request::Thumbnail { photos, photo: 3 });
    side.ask(Request::ListCaches);
    side.ask(Request::TryScales { model: id, photos });

    let pass = example_requests::pass(id, photos, &model, 4);
    let batch_norm = example_requests::last(Role::BatchNorm, &model);
    let mut layers = Vec::new();
    for look in example_requests::looks(&pass, &model, 32) {
        let result = side.look(look.clone());
        assert_eq!(result.look, look);
        // One seed, one picture: computed again, it is the same.
        assert_eq!(side.look(look).outcome, result.outcome);
        if let Outcome::BatchNorm(outcome) = &result.outcome {
            layers.clone_from(&outcome.layers);
        }
    }
    let jobs = [
        BatchNormJob::Distances {
            pass: pass.clone(),
            layers,
        },
        BatchNormJob::Batches {
            pass: pass.clone(),
            layer: batch_norm,
            from: 0,
            to: 2,
        },
    ];
    for job in jobs {
        let events = side.ask(Request::BatchNorm(Box::new(job)));
        let done = |event: &Event| matches!(event, Event::BatchNorm(e) if matches!(**e, BatchNormEvent::Done(_)));
        assert!(events.iter().any(done));
    }

    // A look ahead of time is computed when nothing else waits, and a look gives it up.
    let ahead = Look::Norms(NormsLook::new(pass.clone(), batch_norm));
    let other = Look::Releases(ReleasesLook::new(pass.clone()));
    let looks = |events: &[Event]| -> Vec<Look> {
        let looks = events.iter().filter_map(|event| match event {
            Event::Look(result) => Some(result.look.clone()),
            _ => None,
        });
        looks.collect()
    };
    let events = side.ask(Request::Ahead(Box::new(ahead.clone())));
    assert_eq!(looks(&events), std::slice::from_ref(&ahead));
    side.queue.put(Request::Ahead(Box::new(ahead)));
    let events = side.ask(Request::Look(Box::new(other.clone())));
    assert_eq!(looks(&events), [other]);

    let [height, width, _] = graph.input_hwc.map(|side| side.expect("a fixed size"));
    let x = Values {
        shape: vec![1, height, width, 3],
        values: vec![0.5; height * width * 3],
    };
    let events = side.ask(Request::Run(Box::new(Run {
        model: id,
        x,
        outer: Mode::Training.into(),
        semantics: model.semantics,
        flags: Flags::all(graph, true),
        random: false,
        seed: 7,
        taps: vec![batch_norm],
    })));
    let ran = |event: &Event| matches!(event, Event::Ran(ran) if ran.taps.len() == 1 && !ran.next.is_empty());
    assert!(events.iter().any(ran));

    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"/>"#;
    let kind = FigureKind::Png {
        width: 8,
        dpi: None,
    };
    let figure = Arc::new(Figure::still(svg.to_owned(), kind));
    let to = FigureTo::Preview;
    let events = side.ask(Request::Figure { figure, to });
    let drawn = |e: &Event| matches!(e, Event::FigureDrawn { raster, .. } if raster.size == [8, 4]);
    assert!(events.iter().any(drawn));

    let experiment = Experiment {
        model: id,
        photos,
        setup: example_requests::fine_tune(&model),
        recipes: RunPreset::HeadOnly.recipes(
            1,
            1e-3,
            modelens_core::train::recipe::EvalCalls::EachEpoch,
        ),
        seeds: 2,
    };
    let start = |one_step| {
        Request::Train(TrainRequest::Start {
            experiment: Box::new(experiment.clone()),
            one_step,
        })
    };
    let events = side.ask(start(true));
    let steps = |events: &[Event]| {
        let steps = events
            .iter()
            .filter(|e| matches!(e, Event::Training(TrainEvent::StepDone(_))));
        steps.count()
    };
    assert_eq!(steps(&events), 1, "one step of the only run");
    let paused =
        |events: &[Event]| matches!(events.last(), Some(Event::Training(TrainEvent::Paused)));
    assert!(paused(&events));
    let events = side.ask(Request::Train(TrainRequest::Step));
    assert!(steps(&events) == 1 && paused(&events));
    let events = side.ask(start(false));
    let trained = events.iter().find_map(|event| match event {
        Event::Training(TrainEvent::StepDone(done)) => done.end.as_ref().map(|end| end.id),
        _ => None,
    });
    let trained = trained.expect("trained weights");
    // The second seed ends with a summary.
    let further = events.iter().find_map(|event| match event {
        Event::Training(TrainEvent::FurtherStep(done)) => Some((done.seed, done.end.clone()?)),
        _ => None,
    });
    assert!(matches!(further, Some((8, Ok(_)))), "{further:?}");
    assert!(matches!(
        events.last(),
        Some(Event::Training(TrainEvent::Finished))
    ));
    for command in [
        TrainRequest::Pause,
        TrainRequest::Resume,
        TrainRequest::Step,
        TrainRequest::Stop,
    ] {
        side.ask(Request::Train(command));
    }
    let path = folder.path().join("trained.h5");
    side.ask(Request::SaveModel {
        trained,
        path: path.clone(),
    });
    let saved = side.open(ModelSource::File(path));
    let events = side.ask(Request::OpenTrained(trained));
    let opened = events.into_iter().find_map(|event| match event {
        Event::TrainedOpened { opened, .. } => Some(opened),
        _ => None,
    });
    let opened = opened.expect("the trained model");
    assert_eq!(opened.model.labels, saved.model.labels);

    // A broken photo, a missing folder, and what was released.
    std::fs::write(folder.path().join("a.jpg"), "no photo").expect("a file");
    let source = PhotosSource::Folder(folder.path().to_owned());
    side.ask(Request::OpenPhotos(source));
    let missing = PhotosSource::Folder(folder.path().join("missing"));
    side.ask(Request::OpenPhotos(missing));
    let given = std::path::PathBuf::from("/given/crossed/photo.webp");
    let bytes = std::fs::read("../../assets/photos/fish/fish1.webp").expect("a photo");
    modelens_jobs::give(given.clone(), bytes);
    let events = side.ask(Request::OpenPhotos(PhotosSource::Folder(given)));
    let one_photo =
        |e: &Event| matches!(e, Event::PhotosOpened { photos, .. } if photos.photos.len() == 1);
    assert!(events.iter().any(one_photo), "the bytes that were given");
    side.ask(Request::Release(vec![
        StoredId::Model(opened.id),
        StoredId::Photos(photos),
        StoredId::Trained(trained),
    ]));
    let events = side.ask(Request::OpenTrained(trained));
    assert!(matches!(events[..], [Event::Cancelled(Job::OpenModel)]));

    let weights_alone = through_bytes(&Event::WeightsAlone("weights.h5".into()));
    side.kinds.insert(kind_of_event(&weights_alone));
    let missing: Vec<_> = KINDS.iter().filter(|k| !side.kinds.contains(*k)).collect();
    assert!(missing.is_empty(), "not seen: {missing:?}");
}
