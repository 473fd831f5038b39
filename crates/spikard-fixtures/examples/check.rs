//! Checks a folder of fixtures against the grammar: `cargo run -p spikard-fixtures --example check -- FOLDER`.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::env;
use std::process::ExitCode;

use spikard_fixtures::{read_folder, testing_data};

fn main() -> ExitCode {
    let folder = env::args_os().nth(1).map_or_else(testing_data, Into::into);
    match read_folder(&folder) {
        Ok(fixtures) => {
            println!("{} fixtures follow the grammar", fixtures.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
