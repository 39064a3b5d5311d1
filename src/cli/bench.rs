//! `modelens bench`: times the program on this machine.

mod folders;
mod passes;
mod window;

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{Failure, terminal};

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
}

/// A task is not repeated once its runs have taken this long in all.
const ENOUGH_SECS: f64 = 5.0;

/// Batch sizes of the passes.
const BATCHES: [usize; 3] = [1, 4, 32];
/// Batch size of the optimizer steps.
const STEP_BATCH: usize = 32;

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
        passes::time(&mut watch)?;
        folders::time(&mut watch)?;
        window::time(&mut watch)?;
        let mut times = watch.times;
        for (name, key) in [("resident_bytes", "VmRSS:"), ("peak_bytes", "VmHWM:")] {
            times.insert(name.into(), of_status(key).map_or(Value::Null, Value::from));
        }
        let text = if self.json {
            terminal::json(&times).map_err(|e| failed(&e))?
        } else {
            let line = |(name, value): (&String, &Value)| {
                let value = value.as_f64().filter(|_| !name.ends_with("_cpu_secs"))?;
                let (name, value, unit) = if let Some(name) = name.strip_suffix("_bytes") {
                    (name, value / 1e6, "MB")
                } else {
                    (name.trim_end_matches("_secs"), value * 1e3, "ms")
                };
                Some(format!("{:38} {value:>9.2} {unit}", name.replace('_', " ")))
            };
            times.iter().filter_map(line).collect::<Vec<_>>().join("\n")
        };
        terminal::print(&text)
    }
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
