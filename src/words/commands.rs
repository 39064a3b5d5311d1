//! Names and explanations of the commands, and the list of them.

pub const TYPE_PART_OF_NAME: &str = "type a part of a name";
pub const FIND_NAME: &str = "Find a command";
pub fn place(at: usize, all: usize, name: &str) -> String {
    format!("{at} of {all}: {name}")
}
pub const NOTHING_FOUND: &str = "No command has this in its name";
pub const NOW: &str = "now";
pub fn not_now(why_not: &str) -> String {
    format!("Not now: {why_not}")
}
