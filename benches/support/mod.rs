//! What benchmarks with a real server share: a design from the text of its sections, and its schema applied.

use pgproof::assets::Assets;
use pgproof::compile::{self, Compiled};
use pgproof::design::{Model, resolve};
use pgproof::postgres::Server;
use pgproof::source::SourceMap;
use pgproof::template::environment;
use pgproof::verify::{Stage, Staged};

pub struct Design {
    pub model: Model,
    pub compiled: Compiled,
}

pub fn design(body: &str) -> Design {
    design_of(format!(
        "pgproof: 1\ndesign: bench\ntitle: Bench\ndatabase: {{engine: postgres, version: 15, schema: bench}}\n{body}"
    ))
}

/// A whole file.
pub fn design_of(text: String) -> Design {
    let mut map = SourceMap::new();
    let id = map.add("bench.yaml", text);
    let node = pgproof::source::parse(&map, id).unwrap_or_else(|_| panic!("the text parses"));
    let (model, findings) = resolve(&node);
    let model = model.unwrap_or_else(|| panic!("{findings:?}"));
    let compiled = compile::compile(&model);
    Design { model, compiled }
}

pub async fn stage<'a>(server: &'a Server, design: &'a Design) -> Stage<'a> {
    let environment = environment(&Assets::builtin());
    let staged = Stage::open(server, &design.model, &design.compiled, &environment).await;
    match staged.unwrap_or_else(|e| panic!("{e}")) {
        Staged::Ready(stage) => *stage,
        Staged::Refused(finding) => panic!("{finding:?}"),
    }
}
