//! How long `check` and `compile` take as designs grow: from text to findings and DDL, at 10, 100 and 1,000 tables; and how long the way from such a schema
//! to one that differs in every tenth table takes to be planned.
//!
//! Prints the growth of the time a table takes (1.0 is linear) and, as the peer, how often the whole is slower than only reading the
//! same text with `serde_yaml` into untyped data.
#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use pgproof::assets::Assets;
use pgproof::{check, compile, design, migrate, source, template};

/// A design of `tables` tables, each with ten columns, a reference to the one before, two indexes, an invariant and a query.
fn design(tables: usize) -> String {
    let mut text = String::from(
        "pgproof: 1\ndesign: wide\ntitle: Wide\ndatabase: {engine: postgres, version: 15, schema: wide}\ntables:\n",
    );
    for n in 0..tables {
        let _ = write!(
            text,
            "  t{n}:\n    grain: one thing number {n}\n    role: truth\n    owner: team\n    columns:\n      \
             id: {{type: bigint, identity: always}}\n      tenant_id: uuid\n      parent_id: bigint\n      \
             state: {{type: text, one_of: [open, closed]}}\n      amount: {{type: \"numeric(12,2)\", check: amount >= 0}}\n      \
             name: text\n      note: {{type: text, nullable: not everybody leaves one}}\n      \
             created_at: {{type: timestamptz, default: now()}}\n      changed_at: timestamptz\n      version: {{type: bigint, default: 0}}\n    \
             key: [id]\n    unique:\n      uq_t{n}: [tenant_id, name]\n    references:\n      \
             fk_t{n}: {{columns: [parent_id], to: t{parent}, key: [id], on_delete: restrict}}\n    indexes:\n      \
             ix_t{n}_parent: {{columns: [parent_id], because: the reference}}\n      \
             ix_t{n}_open: {{columns: [tenant_id, created_at desc], where: state = 'open', serves: [q{n}]}}\n    \
             volume: {{rows: 1M, grows: 10k/month, horizon: 1 year}}\n",
            parent = n.saturating_sub(1),
        );
    }
    text.push_str("invariants:\n");
    for n in 0..tables {
        let _ = write!(
            text,
            "  one-open-{n}:\n    never: two are open\n    because: it would confuse\n    \
             at_most_one: {{in: t{n}, per: [tenant_id, parent_id], where: state = 'open'}}\n"
        );
    }
    text.push_str("queries:\n");
    for n in 0..tables {
        let _ = write!(
            text,
            "  q{n}:\n    does: lists what is open\n    kind: interactive\n    pages_by: keyset\n    params: {{tenant: uuid}}\n    sql: |\n      \
             SELECT id, name, created_at FROM t{n}\n      WHERE tenant_id = :tenant AND state = 'open'\n      ORDER BY created_at DESC LIMIT 50\n"
        );
    }
    text
}

/// Text to findings and DDL, as `check` and `compile` do it; how much came out.
fn whole(text: &str, pack: &check::Pack<'_>, environment: &template::Environment) -> usize {
    let mut map = source::SourceMap::new();
    let id = map.add("wide.yaml", text.to_owned());
    let root = source::parse(&map, id).unwrap_or_else(|_| panic!("the text parses"));
    let faults = design::language::validate(&root, &map);
    let (model, findings) = design::resolve(&root);
    let Some(model) = model else {
        panic!("the design resolves: {findings:?}")
    };
    let compiled = compile::compile(&model);
    let ruled: Vec<_> = check::run(
        pack,
        &check::Inputs {
            model: &model,
            catalog: &compiled.catalog,
            today: "2026-11-21",
        },
    )
    .unwrap_or_default();
    let script =
        compile::ddl(&compiled.catalog, environment).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        faults.is_empty() && findings.is_empty() && compiled.findings.is_empty(),
        "{faults:?} {findings:?}"
    );
    script.statements.len() + ruled.len()
}

/// Steps from a schema to another, as `migrate` plans them, and how long that takes.
fn planned(text: &str, environment: &template::Environment) -> (usize, Duration) {
    let compiled = |text: &str| {
        let mut map = source::SourceMap::new();
        let id = map.add("wide.yaml", text.to_owned());
        let root = source::parse(&map, id).unwrap_or_else(|_| panic!("the text parses"));
        let (model, findings) = design::resolve(&root);
        let model = model.unwrap_or_else(|| panic!("the design resolves: {findings:?}"));
        let compiled = compile::compile(&model);
        (model, compiled)
    };
    let mut changed = String::new();
    for (number, line) in text.lines().enumerate() {
        changed.push_str(line);
        changed.push('\n');
        if line.trim_start().starts_with("note: ") && number.is_multiple_of(10) {
            changed.push_str("      remark: {type: text, nullable: nobody has written one}\n");
        }
    }
    let ((_, old), (model, new)) = (compiled(text), compiled(&changed));
    let mut steps = 0;
    let time = quickest(|| {
        let plan = migrate::plan(
            &old.catalog,
            &new.catalog,
            &migrate::Renames::of(&model),
            &migrate::Policy::of(&model),
            environment,
        );
        steps = plan.unwrap_or_else(|error| panic!("{error}")).steps.len();
    });
    (steps, time)
}

/// The quickest of several runs.
fn quickest(mut run: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    best
}

fn main() {
    let assets = Assets::builtin();
    let environment = template::environment(&assets);
    let pack = check::load(&assets, &environment).unwrap_or_else(|error| panic!("{error}"));
    let mut first: Option<f64> = None;
    println!(
        "{:>7} {:>10} {:>12} {:>8} {:>16}",
        "tables", "ms", "us/table", "growth", "x serde_yaml"
    );
    for tables in [10usize, 100, 1_000] {
        let text = design(tables);
        let ours = quickest(|| assert!(whole(&text, &pack, &environment) > tables));
        let peer = quickest(|| {
            let read: Result<serde_json::Value, _> = serde_yaml::from_str(&text);
            assert!(
                read.is_ok() || tables > 100,
                "the peer has limits of its own"
            );
        });
        let each = ours.as_secs_f64() * 1e6 / tables as f64;
        let base = *first.get_or_insert(each);
        println!(
            "{tables:>7} {:>10.1} {each:>12.1} {:>8.2} {:>16.1}",
            ours.as_secs_f64() * 1e3,
            each / base,
            ours.as_secs_f64() / peer.as_secs_f64()
        );
        let (steps, time) = planned(&text, &environment);
        let ms = time.as_secs_f64() * 1e3;
        println!("        a plan of {steps} steps in {ms:.1} ms");
    }
}
