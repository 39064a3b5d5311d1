//! Checks that a page computes what this program computes: writes requests that `web/tests/numbers_test.mjs`
//! sends to the page's worker, and compares the answers with its own and with the frameworks' fixtures.
//!
//! usage: replay requests FOLDER      writes FOLDER/requests.bin, native.bin, and files.json: the models that are opened
//!        replay compare FOLDER       reads FOLDER/native.bin and the page's FOLDER/events.bin
//!        replay timing FOLDER        writes the requests that `benches/peers/browser.mjs` times
//!        replay stop FOLDER          writes the requests that `web/tests/stop_test.mjs` stops

#![allow(clippy::expect_used, reason = "a check fails if it cannot go on")]
#![allow(clippy::print_stdout, reason = "it prints what it found")]

#[path = "../../crates/modelens-jobs/tests/example_requests/mod.rs"]
mod example_requests;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candle_core::Tensor;
use modelens_core::augment::Pipeline;
use modelens_core::model::{Flags, LayerId, Mode, ModelDescription};
use modelens_core::train::recipe::{BaseCall, BaseFlags, EvalCalls, Recipe, StageRecipe};
use modelens_jobs::{
    Event, Executor, Experiment, Figure, FigureKind, FigureTo, Job, Look, ModelSource, OpenedModel,
    Options, PassLook, PhotosId, PhotosSource, PredictLook, Queue, Request, Run, TrainRequest,
    Values,
};
use serde::Serialize;
use serde_json::Value;

/// The largest difference of two numbers: this share of the largest in their array, and this much below 1.
const TOLERANCE: f64 = 1e-4;

type Checked = Result<(), Box<dyn Error>>;

fn main() -> Checked {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["requests", folder] => requests(Path::new(folder)),
        ["compare", folder] => compare(Path::new(folder)),
        ["timing", folder] => timing(Path::new(folder)),
        ["stop", folder] => stop(Path::new(folder)),
        _ => Err("usage: replay requests|compare|timing|stop FOLDER".into()),
    }
}

/// The computing side, here.
struct Side {
    queue: Arc<Queue>,
    executor: Executor,
    sent: Arc<Mutex<Vec<Event>>>,
    /// What was asked, and what was answered.
    asked: Vec<(Vec<u8>, Vec<Event>)>,
}

impl Side {
    fn new() -> Self {
        let options = Options {
            clock: modelens_jobs::system_clock,
            fonts: modelens::theme::fonts::FOR_FIGURES,
        };
        let queue = Arc::new(Queue::default());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let emit = {
            let sent = Arc::clone(&sent);
            move |event: Event| sent.lock().expect("no panic").push(event)
        };
        Self {
            executor: Executor::new(options, Arc::clone(&queue), emit),
            queue,
            sent,
            asked: Vec::new(),
        }
    }

    fn ask(&mut self, request: Request) -> Vec<Event> {
        let bytes = postcard::to_allocvec(&request).expect("plain data");
        self.queue.put(request);
        while let Some((task, ticket)) = self.queue.next() {
            self.executor.carry_out(task, ticket);
        }
        let mut events = std::mem::take(&mut *self.sent.lock().expect("no panic"));
        events.retain(|event| !matches!(event, Event::Progress { .. }));
        self.asked.push((bytes, events.clone()));
        events
    }

    /// Writes what was asked: for each request the number of its answers, its length and itself.
    fn write(&self, folder: &Path) -> Checked {
        let mut asked = Vec::new();
        for (request, events) in &self.asked {
            asked.extend(u32::try_from(events.len())?.to_le_bytes());
            asked.extend(u32::try_from(request.len())?.to_le_bytes());
            asked.extend(request);
        }
        fs::write(folder.join("requests.bin"), asked)?;
        Ok(())
    }

    fn open(&mut self, source: ModelSource) -> OpenedModel {
        let mut events = self.ask(Request::OpenModel(source)).into_iter();
        events
            .find_map(|event| match event {
                Event::ModelOpened(opened) => Some(opened),
                Event::Failed { message, .. } => panic!("{message}"),
                _ => None,
            })
            .expect("a model")
    }

    fn photos(&mut self) -> PhotosId {
        let mut events = self
            .ask(Request::OpenPhotos(PhotosSource::Bundled))
            .into_iter();
        events
            .find_map(|event| match event {
                Event::PhotosOpened { id, .. } => Some(id),
                _ => None,
            })
            .expect("photos")
    }
}

/// The folders of fixtures that the frameworks made, with a model file.
fn cases() -> Vec<(PathBuf, PathBuf)> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    let folders = fs::read_dir(golden).expect("fixtures").flatten();
    let mut cases: Vec<_> = folders
        .flat_map(|folder| {
            let files = ["model.h5", "model.keras"].map(|name| folder.path().join(name));
            files.map(|file| (folder.path(), file))
        })
        .filter(|(_, file)| file.exists())
        .collect();
    cases.sort();
    cases
}

fn arrays(case: &Path) -> HashMap<String, Tensor> {
    let arrays = Tensor::read_npz(case.join("io.npz")).expect("io.npz");
    arrays.into_iter().collect()
}

/// The tapped layers of a case, by the fixture's name.
fn tapped(arrays: &HashMap<String, Tensor>, model: &ModelDescription) -> BTreeMap<LayerId, String> {
    let names = arrays
        .keys()
        .filter_map(|key| key.strip_prefix("tap/")?.strip_suffix("/training"));
    names
        .map(|name| {
            (
                model.graph.find(name).expect("a tapped layer"),
                name.to_owned(),
            )
        })
        .collect()
}

fn requests(folder: &Path) -> Checked {
    let mut side = Side::new();
    let mut given = Vec::new();
    for (case, file) in cases() {
        // Its own path, so that both sides name the same file.
        let path = Path::new("/case").join(file.strip_prefix(case.parent().expect("a folder"))?);
        modelens_jobs::give(path.clone(), fs::read(&file)?);
        given.push(path.to_string_lossy().into_owned());
        let OpenedModel { id, model, .. } = side.open(ModelSource::File(path));
        let arrays = arrays(&case);
        let x = &arrays["x"];
        for mode in Mode::BOTH {
            side.ask(Request::Run(Box::new(Run {
                model: id,
                x: Values {
                    shape: x.dims().to_vec(),
                    values: x.flatten_all()?.to_vec1()?,
                },
                outer: mode.into(),
                semantics: model.semantics,
                flags: Flags::of_file(&model.graph),
                random: false,
                seed: 7,
                taps: tapped(&arrays, &model).into_keys().collect(),
            })));
        }
        side.ask(Request::Release(vec![modelens_jobs::StoredId::Model(id)]));
    }
    views(&mut side);
    let figure = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/start-light.svg"),
    )?;
    let png = FigureKind::Png {
        width: 1200,
        dpi: None,
    };
    for kind in [FigureKind::Svg { outline: false }, png] {
        side.ask(Request::Figure {
            figure: Arc::new(Figure::still(figure.clone(), kind)),
            to: match kind.pixels() {
                Some(_) => FigureTo::Preview,
                None => FigureTo::File(folder.join("figure.svg")),
            },
        });
    }
    let native: Vec<&Vec<Event>> = side.asked.iter().map(|(_, events)| events).collect();
    fs::write(folder.join("native.bin"), postcard::to_allocvec(&native)?)?;
    fs::write(folder.join("files.json"), serde_json::to_string(&given)?)?;
    println!("{} requests", side.asked.len());
    side.write(folder)
}

/// Opens the bundled network, then: a pass of 32 images in inference mode, one in training mode, the photos, the
/// first training step with every layer open and 32 photos, and the next one.
fn timing(folder: &Path) -> Checked {
    let mut side = Side::new();
    let OpenedModel { id, model, .. } = side.open(ModelSource::Lab);
    let shape = vec![32, 160, 160, 3];
    let count: usize = shape.iter().product();
    let x = Values {
        shape,
        values: (0..count)
            .map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0)
            .collect(),
    };
    for mode in [Mode::Inference, Mode::Training] {
        side.ask(Request::Run(Box::new(Run {
            model: id,
            x: x.clone(),
            outer: mode.into(),
            semantics: model.semantics,
            flags: Flags::all(&model.graph, true),
            random: false,
            seed: 7,
            taps: Vec::new(),
        })));
    }
    let photos = side.photos();
    let stage = StageRecipe {
        epochs: 10,
        rate: 1e-4,
        base: BaseFlags::All(true),
        call: BaseCall::Given(Some(true)),
    };
    let experiment = Experiment {
        model: id,
        photos,
        setup: example_requests::fine_tune(&model),
        recipes: vec![Recipe {
            name: "all open".to_owned(),
            stages: vec![stage],
            outer: Mode::Training.into(),
            evals: EvalCalls::EachEpoch,
        }],
        seeds: 1,
    };
    side.ask(Request::Train(TrainRequest::Start {
        experiment: Box::new(experiment),
        one_step: true,
    }));
    side.ask(Request::Train(TrainRequest::Step));
    side.write(folder)
}

/// Requests for the test that stops a pass: the bundled network and photos, then four looks of Predict at a batch of 32,
/// each with its own seed. Also writes the event that a stopped look ends with.
fn stop(folder: &Path) -> Checked {
    let mut side = Side::new();
    let OpenedModel { id, model, .. } = side.open(ModelSource::Lab);
    let photos = side.photos();
    let pass = example_requests::pass(id, photos, &model, 32);
    for seed in 1..=4 {
        let pass = PassLook {
            seed,
            ..pass.clone()
        };
        let look = Look::Predict(PredictLook::new(pass, 4));
        side.ask(Request::Look(Box::new(look)));
    }
    let stopped = postcard::to_allocvec(&Event::Cancelled(Job::Look))?;
    fs::write(folder.join("stopped.bin"), stopped)?;
    side.write(folder)
}

/// What each view asks for, with random draws, on the bundled network and photos.
fn views(side: &mut Side) {
    let OpenedModel { id, model, .. } = side.open(ModelSource::Lab);
    let photos = side.photos();
    let pass = PassLook {
        augment: Some(Pipeline::course()),
        ..example_requests::pass(id, photos, &model, 6)
    };
    for look in example_requests::looks(&pass, &model, 160) {
        side.ask(Request::Look(Box::new(look)));
    }
}

fn compare(folder: &Path) -> Checked {
    let native: Vec<Vec<Event>> = postcard::from_bytes(&fs::read(folder.join("native.bin"))?)?;
    let answers = answers(&fs::read(folder.join("events.bin"))?, native.len())?;
    let mut worst: BTreeMap<String, f64> = BTreeMap::new();
    for (ours, theirs) in native.iter().zip(&answers) {
        if ours.len() != theirs.len() {
            return Err(format!("{} answers, and the page's are {theirs:?}", ours.len()).into());
        }
        for (ours, theirs) in ours.iter().zip(theirs) {
            let (name, ours) = plain(ours)?;
            let (_, theirs) = plain(theirs)?;
            let difference = worst.entry(name.clone()).or_default();
            differ(&ours, &theirs, &name, difference)?;
        }
    }
    golden(&native, "this program", &mut worst)?;
    golden(&answers, "the page", &mut worst)?;
    for (what, difference) in worst {
        println!("{what}: at most {difference:.1e}");
    }
    Ok(())
}

/// The page's events by request: the number of the request, a length and the event, for each of them.
fn answers(mut bytes: &[u8], requests: usize) -> Result<Vec<Vec<Event>>, Box<dyn Error>> {
    let mut answers = vec![Vec::new(); requests];
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [request, length] = [0, 4].map(|at| {
            let part = head[at..at + 4].try_into().unwrap_or_default();
            u32::from_le_bytes(part) as usize
        });
        answers[request].push(postcard::from_bytes(&rest[..length])?);
        bytes = &rest[length..];
    }
    Ok(answers)
}

/// The name of an event, and its values without those that time.
fn plain(event: &impl Serialize) -> Result<(String, Value), Box<dyn Error>> {
    let mut value = serde_json::to_value(event)?;
    let name = match &value {
        Value::Object(kinds) => kinds.keys().next().cloned().unwrap_or_default(),
        other => other.to_string(),
    };
    for key in ["Look", "Ran"] {
        if let Some(timed) = value.get_mut(key).and_then(Value::as_object_mut) {
            timed.remove("secs");
        }
    }
    Ok((name, value))
}

/// Fails where two values differ by more than [`TOLERANCE`]; keeps the largest difference.
fn differ(ours: &Value, theirs: &Value, at: &str, worst: &mut f64) -> Checked {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            let [a, b] = [a, b].map(|number| number.as_f64().unwrap_or(f64::NAN));
            near(a, b, a.abs(), at, worst)?;
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let numbers = |values: &[Value]| {
                values
                    .iter()
                    .map(Value::as_f64)
                    .collect::<Option<Vec<f64>>>()
            };
            if let (Some(a), Some(b)) = (numbers(a), numbers(b)) {
                if at.contains(".histogram[") {
                    return same_histogram(&a, &b, at);
                }
                let largest = a.iter().fold(0.0, |largest: f64, a| largest.max(a.abs()));
                for (i, (&a, b)) in a.iter().zip(b).enumerate() {
                    near(a, b, largest, &format!("{at}[{i}]"), worst)?;
                }
            } else {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    differ(a, b, &format!("{at}[{i}]"), worst)?;
                }
            }
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            for (key, a) in a {
                let b = b
                    .get(key)
                    .ok_or_else(|| format!("{at}.{key} is missing on the page"))?;
                differ(a, b, &format!("{at}.{key}"), worst)?;
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => return Err(format!("{at}: {ours} here, {theirs} on the page").into()),
    }
    Ok(())
}

/// Fails if more than one value in a thousand is in another bin: a value beside the edge of a bin may cross it.
fn same_histogram(a: &[f64], b: &[f64], at: &str) -> Checked {
    let all: f64 = a.iter().sum();
    let moved: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
    if b.iter().sum::<f64>() == all && moved <= (all / 1000.0).max(1.0) {
        Ok(())
    } else {
        Err(format!("{at}: {a:?} here, {b:?} on the page").into())
    }
}

/// Fails if two numbers differ by more than [`TOLERANCE`] of `largest`.
fn near(a: f64, b: f64, largest: f64, at: &str, worst: &mut f64) -> Checked {
    let difference = (a - b).abs() / largest.max(1.0);
    // Also if one is not a number.
    if difference <= TOLERANCE {
        *worst = worst.max(difference);
        Ok(())
    } else {
        Err(format!("{at}: {a} here, {b} on the page").into())
    }
}

/// Compares the passes with what the frameworks computed.
fn golden(answers: &[Vec<Event>], whose: &str, worst: &mut BTreeMap<String, f64>) -> Checked {
    let events = answers.iter().flatten();
    let mut passes = events.clone().filter_map(|event| match event {
        Event::Ran(ran) => Some(ran),
        _ => None,
    });
    let mut models = events.filter_map(|event| match event {
        Event::ModelOpened(opened) => Some(opened),
        _ => None,
    });
    let difference = worst
        .entry(format!("{whose} and the frameworks"))
        .or_default();
    for (case, file) in cases() {
        let arrays = arrays(&case);
        let model = &models.next().ok_or("a model is missing")?.model;
        let taps = tapped(&arrays, model);
        for (_, mode) in Mode::BOTH.iter().zip(["training", "inference"]) {
            let ran = passes.next().ok_or("a pass is missing")?;
            let outputs = ran
                .taps
                .iter()
                .map(|(layer, values)| (format!("tap/{}/{mode}", taps[layer]), values));
            let all = std::iter::once((format!("y_{mode}"), &ran.output)).chain(outputs);
            for (key, found) in all {
                let expected: Vec<f32> = arrays[&key].flatten_all()?.to_vec1()?;
                let at = format!("{whose}: {}, {key}", file.display());
                differ(
                    &serde_json::to_value(expected)?,
                    &serde_json::to_value(&found.values)?,
                    &at,
                    difference,
                )?;
            }
        }
    }
    Ok(())
}
