//! The only place that prints.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::error::Error;
use crate::report::{Look, printable};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default();

/// Columns where the output is no terminal.
const WIDTH: usize = 100;

/// Standard output and standard error. A reader that has gone away (`pgproof check | head`) is no fault: what is left is
/// swallowed, and the exit code stays what the work said.
pub(super) struct Output {
    width: usize,
    colour: bool,
    colour_on_stderr: bool,
    closed: bool,
}

impl Output {
    pub(super) fn new() -> Output {
        Output {
            width: width(),
            colour: wants_colour(AutoStream::choice(&std::io::stdout())),
            colour_on_stderr: wants_colour(AutoStream::choice(&std::io::stderr())),
            closed: false,
        }
    }

    /// What the reader's side can show.
    pub(super) fn look(&self, elapsed: impl Into<Option<Duration>>) -> Look {
        Look {
            width: self.width,
            colour: self.colour,
            elapsed: elapsed.into(),
        }
    }

    /// The same, where results go elsewhere and only trouble is told.
    pub(super) fn look_of_stderr(&self, elapsed: Duration) -> Look {
        Look {
            colour: self.colour_on_stderr,
            ..self.look(elapsed)
        }
    }

    /// The same, for a file.
    pub(super) fn look_of_file(&self, elapsed: impl Into<Option<Duration>>) -> Look {
        Look {
            width: WIDTH,
            colour: false,
            elapsed: elapsed.into(),
        }
    }

    /// Results, on standard output.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        if self.closed {
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(source) => Err(Error::Io {
                path: "standard output".to_owned(),
                source,
            }),
            Ok(()) => Ok(()),
        }
    }

    /// Results, in a file (`-`: standard output) or on standard output.
    pub(super) fn write(&mut self, file: Option<&Path>, text: &str) -> Result<(), Error> {
        let Some(path) = file.filter(|path| *path != Path::new("-")) else {
            return self.print(text);
        };
        std::fs::write(path, text).map_err(|source| Error::Io {
            path: path.display().to_string(),
            source,
        })
    }

    /// A remark about the run, on standard error.
    pub(super) fn note(&self, text: &str) {
        self.say(&format!("{HELP}note:{HELP:#} {}", printable(text)));
    }

    /// Why the tool could not do its work, and what to do next.
    pub(super) fn error(&self, error: &Error) {
        self.say(&format!(
            "{ERROR}error:{ERROR:#} {}",
            printable(&error.to_string())
        ));
        if let Error::Environment { help, .. } = error {
            self.say(&format!(" {HELP}help:{HELP:#} {}", printable(help)));
        }
    }

    /// What clap has to say: help and version as results, the rest on standard error.
    pub(super) fn print_clap(&mut self, said: &clap::Error, wrong: bool) -> Result<(), Error> {
        let text = said.render();
        if wrong {
            self.say(text.ansi().to_string().trim_end());
            return Ok(());
        }
        self.print_styled(&text.ansi().to_string())
    }

    /// Results with colours in them, which go away where none are wanted.
    pub(super) fn print_styled(&mut self, text: &str) -> Result<(), Error> {
        match self.colour {
            true => self.print(text),
            false => self.print(&anstream::adapter::strip_str(text).to_string()),
        }
    }

    /// Trouble, on standard error, where results are something else.
    pub(super) fn tell(&self, text: &str) {
        self.say(text.trim_end());
    }

    /// A line on standard error. Nobody is left to tell when that fails.
    fn say(&self, line: &str) {
        let choice = match self.colour_on_stderr {
            true => ColorChoice::Always,
            false => ColorChoice::Never,
        };
        let mut stderr = AutoStream::new(std::io::stderr().lock(), choice);
        let _ = writeln!(stderr, "{line}");
    }
}

fn wants_colour(choice: ColorChoice) -> bool {
    choice != ColorChoice::Never
}

/// `COLUMNS` where it is set, else what the terminal says.
fn width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let seen = || match std::io::stdout().is_terminal() {
        true => terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        false => None,
    };
    told.or_else(seen).unwrap_or(WIDTH)
}
