//! What kind of race a counterexample shows: worked out from who read what before whose commit, and from whether the same programs
//! break the rule one after the other as well, which says most.

use std::collections::BTreeSet;

use super::play::{Played, Trial};
use super::program::{Program, Step};
use super::schedule::Choice;
use super::trace::{Part, Sent};
use crate::design::{InvariantKind, Isolation};
use crate::finding::Anomaly;
use crate::sql::{Ident, Token, TokenKind, facts, fold, meetings, tokens};

/// What is known of a counterexample.
#[derive(Debug)]
pub(super) struct Facts {
    pub kind: InvariantKind,
    pub lives: Vec<Life>,
    /// An order in which the programs break the rule one after the other.
    pub serial: Option<Vec<usize>>,
    /// A session died in a deadlock.
    pub victim: Option<usize>,
}

/// One session, as far as it lasted.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub title: String,
    pub deeds: Vec<Deed>,
    /// When its commit was acknowledged.
    pub committed: Option<usize>,
}

/// One statement.
#[derive(Clone, Debug, Default)]
pub(super) struct Deed {
    pub reads: BTreeSet<Ident>,
    pub inserts: BTreeSet<Ident>,
    pub changes: BTreeSet<Ident>,
    /// Columns that it sets, by the statement itself.
    pub sets: BTreeSet<Ident>,
    /// Those of them whose old value does not go into the new one.
    pub replaces: BTreeSet<Ident>,
    /// Columns that it compares with a value: table, column, value.
    pub picks: Vec<(Ident, Ident, Option<String>)>,
    /// What was committed by then, it saw.
    pub view: usize,
    pub done: usize,
}

impl Deed {
    fn writes(&self, table: &Ident) -> bool {
        self.inserts.contains(table) || self.changes.contains(table)
    }

    fn is_write(&self) -> bool {
        !self.inserts.is_empty() || !self.changes.is_empty()
    }

    /// Whether both cannot be about the same row of a table.
    fn is_apart(&self, other: &Deed, table: &Ident) -> bool {
        self.picks.iter().any(|(of, column, value)| {
            of == table
                && other
                    .picks
                    .iter()
                    .any(|(o, c, v)| o == table && c == column && v != value)
        })
    }
}

impl Facts {
    /// Reads the facts off a run.
    pub(super) fn of(
        kind: InvariantKind,
        trial: &Trial,
        played: &Played,
        serial: Option<Vec<usize>>,
    ) -> Facts {
        let lives = trial.programs.iter().enumerate().map(|(at, program)| {
            let own: Vec<&Sent> = played
                .trace
                .sent
                .iter()
                .filter(|sent| sent.session == at)
                .collect();
            life(program, &own)
        });
        let victim = played.choices.iter().find_map(|choice| match choice {
            Choice::Victim(session) => Some(*session),
            Choice::Step(_) | Choice::Wake(_) => None,
        });
        Facts {
            kind,
            lives: lives.collect(),
            serial,
            victim,
        }
    }
}

/// What lasted: of a command that was run again, the last run.
fn life(program: &Program, sent: &[&Sent]) -> Life {
    let mut life = Life {
        title: program.script.title.clone(),
        ..Life::default()
    };
    for message in sent {
        match message.part {
            Part::Statement(step) => {
                let first = life.deeds.first().map(|deed| deed.view);
                life.deeds.extend(deed(program, step, message, first));
            }
            Part::Commit if message.error.is_none() => life.committed = message.done,
            Part::Commit | Part::Rollback | Part::Tidy => life.deeds.clear(),
        }
    }
    life
}

fn deed(program: &Program, step: usize, sent: &Sent, first: Option<usize>) -> Option<Deed> {
    let Some(Step::Sql {
        footprint, text, ..
    }) = program.script.steps.get(step)
    else {
        return None;
    };
    let done = sent.done?;
    // A statement that had to wait looks again once it goes on, where its isolation lets it.
    let view = match (program.script.isolation, first) {
        (Isolation::ReadCommitted, _) if sent.waited => done,
        (Isolation::ReadCommitted, _) | (_, None) => sent.at,
        (_, Some(first)) => first,
    };
    let picks = meetings(text)
        .into_iter()
        .filter(|meeting| !meeting.written && !meeting.folded && meeting.tables.len() == 1)
        .filter_map(|meeting| {
            let value = program.args.get(&Ident::from(meeting.param.as_str()))?;
            let table = meeting.tables.into_iter().next()?;
            Some((table, meeting.column, value.clone()))
        });
    let assigned = facts(text).map(|facts| facts.assigned).unwrap_or_default();
    let sets = assigned.into_values().flatten().map(Ident::new);
    Some(Deed {
        reads: names(footprint.reads.names()),
        inserts: names(footprint.inserted().names()),
        changes: names(footprint.changed().names()),
        sets: sets.collect(),
        replaces: replaced(text),
        picks: picks.collect(),
        view,
        done,
    })
}

/// Columns that an UPDATE sets to something that does not mention them.
fn replaced(text: &str) -> BTreeSet<Ident> {
    let all = tokens(text);
    let code: Vec<&Token> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut found = BTreeSet::new();
    let Some(set) = code.iter().position(|token| token.is(text, "set")) else {
        return found;
    };
    let (mut depth, mut column, mut mentions) = (0usize, None::<Ident>, false);
    for (at, token) in code.iter().enumerate().skip(set + 1) {
        let own = token.text(text);
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
        let ends = ["where", "from", "returning"]
            .iter()
            .any(|word| token.is(text, word));
        if depth == 0 && (ends || own == ",") {
            found.extend(column.take().filter(|_| !mentions));
            mentions = false;
            if ends {
                break;
            }
        } else if own == "(" {
            depth += 1;
        } else if own == ")" {
            depth = depth.saturating_sub(1);
        } else if is_name
            && depth == 0
            && code.get(at + 1).is_some_and(|next| next.text(text) == "=")
            && column.is_none()
        {
            column = Some(Ident::new(fold(own)));
        } else if is_name {
            mentions |= column
                .as_ref()
                .is_some_and(|column| column.as_str() == fold(own));
        }
    }
    found.extend(column.filter(|_| !mentions));
    found
}

fn names<'a>(all: impl Iterator<Item = &'a Ident>) -> BTreeSet<Ident> {
    all.cloned().collect()
}

/// One session read a table before another's write to it was committed, and wrote afterwards.
struct Stale<'a> {
    reader: usize,
    writer: usize,
    table: &'a Ident,
    read: &'a Deed,
    write: &'a Deed,
}

/// Names the race.
pub(super) fn classify(facts: &Facts) -> Anomaly {
    let say = |name: &str, why: String| Anomaly {
        name: name.to_owned(),
        why,
    };
    if facts.kind == InvariantKind::Idempotent {
        let why = match &facts.serial {
            Some(_) => "the request has its effect again also where it is sent once more after the first has ended: nothing tells that it was there before".to_owned(),
            None => "each request looks for an earlier one before the other has committed, finds none, and has its effect".to_owned(),
        };
        return say("duplicate effect", why);
    }
    if let [only] = facts.lives.as_slice() {
        return say_alone(facts, &only.title);
    }
    if let Some(order) = &facts.serial {
        return say_serial(facts, order);
    }
    if let Some(anomaly) = read_only(facts) {
        return anomaly;
    }
    let stale = stale(facts);
    if let Some(lost) = stale.iter().find(|edge| is_lost(facts, edge)) {
        let why = format!(
            "{} reads `{}`, {} changes the same row and commits, and {} then writes over it what it made of the old value; {}",
            letter(lost.reader),
            lost.table.as_str(),
            letter(lost.writer),
            letter(lost.reader),
            SERIAL
        );
        return say("lost update", why);
    }
    let back = |edge: &Stale<'_>| {
        stale
            .iter()
            .find(|other| other.reader == edge.writer && other.writer == edge.reader)
    };
    let new_rows = |edge: &&Stale<'_>| {
        edge.write.inserts.contains(edge.table) && back(edge).is_some_and(|b| b.table == edge.table)
    };
    if let Some(edge) = stale.iter().find(new_rows) {
        let why = format!(
            "{} and {} each look for rows of `{}` and then add one that the other's look has missed, because it was not committed yet; {}",
            letter(edge.reader.min(edge.writer)),
            letter(edge.reader.max(edge.writer)),
            edge.table.as_str(),
            SERIAL
        );
        return say("phantom", why);
    }
    if let Some(edge) = stale.iter().find(|edge| back(edge).is_some()) {
        let pair = BTreeSet::from([edge.reader, edge.writer]);
        let between = stale
            .iter()
            .filter(|other| pair.contains(&other.reader) && pair.contains(&other.writer));
        let tables: BTreeSet<String> = between
            .map(|other| format!("`{}`", other.table.as_str()))
            .collect();
        let tables: Vec<String> = tables.into_iter().collect();
        let why = format!(
            "{} and {} each read what the other is about to change (in {}), and write something else on the strength of it; {}",
            letter(edge.reader.min(edge.writer)),
            letter(edge.reader.max(edge.writer)),
            tables.join(", "),
            SERIAL
        );
        return say("write skew", why);
    }
    let acted_late = |edge: &&Stale<'_>| {
        let (reader, writer) = (&facts.lives[edge.reader], &facts.lives[edge.writer]);
        let last = reader.deeds.iter().rev().find(|deed| deed.is_write());
        last.map(|deed| deed.done) > writer.committed
    };
    if let Some(edge) = stale.iter().find(acted_late) {
        let why = format!(
            "{} checks `{}`, {} changes that and commits, and {} acts on what was true before: nothing keeps it true until then; {}",
            letter(edge.reader),
            edge.table.as_str(),
            letter(edge.writer),
            letter(edge.reader),
            SERIAL
        );
        return say("unprotected check-then-act", why);
    }
    if let Some(victim) = facts.victim {
        let why = format!(
            "it breaks where {} dies in a deadlock with the others; {}",
            letter(victim),
            SERIAL
        );
        return say("deadlock-prone", why);
    }
    say("interleaving", SERIAL.to_owned())
}

const SERIAL: &str = "one after the other, in any order, they do not break it";

fn say_alone(facts: &Facts, title: &str) -> Anomaly {
    let (name, why) = match facts.kind {
        InvariantKind::Monotonic => (
            "out-of-order write",
            format!(
                "no race is needed: what {title} writes is older than what is there, and nothing turns it away"
            ),
        ),
        InvariantKind::Isolated => (
            "missing tenant isolation",
            format!("no race is needed: {title} reaches rows of another tenant"),
        ),
        _ => (
            "rule not enforced",
            format!(
                "no race is needed: {title} breaks the rule by itself, and nothing in the database refuses it; where such rows as at the start cannot come about, say so as a further invariant"
            ),
        ),
    };
    Anomaly {
        name: name.to_owned(),
        why,
    }
}

fn say_serial(facts: &Facts, order: &[usize]) -> Anomaly {
    let letters: Vec<String> = order.iter().map(|at| letter(*at)).collect();
    let order = letters.join(", then ");
    match facts.kind {
        InvariantKind::Monotonic => Anomaly {
            name: "out-of-order write".to_owned(),
            why: format!(
                "no race is needed: run one after the other, {order}, what comes late writes over what is newer"
            ),
        },
        _ => Anomaly {
            name: "rule not enforced".to_owned(),
            why: format!(
                "no race is needed: run one after the other, {order}, they break the rule as well, and nothing in the database refuses it"
            ),
        },
    }
}

/// A session that writes nothing, and is needed all the same.
fn read_only(facts: &Facts) -> Option<Anomaly> {
    let reader = facts
        .lives
        .iter()
        .position(|life| life.committed.is_some() && !life.deeds.iter().any(Deed::is_write))?;
    Some(Anomaly {
        name: "read-only anomaly".to_owned(),
        why: format!(
            "{} writes nothing, but sees a state that no order of the others could have shown to it; {SERIAL}",
            letter(reader)
        ),
    })
}

/// Every read that was out of date by the time its session wrote; those of statements that only read come first.
fn stale(facts: &Facts) -> Vec<Stale<'_>> {
    let mut found = Vec::new();
    for (reader, life) in facts.lives.iter().enumerate() {
        let Some(last) = life.deeds.iter().rev().find(|deed| deed.is_write()) else {
            continue;
        };
        for (writer, other) in facts.lives.iter().enumerate() {
            let Some(committed) = other.committed.filter(|_| writer != reader) else {
                continue;
            };
            // One that began after this one had ended is no race.
            let begins = other.deeds.first().map_or(0, |deed| deed.view);
            if life.committed.is_some_and(|ended| ended < begins) {
                continue;
            }
            for read in life.deeds.iter().filter(|deed| deed.view < committed) {
                for table in read.reads.iter().filter(|_| read.view <= last.done) {
                    let mut writes = other.deeds.iter().filter(|deed| deed.writes(table));
                    found.extend(writes.next().map(|write| Stale {
                        reader,
                        writer,
                        table,
                        read,
                        write,
                    }));
                }
            }
        }
    }
    found.sort_by_key(|edge| edge.read.is_write());
    found
}

/// The reader sets what the other has set, in the very row that it read before the other changed it.
fn is_lost(facts: &Facts, edge: &Stale<'_>) -> bool {
    let committed = facts.lives[edge.writer].committed.unwrap_or(0);
    edge.write.changes.contains(edge.table)
        && !edge.read.is_write()
        && !edge.read.is_apart(edge.write, edge.table)
        && facts.lives[edge.reader].deeds.iter().any(|deed| {
            deed.changes.contains(edge.table)
                && deed.done > committed
                && !deed.replaces.is_disjoint(&edge.write.sets)
                && !deed.is_apart(edge.write, edge.table)
        })
}

/// What a session is called in the timeline.
pub(super) fn letter(session: usize) -> String {
    ('A'..='Z')
        .nth(session)
        .map_or_else(|| session.to_string(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(tables: &[&str]) -> BTreeSet<Ident> {
        tables.iter().map(|table| Ident::from(*table)).collect()
    }

    fn read(table: &str, at: usize) -> Deed {
        Deed {
            reads: set(&[table]),
            view: at,
            done: at,
            ..Deed::default()
        }
    }

    fn insert(table: &str, at: usize) -> Deed {
        Deed {
            inserts: set(&[table]),
            view: at,
            done: at,
            ..Deed::default()
        }
    }

    fn change(table: &str, row: &str, at: usize) -> Deed {
        Deed {
            changes: set(&[table]),
            sets: set(&["value"]),
            replaces: set(&["value"]),
            picks: vec![(table.into(), "id".into(), Some(row.to_owned()))],
            view: at,
            done: at,
            ..Deed::default()
        }
    }

    fn life(deeds: Vec<Deed>, committed: usize) -> Life {
        Life {
            title: "go".to_owned(),
            deeds,
            committed: Some(committed),
        }
    }

    fn named(lives: Vec<Life>) -> String {
        anomaly(InvariantKind::Holds, lives, None).name
    }

    fn anomaly(kind: InvariantKind, lives: Vec<Life>, serial: Option<Vec<usize>>) -> Anomaly {
        classify(&Facts {
            kind,
            lives,
            serial,
            victim: None,
        })
    }

    #[test]
    fn writing_over_what_was_read_before_loses_an_update() {
        let lives = vec![
            life(vec![read("t", 1), change("t", "1", 3)], 4),
            life(vec![read("t", 2), change("t", "1", 5)], 6),
        ];
        assert_eq!(named(lives), "lost update");
    }

    #[test]
    fn what_is_added_to_the_value_of_the_moment_is_not_lost() {
        let added = |at| Deed {
            replaces: BTreeSet::new(),
            ..change("t", "1", at)
        };
        let lives = vec![
            life(vec![read("t", 1), added(3)], 4),
            life(vec![read("t", 2), added(5)], 6),
        ];
        assert_ne!(named(lives), "lost update");
    }

    #[test]
    fn an_update_replaces_what_its_new_values_do_not_mention() {
        let sql = "UPDATE t SET a = coalesce(:x, b), \"B\" = 1, c = t.c + 1, d = (SELECT d FROM u) -- set e = 1\nWHERE f = 2";
        assert_eq!(replaced(sql), set(&["a", "B"]));
        assert_eq!(replaced("INSERT INTO t VALUES (1)"), set(&[]));
    }

    #[test]
    fn writing_different_rows_after_reading_both_skews() {
        let lives = vec![
            life(vec![read("t", 1), change("t", "1", 3)], 4),
            life(vec![read("t", 2), change("t", "2", 5)], 6),
        ];
        let anomaly = anomaly(InvariantKind::Holds, lives, None);
        assert_eq!(anomaly.name, "write skew");
        assert!(anomaly.why.contains("(in `t`)"), "{}", anomaly.why);
    }

    #[test]
    fn reading_one_table_each_and_writing_the_others_skews() {
        let lives = vec![
            life(vec![read("task", 1), change("kase", "1", 3)], 4),
            life(vec![read("kase", 2), insert("task", 5)], 6),
        ];
        assert_eq!(named(lives), "write skew");
    }

    #[test]
    fn rows_that_a_look_missed_are_phantoms() {
        let lives = vec![
            life(vec![read("t", 1), insert("t", 3)], 4),
            life(vec![read("t", 2), insert("t", 5)], 6),
        ];
        assert_eq!(named(lives), "phantom");
    }

    #[test]
    fn acting_on_what_is_no_longer_so() {
        let lives = vec![
            life(vec![read("kase", 1), insert("task", 5)], 6),
            life(vec![change("kase", "1", 2)], 3),
        ];
        assert_eq!(named(lives), "unprotected check-then-act");
    }

    #[test]
    fn what_was_read_after_the_commit_is_no_race() {
        let lives = vec![
            life(vec![read("t", 1), insert("t", 2)], 3),
            life(vec![read("t", 4), insert("t", 5)], 6),
        ];
        assert_eq!(named(lives), "interleaving");
    }

    #[test]
    fn where_a_serial_order_breaks_it_no_race_is_to_blame() {
        let lives = || vec![life(vec![insert("t", 1)], 2), life(vec![insert("t", 3)], 4)];
        let plain = anomaly(InvariantKind::Unique, lives(), Some(vec![1, 0]));
        assert_eq!(plain.name, "rule not enforced");
        assert!(plain.why.contains("B, then A"), "{}", plain.why);
        let late = anomaly(InvariantKind::Monotonic, lives(), Some(vec![0, 1]));
        assert_eq!(late.name, "out-of-order write");
        let twice = anomaly(InvariantKind::Idempotent, lives(), None);
        assert_eq!(twice.name, "duplicate effect");
    }

    #[test]
    fn one_session_needs_no_race() {
        assert_eq!(
            named(vec![life(vec![insert("t", 1)], 2)]),
            "rule not enforced"
        );
    }

    #[test]
    fn a_reader_that_is_needed_makes_a_read_only_anomaly() {
        let lives = vec![
            life(vec![read("t", 1), change("t", "1", 3)], 4),
            life(vec![read("t", 2), change("t", "2", 5)], 6),
            life(vec![read("t", 7)], 8),
        ];
        assert_eq!(named(lives), "read-only anomaly");
    }
}
