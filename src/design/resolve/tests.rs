//! What resolution says about whole designs.

use super::resolve;
use crate::design::Model;
use crate::finding::{Finding, Severity};
use crate::source::{SourceMap, parse};

mod support;

#[test]
fn scratch() {
    for dir in std::fs::read_dir("designs").unwrap() {
        let path = dir.unwrap().path().join("design.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut map = SourceMap::new();
        let id = map.add(path.to_string_lossy(), text);
        let root = match parse(&map, id) {
            Ok(root) => root,
            Err(f) => {
                println!("{f:#?}");
                continue;
            }
        };
        let (_, findings) = resolve(&root);
        for f in findings {
            let (a, _) = map.line_column(f.labels[0].at);
            println!("{}:{}:{} {} {} {} | {} | {}", map.path(id), a.line, a.column, f.severity.word(), f.code, f.subject, f.message, f.help.unwrap_or_default());
        }
    }
}
