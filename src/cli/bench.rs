//! `modelens bench`: times the program on this machine.

mod folders;
mod growth;
mod passes;
mod views;
mod window;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{Failure, terminal};
use modelens_jobs::machine::instruction_set;

/// Times opening, passes, optimizer steps, folders of photos, and frames.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Print JSON. The keys are the same in every version; times are in seconds.
    #[arg(long)]
    json: bool,
    /// How often each task runs, within five seconds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    runs: u64,
    /// Run only tasks with this text in their names, such as `frame` or `base_forward`.
    #[arg(long)]
    only: Option<String>,
    /// Time only the passes of this network (a model file, or the name of a bundled base), on random pixels.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Batch size of every pass and optimizer step, instead of 1, 4 and 32.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    batch: Option<u64>,
    /// Time only work of two sizes each (photos listed, layers shown, classes predicted, a large model opened),
    /// with its memory, and print by how much faster than the work they grow: 1 is as fast.
    #[arg(long, conflicts_with_all = ["model", "batch"])]
    growth: bool,
}

/// A task is not repeated once its runs have taken this long in all.
const ENOUGH_SECS: f64 = 5.0;

/// Batch sizes of the passes; that of the optimizer steps is the last.
const BATCHES: [usize; 3] = [1, 4, 32];

impl BenchArgs {
    /// Times every task and prints the results.
    ///
    /// # Errors
    /// A task fails.
    pub fn run(&self) -> Result<(), Failure> {
        let mut watch = Stopwatch {
            bench: self,
            times: Map::new(),
        };
        if let Some(model) = &self.model {
            passes::time_model(&mut watch, &super::model_source(Some(model)))?;
        } else if self.growth {
            growth::time(&mut watch)?;
        } else {
            passes::time(&mut watch)?;
            folders::time(&mut watch)?;
            views::time(&mut watch)?;
            window::time(&mut watch)?;
        }
        let mut times = watch.times;
        times.insert("instruction_set".into(), instruction_set().into());
        for (name, key) in [("resident_bytes", "VmRSS:"), ("peak_bytes", "VmHWM:")] {
            if self.growth {
                // Each task has counted its own.
                break;
            }
            times.insert(name.into(), of_status(key).map_or(Value::Null, Value::from));
        }
        let text = if self.json {
            terminal::json(&times).map_err(|e| failed(&e))?
        } else {
            let line = |(name, value): (&String, &Value)| line(name, value, &times);
            times.iter().filter_map(line).collect::<Vec<_>>().join("\n")
        };
        terminal::print(&text)
    }
}

/// A line for people: a time with its processor time, or an amount of memory.
fn line(name: &str, value: &Value, times: &Map<String, Value>) -> Option<String> {
    if name.ends_with("_cpu_secs") {
        return None;
    }
    let title = |ending: &str| name.trim_end_matches(ending).replace('_', " ");
    let Some(value) = value.as_f64() else {
        return Some(format!("{:42} {:>9}", title(""), value.as_str()?));
    };
    Some(if name.ends_with("_growth") {
        format!("{:42} {value:>9.2}", title(""))
    } else if name.ends_with("_bytes") {
        format!("{:42} {:>9.2} MB", title("_bytes"), value / 1e6)
    } else {
        let cpu = times.get(&name.replace("_secs", "_cpu_secs"));
        let cpu = cpu.and_then(Value::as_f64).unwrap_or_default();
        format!(
            "{:42} {:>9.2} ms {:>9.2} ms CPU",
            title("_secs"),
            value * 1e3,
            cpu * 1e3
        )
    })
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::File(error.to_string())
}

/// Collects times by name.
pub struct Stopwatch<'a> {
    bench: &'a BenchArgs,
    times: Map<String, Value>,
}

impl Stopwatch<'_> {
    /// The batch sizes of passes, smallest first.
    fn batches(&self) -> Vec<usize> {
        let chosen = self.bench.batch.map(|n| vec![n as usize]);
        chosen.unwrap_or_else(|| BATCHES.to_vec())
    }

    /// The batch size of optimizer steps.
    fn step_batch(&self) -> usize {
        self.batches().pop().unwrap_or(1)
    }

    /// True if the task with this name is to run.
    fn takes(&self, name: &str) -> bool {
        let only = self.bench.only.as_deref();
        only.is_none_or(|only| name.contains(only))
    }

    /// Times `work` after one warm-up run. Stores the median wall time as `NAME_secs` and the mean CPU
    /// time of all cores as `NAME_cpu_secs`, which is the more reliable one if other programs run.
    fn time(
        &mut self,
        name: &str,
        mut work: impl FnMut(u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !self.takes(name) {
            return Ok(());
        }
        work(0)?;
        let mut secs: Vec<f64> = Vec::new();
        let cpu = cpu_secs();
        for i in 1..=self.bench.runs {
            let start = Instant::now();
            work(i)?;
            secs.push(start.elapsed().as_secs_f64());
            if secs.iter().sum::<f64>() > ENOUGH_SECS {
                break;
            }
        }
        let cpu = (cpu_secs() - cpu) / secs.len() as f64;
        secs.sort_by(f64::total_cmp);
        let median = secs[secs.len() / 2];
        self.times.insert(format!("{name}_secs"), json!(median));
        self.times.insert(format!("{name}_cpu_secs"), json!(cpu));
        Ok(())
    }
}

/// The CPU time of this process in seconds, in steps of 10 ms; 0 if the system does not report it.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, can contain anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// A memory size of this process in bytes; `None` if the system does not report it.
fn of_status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(key))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
