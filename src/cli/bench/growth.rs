//! Times work of two sizes, to see that time and memory grow no faster than the work.

mod network_file;

use std::fs;
use std::path::Path;

use serde_json::json;

use super::views::{LookBench, Until};
use super::window::Window;
use super::{Stopwatch, failed, of_status};
use crate::app::AppOptions;
use crate::cli::Failure;
use crate::state::View;
use modelens_jobs::{ModelSource, open_folder};
use network_file::NetworkSize;

/// A list of layers and a row of classes for the tasks that vary the other.
const CONVOLUTIONS: usize = 4;
const CHANNELS: usize = 8;
const CLASSES: usize = 10;
/// The classes of the folders.
const FOLDERS: usize = 20;

/// Lists photos, shows layers, predicts classes and opens large models.
pub fn time(watch: &mut Stopwatch<'_>) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|e| failed(&e))?;
    let path = |name: String| folder.path().join(name);
    let network = |name: &str, size: usize, network: NetworkSize| {
        let path = path(format!("{name}_{size}.onnx"));
        if !path.exists() {
            network.write(&path).map_err(|e| failed(&e))?;
        }
        Ok::<_, Failure>(ModelSource::File(path))
    };
    grow(
        watch,
        "list_photos",
        [25_000, 100_000],
        |watch, name, size| {
            let folder = path(format!("photos_{size}"));
            write_photos(&folder, size).map_err(|e| failed(&e))?;
            watch.time(name, |_| {
                let photos = open_folder(&folder);
                photos.map(drop).map_err(|e| failed(&e))
            })
        },
    )?;
    let with_layers = |size| {
        // Three to a convolution, without those at the end.
        let convolutions = (size - 5) / 3;
        let of = NetworkSize {
            convolutions,
            channels: CHANNELS,
            classes: CLASSES,
        };
        network("layers", size, of)
    };
    grow(watch, "show_layers", [250, 1_000], |watch, name, size| {
        let source = with_layers(size)?;
        watch.time(name, |_| shown(source.clone(), View::BatchNorm).map(drop))
    })?;
    grow(watch, "frame_layers", [250, 1_000], |watch, name, size| {
        let mut window = shown(with_layers(size)?, View::BatchNorm)?;
        watch.time(name, |i| {
            window.frame(i);
            Ok(())
        })
    })?;
    let with_classes = |size| {
        let of = NetworkSize {
            convolutions: CONVOLUTIONS,
            channels: CHANNELS,
            classes: size,
        };
        network("classes", size, of)
    };
    grow(
        watch,
        "predict_classes",
        [250, 1_000],
        |watch, name, size| {
            let source = with_classes(size)?;
            let look = LookBench::open(source, View::Predict)?;
            watch.time(name, |_| look.compute(Until::All))
        },
    )?;
    grow(watch, "frame_classes", [250, 1_000], |watch, name, size| {
        let mut window = shown(with_classes(size)?, View::Predict)?;
        watch.time(name, |i| {
            window.frame(i);
            Ok(())
        })
    })?;
    grow(watch, "open_megabytes", [125, 500], |watch, name, size| {
        let bytes = size * 1_000_000;
        let of = NetworkSize {
            convolutions: bytes / (4 * WIDE * WIDE),
            channels: WIDE,
            classes: CLASSES,
        };
        let source = network("large", size, of)?;
        watch.time(name, |_| source.open().map(drop).map_err(Failure::from))
    })
}

/// Channels of the large model: 4 million bytes a convolution.
const WIDE: usize = 1_000;

/// Runs a task at both sizes. Adds the peak of memory during the task, in bytes, and by how much faster than the work
/// time and memory grow: `(big / small) / (big size / small size)`.
fn grow(
    watch: &mut Stopwatch<'_>,
    task: &str,
    sizes: [usize; 2],
    mut run: impl FnMut(&mut Stopwatch<'_>, &str, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = |size: usize| format!("{task}_{size}");
    if sizes.into_iter().all(|size| !watch.takes(&name(size))) {
        return Ok(());
    }
    let mut found = Vec::new();
    for size in sizes {
        let name = name(size);
        let before = reset_peak();
        run(watch, &name, size)?;
        let peak = of_status("VmHWM:")
            .zip(before)
            .map(|(peak, before)| peak.saturating_sub(before));
        let secs = watch
            .times
            .get(&format!("{name}_cpu_secs"))
            .and_then(serde_json::Value::as_f64);
        if let Some(peak) = peak {
            watch
                .times
                .insert(format!("{name}_peak_bytes"), json!(peak));
        }
        found.push((secs.unwrap_or_default(), peak.unwrap_or_default() as f64));
    }
    if let [(small_secs, small_bytes), (secs, bytes)] = found[..] {
        let work = sizes[1] as f64 / sizes[0] as f64;
        for (what, small, big) in [("time", small_secs, secs), ("memory", small_bytes, bytes)] {
            if small > 0.0 {
                watch
                    .times
                    .insert(format!("{task}_{what}_growth"), json!(big / small / work));
            }
        }
    }
    Ok(())
}

/// Has the peak of memory counted anew, and returns what is resident now, in bytes; `None` where the system cannot.
fn reset_peak() -> Option<u64> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    of_status("VmRSS:")
}

/// A window with a network, at a view that is computed.
fn shown(model: ModelSource, view: View) -> Result<Window, Failure> {
    let mut window = Window::open(AppOptions {
        model,
        ..AppOptions::default()
    })?;
    window.show(view);
    Ok(window)
}

/// Writes empty files: listing decodes nothing.
fn write_photos(folder: &Path, count: usize) -> std::io::Result<()> {
    for class in 0..FOLDERS {
        fs::create_dir_all(folder.join(format!("class_{class}")))?;
    }
    for i in 0..count {
        let class = folder.join(format!("class_{}", i % FOLDERS));
        fs::write(class.join(format!("{i}.jpg")), [])?;
    }
    Ok(())
}
