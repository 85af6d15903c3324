//! A database with the old design and its rows, and the program applied to it.

use std::path::{Path, PathBuf};

use pgproof::assets::Assets;
use pgproof::catalog::{Catalog, differences};
use pgproof::compile::{compile, ddl};
use pgproof::postgres::{Database, Scope, Server, Session, introspect};
use pgproof::sql::{Ident, SqlText};
use pgproof::template::environment;

use super::support::{Home, installed_major};

/// Files of a case, in a folder of the test, for the version of the server.
pub struct Case {
    pub folder: PathBuf,
    source: PathBuf,
}

impl Case {
    /// The case that this file's tests share.
    pub fn new(home: &Home) -> Case {
        Case::of(home, "migrate_apply")
    }

    /// A case below `tests/cases`.
    pub fn of(home: &Home, path: &str) -> Case {
        let folder = home.path().join("case").join(path);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/cases")
            .join(path);
        let case = Case { folder, source };
        for name in ["from.yaml", "to.yaml"] {
            case.write(name, &case.text(name));
        }
        case
    }

    /// A file of the case as it is in the repository.
    pub fn text(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.source.join(name)).expect("readable");
        text.replace("version: 15", &format!("version: {}", installed_major()))
    }

    /// Rows of all cases beside it, and its own.
    fn rows(&self) -> String {
        let base = self.source.parent().map(|folder| folder.join("rows.sql"));
        let own = Some(self.source.join("rows.sql"));
        let texts = [base, own].into_iter().flatten();
        let texts = texts.filter_map(|path| std::fs::read_to_string(path).ok());
        let text: String = texts.collect();
        format!("SET search_path = shop, public; {text}")
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).expect("readable")
    }

    /// A database with a design of the case applied.
    pub async fn build(&self, server: &Server, name: &str) -> Database {
        let compiled = compile(&super::design::model(&self.read(name)));
        let script = ddl(&compiled.catalog, &environment(&Assets::builtin())).expect("a script");
        for (role, made) in &compiled.catalog.roles {
            let made = server.ensure_role(role, made.bypass_rls).await;
            made.expect("a role");
        }
        let database = super::support::database(server).await;
        let mut admin = database.admin().await.expect("an administrator");
        for statement in &script.statements {
            let text = statement.sql.as_str();
            if !text.starts_with("CREATE ROLE") {
                let done = admin.batch(&statement.sql).await;
                done.unwrap_or_else(|failure| panic!("{text}: {failure}"));
            }
        }
        database
    }

    /// One with the old design and rows.
    pub async fn old(&self, server: &Server) -> Database {
        let database = self.build(server, "from.yaml").await;
        let mut admin = database.admin().await.expect("an administrator");
        let rows = SqlText::authored(self.rows());
        admin.batch(&rows).await.expect("rows");
        database
    }

    /// What sets a database apart from one with a design of the case.
    pub async fn apart(&self, server: &Server, database: &Database, name: &str) -> Vec<String> {
        let wanted = self.build(server, name).await;
        let mut session = wanted.admin().await.expect("an administrator");
        let expected = catalog(&mut session).await;
        drop(session);
        wanted.drop().await.expect("dropped");
        let mut session = database.admin().await.expect("an administrator");
        let mut found = catalog(&mut session).await;
        found
            .tables
            .retain(|name, _| name.name.as_str() != "pgproof_migration");
        let lines = differences(&expected, &found);
        lines.iter().map(ToString::to_string).collect()
    }
}

async fn catalog(session: &mut Session) -> Catalog {
    let scope = Scope {
        schemas: vec![Ident::from("shop")],
        roles: Vec::new(),
    };
    let mut catalog = introspect(session, &scope).await.expect("readable");
    for table in catalog.tables.values_mut() {
        table
            .columns
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
    catalog
}

/// The URL of a database of a local server.
pub fn url(home: &Home, database: &str) -> String {
    let socket = home.runs().pop().expect("one run").join("s");
    let host = socket.to_string_lossy().replace('/', "%2F");
    format!("postgres://postgres@{host}/{database}")
}

/// One value.
pub async fn scalar(session: &mut Session, text: &str) -> String {
    let rows = session.query(&SqlText::authored(text)).await;
    let rows = rows.unwrap_or_else(|failure| panic!("{text}: {failure}"));
    rows.scalar().unwrap_or_default().to_owned()
}

/// What is accepted in this case.
pub const ACCEPTED: [&str; 2] = ["--accept", "data-loss:log_2026_01"];
