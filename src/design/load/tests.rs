//! Which files make a design, and what is said where they do not.

use std::path::{Path, PathBuf};

use super::{DesignPath, Loaded, find, read};
use crate::source::SourceMap;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the folder"))
            .expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
    folder
}

/// What is found, relative to the folder, with `/` after folders.
fn found(folder: &Path, paths: &[&str]) -> Result<Vec<String>, String> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    let designs = find(&paths).map_err(|error| error.to_string())?;
    let shown = |path: &Path| {
        let path = path.strip_prefix(folder).unwrap_or(path);
        path.display().to_string().replace('\\', "/")
    };
    Ok(designs
        .iter()
        .map(|design| match design {
            DesignPath::Stdin => "-".to_owned(),
            DesignPath::File(path) => shown(path),
            DesignPath::Folder(path) => format!("{}/", shown(path)),
        })
        .collect())
}

fn load(folder: &Path, path: &str) -> (SourceMap, Loaded) {
    let mut map = SourceMap::new();
    let designs = find(&[folder.join(path)]).expect("it is there");
    let loaded = read(&mut map, &designs[0]).expect("it can be read");
    (map, loaded)
}

/// `file:line code: message` of each finding.
fn said(map: &SourceMap, loaded: &Loaded) -> Vec<String> {
    loaded
        .findings
        .iter()
        .map(|finding| {
            let at = finding.labels[0].at;
            let path = map.path(at.source);
            let file = path.rsplit('/').next().unwrap_or(path);
            let line = map.line_column(at).0.line;
            format!("{file}:{line} {}: {}", finding.code, finding.message)
        })
        .collect()
}

const SMALL: &str = "pgproof: 1\ndesign: small\n";

#[test]
fn designs_are_found_as_files_folders_and_workspaces() {
    let folder = folder(&[
        ("designs/b.yaml", SMALL),
        ("designs/a/design.yaml", SMALL),
        ("designs/a/queries.yaml", "queries: {}\n"),
        ("designs/a/expected/other.yaml", SMALL),
        ("designs/.hidden.yaml", SMALL),
        ("designs/notes.md", "no design"),
        ("designs/empty/readme.txt", ""),
        ("pgproof.yaml", "levels: {}\n"),
        ("checks/x.yaml", "code: x\n"),
        ("loose/one.yaml", SMALL),
        ("loose/settings.yaml", "levels: {}\n"),
        ("nothing/readme.txt", ""),
    ]);
    let here = folder.path();
    let all = vec!["designs/a/".to_owned(), "designs/b.yaml".to_owned()];
    assert_eq!(found(here, &[""]), Ok(all.clone()));
    assert_eq!(found(here, &["designs"]), Ok(all));
    assert_eq!(
        found(here, &["designs/a"]),
        Ok(vec!["designs/a/".to_owned()])
    );
    assert_eq!(
        found(here, &["designs/b.yaml", "designs/b.yaml", "designs/a"]),
        Ok(vec!["designs/b.yaml".to_owned(), "designs/a/".to_owned()])
    );
    assert_eq!(
        found(here, &["loose"]),
        Ok(vec!["loose/one.yaml".to_owned()])
    );
    assert_eq!(
        find(&[PathBuf::from("-")]).map_err(drop),
        Ok(vec![DesignPath::Stdin])
    );
    assert!(found(here, &["nothing"]).is_err_and(|e| e.contains("pgproof new NAME")));
    assert!(found(here, &["absent.yaml"]).is_err_and(|e| e.contains("absent.yaml")));
}

#[test]
fn a_folder_is_one_design() {
    let folder = folder(&[
        ("shop/design.yaml", "pgproof: 1\ndesign: shop\n"),
        (
            "shop/queries.yaml",
            "# all queries\ndesign: shop\nqueries:\n  q: {sql: SELECT 1}\n",
        ),
        ("shop/tables.yml", "tables:\n  t: {columns: {id: uuid}}\n"),
    ]);
    let (map, loaded) = load(folder.path(), "shop");
    assert_eq!(said(&map, &loaded), Vec::<String>::new());
    assert!(loaded.readable);
    let root = loaded.root.expect("it can be read");
    let keys: Vec<_> = root
        .entries()
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    assert_eq!(keys, ["pgproof", "design", "queries", "tables"]);
    let files: Vec<_> = loaded
        .inputs
        .iter()
        .map(|input| input.path.rsplit('/').next().unwrap_or_default())
        .collect();
    assert_eq!(files, ["design.yaml", "queries.yaml", "tables.yml"]);
    assert!(loaded.inputs.iter().all(|input| input.sha256.len() == 64));
}

#[test]
fn a_section_in_two_files_is_shown_in_both() {
    let folder = folder(&[
        (
            "shop/design.yaml",
            "pgproof: 1\ndesign: shop\nqueries: {}\n",
        ),
        ("shop/list.yaml", "- no section\n"),
        ("shop/queries.yaml", "design: other\nqueries: {}\n"),
    ]);
    let (map, loaded) = load(folder.path(), "shop");
    assert_eq!(
        said(&map, &loaded),
        [
            "list.yaml:1 wrong-type: a file beside design.yaml holds sections of the design, this is a list",
            "queries.yaml:1 section-twice: section `design` is in two files of this design",
            "queries.yaml:2 section-twice: section `queries` is in two files of this design",
        ]
    );
    let second = &loaded.findings[2];
    assert!(
        map.path(second.labels[1].at.source)
            .ends_with("design.yaml")
    );
    assert_eq!(second.design, "shop");
}

#[test]
fn what_cannot_be_read_is_told_from_what_is_wrong() {
    let folder = folder(&[
        ("syntax.yaml", "pgproof: 1\ntables: {a: [}\nquerys: {}\n"),
        (
            "wrong.yaml",
            "pgproof: 1\ndesign: x\ntables: []\ntables: {}\n",
        ),
        ("empty.yaml", ""),
        ("two.yaml", "pgproof: 1\ndesign: x\n---\npgproof: 1\n"),
        ("version.yaml", "pgproof: 2\nanything: goes\n"),
        ("list.yaml", "- a\n"),
    ]);
    let case = |path| {
        let (map, loaded) = load(folder.path(), path);
        (said(&map, &loaded), loaded.readable)
    };
    let strings = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        case("syntax.yaml"),
        (
            strings(&[
                "syntax.yaml:2 syntax: a `[` is closed by `}`",
                "syntax.yaml:3 unknown-key: unknown key `querys`",
            ]),
            false
        )
    );
    assert_eq!(
        case("wrong.yaml"),
        (
            strings(&[
                "wrong.yaml:3 wrong-type: expected a mapping from table names to tables, found a list",
                "wrong.yaml:4 duplicate-key: `tables` is given twice in one mapping",
            ]),
            true
        )
    );
    assert_eq!(
        case("empty.yaml"),
        (strings(&["empty.yaml:1 syntax: the file is empty"]), false)
    );
    assert_eq!(
        case("two.yaml"),
        (
            strings(&["two.yaml:3 syntax: the file holds a second document"]),
            false
        )
    );
    assert_eq!(
        case("version.yaml"),
        (
            strings(&["version.yaml:1 unsupported-version: language version `2` is not known"]),
            true
        )
    );
    assert_eq!(
        case("list.yaml"),
        (
            strings(&["list.yaml:1 wrong-type: a design is a mapping of keys, this is a list"]),
            true
        )
    );
}

#[test]
fn bytes_that_are_no_text_are_shown_where_they_begin() {
    let folder = folder(&[]);
    let path = folder.path().join("latin.yaml");
    std::fs::write(&path, b"pgproof: 1\ntitle: caf\xe9\n").expect("a file can be written");
    let (map, loaded) = load(folder.path(), "latin.yaml");
    assert_eq!(
        said(&map, &loaded),
        ["latin.yaml:2 syntax: the file is not UTF-8 text"]
    );
    assert_eq!(
        map.line_column(loaded.findings[0].labels[0].at).0.column,
        11
    );
    assert!(!loaded.readable && loaded.root.is_none());

    let large = folder.path().join("large.yaml");
    std::fs::write(&large, "a: b\n".repeat(3_000_000)).expect("a file can be written");
    let (map, loaded) = load(folder.path(), "large.yaml");
    assert_eq!(
        said(&map, &loaded),
        ["large.yaml:1 too-large: the file has more than the 10 MB that a design may have"]
    );
    assert!(!loaded.readable);
}
