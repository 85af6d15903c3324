//! From a statement to what it does.

use super::report::Effects;
use crate::catalog::Catalog;
use crate::migrate::chain::Beside;
use crate::sql::ddl;

/// What a statement does to the schema before it, on a server of this major version. What cannot be read or is not known says so.
pub fn effects(statement: &str, schema: &Catalog, version: u16) -> Effects {
    effects_beside(statement, schema, &Beside::default(), version)
}

/// The same, with what the catalog itself does not say.
pub fn effects_beside(
    statement: &str,
    _schema: &Catalog,
    _beside: &Beside,
    _version: u16,
) -> Effects {
    let unknown = match ddl(statement) {
        Ok(_) => "not known yet".to_owned(),
        Err(fault) => fault.message,
    };
    Effects {
        unknown: Some(unknown),
        ..Effects::default()
    }
}
