//! One pass of an array that is given.

use candle_core::{Device, Tensor};

use modelens_core::model::pass::{self, PassOptions};
use modelens_core::model::{Model, PassError};

use crate::{Ran, Run, Values};

/// Runs the array; the time of the result is 0.
///
/// # Errors
/// Those of [`pass::run`], and values that do not fill their shape.
pub fn run_array(model: &Model, run: &Run) -> Result<Ran, RunError> {
    let x = Tensor::from_slice(&run.x.values, &*run.x.shape, &Device::Cpu)?;
    let options = PassOptions {
        outer: run.outer,
        semantics: run.semantics,
        flags: &run.flags,
        random: run.random,
        seed: run.seed,
        repeat: 0,
        taps: &run.taps,
        moments: &[],
        weights: None,
    };
    let done = pass::run(model, &x, &options, &|_, _| true)?;
    let taps = done.taps.iter();
    let taps = taps.map(|(&layer, tap)| Ok((layer, values(&tap.output)?)));
    let norms = done.batch_norm.into_iter();
    Ok(Ran {
        output: values(&done.output)?,
        taps: taps.collect::<Result<_, RunError>>()?,
        next: norms.map(|(layer, norm)| (layer, norm.next)).collect(),
        secs: 0.0,
    })
}

/// Why an array cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Pass(#[from] PassError),
    #[error("the array cannot be used: {0}")]
    Array(#[from] candle_core::Error),
}

fn values(tensor: &Tensor) -> Result<Values, RunError> {
    Ok(Values {
        shape: tensor.dims().to_vec(),
        values: tensor.flatten_all()?.to_vec1()?,
    })
}
