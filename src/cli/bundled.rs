//! `modelens bundled`: writes a network that the program holds, so that it opens elsewhere.

use std::path::PathBuf;

use clap::ValueEnum;

use super::outputs::Outputs;
use super::{Failure, at_path};
use modelens_jobs::{bundled, write_whole};

/// Writes a bundled network to a file, for Keras or PyTorch. The same program writes the same bytes.
#[derive(Debug, clap::Args)]
pub struct BundledArgs {
    pub name: Bundled,
    /// The file to write: .keras for `lab_mobilenetv2`, .safetensors for `efficientnet_lite0`.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Make missing folders.
    #[arg(long)]
    pub make_folders: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Bundled {
    #[value(name = "lab_mobilenetv2")]
    Lab,
    #[value(name = "efficientnet_lite0")]
    EfficientNetLite0,
}

impl BundledArgs {
    /// Writes the network.
    ///
    /// # Errors
    /// Another ending, or a file that cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let (ending, bytes) = match self.name {
            Bundled::Lab => ("keras", bundled::lab_mobilenetv2()),
            Bundled::EfficientNetLite0 => ("safetensors", bundled::efficientnet_lite0()),
        };
        let mut outputs = Outputs::new(self.make_folders);
        outputs.writes("--out", &self.out, &[ending])?;
        outputs.check()?;
        let bytes = bytes.map_err(|error| Failure::File(error.to_string()))?;
        write_whole(&self.out, &bytes)
            .map_err(|error| at_path(&format!("the network was not written ({error})"), &self.out))
    }
}
