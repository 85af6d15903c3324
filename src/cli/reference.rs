//! The page about the command line, made from the arguments themselves.

use clap::{Arg, Command, CommandFactory};

use super::args::Cli;

/// `docs/cli.md`.
pub fn reference() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = String::from(
        "# The command line\n\nMade from the program itself; `UPDATE_GOLDEN=1 cargo test --test cli` writes it anew.\n",
    );
    let told = [program.get_long_about(), program.get_after_help()];
    for text in told.into_iter().flatten() {
        page.push_str(&format!("\n{text}\n"));
    }
    for command in program.get_subcommands() {
        if command.get_name() != "help" {
            page.push_str(&section(command));
        }
    }
    page
}

fn section(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_long_about().or(command.get_about());
    let mut text = format!(
        "\n## `pgproof {}`\n\n```text\n{usage}\n```\n",
        command.get_name()
    );
    if let Some(about) = about {
        text.push_str(&format!("\n{about}\n"));
    }
    let told = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_id() != "help")
        .map(item)
        .collect::<String>();
    if !told.is_empty() {
        text.push_str(&format!("\n{told}"));
    }
    text
}

fn item(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map_or(String::new(), |help| help.to_string().replace("\n\n", " "));
    let mut notes = String::new();
    let values = arg.get_possible_values();
    let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    if !values.is_empty() && arg.get_action().takes_values() {
        notes.push_str(&format!(" One of {}.", values.join(", ")));
    }
    let defaults: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        notes.push_str(&format!(" By default {}.", defaults.join(", ")));
    }
    if let Some(variable) = arg.get_env() {
        notes.push_str(&format!(" Also `{}`.", variable.to_string_lossy()));
    }
    let stop = if notes.is_empty() { "" } else { "." };
    format!("- `{arg}`: {}{stop}{notes}\n", help.trim_end_matches('.'))
}
