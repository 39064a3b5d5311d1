//! `modelens completions`: what a shell needs to complete the commands and their options.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Failure, terminal};

/// Prints the completions for a shell.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell that reads them.
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script that the shell reads.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "modelens", &mut script);
        terminal::print(String::from_utf8_lossy(&script).trim_end())
    }
}
