//! From paths to everything that can be said without a server.

use std::path::{Path, PathBuf};

use super::workspace::Workspace;
use crate::compile::{Compiled, compile};
use crate::design::load::{DesignPath, Loaded, find, read};
use crate::design::{Model, resolve};
use crate::error::{Error, ExitCode};
use crate::finding::{Finding, Report, Severity};
use crate::source::SourceMap;

/// What is said of a design in a language that this program does not speak.
const UNSUPPORTED_VERSION: &str = "unsupported-version";

/// What is known without a server.
pub(super) struct Analysis {
    /// The texts.
    pub(super) sources: SourceMap,
    /// What is wrong, what was read.
    pub(super) report: Report,
    /// Designs without errors.
    pub(super) designs: Vec<Design>,
    /// Settings, templates and rules.
    pub(super) workspace: Workspace,
    /// Whether a file could not be read as a design at all.
    is_unreadable: bool,
}

/// A design without errors.
pub(super) struct Design {
    /// Where it is, as given.
    pub(super) path: DesignPath,
    /// What it means.
    pub(super) model: Model,
    /// Its schema.
    pub(super) compiled: Compiled,
}

/// Reads and judges the designs at these paths.
pub(super) fn analyse(paths: &[PathBuf]) -> Result<Analysis, Error> {
    let mut sources = SourceMap::new();
    let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
    let (workspace, findings) = Workspace::around(first, &mut sources)?;
    let mut analysis = Analysis {
        sources,
        // Settings that cannot be understood are as much wrong use as a wrong option.
        is_unreadable: !findings.is_empty(),
        report: Report {
            findings,
            ..Report::default()
        },
        designs: Vec::new(),
        workspace,
    };
    for path in find(paths)? {
        analysis.take(path)?;
    }
    Ok(analysis)
}

impl Analysis {
    fn take(&mut self, path: DesignPath) -> Result<(), Error> {
        let loaded = read(&mut self.sources, &path)?;
        let (model, mut findings) = self.meaning(loaded);
        if let Some(model) = model.filter(|_| !has_errors(&findings)) {
            let compiled = compile(&model);
            findings.extend(compiled.findings.iter().cloned());
            if !has_errors(&findings) {
                self.designs.push(Design {
                    path,
                    model,
                    compiled,
                });
            }
        }
        findings.sort_by_key(|finding| finding.labels.first().map(|label| label.at));
        self.report.findings.extend(findings);
        Ok(())
    }

    /// The model, as far as there is one, and everything that is wrong up to there.
    fn meaning(&mut self, loaded: Loaded) -> (Option<Model>, Vec<Finding>) {
        self.report.inputs.extend(loaded.inputs);
        let mut findings = loaded.findings;
        let resolved = loaded.root.as_ref().map(resolve);
        let (model, more) = resolved.unwrap_or_default();
        // Names may be declared in what could not be read.
        let dangles = |finding: &Finding| finding.code.starts_with("dangling-");
        findings.extend(more.into_iter().filter(|f| loaded.readable || !dangles(f)));
        let is_foreign = findings.iter().any(|f| f.code == UNSUPPORTED_VERSION);
        self.is_unreadable |= !loaded.readable || model.is_none() || is_foreign;
        if let Some(model) = &model {
            self.report.designs.push(model.name.as_str().to_owned());
        }
        (model, findings)
    }

    /// Whether something is wrong that leaves nothing to compile or to verify.
    pub(super) fn has_errors(&self) -> bool {
        self.is_unreadable || has_errors(&self.report.findings)
    }

    /// How a run ends that asks no server. What cannot be read stands before what is wrong.
    pub(super) fn code(&self) -> ExitCode {
        match (self.is_unreadable, self.report.is_at_fault()) {
            (true, _) => ExitCode::Usage,
            (false, true) => ExitCode::AtFault,
            (false, false) => ExitCode::Clean,
        }
    }
}

fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}
