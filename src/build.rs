//! Lists what is embedded in the program: a sorted table of path and text for `checks/`, `templates/` and `designs/`. And makes a digest
//! of the sources, so that evidence that another program kept is not taken for this one's.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FOLDERS: [&str; 3] = ["checks", "templates", "designs"];
const EXTENSIONS: [&str; 5] = ["yaml", "md", "j2", "css", "js"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        list(&root, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let path = root.join(&file);
        // A `String` cannot fail to be written to.
        let _ = writeln!(
            code,
            "    ({file:?}, include_str!({:?})),",
            path.display().to_string()
        );
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.toml");
    let digest = sources(&root)?;
    println!("cargo::rustc-env=PGPROOF_SOURCES={digest:016x}");
    fs::write(out.join("embedded.rs"), code)
}

/// A digest of everything that the program is made from here.
fn sources(root: &Path) -> io::Result<u64> {
    let mut files = vec![root.join("Cargo.toml")];
    walk(&root.join("src"), &mut files)?;
    walk(&root.join("templates"), &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => walk(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// Files below a folder, with `/` between names; without what is hidden and what only tests compare with.
fn list(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        if name.starts_with('.') || name == "expected" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(root, &path, files)?;
        } else if EXTENSIONS
            .iter()
            .any(|ext| name.ends_with(&format!(".{ext}")))
        {
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            files.push(parts.join("/"));
        }
    }
    Ok(())
}
