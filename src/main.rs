//! Arguments to window or command line.

use std::process::ExitCode;

use clap::Parser as _;
use modelens::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(command) => command.run(),
        None => modelens::app::open_window(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("modelens: {}", failure.line());
            ExitCode::from(failure.status())
        }
    }
}
