//! Beyond one pass of the usual size: hundreds of passes, and larger photos.

use candle_core::{DType, Device, Tensor};
use modelens::model::pass::{PassCache, PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::train::{loss, sgd_step};
use modelens_jobs::ModelSource;

use crate::support::models::opened;
use crate::support::numbers::values;

/// The bundled base for photos of any size.
fn resizable() -> Model {
    let mut model = opened(&ModelSource::Lab);
    model.graph.input_hwc = [None, None, Some(3)];
    model
}

fn options<'a>(model: &Model, flags: &'a Flags, mode: Mode) -> PassOptions<'a> {
    PassOptions {
        random: true,
        seed: 7,
        ..PassOptions::of(model, flags, mode)
    }
}

/// This many passes in each mode, and an optimizer step after every tenth.
#[cfg(target_os = "linux")]
fn work(times: usize) {
    let model = resizable();
    let flags = Flags::all(&model.graph, true);
    let x = Tensor::zeros((2, 32, 32, 3), DType::F32, &Device::Cpu).expect("zeros");
    for i in 0..times {
        for mode in [Mode::Training, Mode::Inference] {
            let options = options(&model, &flags, mode);
            run(&model, &x, &options, &|_, _| true).expect("a pass");
        }
        if i % 10 == 0 {
            let options = options(&model, &flags, Mode::Training);
            let mut passes = PassCache::new(&model, &x);
            sgd_step(&mut passes, &options, 0.0, loss::mean_square, &|_, _| true).expect("a step");
        }
    }
}

/// The largest resident size of this process so far, in bytes.
#[cfg(target_os = "linux")]
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    let kilobytes: u64 = kilobytes
        .and_then(|n| n.parse().ok())
        .expect("a size in kB");
    kilobytes * 1024
}

/// Tells the process that the test below starts how many passes to make.
#[cfg(target_os = "linux")]
const PASSES: &str = "MODELENS_PASSES";

// Linux alone tells a process its largest resident size.
#[test]
#[cfg(target_os = "linux")]
fn hundreds_of_passes_need_no_more_memory_than_thirty() {
    if let Ok(passes) = std::env::var(PASSES) {
        work(passes.parse().expect("a number"));
        println!("peak {}", peak_bytes());
        return;
    }
    // Other tests share this process, so memory is measured in one of its own.
    let peak_of = |passes: &str| -> u64 {
        let done = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["hundreds_of_passes", "--nocapture"])
            .env(PASSES, passes)
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{text}");
        let line = text.lines().find_map(|l| l.split_once("peak "));
        line.and_then(|(_, bytes)| bytes.parse().ok())
            .expect("a size")
    };
    let (few, many) = (peak_of("15"), peak_of("200"));
    assert!(few > 10 << 20, "{few} bytes cannot hold the network");
    assert!(
        many <= few + few / 10 + (8 << 20),
        "{few} bytes after 30 passes, {many} after 400"
    );
}

#[test]
fn larger_photos_go_through_a_network_that_takes_them() {
    let model = resizable();
    let flags = Flags::all(&model.graph, true);
    let x = Tensor::ones((1, 512, 512, 3), DType::F32, &Device::Cpu).expect("ones");
    for mode in [Mode::Training, Mode::Inference] {
        let done = run(&model, &x, &options(&model, &flags, mode), &|_, _| true);
        let y = done.expect("a pass").output;
        assert_eq!(y.dims().first(), Some(&1));
        assert!(values(&y).iter().all(|v| v.is_finite()));
    }
}
