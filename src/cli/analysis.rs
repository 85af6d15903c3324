//! From paths to everything that can be said without a server.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::assets::Assets;
use crate::compile::{Compiled, compile};
use crate::design::{Model, resolve};
use crate::error::Error;
use crate::finding::{Finding, Input, Report, Severity};
use crate::source::{self, SourceMap};
use crate::template::{Environment, environment};

/// What is known without a server.
pub(super) struct Analysis {
    /// The texts.
    pub(super) sources: SourceMap,
    /// What is wrong, what was read.
    pub(super) report: Report,
    /// Designs without errors.
    pub(super) designs: Vec<Design>,
    /// Templates.
    pub(super) environment: Environment,
    /// Whether a file could not be read as a design at all.
    pub(super) is_unreadable: bool,
}

/// A design without errors.
pub(super) struct Design {
    /// As given.
    pub(super) path: PathBuf,
    /// What it means.
    pub(super) model: Model,
    /// Its schema.
    pub(super) compiled: Compiled,
}

/// Reads and judges the designs at these paths.
pub(super) fn analyse(paths: &[PathBuf]) -> Result<Analysis, Error> {
    let mut analysis = Analysis {
        sources: SourceMap::new(),
        report: Report::default(),
        designs: Vec::new(),
        environment: environment(&Assets::builtin()),
        is_unreadable: false,
    };
    for path in paths {
        let path = if path.is_dir() {
            path.join("design.yaml")
        } else {
            path.clone()
        };
        analysis.take(&path)?;
    }
    Ok(analysis)
}

impl Analysis {
    fn take(&mut self, path: &Path) -> Result<(), Error> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: shown.clone(),
            source,
        })?;
        self.report.inputs.push(Input {
            path: shown.clone(),
            sha256: digest(&text),
        });
        let id = self.sources.add(shown, text);
        let parsed = source::read(&self.sources, id);
        self.is_unreadable |= !parsed.faults.is_empty();
        let mut findings: Vec<Finding> = parsed.faults.into_iter().map(told).collect();
        let mut model = None;
        if let Some(root) = parsed.root {
            let (resolved, more) = resolve(&root);
            findings.extend(more);
            model = resolved;
        }
        if let Some(model) = model {
            self.report.designs.push(model.name.as_str().to_owned());
            if !has_errors(&findings) {
                let compiled = compile(&model);
                findings.extend(compiled.findings.iter().cloned());
                if !has_errors(&findings) {
                    self.designs.push(Design {
                        path: path.to_path_buf(),
                        model,
                        compiled,
                    });
                }
            }
        }
        findings.sort_by_key(|f| f.labels.first().map(|label| label.at));
        self.report.findings.extend(findings);
        Ok(())
    }
}

fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

fn told(fault: source::Fault) -> Finding {
    let mut finding = Finding::error(fault.code, "file", fault.message, fault.at);
    finding.help = fault.help;
    for (at, text) in fault.also {
        finding = finding.label(at, text);
    }
    finding
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
