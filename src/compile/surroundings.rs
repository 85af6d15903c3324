//! What tables stand among: roles, extensions, schemas, types, functions.

use super::lines::check;
use super::writer::{Writer, comes_before_tables};
use crate::catalog::{Catalog, ObjectPath, Role, UserType};
use crate::sql::{Ident, QualifiedName, fill, fixed, join, literal, quote_ident, quote_qualified};

impl Writer<'_> {
    pub(super) fn surroundings(&mut self, catalog: &Catalog) {
        for (name, role) in &catalog.roles {
            self.role(name, role);
        }
        for extension in &catalog.extensions {
            self.extension(extension);
        }
        for schema in &catalog.schemas {
            self.schema(schema);
            // Expressions and routines of the design name its objects without the schema.
            let path = fill(
                "SET search_path = {name}, public",
                &[("name", &quote_ident(schema))],
            );
            self.push(path, ObjectPath::Schema(schema.clone()));
        }
        for (name, (user_type, comment)) in &catalog.types {
            self.user_type(name, user_type, comment);
        }
    }

    /// `CREATE ROLE`.
    pub fn role(&mut self, name: &Ident, role: &Role) {
        let login = fixed(if role.login { "LOGIN" } else { "NOLOGIN" });
        let bypass = fixed(if role.bypass_rls { " BYPASSRLS" } else { "" });
        let parts = [
            ("name", &quote_ident(name)),
            ("login", &login),
            ("bypass", &bypass),
        ];
        let sql = fill("CREATE ROLE {name} {login}{bypass}", &parts);
        self.push(sql, ObjectPath::Role(name.clone()));
    }

    /// `CREATE EXTENSION`.
    pub fn extension(&mut self, name: &Ident) {
        let sql = fill(
            "CREATE EXTENSION IF NOT EXISTS {name}",
            &[("name", &quote_ident(name))],
        );
        self.push(sql, ObjectPath::Extension(name.clone()));
    }

    /// `CREATE SCHEMA`.
    pub fn schema(&mut self, name: &Ident) {
        let sql = fill("CREATE SCHEMA {name}", &[("name", &quote_ident(name))]);
        self.push(sql, ObjectPath::Schema(name.clone()));
    }

    /// `CREATE TYPE` or `CREATE DOMAIN`, with its comment.
    pub fn user_type(&mut self, name: &QualifiedName, kind: &UserType, comment: &Option<String>) {
        let quoted = quote_qualified(name);
        let object = ObjectPath::Type(name.clone());
        match kind {
            UserType::Enum(labels) => {
                let labels = join(labels.iter().map(|label| literal(label)), ", ");
                let parts = [("name", &quoted), ("labels", &labels)];
                let sql = fill("CREATE TYPE {name} AS ENUM ({labels})", &parts);
                self.push(sql, object.clone());
                self.comment("TYPE", quoted, comment, object);
            }
            UserType::Domain { base, checks } => {
                let checks = join(
                    checks.iter().map(|(name, made)| {
                        fill("\n    {check}", &[("check", &check(name, made))])
                    }),
                    "",
                );
                let parts = [("name", &quoted), ("base", base), ("checks", &checks)];
                let sql = fill("CREATE DOMAIN {name} AS {base}{checks}", &parts);
                self.push(sql, object.clone());
                self.comment("DOMAIN", quoted, comment, object);
            }
        }
    }

    /// Functions of the design that tables lean on come before them, all others after.
    pub(super) fn routines(&mut self, catalog: &Catalog, before_tables: bool) {
        for (name, function) in &catalog.functions {
            if comes_before_tables(catalog, name) == before_tables {
                self.push(
                    function.definition.clone(),
                    ObjectPath::Function(name.clone()),
                );
            }
        }
    }
}
