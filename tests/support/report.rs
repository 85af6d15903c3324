//! One fixed report with something of everything, for the renderers.

use std::time::Duration;

use pgproof::finding::{
    Anomaly, Claim, Counterexample, Evidence, Finding, Input, Method, Moment, MomentKind, Mutants,
    PlanAt, Replay, ReplayDesign, ReplayEffects, ReplaySession, ReplayStep, Report, RunsAs,
    Setting, Severity, StoredRows, StoredSequence, Table, Verdict,
};
use pgproof::source::{SourceId, SourceMap, Span};

const DESIGN: &str = "\
pgproof: 1
design: case-assignment

tables:
  case_assignment:
    role: history
    columns:
      assignment_id: uuid
      case_id: uuid
      price: double precision
      ended_at: timestamptz?
    key: [assignment_id]
    references:
      fk_assignment_case: {columns: [case_id], to: regulatory_case}

invariants:
  one-active-assignment:
    never: a case has two active assignments in the same role
    at_most_one: {in: case_assignment, per: [case_id, assignment_rolle], where: ended_at is null}
    enforced: application

queries:
  active-queue:
    sql: |
      SELECT * FROM case_assignment WHERE ended_at IS NULL
";

/// The report and the texts it points into.
pub fn fixed() -> (Report, SourceMap) {
    let mut sources = SourceMap::new();
    let main = sources.add("designs/case-assignment/design.yaml", DESIGN.to_owned());
    let more = sources.add(
        "designs/case-assignment/roles.yaml",
        "security:\n  roles:\n    app: {login: false}\n".to_owned(),
    );
    let report = Report {
        designs: vec!["case-assignment".to_owned(), "ledger".to_owned()],
        inputs: vec![Input {
            path: "designs/case-assignment/design.yaml".to_owned(),
            sha256: "0f".repeat(32),
        }],
        findings: findings(&sources, main, more),
        evidence: evidence(&sources, main),
        mutants: Mutants { made: 5, killed: 4 },
        notes: vec!["used PostgreSQL 15.18 found on this machine".to_owned()],
        shard: None,
    };
    (report, sources)
}

/// Where a text stands in a source.
fn at(sources: &SourceMap, id: SourceId, text: &str) -> Span {
    let start = sources
        .text(id)
        .find(text)
        .expect("the text is in the source") as u32;
    Span::new(id, start, start + text.len() as u32)
}

fn findings(sources: &SourceMap, main: SourceId, more: SourceId) -> Vec<Finding> {
    let mut found = vec![
        Finding::new(
            "grain-missing",
            Severity::Warning,
            "table case_assignment",
            "table `case_assignment` does not say what one of its rows means",
            at(sources, main, "case_assignment"),
        )
        .here("no `grain`")
        .help("say what one row is: `grain: one responsibility interval of one actor on one case`"),
        Finding::error(
            "unknown-column",
            "invariant one-active-assignment",
            "table `case_assignment` has no column `assignment_rolle`",
            at(sources, main, "assignment_rolle"),
        )
        .here("not a column")
        .label(at(sources, main, "case_assignment:"), "of this table")
        .help("did you mean `assignment_role`?"),
        Finding::new(
            "nullable-without-reason",
            Severity::Advice,
            "table case_assignment / column ended_at",
            "column `ended_at` may be null and does not say why | and `how`, <b>really</b>",
            at(sources, main, "timestamptz?"),
        ),
        Finding::new(
            "role-without-grants",
            Severity::Warning,
            "role app",
            "role `app` may do nothing at all",
            at(sources, more, "app"),
        )
        .label(at(sources, main, "tables:"), "tables it could read"),
    ];
    for finding in &mut found {
        finding.design = "case-assignment".to_owned();
    }
    found
}

fn evidence(sources: &SourceMap, main: SourceId) -> Vec<Evidence> {
    let one = |subject: &str, method, verdict| Evidence {
        id: format!("case-assignment/{}/{subject}", Method::word(method)),
        design: "case-assignment".to_owned(),
        claim: Claim {
            subject: subject.to_owned(),
            statement: "a case has two active assignments in the same role".to_owned(),
            at: Some(at(sources, main, "one-active-assignment")),
        },
        method,
        verdict,
        reason: None,
        bounds: None,
        figures: Vec::new(),
        measured: None,
        plans: Vec::new(),
        counterexample: None,
        setting: Setting {
            server_version: Some("15.18".to_owned()),
            seed: 42,
            volume: None,
        },
        reproduce: format!(
            "pgproof verify designs/case-assignment --only {} --seed 42",
            Method::word(method)
        ),
        duration: Duration::from_millis(1250),
        cached: None,
    };
    let invariant = "invariant one-active-assignment";
    vec![
        Evidence {
            bounds: Some("schema of 2 tables, applied twice, read back equal".to_owned()),
            ..one("schema casework", Method::Build, Verdict::Proven)
        },
        Evidence {
            bounds: Some("6 illegal writes refused, 6 legal ones accepted".to_owned()),
            figures: vec![("cases".to_owned(), 12.0)],
            ..one("table case_assignment", Method::Reject, Verdict::Proven)
        },
        Evidence {
            bounds: Some("each enforcement taken out once".to_owned()),
            figures: vec![
                ("mutants_made".to_owned(), 4.0),
                ("mutants_killed".to_owned(), 4.0),
            ],
            ..one("table case_assignment", Method::Mutate, Verdict::Proven)
        },
        Evidence {
            reason: Some("enforced by the application only".to_owned()),
            ..one(invariant, Method::Reject, Verdict::Unchecked)
        },
        Evidence {
            reason: Some("two sessions leave 2 rows that break it".to_owned()),
            figures: vec![("schedules".to_owned(), 20.0), ("share".to_owned(), 0.25)],
            counterexample: Some(timeline()),
            ..one(invariant, Method::Race, Verdict::Refuted)
        },
        Evidence {
            reason: Some("without constraint `ck_interval` nothing was noticed".to_owned()),
            figures: vec![
                ("mutants_made".to_owned(), 1.0),
                ("mutants_killed".to_owned(), 0.0),
            ],
            ..one(
                "invariant interval-is-positive",
                Method::Mutate,
                Verdict::Vacuous,
            )
        },
        Evidence {
            reason: Some("a sequential scan of `case_assignment` is in the plan".to_owned()),
            counterexample: Some(plan()),
            ..one("query active-queue", Method::Plan, Verdict::Refuted)
        },
        Evidence {
            reason: Some("retention is not exercised by this version of pgproof".to_owned()),
            ..one(
                "retention of case_assignment",
                Method::Age,
                Verdict::Unchecked,
            )
        },
        Evidence {
            reason: Some("retention is not exercised by this version of pgproof".to_owned()),
            ..one("invariant kept-for-a-year", Method::Age, Verdict::Unchecked)
        },
        Evidence {
            bounds: Some("3.1 GB now, 12 GB in 3 years (freshly built)".to_owned()),
            measured: Some(measured(
                &["table, index", "rows now", "bytes now"],
                &[
                    &["case_assignment", "20,000,000", "2.1 GB"],
                    &["└ ix_assignment_actor_active|x", "", "93 MB"],
                ],
            )),
            ..one("capacity", Method::Plan, Verdict::Held)
        },
        Evidence {
            bounds: Some("one session, 60 calls alone and transactions of 60".to_owned()),
            measured: Some(measured(
                &["command", "a second"],
                &[&["assign-case", "3,210"]],
            )),
            ..one("command assign-case", Method::Plan, Verdict::Held)
        },
        Evidence {
            bounds: Some("one session, 60 calls alone and transactions of 60".to_owned()),
            measured: Some(measured(
                &["command", "a second"],
                &[&["close-case", "1,234"]],
            )),
            ..one("command close-case", Method::Plan, Verdict::Held)
        },
        Evidence {
            bounds: Some("typical values of one sampled row; planned now".to_owned()),
            plans: vec![PlanAt {
                when: "now".to_owned(),
                nodes: vec![
                    "Limit".to_owned(),
                    "  Index Scan using ix_a on a".to_owned(),
                ],
            }],
            ..one(
                "query active-queue on PostgreSQL 18",
                Method::Plan,
                Verdict::Held,
            )
        },
        Evidence {
            design: "ledger".to_owned(),
            bounds: Some("300 cases from seed 42".to_owned()),
            ..one("invariant postings-balance", Method::Race, Verdict::Held)
        },
        Evidence {
            design: "ledger".to_owned(),
            reason: Some("a legal row was refused".to_owned()),
            counterexample: Some(Counterexample::Statements {
                sql: vec![
                    "INSERT INTO ledger.account (account_id)\nVALUES (1)".to_owned(),
                    "INSERT INTO ledger.posting (posting_id, account_id, amount) VALUES (1, 1, 0)"
                        .to_owned(),
                ],
                expected: "accepted: an amount of zero is legal".to_owned(),
                found: "ERROR 23514 check_violation: ck_posting_amount".to_owned(),
            }),
            ..one("check ck_posting_amount", Method::Reject, Verdict::Refuted)
        },
        Evidence {
            design: "ledger".to_owned(),
            counterexample: Some(Counterexample::Differences {
                lines: vec![
                    "index ix_posting: missing".to_owned(),
                    "table account: fine".to_owned(),
                ],
            }),
            ..one("schema ledger", Method::Build, Verdict::Refuted)
        },
    ]
}

fn measured(columns: &[&str], rows: &[&[&str]]) -> Table {
    let row = |cells: &&[&str]| {
        let cell = |cell: &&str| (!cell.is_empty()).then(|| (*cell).to_owned());
        cells.iter().map(cell).collect()
    };
    Table {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.iter().map(row).collect(),
    }
}

fn timeline() -> Counterexample {
    let moment = |session, kind, text: &str, result: &str| Moment {
        session,
        kind,
        text: text.to_owned(),
        result: result.to_owned(),
    };
    let look = "SELECT lifecycle_state FROM regulatory_case\n  WHERE tenant_id = 1 AND case_id = 1 FOR SHARE\n";
    let write = |actor: u32| {
        format!(
            "INSERT INTO case_assignment (assignment_id, case_id, actor_id, assignment_role, assigned_at)\n  VALUES (gen_random_uuid(), 1, {actor}, 'investigator', now())"
        )
    };
    Counterexample::Timeline {
        sessions: vec!["A: assign-case".to_owned(), "B: assign-case".to_owned()],
        start: vec!["regulatory_case(tenant_id=1, case_id=1, lifecycle_state=open, opened_by=00000000-0000-0000-0000-000000000046)".to_owned()],
        moments: vec![
            moment(0, MomentKind::Ran, look, "1 row: (open)"),
            moment(0, MomentKind::Required, "found.rows == 1", "true"),
            moment(1, MomentKind::Ran, look, "1 row: (open)"),
            moment(0, MomentKind::Ran, &write(1), "1 row"),
            moment(1, MomentKind::Waits, &write(2), ""),
            moment(0, MomentKind::Committed, "", ""),
            moment(
                1,
                MomentKind::Resumed,
                "",
                "ERROR 40P01 deadlock_detected: deadlock detected",
            ),
            moment(
                1,
                MomentKind::RolledBack,
                "",
                "outcome deadlock_detected, retried",
            ),
            moment(1, MomentKind::Ran, &write(2), "1 row"),
            moment(1, MomentKind::Committed, "", ""),
        ],
        rows: Table {
            columns: ["assignment_id", "case_id", "assignment_role", "assigned_at", "ended_at"]
                .map(str::to_owned)
                .to_vec(),
            rows: [
                "4b35e3cd-4f80-4bb8-8362-0e6c02a1f3aa",
                "9e107d9d-372b-4826-81d3-542a419d6e10",
            ]
            .map(|id| {
                let at = "2026-11-21 03:57:13.5+00";
                let mut row: Vec<Option<String>> =
                    [id, "1", "investigator", at].map(|value| Some(value.to_owned())).to_vec();
                row.push(None);
                row
            })
            .to_vec(),
        },
        anomaly: Some(Anomaly {
            name: "phantom".to_owned(),
            why: "A and B each look for rows of `case_assignment` and then add one that the other's look has missed".to_owned(),
        }),
        replay: Some(Box::new(replay())),
    }
}

/// Every part once, so that the published schema is tried on each.
fn replay() -> Replay {
    let text = |value: &str| Some(value.to_owned());
    Replay {
        design: ReplayDesign {
            name: "case-assignment".to_owned(),
            path: "designs/case-assignment".to_owned(),
            sha256: "0".repeat(64),
        },
        invariant: "one-active-assignment".to_owned(),
        server_version: "15.18".to_owned(),
        seed: 42,
        rows: vec![StoredRows {
            schema: "cases".to_owned(),
            table: "regulatory_case".to_owned(),
            columns: vec!["case_id".to_owned(), "closed_at".to_owned()],
            rows: vec![vec![text("1"), None]],
        }],
        sequences: vec![StoredSequence {
            schema: "cases".to_owned(),
            name: "case_id_seq".to_owned(),
            last: 1,
            called: false,
        }],
        sessions: vec![
            ReplaySession {
                title: "assign-case".to_owned(),
                command: text("assign-case"),
                statements: Vec::new(),
                runs_as: RunsAs::Role("app".to_owned()),
                isolation: "read committed".to_owned(),
                arguments: [("case_id".to_owned(), text("1")), ("note".to_owned(), None)].into(),
                connection_lost: None,
            },
            ReplaySession {
                title: "a write".to_owned(),
                command: None,
                statements: vec!["DELETE FROM cases.regulatory_case".to_owned()],
                runs_as: RunsAs::Superuser,
                isolation: "serializable".to_owned(),
                arguments: [].into(),
                connection_lost: None,
            },
        ],
        choices: "0 1 1 v0".to_owned(),
        steps: vec![ReplayStep {
            session: 1,
            sql: "BEGIN ISOLATION LEVEL SERIALIZABLE\n;\nDELETE FROM cases.regulatory_case"
                .to_owned(),
            waits: true,
            error: text("40P01"),
        }],
        effects: Some(ReplayEffects {
            expected: vec![Table::default()],
            rivals: true,
        }),
        file: text("found/case-assignment-one-active-assignment.json"),
    }
}

fn plan() -> Counterexample {
    Counterexample::Plan {
        tree: vec![
            "Limit  rows=50".to_owned(),
            "  Sort  assigned_at DESC  rows=50".to_owned(),
            "    Hash Join  case_id  rows=1,000".to_owned(),
            "      Seq Scan  case_assignment  rows=20,000 filtered=19,000".to_owned(),
            "      Hash  rows=1,000".to_owned(),
            "        Index Scan  regulatory_case_pkey  rows=1,000".to_owned(),
        ],
        at_fault: vec![3],
    }
}
