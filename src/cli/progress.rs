//! How far a run is, on standard error, where somebody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::finding::Method;
use crate::verify::Progress;

/// A line that says what is being tried; clones share it. indicatif hides it where standard error is no terminal.
#[derive(Clone)]
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(super) fn new() -> Bar {
        let bar = ProgressBar::new_spinner();
        let style = "{spinner} {prefix} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar }
    }

    /// A server is on its way.
    pub(super) fn starts(&self, major: u16) {
        self.bar.set_prefix(format!("PostgreSQL {major}"));
        self.bar.set_message("starts");
    }

    /// Nothing is left of it.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&mut self, design: &str, method: Method, claims: usize) {
        let style = "{spinner} {prefix} {bar:16} {pos}/{len} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
        self.bar.set_prefix(format!("{design} {}", method.word()));
        self.bar.set_length(claims as u64);
        self.bar.set_position(0);
        self.bar.set_message("");
    }

    fn claim(&mut self, subject: &str) {
        self.bar.set_message(subject.to_owned());
        self.bar.inc(1);
    }
}
