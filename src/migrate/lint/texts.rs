//! Names that are too long, indexes that are not built, acknowledgements that are not needed.

use super::allow::Allow;
use super::cause::what;
use super::fault::Fault;
use super::recipe;
use super::transactions::fault;
use super::walk::{At, State};
use crate::sql::{Ddl, Ident, TableAction, TokenKind, fold, tokens};

/// Longest name, in bytes.
const LONGEST: usize = 63;

pub(super) fn judge(state: &State, known: &At, found: &mut Vec<Fault>) {
    if known.sql.len() > LONGEST {
        too_long(known, found);
    }
    if let Ddl::CreateIndex(index) = known.form
        && index.concurrently
        && index.if_not_exists
    {
        found.push(Fault {
            what: what(known.form),
            table: index
                .name
                .as_ref()
                .map_or(String::new(), |name| name.name.as_str().to_owned()),
            instead: recipe::build_again(&state.chain, index),
            ..fault("hides-invalid-index")
        });
    }
    if let Ddl::AlterTable { actions, .. } = known.form {
        for action in actions {
            if let TableAction::AddColumn { column, .. } = action
                && known
                    .effects
                    .depends_on_rows
                    .as_deref()
                    .is_some_and(|why| why.contains("no default"))
            {
                found.push(Fault {
                    what: column.name.as_str().to_owned(),
                    table: known
                        .effects
                        .locks
                        .keys()
                        .next()
                        .map_or(String::new(), crate::migrate::effect::shown),
                    instead: recipe::of(known.form, &state.chain),
                    ..fault("not-null-without-default")
                });
                break;
            }
        }
    }
}

/// The server cuts them, and says so only in a notice.
fn too_long(known: &At, found: &mut Vec<Fault>) {
    let all = tokens(known.sql);
    let names = all
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
        .map(|token| fold(token.text(known.sql)));
    let long = names.filter(|name| name.len() > LONGEST);
    if let Some(name) = long.max_by_key(String::len) {
        let mut end = LONGEST;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let cut: Ident = Ident::new(&name[..end]);
        found.push(Fault {
            what: name.len().to_string(),
            more: cut.as_str().to_owned(),
            table: name,
            instead: "choose a name of at most 63 bytes".to_owned(),
            ..fault("name-too-long")
        });
    }
}

pub(super) fn unused(allow: &Allow, file: usize) -> Fault {
    let more = match allow.because.is_empty() {
        true => "it says no reason (`because …`), so it allows nothing",
        false => "nothing of this kind is found in its statement",
    };
    Fault {
        file,
        at: allow.at.clone(),
        what: allow.code.clone(),
        more: more.to_owned(),
        instead: match allow.because.is_empty() {
            true => "say why: `-- pgproof: allow CODE because …`".to_owned(),
            false => "take it out".to_owned(),
        },
        ..fault("acknowledgement-unused")
    }
}
