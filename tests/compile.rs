//! Compiling the worked designs: the DDL is a golden file, byte for byte.
#![expect(missing_docs, reason = "a test")]

use std::path::Path;

use pgproof::assets::Assets;
use pgproof::{compile, design, source, template};

fn compiled(name: &str) -> (String, Vec<String>) {
    let path = format!("{}/designs/{name}/design.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the design exists");
    let mut map = source::SourceMap::new();
    let id = map.add(format!("designs/{name}/design.yaml"), text);
    let root = source::parse(&map, id).expect("the design parses");
    let (model, findings) = design::resolve(&root);
    let model = model.expect("the design resolves");
    let made = compile::compile(&model);
    let all = findings.iter().chain(&made.findings);
    let said = all
        .map(|f| {
            let (from, _) = map.line_column(f.labels[0].at);
            format!("{}:{} {} {}", from.line, from.column, f.code, f.message)
        })
        .collect();
    let environment = template::environment(&Assets::builtin());
    let script = compile::ddl(&made.catalog, &environment).expect("the catalog can be written down");
    (script.text(), said)
}

#[test]
fn designs_compile_to_their_golden_ddl() {
    let designs = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("designs")).expect("designs");
    for entry in designs {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let (text, said) = compiled(&name);
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("designs/{name}/expected/schema.sql"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(golden.parent().expect("a folder")).expect("made");
            std::fs::write(&golden, &text).expect("written");
        }
        assert_eq!(said, Vec::<String>::new(), "{name}: findings");
        assert_eq!(std::fs::read_to_string(&golden).unwrap_or_default(), text, "{name}: run with UPDATE_GOLDEN=1 and read the difference");
    }
}
