//! Rows written in chunks: by key, resumable, at a pace that leaves room for others.
//!
//! A backfill is one `DO` block that commits after each chunk and remembers in a progress table how far it came. Run again it goes on there. It rests as long
//! as a chunk took, and at least the declared pause; it waits while its row says `paused`, and while a replica lags behind.

use super::aside;
use super::draft::{Draft, Item, Rank};
use super::plan::{Backfill, Phase};
use super::recipes::statistics::gather;
use crate::catalog::{ObjectPath, Table};
use crate::error::Error;
use crate::sql::{
    Ident, QualifiedName, SqlText, fill, fixed, join, literal, number, quote_ident, quote_qualified,
};

/// The table that remembers how far each backfill came; there while the migration lasts.
pub fn progress_table(schema: &Ident) -> QualifiedName {
    QualifiedName::new(schema.clone(), "pgproof_progress".into())
}

/// A column of the key along which a table is walked.
pub(super) struct KeyColumn {
    pub name: SqlText,
    pub data_type: SqlText,
}

/// The primary key, else a unique constraint over columns that are never null, else where the rows lie.
pub(super) fn key(table: &Table) -> Vec<KeyColumn> {
    let primary = table.primary_key.iter().map(|(_, key)| &key.columns);
    let columns = primary
        .chain(table.uniques.values().map(|key| &key.columns))
        .find(|columns| {
            let mut all = columns.iter();
            all.all(|name| table.column(name).is_some_and(|column| !column.nullable))
        });
    let Some(columns) = columns else {
        return vec![KeyColumn {
            name: fixed("ctid"),
            data_type: fixed("tid"),
        }];
    };
    columns
        .iter()
        .filter_map(|name| {
            let column = table.column(name)?;
            Some(KeyColumn {
                name: quote_ident(name),
                data_type: column.data_type.clone(),
            })
        })
        .collect()
}

/// Fills a column of rows that do not have its value yet.
pub(super) fn column(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    column: &Ident,
    value: &SqlText,
    stale: Option<SqlText>,
    cause: &ObjectPath,
) -> Result<(), Error> {
    let Some(from) = draft.from.tables.get(table) else {
        return Ok(());
    };
    let says = says(draft, table, std::slice::from_ref(column), cause)?;
    let quoted = quote_ident(column);
    let stale = stale.unwrap_or_else(|| fill("{column} IS NULL", &[("column", &quoted)]));
    let parts = [
        ("table", &quote_qualified(table)),
        ("column", &quoted),
        ("value", value),
        ("stale", &stale),
    ];
    let write = |range: &SqlText| {
        let update = fill("UPDATE {table} SET {column} = {value}", &parts);
        let parts = [
            ("says", &says),
            ("update", &update),
            ("range", range),
            ("stale", &stale),
        ];
        fill("{says}{update}\n    WHERE {range} AND {stale};", &parts)
    };
    let subject = format!("{}.{}", table.name.as_str(), column.as_str());
    let walk = Walk {
        table,
        key: key(from),
        pace: draft.policy.pace(table),
        is_declared: false,
        write: &write,
    };
    let check = fill("SELECT * FROM {table} WHERE {stale} LIMIT 10", &parts);
    let backfill = Backfill {
        column: Some(column.clone()),
        ..walk.backfill(draft, &subject)
    };
    let item = Item::new(
        Phase::Backfill,
        Rank::Backfills,
        format!("fill {subject}"),
        cause,
    )
    .backfill(backfill)
    .fills(table, vec![column.clone()])
    .undo(forgotten(draft, &subject))
    .check(check);
    draft.push(item);
    gather(draft, table, cause);
    Ok(())
}

/// What a chunk says first, so that rules that forbid changes let it pass.
pub(super) fn says(
    draft: &mut Draft<'_>,
    table: &QualifiedName,
    columns: &[Ident],
    cause: &ObjectPath,
) -> Result<SqlText, Error> {
    let has_any = aside::stand(draft, table, columns, cause)?;
    Ok(if has_any { aside::said() } else { fixed("") })
}

/// Copies rows into another table. A copied row is locked until its chunk is committed, so that nobody changes it unseen in between.
pub(super) fn rows(
    draft: &mut Draft<'_>,
    (source, target): (&QualifiedName, &QualifiedName),
    (columns, values): (&SqlText, &SqlText),
    cause: &ObjectPath,
) {
    let Some(from) = draft.from.tables.get(source) else {
        return;
    };
    let parts = [
        ("source", &quote_qualified(source)),
        ("target", &quote_qualified(target)),
        ("columns", columns),
        ("values", values),
    ];
    let write = |range: &SqlText| {
        let parts = [&parts[..], &[("range", range)]].concat();
        fill(
            "INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE\n    SELECT {values} FROM {source}\n    WHERE {range}\n    FOR NO KEY UPDATE\n    ON CONFLICT DO NOTHING;",
            &parts,
        )
    };
    let subject = target.name.as_str().to_owned();
    let walk = Walk {
        table: source,
        key: key(from),
        pace: draft.policy.pace(source),
        is_declared: false,
        write: &write,
    };
    let item = Item::new(
        Phase::Backfill,
        Rank::Backfills,
        format!("copy {} to {subject}", source.name.as_str()),
        cause,
    )
    .backfill(walk.backfill(draft, &subject))
    .fills(target, Vec::new())
    .undo(forgotten(draft, &subject));
    draft.push(item);
    gather(draft, target, cause);
}

/// What was filled goes with its column or table; one that is filled anew begins at the first row again.
pub(super) fn forgotten(draft: &Draft<'_>, subject: &str) -> SqlText {
    let progress = quote_qualified(&progress_table(&draft.policy.schema));
    let parts = [("progress", &progress), ("step", &literal(subject))];
    fill("DELETE FROM {progress} WHERE step = {step}", &parts)
}

/// A walk along the key of a table.
pub(super) struct Walk<'a> {
    pub table: &'a QualifiedName,
    pub key: Vec<KeyColumn>,
    /// Whether the statement is the design's own, which takes a number of rows behind a key.
    pub is_declared: bool,
    /// Rows at a time, and milliseconds of rest.
    pub pace: (i64, u64),
    /// The statement of a chunk, given its bounds; the first chunk has none below.
    pub write: &'a dyn Fn(&SqlText) -> SqlText,
}

impl Walk<'_> {
    pub(super) fn backfill(&self, draft: &Draft<'_>, subject: &str) -> Backfill {
        let (chunk, pause_ms) = self.pace;
        let names = join(self.key.iter().map(|k| k.name.clone()), ", ");
        let variables = |prefix: &'static str| {
            let all = 1..=self.key.len();
            join(all.map(|at| variable(prefix, at)), ", ")
        };
        let (after, upto) = (variables("after"), variables("upto"));
        let declared = |prefix: &'static str| {
            let all = self.key.iter().enumerate().map(|(at, key)| {
                let parts = [
                    ("name", &variable(prefix, at + 1)),
                    ("type", &key.data_type),
                ];
                fill("{name} {type};", &parts)
            });
            join(all, "\n")
        };
        let read = join(
            self.key.iter().enumerate().map(|(at, key)| {
                let parts = [("at", &number(at as i64)), ("type", &key.data_type)];
                fill("(progress.after ->> {at})::{type}", &parts)
            }),
            ", ",
        );
        let kept = join(
            (1..=self.key.len()).map(|at| fill("{name}::text", &[("name", &variable("upto", at))])),
            ", ",
        );
        let parts = [("names", &names), ("after", &after), ("upto", &upto)];
        let between = fill(
            "ROW({names}) > ROW({after}) AND ROW({names}) <= ROW({upto})",
            &parts,
        );
        let first = fill("ROW({names}) <= ROW({upto})", &parts);
        let assign = join(
            (1..=self.key.len()).map(|at| {
                let parts = [
                    ("after", &variable("after", at)),
                    ("upto", &variable("upto", at)),
                ];
                fill("{after} := {upto};", &parts)
            }),
            "\n        ",
        );
        let progress = progress_table(&draft.policy.schema);
        let schema = quote_ident(&draft.policy.schema);
        let path = fill("{schema}, public", &[("schema", &schema)]);
        let path = literal(path.as_str());
        let milliseconds = i64::try_from(pause_ms).unwrap_or(i64::MAX);
        let lag = i64::try_from(draft.policy.replica_lag.ceil() as u64).unwrap_or(10);
        let parts = [
            ("after_variables", &declared("after")),
            ("upto_variables", &declared("upto")),
            ("path", &path),
            ("progress", &quote_qualified(&progress)),
            ("step", &literal(subject)),
            ("read", &read),
            ("after", &after),
            ("upto", &upto),
            ("names", &names),
            ("table", &quote_qualified(self.table)),
            ("chunk", &number(chunk)),
            (
                "counts",
                &fixed(if self.is_declared {
                    "\npgproof_seen bigint;\npgproof_tries integer := 0;"
                } else {
                    ""
                }),
            ),
            ("next", &self.last_of(&after, &upto)),
            ("begin", &self.last_of(&fixed(""), &upto)),
            ("seen", &self.seen(&between, &first)),
            ("rest", &(self.write)(&between)),
            ("first", &(self.write)(&first)),
            ("assign", &assign),
            ("kept", &kept),
            ("pause", &number(milliseconds)),
            ("lag", &number(lag)),
        ];
        Backfill {
            table: self.table.clone(),
            chunk,
            pause_ms,
            is_walk: !self.is_declared,
            column: None,
            progress: subject.to_owned(),
            call: fill(BLOCK, &parts),
        }
    }
}

impl Walk<'_> {
    /// The statement that finds the last key of a chunk.
    fn last_of(&self, after: &SqlText, upto: &SqlText) -> SqlText {
        let names = self.key.iter().map(|k| k.name.clone());
        let backwards = self
            .key
            .iter()
            .map(|k| fill("{name} DESC", &[("name", &k.name)]));
        let (names, backwards) = (join(names, ", "), join(backwards, ", "));
        let parts = [("names", &names), ("after", after)];
        let range = match after.as_str().is_empty() {
            true => fixed(""),
            false => fill(" WHERE ROW({names}) > ROW({after})", &parts),
        };
        let parts = [
            ("names", &names),
            ("upto", upto),
            ("table", &quote_qualified(self.table)),
            ("range", &range),
            ("backwards", &backwards),
            ("chunk", &number(self.pace.0)),
            ("more", &number(self.pace.0.saturating_add(1))),
        ];
        match self.is_declared {
            // Rows that share a value of the key belong to one chunk: the next one begins behind it.
            true => fill(
                "SELECT {names} INTO {upto}\nFROM (SELECT {names}, row_number() OVER (ORDER BY {names}) AS pgproof_number, lead({names}) OVER (ORDER BY {names}) AS pgproof_next\n    FROM (SELECT {names} FROM {table}{range} ORDER BY {names} LIMIT {more}) AS found) AS chunk\nORDER BY pgproof_number <= {chunk} AND pgproof_next IS DISTINCT FROM {names} DESC, {backwards} LIMIT 1;",
                &parts,
            ),
            false => fill(
                "SELECT {names} INTO {upto}\nFROM (SELECT {names} FROM {table}{range} ORDER BY {names} LIMIT {chunk}) AS chunk\nORDER BY {backwards} LIMIT 1;",
                &parts,
            ),
        }
    }

    /// Whether a statement of the design's own has seen all rows of its chunk: it takes a number of rows, and others may have come between them meanwhile.
    fn seen(&self, between: &SqlText, first: &SqlText) -> SqlText {
        if !self.is_declared {
            return fixed("");
        }
        let parts = [
            ("table", &quote_qualified(self.table)),
            ("between", between),
            ("first", first),
            ("chunk", &number(self.pace.0)),
            ("name", &literal(self.table.name.as_str())),
        ];
        fill(SEEN, &parts)
    }
}

const SEEN: &str = "
-- Rows that came into the chunk meanwhile have pushed its last ones out of the statement's LIMIT: the same chunk again, cut anew.
IF pgproof_begun THEN
    SELECT count(*) INTO pgproof_seen FROM {table} WHERE {between};
ELSE
    SELECT count(*) INTO pgproof_seen FROM {table} WHERE {first};
END IF;
IF pgproof_seen > {chunk} THEN
    pgproof_tries := pgproof_tries + 1;
    IF pgproof_tries > 20 THEN
        RAISE EXCEPTION 'more than % rows of % share one value of the key by which the backfill is cut: give it larger chunks, or another key', {chunk}, {name};
    END IF;
    COMMIT;
    CONTINUE;
END IF;
pgproof_tries := 0;";

/// `pgproof_after_1`.
pub(super) fn variable(prefix: &'static str, at: usize) -> SqlText {
    let parts = [("prefix", &fixed(prefix)), ("at", &number(at as i64))];
    fill("pgproof_{prefix}_{at}", &parts)
}

const BLOCK: &str = "\
DO $pgproof$
#variable_conflict use_column
DECLARE
    {after_variables}
    {upto_variables}
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;{counts}
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', {path}, false), set_config('row_security', 'off', false);
    INSERT INTO {progress} (step) VALUES ({step}) ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, {read}
    INTO pgproof_begun, {after}
    FROM {progress} AS progress WHERE progress.step = {step};
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            {next}
        ELSE
            {begin}
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            {rest}
        ELSE
            {first}
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;{seen}
        {assign}
        pgproof_begun := true;
        UPDATE {progress} AS progress
        SET after = jsonb_build_array({kept}), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = {step};
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), {pause} / 1000.0));
        WHILE EXISTS (SELECT FROM {progress} AS progress WHERE progress.step = {step} AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => {lag}))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE {progress} AS progress SET finished_at = clock_timestamp() WHERE progress.step = {step};
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$";

/// The progress table comes before the first backfill and goes with the last step.
pub(super) fn progress(draft: &mut Draft<'_>) {
    if !draft.has_backfill() {
        return;
    }
    let name = quote_qualified(&progress_table(&draft.policy.schema));
    let parts = [("name", &name)];
    let create = fill(
        "CREATE TABLE IF NOT EXISTS {name} (\n    step        text PRIMARY KEY,\n    after       jsonb,\n    rows        bigint NOT NULL DEFAULT 0,\n    paused      boolean NOT NULL DEFAULT false,\n    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),\n    finished_at timestamptz\n)",
        &parts,
    );
    let drop = fill("DROP TABLE IF EXISTS {name}", &parts);
    let object = ObjectPath::Table(progress_table(&draft.policy.schema));
    let item = Item::new(Phase::Expand, Rank::Progress, "the progress of backfills", &object)
        .part(create.clone())
        .undo(drop.clone())
        .because("a backfill that is stopped goes on where it was; `UPDATE … SET paused = true` makes it rest");
    draft.push(item);
    let item = Item::new(
        Phase::Contract,
        Rank::Last,
        "drop the progress of backfills",
        &object,
    )
    .part(drop)
    .undo(create);
    draft.push(item);
}
