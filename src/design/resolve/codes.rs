//! A page for each thing that resolution can find wrong.

use crate::finding::About;

/// A page for each code, by family.
pub static FAULTS: &[About] = &[
    // Names that lead nowhere.
    About::first(
        "dangling-table",
        "a table is named that the design does not have",
        "Tables are named in references, invariants, grants, plans, states and more; views and projections count where something is \
         only read. The message offers the nearest name.\n\n```yaml\nreferences:\n  fk_order_customer: {columns: [customer_id], to: custmer}   # did you mean `customer`?\n```\n",
    ),
    About::first(
        "dangling-column",
        "a column is named that its table does not have",
        "Column names are compared as they are written, also in the case of their letters.\n\n\
         ```yaml\nkey: [order_idd]   # did you mean `order_id`?\n```\n",
    ),
    About::first(
        "dangling-index",
        "a plan names an index that nothing makes",
        "Declared indexes count, and those that come with a key (`TABLE_pkey`), a unique constraint, an exclusion or an invariant.\n\n\
         ```yaml\nplan: {uses: [ix_order_custmer]}\n```\n",
    ),
    About::first(
        "dangling-query",
        "a query is named that the catalog does not have",
        "Indexes say which queries they serve, and signals which query they watch.\n\n```yaml\nserves: [active-queues]   # the query is called active-queue\n```\n",
    ),
    About::first(
        "dangling-command",
        "a command is named that the design does not have",
        "Events say which commands give rise to them; invariants which commands race them.\n\n```yaml\nraced_by: [asign-case]\n```\n",
    ),
    About::first(
        "dangling-event",
        "an event is named that the design does not have",
        "Without a section `events:` names of events are free; with it, each must be there.\n\n```yaml\nemits: [CaseAsigned]\n```\n",
    ),
    About::first(
        "dangling-actor",
        "an actor is named that the process does not have",
        "Without `process.actors` names of actors are free; with it, each must be there.\n\n```yaml\nactor: supervisr\n```\n",
    ),
    About::first(
        "dangling-role",
        "a role is named that the design does not have",
        "Isolation holds for a role of `security.roles`.\n\n\
         ```yaml\nisolated: {tables: [invoice], by: tenant_id, setting: app.tenant_id, role: ap}\n```\n",
    ),
    About::first(
        "dangling-projection",
        "a projection is named that the design does not have",
        "An invariant of kind `mirrors` compares a projection with its rebuild query.\n\n```yaml\nmirrors: case_serch\n```\n",
    ),
    About::first(
        "dangling-invariant",
        "an invariant is named that the design does not have",
        "`drift:` of a derived column or a projection names the invariant that notices it, or says in words how.\n\n\
         ```yaml\nderived: {from: operation_log, drift: every-login-is-counted}\n```\n",
    ),
    About::first(
        "dangling-param",
        "a parameter is named that is not declared",
        "`idempotent_by`, `same_plan_for` and the key and request of `idempotent` name parameters.\n\n```yaml\nidempotent_by: request_idd\n```\n",
    ),
    About::first(
        "dangling-field",
        "an event's key names a field that its payload does not have",
        "A second delivery is recognised by fields that are delivered.\n\n```yaml\nCaseAssigned: {payload: {case_id: uuid}, key: [caseid]}\n```\n",
    ),
    About::first(
        "dangling-object",
        "an object is named that the design does not have",
        "`after:` of a view or routine, and `at:` of a waiver, name something that is declared.\n\n```yaml\nwaivers: [{rule: redundant-index, at: orders.ix_old, because: measured}]\n```\n",
    ),
    // Names themselves.
    About::first(
        "duplicate-name",
        "one name stands for two things",
        "Tables, views, types, indexes and unique constraints of a schema share their names, and so do the constraints of a table. A \
         list that names something twice is reported too.\n\n```yaml\nindexes: {uq_case_number: {columns: [case_number]}}   # a unique constraint is called so\n```\n",
    ),
    About::first(
        "name-invalid",
        "a name cannot be used",
        "A name is not empty and holds no control characters; a captured row is used as `:found.column`, so it has letters, digits and `_` only.\n\n\
         ```yaml\n- {as: found-row, sql: SELECT 1}\n```\n",
    ),
    About::first(
        "name-too-long",
        "a name is longer than PostgreSQL keeps",
        "PostgreSQL cuts names after 63 bytes without an error, so that two long names may become one.\n",
    ),
    About::first(
        "name-reserved",
        "a name is one that PostgreSQL keeps for itself",
        "System columns (`ctid`, `xmin` …), schemas and roles that start with `pg_`, the role `public`, and names of PostgreSQL's own types.\n\n\
         ```yaml\ntypes: {money: {domain: bigint}}   # `money` would mean PostgreSQL's\n```\n",
    ),
    About::first(
        "name-case",
        "two names differ only in the case of their letters",
        "SQL without quotes folds names to lower case and would always mean one of the two.\n\n```yaml\ncolumns: {Status: text, status: text}\n```\n",
    ),
    About::first(
        "was-present",
        "an earlier name is still in use",
        "`was` says what something was called before, so that the migration renames it. What is still there under that name cannot have been renamed.\n",
    ),
    // Types and values.
    About::first(
        "type-unknown",
        "there is no such type",
        "A type is one of PostgreSQL's, one of `types:`, or comes with an extension that `database.extensions` names.\n\n```yaml\ncolumns: {name: string}   # PostgreSQL calls it text\n```\n",
    ),
    About::first(
        "type-circle",
        "a domain is made of itself",
        "A chain of domains ends at a type of PostgreSQL's.\n\n```yaml\ntypes: {a: {domain: b}, b: {domain: a}}\n```\n",
    ),
    About::first(
        "type-mismatch",
        "a type does not fit what is asked of it",
        "Referencing and referenced columns have one type (an error where PostgreSQL could not compare them, a warning where it would \
         convert at each check); ages are counted from a time; identities are whole numbers.\n\n```yaml\nretention: [{after: 1 year, of: title, do: delete}]\n```\n",
    ),
    About::first(
        "column-two-sources",
        "a column's value comes from two places",
        "`default`, `identity` and `generated` exclude each other, and an identity is never null.\n",
    ),
    About::first(
        "default-not-quoted",
        "a default that is meant as text is read as a column",
        "A default is SQL, so text needs SQL's quotes inside YAML's.\n\n```yaml\nstate: {type: order_state, default: \"'open'\"}\n```\n",
    ),
    About::first(
        "state-unknown",
        "a value is none of those the column can take",
        "Transitions, starting states, defaults and shares of values speak of labels of the enum, or of values of `one_of`.\n\n```yaml\ninitial: [drafd]   # did you mean `draft`?\n```\n",
    ),
    About::first(
        "values-empty",
        "a list of values is empty",
        "An enum or `one_of` without values allows nothing.\n",
    ),
    About::first(
        "data-impossible",
        "a column's data cannot be as it is described",
        "Shares sum up to 1 at most, a range begins with its lowest value, a column that is never null has no share of nulls, no value is wider \
         than its type, and a table never holds more different values than rows.\n\n\
         ```yaml\ndata: {values: {open: 0.7, closed: 0.7}}\n```\n",
    ),
    About::first(
        "volume-impossible",
        "a table cannot be as large as it is said to be, or not for so long",
        "PostgreSQL counts the pages of a table, or of one partition, with 32 bits: 32 TB. Rows are taken at their smallest, so what is said to be too much is. \
         Growth is judged at the horizon, which is some time ahead.\n\n\
         ```yaml\nvolume: {rows: 1000000000000000}   # 10^15 rows of a table without partitions\n```\n",
    ),
    About::first(
        "expectation-impossible",
        "no plan can be as a query expects it",
        "A plan reads, costs and touches more than nothing.\n\n```yaml\nplan: {reads: <= 0 rows}\n```\n",
    ),
    // Keys, references, partitions, retention.
    About::first(
        "key-nullable",
        "a column of the primary key may be null",
        "PostgreSQL would make it NOT NULL without a word.\n\n```yaml\ncolumns: {order_id: uuid?}\nkey: [order_id]\n```\n",
    ),
    About::first(
        "reference-count",
        "referencing and referenced columns do not pair up",
        "Where `key:` is silent, the columns of the same names are meant if the parent has them all, else its primary key.\n\n\
         ```yaml\nfk_item_order: {columns: [order_id], to: orders, key: [tenant_id, order_id]}\n```\n",
    ),
    About::first(
        "reference-without-key",
        "the referenced table has no key to refer to",
        "Give the table a `key:`, or say which columns are meant.\n",
    ),
    About::first(
        "set-null-required",
        "a reference would set a column to null that is never null",
        "Every delete of a parent would fail.\n\n```yaml\ncolumns: {customer_id: uuid}\nreferences: {fk: {columns: [customer_id], to: customer, on_delete: set null}}\n```\n",
    ),
    About::first(
        "no-reference-between",
        "nothing leads from one table to the other",
        "A related row, or a limit that stands in a parent's column, is found through a reference.\n\n\
         ```yaml\nat_most: {in: booking, per: [event_id], count: true, limit: event.capacity}   # booking needs a reference to event\n```\n",
    ),
    About::first(
        "statistics-impossible",
        "extended statistics that no table can have",
        "PostgreSQL gathers statistics over two to eight columns. There are at least as many combinations as one of the columns has values, and at \
         most as many as there are rows.\n\n\
         ```yaml\nstatistics:\n  st_address: {columns: [country, city], distinct: 12k}\n```\n",
    ),
    About::first(
        "exclusion-invalid",
        "an element of an exclusion names no operator",
        "Two rows exclude each other where every operator holds.\n\n```yaml\nexclude: {ex_room: {elements: [room_id with =, during with &&]}}\n```\n",
    ),
    About::first(
        "partition-invalid",
        "a table cannot be cut like this",
        "A step is a whole number of hours, days, weeks, months or years and begins at the start of one; a value belongs to one list.\n\n\
         ```yaml\npartition: {by: created_at, every: 1 month, from: 2026-01-15}   # not the first of a month\n```\n",
    ),
    About::first(
        "table-not-partitioned",
        "a plan counts the partitions of a table that has none",
        "```yaml\nplan: {partitions: <= 2 of customer}\n```\n",
    ),
    About::first(
        "retention-without-partition",
        "retention drops partitions of a table that has none",
        "```yaml\nretention: [{after: 180 days, of: created_at, do: drop_partition}]   # needs `partition:`\n```\n",
    ),
    About::first(
        "retention-without-time",
        "an age is counted from no time",
        "`of` names the column of time; where it is silent, the column that the table is partitioned by counts.\n\n\
         ```yaml\nretention: [{after: 7 years, do: delete}]   # after what?\n```\n",
    ),
    About::first(
        "retention-without-target",
        "archived or exported rows go nowhere",
        "```yaml\nretention: [{after: 7 years, of: ended_at, do: archive, to: case_archive}]\n```\n",
    ),
    About::first(
        "projection-without-columns",
        "a projection is a table that nothing declares",
        "A projection of kind `table` has its columns here or under `tables:`.\n\n\
         ```yaml\nprojections: {case_search: {kind: table, source: [regulatory_case]}}\n```\n",
    ),
    About::first(
        "retained-without-retention",
        "an invariant keeps to a retention that the table does not state",
        "```yaml\nretained: {in: invoice}   # table invoice needs `retention:`\n```\n",
    ),
    // Invariants.
    About::first(
        "enforcement-not-possible",
        "a rule of this kind cannot be enforced so",
        "What a kind allows follows from what PostgreSQL can do: no constraint sees the row as it was before.\n\n```yaml\nappend_only: audit_log\nenforced: constraint   # a trigger can\n```\n",
    ),
    About::first(
        "where-not-possible",
        "a rule of this kind speaks of all rows",
        "`transitions`, `isolated`, `idempotent`, `mirrors` and `retained` take no `where`; to ignore it would claim less than is written.\n",
    ),
    About::first(
        "bad-limit",
        "a limit is neither a number nor a column",
        "```yaml\nat_most: {in: booking, per: [event_id], count: true, limit: event.capacity}\n```\n",
    ),
    About::first(
        "setting-invalid",
        "a setting has a name that PostgreSQL does not take",
        "Settings of one's own have a dot in their name.\n\n```yaml\nisolated: {tables: [invoice], by: tenant_id, setting: app.tenant_id, role: app}\n```\n",
    ),
    About::first(
        "state-unreachable",
        "no path of allowed steps leads to a state",
        "Either a step is missing, or the state is an initial one, or it is not needed.\n\n```yaml\ntransitions: {in: orders, column: state, initial: [open], allow: {paid: [shipped]}}\n```\n",
    ),
    About::first(
        "state-without-exit",
        "no step leads out of a state",
        "States that are meant to be final are named under `terminal`.\n\n```yaml\ntransitions: {in: orders, column: state, initial: [open], allow: {open: [paid]}, terminal: [paid]}\n```\n",
    ),
    About::first(
        "state-terminal-left",
        "a terminal state has steps out of it",
        "```yaml\ntransitions: {in: orders, column: state, initial: [open], allow: {open: [paid], paid: [open]}, terminal: [paid]}\n```\n",
    ),
    // SQL, parameters, conditions.
    About::first(
        "sql-syntax",
        "SQL has a fault of syntax",
        "Found without a server, by PostgreSQL's grammar; the place is inside the block. Whether names in it exist is asked of the server later.\n",
    ),
    About::first(
        "sql-two-statements",
        "two statements stand where one is expected",
        "Each step of a command is one statement, so that the verifier can let others run in between.\n\n```yaml\nsteps:\n  - sql: UPDATE a SET x = 1; UPDATE b SET y = 1   # two steps\n```\n",
    ),
    About::first(
        "sql-placeholder",
        "SQL is still to be written",
        "`...` stands for SQL that is not there yet; until it is, it counts as absent.\n",
    ),
    About::first(
        "transaction-in-step",
        "a step begins or ends the transaction",
        "A command is one transaction, at the level that `isolation:` says.\n",
    ),
    About::first(
        "param-unbound",
        "SQL or a condition uses a parameter that is not declared",
        "`:name` in strings, casts, slices and comments is none. In checks, predicates and definitions no parameter has a meaning.\n\n\
         ```yaml\nparams: {case_id: uuid}\nsql: SELECT 1 FROM regulatory_case WHERE case_id = :caseid\n```\n",
    ),
    About::first(
        "param-unused",
        "a parameter is declared and never used",
        "Mostly a misspelling in the SQL, or a condition that was forgotten.\n",
    ),
    About::first(
        "capture-unknown",
        "a captured value is not there",
        "A step's first row is captured with `as:`, can be used by later steps, and has the columns that the statement returns.\n\n\
         ```yaml\nsteps:\n  - {as: found, sql: SELECT state FROM orders WHERE order_id = :order_id}\n  - {require: found.stat == 'open'}   # did you mean found.state?\n```\n",
    ),
    About::first(
        "bad-condition",
        "a condition cannot be read",
        "Conditions know `== != < <= > >= in [..] and or not + -`, numbers, 'text', true, false, null, parameters, `found.rows` and `found.column`.\n\n\
         ```yaml\n- {require: \"found.rows == 1 and found.state in ['open', 'reopened']\", otherwise: not_open}\n```\n",
    ),
    About::first(
        "condition-unknown",
        "PostgreSQL has no such error condition",
        "`outcomes` and `retry` name errors as PostgreSQL does, or by their code.\n\n```yaml\noutcomes: {unique_violation: already_there, 23P01: overlaps}\n```\n",
    ),
    // What `migrate` says of a plan.
    About::first(
        "hazard-not-accepted",
        "a step of a migration does harm that nobody has accepted",
        "Rows that go, a table that is written anew or read while writers wait, programs of the old version that fail: where PostgreSQL \
         has no way around it the plan names it, and is neither written to files nor applied until it is accepted by that name.\n\n\
         ```text\npgproof migrate --accept data-loss:log_2026_01\n```\n",
    ),
    About::first(
        "accepted-hazard-gone",
        "a hazard is accepted that no step of the migration brings",
        "What is accepted is what somebody has looked at. A name that no longer occurs is a spelling mistake, or stands for something that \
         has changed since: leave it out, and look at what the plan says now.\n\n\
         ```text\npgproof migrate --accept rewrite:order   # the table is called `orders`\n```\n",
    ),
];

/// Whether there is a page for a code.
pub(super) fn has_page(code: &str) -> bool {
    FAULTS.iter().any(|page| page.name == code)
}

#[cfg(test)]
mod tests {
    use super::FAULTS;

    #[test]
    fn pages_are_one_to_a_code_and_say_something() {
        let names: std::collections::BTreeSet<&str> = FAULTS.iter().map(|page| page.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        for page in FAULTS {
            assert!(
                !page.docs.is_empty() && page.docs.ends_with('\n'),
                "{}",
                page.name
            );
            assert!(!page.title.ends_with('.'), "{}", page.name);
            assert_eq!(page.docs.matches("```").count() % 2, 0, "{}", page.name);
        }
    }
}
