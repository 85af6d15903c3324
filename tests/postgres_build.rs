//! Build on a real PostgreSQL: the worked designs apply and read back; tampering is noticed; a refusal points at the design.

#[path = "support/design.rs"]
mod design;
#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use pgproof::assets::Assets;
use pgproof::compile::compile;
use pgproof::finding::Verdict;
use pgproof::template::environment;
use pgproof::verify::{Run, Stage, Staged, build, read_back};
use support::{Home, sql};

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn worked_designs_apply_and_read_back() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let run = Run {
        server: &server,
        seed: 1,
        command: "pgproof verify",
        rows: None,
    };
    for name in design::WORKED {
        let model = design::worked(name);
        let compiled = compile(&model);
        let staged = Stage::open(&server, &model, &compiled, &environment)
            .await
            .expect("works");
        let stage = match staged {
            Staged::Ready(stage) => stage,
            Staged::Refused(finding) => unreachable!("{name}: {}", finding.message),
        };
        let (evidence, findings) = build(&run, &stage, &environment).await.expect("works");
        assert_eq!(evidence.verdict, Verdict::Proven, "{name}: {evidence:#?}");
        assert!(findings.is_empty(), "{name}");
        stage.close().await.expect("dropped");
    }
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn tampering_with_the_schema_is_a_difference() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let model = design::worked("case-assignment");
    let compiled = compile(&model);
    let Staged::Ready(stage) = Stage::open(&server, &model, &compiled, &environment)
        .await
        .expect("works")
    else {
        unreachable!("the design applies");
    };
    let mut session = stage.session(&stage.template).await.expect("a session");
    for (tampering, noticed) in TAMPERINGS {
        // Comparing begins a transaction of its own, so each tampering works on a copy.
        drop(session);
        let copy = stage.copy().await.expect("a copy");
        session = stage.session(&copy).await.expect("a session");
        session.batch(&sql(tampering)).await.expect(tampering);
        let found: Vec<String> = read_back(&stage, &mut session)
            .await
            .expect("read")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.iter().any(|line| line.contains(noticed)),
            "{tampering}: {found:?} lacks `{noticed}`"
        );
        assert!(found.len() <= 3, "{tampering}: {found:?}");
        drop(session);
        copy.drop().await.expect("dropped");
        session = stage.session(&stage.template).await.expect("a session");
    }
    server.stop().await.expect("stops");
}

const TAMPERINGS: &[(&str, &str)] = &[
    (
        "DROP INDEX uq_case_active_assignment; CREATE UNIQUE INDEX uq_case_active_assignment ON case_assignment (tenant_id, case_id, assignment_role)",
        "predicate is none, expected `(ended_at IS NULL)`",
    ),
    (
        "DROP INDEX uq_case_active_assignment; CREATE UNIQUE INDEX uq_case_active_assignment ON case_assignment (tenant_id, case_id, assignment_role) WHERE ended_at IS NOT NULL",
        "predicate is",
    ),
    (
        "DROP INDEX ix_assignment_case_timeline; CREATE INDEX ix_assignment_case_timeline ON case_assignment (case_id, tenant_id, assigned_at DESC)",
        "list of keys",
    ),
    (
        "DROP INDEX ix_assignment_case_timeline; CREATE INDEX ix_assignment_case_timeline ON case_assignment (tenant_id, case_id, assigned_at)",
        "list of keys",
    ),
    (
        "ALTER TABLE case_assignment DROP CONSTRAINT fk_assignment_case, ADD CONSTRAINT fk_assignment_case FOREIGN KEY (tenant_id, case_id) REFERENCES regulatory_case (tenant_id, case_id) ON DELETE CASCADE",
        "ON DELETE is CASCADE, expected RESTRICT",
    ),
    (
        "ALTER TABLE case_assignment DROP CONSTRAINT ck_assignment_interval, ADD CONSTRAINT ck_assignment_interval CHECK (ended_at IS NULL OR ended_at >= assigned_at)",
        "expression is",
    ),
    (
        "ALTER TABLE case_assignment DROP CONSTRAINT ex_assignment_no_overlap",
        "is missing",
    ),
    (
        "ALTER TABLE case_assignment ALTER legal_hold DROP DEFAULT",
        "default is none, expected `false`",
    ),
    (
        "ALTER TABLE case_assignment ALTER actor_id DROP NOT NULL",
        "nullability",
    ),
    (
        "ALTER TABLE case_assignment ALTER ended_reason TYPE varchar(200)",
        "type is character varying(200), expected text",
    ),
    (
        "ALTER TABLE regulatory_case SET (fillfactor = 100)",
        "storage parameters",
    ),
    (
        "ALTER TABLE case_assignment NO FORCE ROW LEVEL SECURITY",
        "forced is false",
    ),
    (
        "ALTER TYPE lifecycle_state ADD VALUE 'lost'",
        "list of labels",
    ),
    (
        "GRANT DELETE ON case_assignment TO app",
        "grants to app on case_assignment",
    ),
    (
        "COMMENT ON COLUMN case_assignment.case_id IS 'another'",
        "comment",
    ),
    (
        "CREATE TABLE casework.stray (id int)",
        "table stray: is there, but not expected",
    ),
    (
        "ALTER TABLE case_transition DISABLE TRIGGER USER",
        "is missing",
    ),
    (
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER FUNCTION %s SECURITY INVOKER', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'casework'::regnamespace ORDER BY proname LIMIT 1); END $$",
        "definition differs",
    ),
    (
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER POLICY %I ON %s USING (true)', polname, polrelid::regclass) FROM pg_policy ORDER BY polname, polrelid::regclass::text LIMIT 1); END $$",
        "USING is `true`",
    ),
];

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_refusal_points_at_the_design() {
    let home = Home::new();
    let server = home.local().await;
    let environment = environment(&Assets::builtin());
    let text = "pgproof: 1\ndesign: broken\ndatabase: {engine: postgres, version: 15, schema: app}\ntables:\n  thing:\n    grain: one thing\n    columns:\n      id: bigint\n      amount: {type: bigint, check: \"amount > 'many'\"}\n    key: [id]\n";
    let model = design::model(text);
    let compiled = compile(&model);
    let staged = Stage::open(&server, &model, &compiled, &environment)
        .await
        .expect("works");
    let Staged::Refused(finding) = staged else {
        unreachable!("the check is no check")
    };
    assert_eq!(finding.code, "ddl-refused");
    assert!(finding.message.contains("(22P02)"), "{}", finding.message);
    let at = finding.labels[0].at;
    assert_eq!(&text[at.start as usize..at.end as usize], "thing");
    server.stop().await.expect("stops");
}
