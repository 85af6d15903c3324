//! From paths to designs: which files make one, and what is in them. The only file access of this storey.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::language::{self, DESIGN, SECTION_TWICE};
use crate::error::Error;
use crate::finding::{Finding, Input};
use crate::source::{self, Entry, Node, NodeKind, SourceId, SourceMap, Span, TOO_LARGE};

/// The folder of a workspace that holds its designs.
pub const DESIGNS: &str = "designs";
/// The file that makes a folder a design.
pub const DESIGN_FILE: &str = "design.yaml";
/// Most findings of one design; nobody reads more, and a stranger's file could have half a million.
const FINDINGS: usize = 1_000;
/// What standard input is called.
const STDIN: &str = "<stdin>";

/// The files that make one design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesignPath {
    /// Standard input.
    Stdin,
    /// One file.
    File(PathBuf),
    /// A folder with `design.yaml`; further files beside it hold some of its sections.
    Folder(PathBuf),
}

impl DesignPath {
    /// What messages call it.
    pub fn shown(&self) -> String {
        match self {
            DesignPath::Stdin => STDIN.to_owned(),
            DesignPath::File(path) | DesignPath::Folder(path) => shown(path),
        }
    }
}

/// A design as it was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its sections, of all its files; `None` where nothing could be read.
    pub root: Option<Node>,
    /// Its files, in the order they were read.
    pub inputs: Vec<Input>,
    /// What is wrong with it as text and as keys and values.
    pub findings: Vec<Finding>,
    /// Whether the whole of it could be read. If not, `root` lacks sections, and what refers to them would seem to dangle.
    pub readable: bool,
}

/// The designs at these paths: files, design folders, workspaces, or `-` for standard input. Without a path, the workspace at
/// hand.
pub fn find(paths: &[PathBuf]) -> Result<Vec<DesignPath>, Error> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let mut found = Vec::new();
    for path in paths {
        for design in at(path)? {
            if !found.contains(&design) {
                found.push(design);
            }
        }
    }
    Ok(found)
}

fn at(path: &Path) -> Result<Vec<DesignPath>, Error> {
    if path == Path::new("-") {
        return Ok(vec![DesignPath::Stdin]);
    }
    let kind = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if !kind.is_dir() {
        return Ok(vec![DesignPath::File(path.to_owned())]);
    }
    if path.join(DESIGN_FILE).is_file() {
        return Ok(vec![DesignPath::Folder(path.to_owned())]);
    }
    let workspace = path.join(DESIGNS);
    let folder = if workspace.is_dir() { &workspace } else { path };
    let found = in_folder(folder)?;
    if found.is_empty() {
        return Err(Error::Usage(format!(
            "no design in {}; name a file, or a folder with {DESIGN_FILE} or {DESIGNS}/ in it, or begin one with `pgproof new NAME`",
            shown(path)
        )));
    }
    Ok(found)
}

/// `NAME.yaml` and `NAME/design.yaml`, by name. In a folder that is not called `designs`, a file counts only where it begins like
/// a design: settings and rules are YAML too.
fn in_folder(folder: &Path) -> Result<Vec<DesignPath>, Error> {
    let is_ours = folder.file_name().is_some_and(|name| name == DESIGNS);
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.join(DESIGN_FILE).is_file() {
            found.push(DesignPath::Folder(path));
        } else if path.is_file() && is_yaml(&path) && (is_ours || begins_like_a_design(&path)) {
            found.push(DesignPath::File(path));
        }
    }
    Ok(found)
}

/// What is in a folder, by name, without hidden files.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn begins_like_a_design(path: &Path) -> bool {
    let mut start = [0; 4096];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start));
    let text = String::from_utf8_lossy(&start[..read.unwrap_or(0)]).into_owned();
    text.trim_start_matches('\u{feff}')
        .lines()
        .any(|line| line.starts_with("pgproof:"))
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        path: shown(path),
        source,
    }
}

/// A path with `/` between folders, without the `./` that nobody writes.
fn shown(path: &Path) -> String {
    let short = path.strip_prefix(".").unwrap_or(path);
    let path = if short == Path::new("") { path } else { short };
    path.display().to_string().replace('\\', "/")
}

/// Reads a design with all its files and judges it as keys and values. What is wrong with it is among the findings; an error is
/// only a file that cannot be read.
pub fn read(map: &mut SourceMap, design: &DesignPath) -> Result<Loaded, Error> {
    let mut reading = Reading::default();
    match design {
        DesignPath::Stdin => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .take(source::FILE_SIZE + 1)
                .read_to_end(&mut bytes)
                .map_err(|source| Error::Io {
                    path: STDIN.to_owned(),
                    source,
                })?;
            reading.take(map, STDIN, &bytes);
        }
        DesignPath::File(path) => reading.file(map, path)?,
        DesignPath::Folder(folder) => {
            reading.file(map, &folder.join(DESIGN_FILE))?;
            for path in entries(folder)? {
                if path.is_file() && is_yaml(&path) && !path.ends_with(DESIGN_FILE) {
                    reading.file(map, &path)?;
                }
            }
        }
    }
    Ok(reading.end(map))
}

#[derive(Default)]
struct Reading {
    parts: Vec<Node>,
    inputs: Vec<Input>,
    findings: Vec<Finding>,
    is_broken: bool,
}

impl Reading {
    fn file(&mut self, map: &mut SourceMap, path: &Path) -> Result<(), Error> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(source::FILE_SIZE + 1).read_to_end(&mut bytes))
            .map_err(|source| unreadable(path, source))?;
        self.take(map, &shown(path), &bytes);
        Ok(())
    }

    fn take(&mut self, map: &mut SourceMap, path: &str, bytes: &[u8]) {
        self.inputs.push(Input {
            path: path.to_owned(),
            sha256: hexadecimal(&Sha256::digest(bytes)),
        });
        if bytes.len() as u64 > source::FILE_SIZE {
            let id = map.add(path, String::new());
            let message = "the file has more than the 10 MB that a design may have";
            let finding = Finding::error(TOO_LARGE, "file", message, Span::new(id, 0, 0))
                .help("a design holds no data; split it into a folder with one file per section");
            self.broken(finding);
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let id = map.add(path, text.to_owned());
                self.parse(map, id);
            }
            Err(error) => {
                let id = map.add(path, String::from_utf8_lossy(bytes).into_owned());
                let at = error.valid_up_to() as u32;
                let finding = Finding::error(
                    source::SYNTAX,
                    "file",
                    "the file is not UTF-8 text",
                    // What could not be read is shown as one replacement character of three bytes.
                    Span::new(id, at, at + 3),
                )
                .help("save the file as UTF-8");
                self.broken(finding);
            }
        }
    }

    fn broken(&mut self, finding: Finding) {
        self.is_broken = true;
        self.findings.push(finding);
    }

    fn parse(&mut self, map: &SourceMap, id: SourceId) {
        let parsed = source::read(map, id);
        self.is_broken |= !parsed.is_whole;
        for fault in parsed.faults {
            let mut finding = Finding::error(fault.code, "file", fault.message, fault.at);
            finding.help = fault.help;
            for (at, text) in fault.also {
                finding = finding.label(at, text);
            }
            self.findings.push(finding);
        }
        self.parts.extend(parsed.root);
    }

    /// The files as one.
    fn end(mut self, map: &SourceMap) -> Loaded {
        let parts = std::mem::take(&mut self.parts);
        let root = self.merged(parts);
        if let Some(root) = &root {
            let more = language::validate(root, map).into_iter().filter(|finding| {
                // What is missing at the top may be in what could not be read.
                !self.is_broken
                    || finding.code != language::MISSING_KEY
                    || finding.subject != "design"
            });
            self.findings.extend(more);
        }
        self.findings
            .sort_by_key(|finding| finding.labels.first().map(|label| label.at));
        let name = root.as_ref().and_then(|root| root.get("design")?.as_str());
        if let Some(name) = name {
            for finding in &mut self.findings {
                finding.design = name.to_owned();
            }
        }
        let beyond = self.findings.len().saturating_sub(FINDINGS);
        if let Some(last) = self.findings.get(FINDINGS) {
            let message = format!("{beyond} further faults are not shown");
            let more = Finding::error(TOO_LARGE, "file", message, last.labels[0].at)
                .help("begin with those before this place");
            self.findings.truncate(FINDINGS);
            self.findings.push(more);
        }
        Loaded {
            root,
            inputs: self.inputs,
            findings: self.findings,
            readable: !self.is_broken,
        }
    }

    /// One mapping of all sections; a section in two files is a fault with both places.
    fn merged(&mut self, parts: Vec<Node>) -> Option<Node> {
        let mut parts = parts.into_iter();
        let mut root = parts.next()?;
        let NodeKind::Mapping(sections) = &mut root.kind else {
            return Some(root);
        };
        let mut known: HashMap<String, usize> = sections
            .iter()
            .enumerate()
            .map(|(number, entry)| (entry.key.as_str().to_owned(), number))
            .collect();
        for part in parts {
            let at = part.at;
            let NodeKind::Mapping(more) = part.kind else {
                let message = format!(
                    "a file beside {DESIGN_FILE} holds sections of the design, this is {}",
                    part.noun()
                );
                let at = Span::new(at.source, at.start, at.end.min(at.start + 1));
                self.findings.push(
                    Finding::error(language::WRONG_TYPE, "file", message, at)
                        .help("begin with a section such as `queries:`, or move the file into a folder of its own"),
                );
                continue;
            };
            for entry in more {
                self.add(sections, &mut known, entry);
            }
        }
        Some(root)
    }

    fn add(&mut self, sections: &mut Vec<Entry>, known: &mut HashMap<String, usize>, entry: Entry) {
        let name = entry.key.as_str();
        let Some(first) = known.get(name).map(|number| &sections[*number]) else {
            known.insert(name.to_owned(), sections.len());
            return sections.push(entry);
        };
        // Each file may say which language and design it belongs to.
        let is_heading = matches!(name, "pgproof" | "design");
        if is_heading && first.value.as_str() == entry.value.as_str() {
            return;
        }
        let what = match DESIGN.key(name) {
            Some(_) => "section",
            None => "key",
        };
        let message = format!("{what} `{name}` is in two files of this design");
        self.findings.push(
            Finding::error(SECTION_TWICE, "design", message, entry.key.at())
                .label(first.key.at(), "it is here already")
                .help("keep it in one of them"),
        );
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
