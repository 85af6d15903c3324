//! A page for each thing that trying a design on a server can find wrong, beside a claim that is refuted.

use super::about::About;
use super::evidence::Method;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Its page.
    pub about: About,
    /// What has to be run for it to be found.
    pub method: Method,
    /// Whether a team may decide to live with it. What PostgreSQL refuses stays refused whatever anybody decides.
    pub may_be_waived: bool,
}

/// What is known of a code.
pub fn tried(code: &str) -> Option<&'static Tried> {
    TRIED.iter().find(|tried| tried.about.name == code)
}

const fn refused(
    name: &'static str,
    method: Method,
    title: &'static str,
    docs: &'static str,
) -> Tried {
    let about = About {
        name,
        title,
        docs,
        since: "0.1.0",
    };
    Tried {
        about,
        method,
        may_be_waived: false,
    }
}

const fn advised(
    name: &'static str,
    method: Method,
    title: &'static str,
    docs: &'static str,
) -> Tried {
    let mut tried = refused(name, method, title, docs);
    tried.may_be_waived = true;
    tried
}

/// Every code that `pgproof verify` gives to a finding of its own.
pub static TRIED: &[Tried] = &[
    refused(
        "ddl-refused",
        Method::Build,
        "PostgreSQL refuses a part of the schema",
        "The schema is applied to a real server before anything else is tried. Most of what PostgreSQL would refuse is found without it; the \
         rest are expressions that do not fit their types, functions that are not there, and extensions that the server lacks.\n\n\
         ```yaml\ncolumns: {total: {type: bigint, check: total > 'none'}}   # no number\n```\n",
    ),
    refused(
        "catalog-differs",
        Method::Build,
        "what the server made of the schema is not what the design means",
        "The catalog is read back and compared with the design object by object. A difference is a fault of the design where PostgreSQL \
         silently understands something else, and a fault of pgproof where it wrote the DDL wrong: please report it.\n",
    ),
    refused(
        "sql-refused",
        Method::Plan,
        "PostgreSQL refuses a query",
        "Queries, and the statements of commands whose plans matter, are prepared on the server in the schema of the design. The message \
         is PostgreSQL's own, and the finding points into the statement.\n\n\
         ```yaml\nqueries:\n  open: {sql: SELECT id FROM ticket WHERE stat = 'open'}   # the column is called state\n```\n",
    ),
    refused(
        "setting-refused",
        Method::Plan,
        "PostgreSQL refuses a setting of the planner",
        "Settings below `database:` are given to every session in which plans are looked at. The server's version does not know this one, or \
         does not take its value.\n",
    ),
    refused(
        "command-fails",
        Method::Race,
        "a command cannot run at all",
        "The server refuses the command's SQL, or its role may not run it. That is no outcome of a race, and nothing is proven about a \
         command that never runs. Grants are the usual cause: a command on tables that are `isolated` runs as the role that is confined.\n",
    ),
    refused(
        "illegal-state",
        Method::Race,
        "a state of the design breaks a rule of the design",
        "States below `states:` are where races begin. One that a constraint or an invariant forbids is nowhere to begin: what breaks the \
         rule already says nothing about a race.\n\n\
         ```yaml\nstates:\n  two-admins:\n    member: [{id: 1, rank: admin}, {id: 1, rank: admin}]   # one key twice\n```\n",
    ),
    advised(
        "undeclared-outcome",
        Method::Race,
        "a command can fail in a way that it does not declare",
        "In some order of steps the command ends with an error of the database that is neither among its `outcomes` nor among what it \
         retries. Whoever calls it gets an error nobody has thought about: a second click becomes a failure of the server instead of \
         \"you have done that already\".\n\n\
         ```yaml\noutcomes: {unique_violation: joined_already}\nretry: [serialization_failure, deadlock_detected]\n```\n",
    ),
    advised(
        "unneeded-lock",
        Method::Mutate,
        "no race needs a lock, a condition or an isolation level",
        "The command was raced without it, and every invariant held and every outcome stayed. It costs waiting and buys nothing that the \
         design states. Either it is superfluous, or the rule that it is there for is not written down: then state it as an invariant, and \
         the lock is needed from then on.\n\nThe race is one of two sessions; a lock that only a third one needs is looked at when \
         invariants are raced with three.\n",
    ),
    advised(
        "redundant-mechanism",
        Method::Mutate,
        "two mechanisms enforce the same",
        "Each was taken out in turn. Without this one another refuses the same; without both the rule breaks. Two may be meant: a check in \
         the command for a message that people understand, a constraint for certainty. Then say so, and waive the finding.\n\n\
         ```yaml\nwaivers:\n  - {rule: redundant-mechanism, because: the command looks first so that it can say who holds the seat}\n```\n",
    ),
    advised(
        "missing-index",
        Method::Plan,
        "an index would keep a query to its plan at the declared volume",
        "The query's plan is no longer what the design expects once the tables are as large as it declares. With this index, tried on the \
         server without building it at full size, the plan stays. The YAML to paste comes with the finding; what the index costs in space is \
         said, too. So are indexes for statements of commands that read all of a large table at each call, and, as advice, those that make a dear \
         interactive query ten times cheaper.\n",
    ),
    advised(
        "index-out-of-reach",
        Method::Plan,
        "a query asks for something of a column that no index on the column finds",
        "The query reads a whole table at the declared volume, and its condition is not about the column itself: the column is converted to the \
         type of what it is compared with, a function is applied to it, or a pattern may begin with anything. Compare the column itself, with a \
         value of its own type.\n\n```yaml\nparams: {case_id: numeric}   # the column is a bigint, and each row's is converted\n```\n",
    ),
    advised(
        "useless-index",
        Method::Plan,
        "the queries that use an index would not miss it",
        "Every query that uses it was planned without it, at the last of the declared volumes, with typical and with the most common values, \
         and none becomes as much as a twentieth dearer, and another index of the table begins with the same column. Each write pays for both.\n",
    ),
    advised(
        "unused-index",
        Method::Plan,
        "no statement of the design uses an index",
        "Every query, every statement of a command, every foreign key and every invariant was planned at the declared volume, now and at the \
         horizon, and none uses it. Each write pays for it. An index that something outside of the design needs has its reason in \
         `because`.\n\n```yaml\nindexes:\n  ix_case_actor: {columns: [actor_id], because: the monthly report of the auditors}\n```\n",
    ),
    advised(
        "plan-regressed",
        Method::Migrate,
        "a query is dearer after a migration",
        "Queries that the old and the new design have were planned in both, at the volumes that the new one declares, and the planner's cost \
         of this one has more than doubled. An index that goes with the migration is the usual cause, or a column that is looked for in \
         another table now. Where that is meant, waive the finding with the reason.\n\n\
         ```yaml\nwaivers:\n  - {rule: plan-regressed, at: query by-state, because: it is asked once a month now}\n```\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::{TRIED, tried};

    #[test]
    fn each_has_one_page_that_says_something() {
        let names: std::collections::BTreeSet<&str> =
            TRIED.iter().map(|tried| tried.about.name).collect();
        assert_eq!(names.len(), TRIED.len());
        for known in TRIED {
            assert!(known.about.docs.len() > 80, "{}", known.about.name);
            assert!(known.about.docs.ends_with('\n'), "{}", known.about.name);
        }
        assert!(tried("no-such-code").is_none());
    }
}
