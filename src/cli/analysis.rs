//! From paths to everything that can be said without a server.

use std::path::{Path, PathBuf};

use super::workspace::Workspace;
use crate::check::{self, Inputs, Pack, Waived};
use crate::compile::{Compiled, compile};
use crate::design::load::{DesignPath, Loaded, find, read};
use crate::design::{Model, Name, resolve};
use crate::error::{Error, ExitCode};
use crate::finding::{Finding, Method, Report, Severity};
use crate::source::SourceMap;

/// What is said of a design in a language that this program does not speak.
const UNSUPPORTED_VERSION: &str = "unsupported-version";

/// What is known without a server.
pub(super) struct Analysis {
    /// The texts.
    pub(super) sources: SourceMap,
    /// What is wrong, what was read.
    pub(super) report: Report,
    /// Designs that compile.
    pub(super) designs: Vec<Design>,
    /// Settings, templates and rules.
    pub(super) workspace: Workspace,
    /// Whether every design compiles.
    pub(super) is_whole: bool,
    /// Whether a file could not be read as a design at all.
    is_unreadable: bool,
}

/// A design that compiles.
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
    let (workspace, mut findings) = Workspace::around(first, &mut sources)?;
    let pack = check::load(&workspace.assets, &workspace.environment)?;
    findings.extend(workspace.settings.unknown_codes(&pack));
    let mut reader = Reader {
        sources,
        pack: &pack,
        today: today(),
        // Settings that cannot be understood are as much wrong use as a wrong option.
        is_unreadable: !findings.is_empty(),
        report: Report {
            findings,
            ..Report::default()
        },
        designs: Vec::new(),
        names: Vec::new(),
    };
    let paths = find(paths)?;
    let count = paths.len();
    for path in paths {
        reader.take(path)?;
    }
    reader.report.findings.extend(twins(&reader.names));
    let levels = &workspace.settings.levels;
    reader.report.findings = levels.apply(reader.report.findings);
    Ok(Analysis {
        sources: reader.sources,
        report: reader.report,
        is_whole: reader.designs.len() == count,
        designs: reader.designs,
        is_unreadable: reader.is_unreadable,
        workspace,
    })
}

/// An analysis of no design, for what else there is to be said in the workspace around a path.
pub(super) fn nothing(path: &Path) -> Result<Analysis, Error> {
    let mut sources = SourceMap::new();
    let (workspace, mut findings) = Workspace::around(path, &mut sources)?;
    let pack = check::load(&workspace.assets, &workspace.environment)?;
    findings.extend(workspace.settings.unknown_codes(&pack));
    drop(pack);
    Ok(Analysis {
        sources,
        is_unreadable: !findings.is_empty(),
        report: Report {
            findings,
            ..Report::default()
        },
        is_whole: true,
        designs: Vec::new(),
        workspace,
    })
}

impl Analysis {
    /// Adds what was found on a server, without what the designs waive. `complete`: whether all was run in this way.
    pub(super) fn add_tried(
        &mut self,
        mut findings: Vec<Finding>,
        complete: &dyn Fn(Method) -> bool,
    ) -> Result<(), Error> {
        let pack = check::load(&self.workspace.assets, &self.workspace.environment)?;
        for design in &self.designs {
            let model = &design.model;
            let is_own = |finding: &Finding| finding.design == model.name.as_str();
            let (own, others) = findings.into_iter().partition(is_own);
            let (left, waived) = check::waive_tried(&pack, model, own, &today(), complete)?;
            let notes = waived.iter().map(|waived| note(model, waived));
            self.report.notes.extend(notes);
            self.report.findings.extend(left);
            findings = others;
        }
        self.report.findings.extend(findings);
        Ok(())
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

struct Reader<'a> {
    sources: SourceMap,
    pack: &'a Pack<'a>,
    today: String,
    report: Report,
    designs: Vec<Design>,
    names: Vec<Name>,
    is_unreadable: bool,
}

impl Reader<'_> {
    fn take(&mut self, path: DesignPath) -> Result<(), Error> {
        let loaded = read(&mut self.sources, &path)?;
        let (model, mut findings) = self.meaning(loaded);
        if let Some(model) = model {
            let is_sound = !has_errors(&findings);
            let compiled = compile(&model);
            // Of what could not be resolved the compiler sees only a part; it would complain about the rest.
            if is_sound {
                findings.extend(compiled.findings.iter().cloned());
            }
            let compiles = !has_errors(&findings);
            let inputs = Inputs {
                model: &model,
                catalog: &compiled.catalog,
                today: &self.today,
            };
            findings.extend(check::run(self.pack, &inputs)?);
            findings = self.waive(&model, findings)?;
            if compiles {
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
            self.names.push(model.name.clone());
        }
        (model.filter(|_| loaded.readable), findings)
    }

    /// What is left when the design's waivers are taken out; each that was used is told.
    fn waive(&mut self, model: &Model, findings: Vec<Finding>) -> Result<Vec<Finding>, Error> {
        let (left, waived) = check::apply_waivers(self.pack, model, findings, &self.today)?;
        let notes = waived.iter().map(|waived| note(model, waived));
        self.report.notes.extend(notes);
        Ok(left)
    }
}

fn note(model: &Model, waived: &Waived) -> String {
    format!(
        "{}: `{}` is waived at {}: {}",
        model.name.as_str(),
        waived.finding.code,
        waived.finding.subject,
        waived.because
    )
}

/// Designs of one name: reports and databases could not tell them apart.
fn twins(names: &[Name]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names[..index].iter().find(|other| *other == name) {
            let subject = format!("design {}", name.as_str());
            let message = format!("two designs are called `{}`", name.as_str());
            let finding = Finding::error("design-twice", subject, message, name.at);
            let finding = finding.label(first.at, "the other one");
            findings.push(
                finding
                    .help("give each design of a workspace a name of its own")
                    .of(name.as_str()),
            );
        }
    }
    findings
}

fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}

/// The day, for what ends on one.
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
