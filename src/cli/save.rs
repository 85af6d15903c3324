//! Counterexamples as files: for `replay`, for PostgreSQL's isolation tester, and for psql.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::analysis::{Analysis, Design};
use crate::design::load::DesignPath;
use crate::error::Error;
use crate::finding::{Counterexample, Evidence, Input, Replay, Verdict};
use crate::verify::race::export;

/// Counted up when a reader of the old file could not read the new one.
pub(super) const FORMAT: u32 = 1;

/// A counterexample in a file of its own.
#[derive(serde::Serialize)]
struct File<'a> {
    /// For whoever opens it.
    about: String,
    format: u32,
    id: &'a str,
    statement: &'a str,
    counterexample: &'a Counterexample,
}

/// Says of every race that can be run again where its design is.
pub(super) fn locate(evidence: &mut [Evidence], inputs: &[Input], designs: &[Design]) {
    for evidence in evidence {
        let design = designs
            .iter()
            .find(|design| design.model.name.as_str() == evidence.design);
        let replay = evidence
            .counterexample
            .as_mut()
            .and_then(|found| found.replay_mut());
        if let (Some(design), Some(replay)) = (design, replay) {
            replay.design.path = design.path.shown();
            replay.design.sha256 = digest(inputs, &design.path);
        }
    }
}

/// The digest of a design: of its file, or of those of its folder together.
pub(super) fn digest(inputs: &[Input], path: &DesignPath) -> String {
    let shown = path.shown();
    if let Some(input) = inputs.iter().find(|input| input.path == shown) {
        return input.sha256.clone();
    }
    let inside = |input: &&Input| {
        let rest = match shown.as_str() {
            "." => Some(input.path.as_str()),
            folder => input
                .path
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        rest.is_some_and(|rest| !rest.contains('/'))
    };
    let mut all = Sha256::new();
    for input in inputs.iter().filter(inside) {
        all.update(&input.sha256);
    }
    let hexadecimal = |byte: &u8| format!("{byte:02x}");
    all.finalize().iter().map(hexadecimal).collect()
}

/// Writes the files of every refuted race into a folder.
pub(super) fn save(folder: &Path, analysis: &mut Analysis) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| Error::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let designs = &analysis.designs;
    for evidence in &mut analysis.report.evidence {
        if evidence.verdict != Verdict::Refuted {
            continue;
        }
        let design = designs
            .iter()
            .find(|design| design.model.name.as_str() == evidence.design);
        let replay = evidence
            .counterexample
            .as_mut()
            .and_then(|found| found.replay_mut());
        let (Some(design), Some(replay)) = (design, replay) else {
            continue;
        };
        let stem = stem(replay);
        let file = folder.join(format!("{stem}.json"));
        replay.file = Some(file.display().to_string());
        let exported = export(
            &design.model,
            &design.compiled.catalog,
            &analysis.workspace.environment,
            replay,
            &stem,
        )?;
        for (name, text) in exported {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(failed(&path))?;
        }
        let Some(counterexample) = &evidence.counterexample else {
            continue;
        };
        let whole = File {
            about: format!(
                "a counterexample of pgproof {}; run it again with: {}",
                env!("CARGO_PKG_VERSION"),
                command(&file, None)
            ),
            format: FORMAT,
            id: &evidence.id,
            statement: &evidence.claim.statement,
            counterexample,
        };
        let text = serde_json::to_string_pretty(&whole)
            .map_err(|e| Error::Internal(format!("a counterexample cannot be written: {e}")))?;
        std::fs::write(&file, text + "\n").map_err(failed(&file))?;
    }
    Ok(())
}

/// `lending-lent-once`, with nothing in it that a file's name cannot hold.
fn stem(replay: &Replay) -> String {
    let whole = format!("{}-{}", replay.design.name, replay.invariant);
    let plain = |c: char| match c {
        c if c.is_alphanumeric() || "-_.".contains(c) => c,
        _ => '_',
    };
    whole.chars().map(plain).collect()
}

/// The command line that runs a file again.
pub(super) fn command(file: &Path, evidence: Option<&str>) -> String {
    let mut command = format!("pgproof replay {}", quoted(&file.display().to_string()));
    if let Some(id) = evidence {
        command.push_str(&format!(" --evidence {}", quoted(id)));
    }
    command
}

/// A text as a shell reads it.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("designs/a.yaml"), "designs/a.yaml");
        assert_eq!(quoted("my design's"), "'my design'\\''s'");
    }

    #[test]
    fn the_digest_of_a_folder_is_that_of_its_own_files() {
        let input = |path: &str, sha256: &str| Input {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
        };
        let one = [input("d/design.yaml", "aa"), input("d/more.yaml", "bb")];
        let other = [one[0].clone(), one[1].clone(), input("e/design.yaml", "cc")];
        let folder = DesignPath::Folder("d".into());
        assert_eq!(digest(&one, &folder), digest(&other, &folder));
        assert_ne!(digest(&one[..1], &folder), digest(&one, &folder));
        let file = DesignPath::File("d/design.yaml".into());
        assert_eq!(digest(&one, &file), "aa");
    }
}
