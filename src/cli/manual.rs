//! `modelens manual`: the manual pages, written from the same descriptions as `--help`.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::{Cli, Failure, at_path};

/// Writes the manual pages: modelens.1, and one for each command.
#[derive(Debug, clap::Args)]
pub struct ManualArgs {
    /// The folder to write them into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Make the folder if it does not exist.
    #[arg(long)]
    make_folders: bool,
}

impl ManualArgs {
    /// Writes the pages; pages of the same names are replaced.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn run(&self) -> Result<(), Failure> {
        let made = if self.make_folders {
            std::fs::create_dir_all(&self.out)
        } else {
            Ok(())
        };
        let written = made.and_then(|()| clap_mangen::generate_to(Cli::command(), &self.out));
        written
            .map_err(|error| at_path(&format!("the manual was not written ({error})"), &self.out))
    }
}
