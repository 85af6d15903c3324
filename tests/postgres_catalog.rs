//! The catalog read back from a real PostgreSQL: everything that is there, and every tampering noticed.

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

use pgproof::catalog::{
    Catalog, ColumnDefault, OnDelete, PartitionBound, PartitionMethod, PolicyCommand, Privilege,
    TriggerTiming, UserType, differences,
};
use pgproof::postgres::{Scope, Session, introspect};
use pgproof::sql::{Ident, QualifiedName};
use support::{Home, database, sql};

const SCHEMA: &str = r#"
CREATE SCHEMA app;
SET search_path = app, public;
CREATE TYPE app.state AS ENUM ('open', 'it''s closed');
COMMENT ON TYPE app.state IS 'where it stands';
CREATE DOMAIN app.cents AS bigint CONSTRAINT cents_positive CHECK (value >= 0);
CREATE TABLE app.parent (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  "Name" varchar(40) COLLATE "C" NOT NULL DEFAULT 'x',
  CONSTRAINT parent_pk PRIMARY KEY (id),
  CONSTRAINT uq_parent UNIQUE (tenant_id, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE app.parent IS 'one parent';
COMMENT ON COLUMN app.parent.tenant_id IS 'whose it is';
CREATE FUNCTION app.guard() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN new; END$$;
CREATE TABLE app.child (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  parent_id bigint,
  state app.state NOT NULL DEFAULT 'open',
  price app.cents NOT NULL,
  twice bigint GENERATED ALWAYS AS (price * 2) STORED,
  starts timestamptz NOT NULL,
  ends timestamptz,
  email text NOT NULL,
  tags jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT ck_interval CHECK (ends IS NULL OR ends > starts),
  CONSTRAINT fk_parent FOREIGN KEY (tenant_id, parent_id) REFERENCES app.parent (tenant_id, id)
    ON DELETE CASCADE ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ex_no_overlap EXCLUDE USING gist (tstzrange(starts, ends) WITH &&) WHERE (ends IS NOT NULL)
);
CREATE UNIQUE INDEX uq_email ON app.child (tenant_id, lower(email)) WHERE state = 'open';
CREATE INDEX ix_queue ON app.child (parent_id DESC, starts ASC NULLS FIRST, email text_pattern_ops, email COLLATE "C") INCLUDE (price) WITH (fillfactor = 70);
CREATE INDEX ix_tags ON app.child USING gin (tags jsonb_path_ops);
CREATE TRIGGER a_guard BEFORE UPDATE OF state, price ON app.child FOR EACH ROW
  WHEN (old.state IS DISTINCT FROM new.state) EXECUTE FUNCTION app.guard();
CREATE CONSTRAINT TRIGGER b_late AFTER INSERT OR DELETE ON app.child DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.guard();
CREATE TRIGGER c_truncate BEFORE TRUNCATE ON app.child FOR EACH STATEMENT EXECUTE FUNCTION app.guard();
ALTER TABLE app.child ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.child FORCE ROW LEVEL SECURITY;
CREATE POLICY by_tenant ON app.child FOR ALL TO pg_monitor
  USING (tenant_id = current_setting('app.tenant_id')::uuid) WITH CHECK (tenant_id = current_setting('app.tenant_id')::uuid);
GRANT SELECT, INSERT ON app.child TO pg_monitor;
CREATE TABLE app.log (id bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.log_2026_01 PARTITION OF app.log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.log_rest PARTITION OF app.log DEFAULT;
CREATE INDEX ix_log ON app.log USING brin (at);
CREATE VIEW app.open_child WITH (security_invoker = true) AS SELECT id, email FROM app.child WHERE state = 'open';
COMMENT ON VIEW app.open_child IS 'what is open';
CREATE MATERIALIZED VIEW app.totals AS SELECT tenant_id, sum(price) AS total FROM app.child GROUP BY tenant_id;
CREATE UNIQUE INDEX totals_key ON app.totals (tenant_id);
"#;

fn name(table: &str) -> QualifiedName {
    QualifiedName::new("app".into(), table.into())
}

fn scope() -> Scope {
    Scope {
        schemas: vec!["app".into()],
        roles: vec!["pg_monitor".into()],
    }
}

async fn read(session: &mut Session) -> Catalog {
    introspect(session, &scope())
        .await
        .expect("the catalog can be read")
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn everything_is_read_back() {
    let home = Home::new();
    let server = home.local().await;
    let database = database(&server).await;
    let mut session = database.session().await.expect("a session");
    session
        .batch(&sql(SCHEMA))
        .await
        .expect("the schema applies");
    let catalog = read(&mut session).await;
    let path = session
        .query(&sql("SHOW search_path"))
        .await
        .expect("asked");
    assert_eq!(
        path.scalar(),
        Some("app, public"),
        "the search path is as before"
    );

    let kinds: Vec<_> = catalog.types.values().collect();
    assert_eq!(
        kinds[1].0,
        UserType::Enum(vec!["open".into(), "it's closed".into()])
    );
    assert_eq!(kinds[1].1.as_deref(), Some("where it stands"));
    let UserType::Domain { base, checks } = &kinds[0].0 else {
        unreachable!("cents is a domain")
    };
    assert_eq!((base.as_str(), checks.len()), ("bigint", 1));

    let parent = &catalog.tables[&name("parent")];
    assert_eq!(
        parent.columns[1].default,
        Some(ColumnDefault::IdentityAlways)
    );
    assert_eq!(
        parent.columns[2].data_type.as_str(),
        "character varying(40)"
    );
    assert_eq!(
        parent.columns[2].collation.as_ref().map(|c| c.as_str()),
        Some("\"C\"")
    );
    assert_eq!(parent.with["fillfactor"], "80");
    assert_eq!(parent.comment.as_deref(), Some("one parent"));
    assert_eq!(parent.columns[0].comment.as_deref(), Some("whose it is"));
    assert_eq!(
        parent.primary_key.as_ref().map(|(name, _)| name.as_str()),
        Some("parent_pk")
    );

    let child = &catalog.tables[&name("child")];
    assert_eq!(child.columns[3].data_type.as_str(), "app.state");
    assert!(
        matches!(&child.columns[5].default, Some(ColumnDefault::Generated(e)) if e.as_str().contains("* 2"))
    );
    let key = &child.foreign_keys[&Ident::from("fk_parent")];
    assert_eq!(
        (key.on_delete, key.on_update, key.deferred),
        (OnDelete::Cascade, OnDelete::Restrict, true)
    );
    assert_eq!(key.key, [Ident::from("tenant_id"), Ident::from("id")]);
    let exclusion = &child.exclusions[&Ident::from("ex_no_overlap")];
    assert_eq!(exclusion.elements[0].0.as_str(), "tstzrange(starts, ends)");
    assert_eq!(
        (
            exclusion.elements[0].1.as_str(),
            exclusion.predicate.is_some()
        ),
        ("&&", true)
    );
    assert_eq!(
        child.indexes.len(),
        3,
        "the exclusion's and the key's indexes are theirs"
    );
    let queue = &child.indexes[&Ident::from("ix_queue")];
    let flags: Vec<_> = queue
        .keys
        .iter()
        .map(|k| (k.descending, k.nulls_first))
        .collect();
    assert_eq!(
        flags,
        [(true, true), (false, true), (false, false), (false, false)]
    );
    assert_eq!(
        queue.keys[2].opclass.as_ref().map(|o| o.as_str()),
        Some("text_pattern_ops")
    );
    assert_eq!(
        queue.keys[3].collation.as_ref().map(|o| o.as_str()),
        Some("\"C\"")
    );
    assert_eq!(
        (queue.include.len(), queue.with["fillfactor"].as_str()),
        (1, "70")
    );
    let email = &child.indexes[&Ident::from("uq_email")];
    assert!(email.unique && email.predicate.is_some());
    assert_eq!(
        (
            email.keys[1].column.is_none(),
            email.keys[1].expression.as_str()
        ),
        (true, "lower(email)")
    );
    assert_eq!(
        child.indexes[&Ident::from("ix_tags")].method.as_str(),
        "gin"
    );

    let guard = &child.triggers[&Ident::from("a_guard")];
    assert_eq!(
        (guard.timing, guard.columns.len(), guard.when.is_some()),
        (TriggerTiming::BeforeRow, 2, true)
    );
    assert_eq!(
        child.triggers[&Ident::from("b_late")].timing,
        TriggerTiming::Deferred
    );
    assert_eq!(
        child.triggers[&Ident::from("c_truncate")].timing,
        TriggerTiming::BeforeStatement
    );
    assert!(child.row_security && child.force_row_security);
    let policy = &child.policies[&Ident::from("by_tenant")];
    assert_eq!(
        (policy.command, policy.roles.len(), policy.check.is_some()),
        (PolicyCommand::All, 1, true)
    );
    assert_eq!(
        child.grants[&Ident::from("pg_monitor")],
        [Privilege::Select, Privilege::Insert].into()
    );

    let log = catalog.tables[&name("log")]
        .partitioning
        .as_ref()
        .expect("partitioned");
    assert_eq!(
        (log.method, log.column.as_str(), log.partitions.len()),
        (PartitionMethod::Range, "at", 2)
    );
    assert_eq!(log.partitions[1].bound, PartitionBound::Default);
    assert!(
        !catalog.tables.contains_key(&name("log_2026_01")),
        "a partition is part of its table"
    );

    let views: Vec<_> = catalog
        .views
        .iter()
        .map(|(name, view)| (name.name.as_str(), view))
        .collect();
    assert_eq!(
        (views[0].0, views[0].1.security_invoker),
        ("open_child", true)
    );
    assert_eq!(
        (views[1].0, views[1].1.materialized, views[1].1.key.len()),
        ("totals", true, 1)
    );
    assert!(catalog.functions.contains_key(&name("guard")));
    assert!(catalog.roles.contains_key(&Ident::from("pg_monitor")));
    server.stop().await.expect("stops");
    home.assert_clean();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_tampering_is_a_difference() {
    let home = Home::new();
    let server = home.local().await;
    let database = database(&server).await;
    let mut session = database.session().await.expect("a session");
    session
        .batch(&sql(SCHEMA))
        .await
        .expect("the schema applies");
    let catalog = read(&mut session).await;
    assert_eq!(differences(&catalog, &catalog), []);
    for (tampering, noticed) in TAMPERINGS {
        session.batch(&sql("BEGIN")).await.expect("begun");
        session.batch(&sql(tampering)).await.expect(tampering);
        let found: Vec<String> = differences(&catalog, &read(&mut session).await)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.iter().any(|line| line.contains(noticed)),
            "{tampering}: {found:?} lacks `{noticed}`"
        );
        session.batch(&sql("ROLLBACK")).await.expect("rolled back");
    }
    server.stop().await.expect("stops");
}

const TAMPERINGS: &[(&str, &str)] = &[
    ("ALTER TYPE app.state ADD VALUE 'lost'", "list of labels"),
    (
        "ALTER DOMAIN app.cents DROP CONSTRAINT cents_positive",
        "type cents: checks",
    ),
    ("ALTER DOMAIN app.cents SET NOT NULL", "type cents: base"),
    (
        "ALTER TABLE app.parent ALTER \"Name\" DROP NOT NULL",
        "nullability is NULL, expected NOT NULL",
    ),
    (
        "ALTER TABLE app.parent ALTER \"Name\" DROP DEFAULT",
        "default is none",
    ),
    (
        "ALTER TABLE app.parent ALTER \"Name\" TYPE varchar(41)",
        "type is character varying(41)",
    ),
    (
        "ALTER TABLE app.parent ADD extra int",
        "column extra on parent: is there, but not expected",
    ),
    (
        "ALTER TABLE app.log DROP COLUMN id CASCADE",
        "column id on log: is missing",
    ),
    (
        "ALTER TABLE app.parent ALTER id SET GENERATED BY DEFAULT",
        "identity by default",
    ),
    (
        "ALTER TABLE app.parent RESET (fillfactor)",
        "storage parameters",
    ),
    (
        "COMMENT ON TABLE app.parent IS 'another'",
        "comment is `another`",
    ),
    (
        "ALTER TABLE app.child DROP CONSTRAINT ck_interval",
        "check ck_interval on child: is missing",
    ),
    (
        "ALTER TABLE app.child DROP CONSTRAINT ck_interval, ADD CONSTRAINT ck_interval CHECK (ends >= starts)",
        "expression is",
    ),
    (
        "ALTER TABLE app.child DROP CONSTRAINT ck_interval, ADD CONSTRAINT ck_interval CHECK (ends IS NULL OR ends > starts) NOT VALID",
        "NOT VALID",
    ),
    (
        "ALTER TABLE app.child DROP CONSTRAINT fk_parent, ADD CONSTRAINT fk_parent FOREIGN KEY (tenant_id, parent_id) REFERENCES app.parent (tenant_id, id) ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED",
        "ON DELETE is NO ACTION, expected CASCADE",
    ),
    (
        "ALTER TABLE app.child ALTER CONSTRAINT fk_parent NOT DEFERRABLE",
        "deferral is false",
    ),
    (
        "ALTER TABLE app.parent DROP CONSTRAINT uq_parent CASCADE, ADD CONSTRAINT uq_parent UNIQUE (id, tenant_id)",
        "list of columns is (id, tenant_id)",
    ),
    (
        "ALTER TABLE app.parent DROP CONSTRAINT parent_pk",
        "primary key on parent: name is none",
    ),
    (
        "ALTER TABLE app.child DROP CONSTRAINT ex_no_overlap, ADD CONSTRAINT ex_no_overlap EXCLUDE USING gist (tstzrange(starts, ends) WITH &&)",
        "predicate is none",
    ),
    (
        "DROP INDEX app.uq_email; CREATE UNIQUE INDEX uq_email ON app.child (tenant_id, lower(email))",
        "predicate is none",
    ),
    (
        "DROP INDEX app.uq_email; CREATE INDEX uq_email ON app.child (tenant_id, lower(email)) WHERE state = 'open'",
        "uniqueness is false",
    ),
    (
        "DROP INDEX app.uq_email; CREATE UNIQUE INDEX uq_email ON app.child (lower(email), tenant_id) WHERE state = 'open'",
        "list of keys",
    ),
    (
        "DROP INDEX app.ix_tags; CREATE INDEX ix_tags ON app.child USING gin (tags)",
        "list of keys",
    ),
    (
        "DROP INDEX app.ix_log; CREATE INDEX ix_log ON app.log (at)",
        "method is btree",
    ),
    (
        "ALTER INDEX app.ix_queue RESET (fillfactor)",
        "storage parameters",
    ),
    (
        "CREATE INDEX ix_more ON app.child (email)",
        "index ix_more on child: is there, but not expected",
    ),
    (
        "ALTER TABLE app.child DISABLE TRIGGER a_guard",
        "trigger a_guard on child: is missing",
    ),
    (
        "DROP TRIGGER a_guard ON app.child; CREATE TRIGGER a_guard BEFORE UPDATE OF state, price ON app.child FOR EACH ROW EXECUTE FUNCTION app.guard()",
        "condition is none",
    ),
    (
        "DROP TRIGGER c_truncate ON app.child; CREATE TRIGGER c_truncate AFTER TRUNCATE ON app.child FOR EACH STATEMENT EXECUTE FUNCTION app.guard()",
        "AFTER STATEMENT",
    ),
    (
        "CREATE OR REPLACE FUNCTION app.guard() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN old; END$$",
        "definition differs",
    ),
    (
        "ALTER FUNCTION app.guard() SECURITY DEFINER",
        "definition differs",
    ),
    (
        "ALTER TABLE app.child NO FORCE ROW LEVEL SECURITY",
        "forced is false",
    ),
    (
        "ALTER TABLE app.child DISABLE ROW LEVEL SECURITY",
        "enabled is false",
    ),
    (
        "ALTER POLICY by_tenant ON app.child USING (true)",
        "USING is `true`",
    ),
    (
        "ALTER POLICY by_tenant ON app.child TO public",
        "list of roles",
    ),
    (
        "GRANT DELETE ON app.child TO pg_monitor",
        "SELECT, INSERT, DELETE",
    ),
    (
        "GRANT SELECT ON app.parent TO PUBLIC",
        "grants to public on parent",
    ),
    ("DROP TABLE app.log_rest", "table log_rest: is missing"),
    (
        "CREATE TABLE app.log_2026_02 PARTITION OF app.log FOR VALUES FROM ('2026-02-01') TO ('2026-02-02')",
        "table log_2026_02: is there",
    ),
    (
        "CREATE OR REPLACE VIEW app.open_child WITH (security_invoker = true) AS SELECT id, email FROM app.child",
        "query differs",
    ),
    (
        "ALTER VIEW app.open_child SET (security_invoker = false)",
        "security_invoker is false",
    ),
    (
        "GRANT SELECT ON app.open_child TO pg_monitor",
        "view open_child: list of grants",
    ),
    ("DROP INDEX app.totals_key", "key is ()"),
    ("DROP TABLE app.log CASCADE", "table log: is missing"),
    (
        "CREATE TABLE app.more ()",
        "table more: is there, but not expected",
    ),
];
