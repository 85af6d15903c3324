//! The statements pgproof itself sends to run a server: roles, databases, extensions. Names are quoted by type.

use super::ident::{Ident, SqlText};
use super::quote::{literal, quote_ident};

/// `CREATE DATABASE`, owned by `owner`, as a copy of `template` where one is given.
pub fn create_database(name: &Ident, owner: &Ident, template: Option<&Ident>) -> SqlText {
    let copied = match template {
        Some(template) => format!(" TEMPLATE {}", quote_ident(template)),
        None => String::new(),
    };
    SqlText::made(format!(
        "CREATE DATABASE {} OWNER {}{copied}",
        quote_ident(name),
        quote_ident(owner)
    ))
}

/// `DROP DATABASE`; with `force` its sessions are ended first.
pub fn drop_database(name: &Ident, force: bool) -> SqlText {
    let force = if force { " WITH (FORCE)" } else { "" };
    SqlText::made(format!(
        "DROP DATABASE IF EXISTS {}{force}",
        quote_ident(name)
    ))
}

/// A role that may log in and nothing else. The comment comes in the same message, hence in the same transaction, so a role of ours
/// never exists without it. One that does not inherit has the rights of its roles only while it has taken one on.
pub fn create_login_role(name: &Ident, inherit: bool, password: &str, comment: &str) -> SqlText {
    let role = quote_ident(name);
    let inherit = if inherit { "INHERIT" } else { "NOINHERIT" };
    let (password, comment) = (literal(password), literal(comment));
    SqlText::made(format!(
        "CREATE ROLE {role} LOGIN {inherit} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {password};\n\
         COMMENT ON ROLE {role} IS {comment}"
    ))
}

/// A role of a design, with its comment in the same transaction. It cannot log in: sessions take it on.
pub fn create_role(name: &Ident, bypass_rls: bool, comment: &str) -> SqlText {
    let role = quote_ident(name);
    let bypass = if bypass_rls {
        "BYPASSRLS"
    } else {
        "NOBYPASSRLS"
    };
    let comment = literal(comment);
    SqlText::made(format!(
        "CREATE ROLE {role} NOLOGIN {bypass};\nCOMMENT ON ROLE {role} IS {comment}"
    ))
}

/// Whether a role has this comment, `t` or `f`.
pub fn is_role_of_ours(name: &Ident, comment: &str) -> SqlText {
    let (name, comment) = (literal(name.as_str()), literal(comment));
    SqlText::made(format!(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}::name AND shobj_description(oid, 'pg_authid') = {comment})"
    ))
}

/// Gives a role the right to pass by row-level security, or takes it.
pub fn alter_role(name: &Ident, bypass_rls: bool) -> SqlText {
    let bypass = if bypass_rls {
        "BYPASSRLS"
    } else {
        "NOBYPASSRLS"
    };
    SqlText::made(format!("ALTER ROLE {} {bypass}", quote_ident(name)))
}

/// Makes `member` a member of `role`.
pub fn grant_role(role: &Ident, member: &Ident) -> SqlText {
    SqlText::made(format!(
        "GRANT {} TO {}",
        quote_ident(role),
        quote_ident(member)
    ))
}

/// Whether a role may do things to the machine, `t` or `f`: a text that is run for a design or a migration could name any.
pub fn is_mighty_role(role: &Ident) -> SqlText {
    SqlText::made(format!(
        "SELECT EXISTS (SELECT FROM pg_roles AS own, pg_roles AS mighty WHERE own.rolname = {}::name\n\
         AND (mighty.rolsuper OR mighty.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))\n\
         AND pg_has_role(own.oid, mighty.oid, 'MEMBER'))",
        literal(role.as_str())
    ))
}

/// Makes the current user a member of `role`.
pub fn grant_role_to_current_user(role: &Ident) -> SqlText {
    SqlText::made(format!("GRANT {} TO CURRENT_USER", quote_ident(role)))
}

/// Gives a login role what a keeper of rows needs: the rights of the owner, policies that do not bind it, triggers and references that stay
/// quiet in its sessions. `guest` may take it on, and there they do not stay quiet: settings come with a login.
pub fn make_keeper(keeper: &Ident, owner: &Ident, guest: &Ident) -> SqlText {
    let (keeper, owner, guest) = (quote_ident(keeper), quote_ident(owner), quote_ident(guest));
    SqlText::made(format!(
        "GRANT {owner} TO {keeper};\nGRANT {keeper} TO {guest};\nALTER ROLE {keeper} BYPASSRLS;\n\
         ALTER ROLE {keeper} SET session_replication_role = replica"
    ))
}

/// A setting that every session of the role starts with.
pub fn set_for_role(role: &Ident, setting: &Ident, value: &str) -> SqlText {
    SqlText::made(format!(
        "ALTER ROLE {} SET {} = {}",
        quote_ident(role),
        quote_ident(setting),
        literal(value)
    ))
}

/// A setting that every session of a database starts with.
pub fn set_for_database(database: &Ident, setting: &Ident, value: &str) -> SqlText {
    SqlText::made(format!(
        "ALTER DATABASE {} SET {} = {}",
        quote_ident(database),
        quote_ident(setting),
        literal(value)
    ))
}

/// Drops a role, and before it what it was granted in the database of the session.
pub fn drop_role(name: &Ident) -> SqlText {
    SqlText::made(format!("DROP ROLE IF EXISTS {}", quote_ident(name)))
}

/// `CREATE EXTENSION IF NOT EXISTS`.
pub fn create_extension(name: &Ident) -> SqlText {
    SqlText::made(format!(
        "CREATE EXTENSION IF NOT EXISTS {}",
        quote_ident(name)
    ))
}

/// One row for each type: its name as people write it.
pub fn format_types(types: &[(u32, i32)]) -> SqlText {
    let rows: Vec<String> = types
        .iter()
        .enumerate()
        .map(|(at, (oid, modifier))| format!("({at}, {oid}::oid, {modifier})"))
        .collect();
    SqlText::made(format!(
        "SELECT pg_catalog.format_type(oid, modifier) FROM (VALUES {}) AS t(at, oid, modifier) ORDER BY at",
        rows.join(", ")
    ))
}

/// Lets the server run a program of its machine. For a server of pgproof's own only: it takes a superuser.
pub fn run_program(command: &str) -> SqlText {
    SqlText::made(format!(
        "COPY (SELECT 1 WHERE false) TO PROGRAM {}",
        literal(command).as_str()
    ))
}

/// Lets a shell of the server's machine run these lines, which may be many. For a server of pgproof's own only.
pub fn run_script(lines: &[String]) -> SqlText {
    SqlText::made(format!(
        "COPY (SELECT string_to_table({}, chr(10))) TO PROGRAM 'sh'",
        literal(&lines.join("\n")).as_str()
    ))
}

/// Ends another session.
pub fn terminate_backend(pid: i32) -> SqlText {
    SqlText::made(format!("SELECT pg_catalog.pg_terminate_backend({pid})"))
}
