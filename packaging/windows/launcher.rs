//! modelens.exe: opens the window of `modelens.com` beside it, without a console behind it.
//!
//! Windows decides by a mark in the file whether a program gets a console. The program itself has one, so that a
//! terminal shows its output, waits for it and gets its exit status: it is `modelens.com`, which a terminal finds
//! first when you type `modelens`. Explorer and shortcuts start this file instead.
#![windows_subsystem = "windows"]

use std::os::windows::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// Windows makes a console for the program, but no window of it.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

fn main() -> ExitCode {
    let program = std::env::current_exe().map(|path| path.with_extension("com"));
    let ended = program.and_then(|program| {
        Command::new(program)
            .args(std::env::args_os().skip(1))
            .creation_flags(CREATE_NO_WINDOW)
            .status()
    });
    match ended.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("modelens: modelens.com, which belongs beside modelens.exe, cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}
