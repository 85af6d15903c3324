//! The tool could not do its work. (A design that is wrong is a finding, never an error.)

/// Why the tool could not do its work; each a whole sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot read or write {path}: {source}")]
    Io {
        /// As the user gave it.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The command line or the settings ask for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// No PostgreSQL to be had, or it went away.
    #[error("{message}")]
    Environment {
        /// What is so.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A template or a rule of the program or of the team is wrong.
    #[error("{0}")]
    Template(String),
    /// A bug in pgproof.
    #[error("this is a bug in pgproof: {0}")]
    Internal(String),
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Clean.
    Clean = 0,
    /// Findings, or refuted or vacuous claims.
    AtFault = 1,
    /// Wrong use, or a design that cannot be read.
    Usage = 2,
    /// No PostgreSQL to be had.
    Environment = 3,
    /// Our bug.
    Internal = 70,
    /// The terminal went away while servers ran; they are stopped.
    Hangup = 129,
    /// Ctrl-C while servers ran; they are stopped.
    Interrupted = 130,
    /// A polite kill while servers ran; they are stopped.
    Terminated = 143,
}

impl Error {
    /// The exit code that goes with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Io { .. } | Error::Usage(_) | Error::Template(_) => ExitCode::Usage,
            Error::Environment { .. } => ExitCode::Environment,
            Error::Internal(_) => ExitCode::Internal,
        }
    }
}
