//! What lies beyond one pass of the usual size: a thousand of them, larger photos, larger batches.

use candle_core::{Device, Tensor};
use modelens::model::pass::{PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::train::{loss, sgd_step};
use modelens::worker::ModelSource;

fn options<'a>(model: &Model, flags: &'a Flags, mode: Mode) -> PassOptions<'a> {
    PassOptions {
        random: true,
        seed: 7,
        ..PassOptions::of(model, flags, mode)
    }
}

/// Passes in both modes and optimizer steps, so many of each.
fn work(times: usize) {
    let mut model = ModelSource::DogBreeds.open().expect("the bundled network");
    model.graph.input_hwc = [None, None, Some(3)];
    let flags = Flags::all(&model.graph, true);
    let x = Tensor::zeros((2, 32, 32, 3), candle_core::DType::F32, &Device::Cpu).expect("zeros");
    for i in 0..times {
        for mode in [Mode::Training, Mode::Inference] {
            let options = options(&model, &flags, mode);
            run(&model, &x, &options, &|_, _| true).expect("a pass");
        }
        if i % 10 == 0 {
            let options = options(&model, &flags, Mode::Training);
            sgd_step(&model, &x, &options, 0.0, loss::mean_square, &|_, _| true).expect("a step");
        }
    }
}

/// The most memory this process had at once, in bytes, where the system tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// How many passes the process below makes.
const PASSES: &str = "MODELENS_PASSES";

#[test]
fn a_thousand_passes_need_no_more_memory_than_thirty() {
    if let Ok(passes) = std::env::var(PASSES) {
        work(passes.parse().expect("a number"));
        println!("peak {}", peak_bytes().unwrap_or(0));
        return;
    }
    // Other tests share this process: memory is read in one of its own.
    let peak_of = |passes: &str| -> u64 {
        let done = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["a_thousand_passes", "--nocapture"])
            .env(PASSES, passes)
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{text}");
        let line = text.lines().find_map(|l| l.split_once("peak "));
        line.and_then(|(_, bytes)| bytes.parse().ok())
            .expect("a size")
    };
    let (few, many) = (peak_of("15"), peak_of("500"));
    assert!(
        many <= few + few / 10 + (8 << 20),
        "{few} bytes after 30 passes, {many} after 1,000"
    );
}

#[test]
fn larger_photos_go_through_a_network_that_takes_them() {
    let mut model = ModelSource::DogBreeds.open().expect("the bundled network");
    model.graph.input_hwc = [None, None, Some(3)];
    let flags = Flags::all(&model.graph, true);
    let x = Tensor::ones((1, 512, 512, 3), candle_core::DType::F32, &Device::Cpu).expect("ones");
    for mode in [Mode::Training, Mode::Inference] {
        let done = run(&model, &x, &options(&model, &flags, mode), &|_, _| true);
        let y = done.expect("a pass").output;
        assert_eq!(y.dims().first(), Some(&1));
        let y = y.flatten_all().and_then(|y| y.to_vec1::<f32>());
        assert!(y.expect("values").iter().all(|v| v.is_finite()));
    }
}
