//! Where parameters meet columns: what a statement compares them with or writes them to. Decides which values are worth
//! trying, so a statement that cannot be read just gives no advice.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, Insert, ObjectName, Query, SelectItem, SetExpr, Statement, TableFactor,
    TableObject, Value, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::expression::fold;
use super::guard::guarded;
use super::ident::Ident;
use super::lex::tokens;
use super::params::bind;

/// A parameter and a column that it is compared with or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The parameter's name, `capture.column` for a captured value.
    pub param: String,
    /// Tables that the column may belong to: one where an alias or the target says so, else all of the statement.
    pub tables: Vec<Ident>,
    /// The column.
    pub column: Ident,
    /// Whether it is written, not compared.
    pub written: bool,
    /// Whether upper and lower case are the same where it is compared.
    pub folded: bool,
}

/// Every place in a statement (with `:name` parameters) where a parameter meets a column.
pub fn meetings(text: &str) -> Vec<Meeting> {
    let bound = bind(text);
    let found = guarded(tokens(&bound.sql).len(), || {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &bound.sql).ok()?;
        let mut reader = Reader {
            names: &bound.names,
            relations: Vec::new(),
            found: Vec::new(),
        };
        let _ = parsed.visit(&mut Relations(&mut reader.relations));
        let _ = parsed.visit(&mut reader);
        Some(reader.found)
    });
    found.flatten().unwrap_or_default()
}

/// Tables of a statement with the names by which their columns are qualified.
pub(super) struct Relations<'a>(pub(super) &'a mut Vec<(Ident, Ident)>);

impl Visitor for Relations<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor
            && let Some(table) = last(name)
        {
            let alias = alias
                .as_ref()
                .map_or_else(|| table.clone(), |alias| fold(&alias.name));
            self.0.push((alias, table));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        if let Statement::Insert(Insert {
            table: TableObject::TableName(name),
            ..
        }) = statement
            && let Some(table) = last(name)
        {
            self.0.push((table.clone(), table));
        }
        ControlFlow::Continue(())
    }
}

struct Reader<'a> {
    names: &'a [String],
    relations: Vec<(Ident, Ident)>,
    found: Vec<Meeting>,
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_comparison(op) => self.compare(left, right),
            Expr::IsNotDistinctFrom(left, right) => self.compare(left, right),
            Expr::InList { expr, list, .. } => {
                list.iter().for_each(|item| self.compare(expr, item))
            }
            Expr::Between {
                expr, low, high, ..
            } => {
                self.compare(expr, low);
                self.compare(expr, high);
            }
            Expr::AnyOp { left, right, .. } => self.compare(left, right),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => {
                let target = match &update.table.relation {
                    TableFactor::Table { name, .. } => last(name),
                    _ => None,
                };
                self.assign(&update.assignments, target);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Reader<'_> {
    fn compare(&mut self, left: &Expr, right: &Expr) {
        if let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right) {
            left.iter()
                .zip(right)
                .for_each(|(left, right)| self.compare(left, right));
            return;
        }
        for (column, value) in [(left, right), (right, left)] {
            let inside = case_of(column);
            let plain = inside.unwrap_or(column);
            if let (Some((qualifier, name)), Some(param)) = (column_of(plain), self.param(value)) {
                let tables = self.tables(qualifier.as_ref());
                self.found.push(Meeting {
                    param,
                    tables,
                    column: name,
                    written: false,
                    folded: inside.is_some(),
                });
            }
        }
    }

    fn tables(&self, qualifier: Option<&Ident>) -> Vec<Ident> {
        let own = self
            .relations
            .iter()
            .filter(|(alias, _)| qualifier.is_none_or(|q| q == alias));
        own.map(|(_, table)| table.clone()).collect()
    }

    fn assign(&mut self, assignments: &[Assignment], target: Option<Ident>) {
        for assignment in assignments {
            if let AssignmentTarget::ColumnName(name) = &assignment.target {
                self.write(last(name), &assignment.value, target.clone());
            }
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(name) = &insert.table else {
            return;
        };
        let target = last(name);
        let columns: Vec<Option<Ident>> = insert.columns.iter().map(last).collect();
        let Some(source) = insert.source.as_deref() else {
            return;
        };
        for row in rows(source) {
            for (column, value) in columns.iter().zip(row) {
                self.write(column.clone(), value, target.clone());
            }
        }
    }

    fn write(&mut self, column: Option<Ident>, value: &Expr, target: Option<Ident>) {
        if let (Some(column), Some(param)) = (column, self.param(value)) {
            let tables = target.into_iter().collect();
            self.found.push(Meeting {
                param,
                tables,
                column,
                written: true,
                folded: false,
            });
        }
    }

    /// The parameter that an expression is, casts and simple wrappings such as `lower($1)` looked through.
    fn param(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Nested(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::Collate { expr: inner, .. } => self.param(inner),
            Expr::Value(value) => match &value.value {
                Value::Placeholder(number) => {
                    let number: usize = number.strip_prefix('$')?.parse().ok()?;
                    self.names.get(number.checked_sub(1)?).cloned()
                }
                _ => None,
            },
            Expr::Function(function) => match &function.args {
                FunctionArguments::List(list) => match list.args.as_slice() {
                    [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] => self.param(inner),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq
    )
}

pub(super) fn last(name: &ObjectName) -> Option<Ident> {
    name.0.last()?.as_ident().map(fold)
}

pub(super) fn column_of(expr: &Expr) -> Option<(Option<Ident>, Ident)> {
    match expr {
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::Collate { expr: inner, .. } => column_of(inner),
        Expr::Identifier(name) => Some((None, fold(name))),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., qualifier, name] => Some((Some(fold(qualifier)), fold(name))),
            _ => None,
        },
        _ => None,
    }
}

/// What `lower(…)` and `upper(…)` have inside.
fn case_of(expr: &Expr) -> Option<&Expr> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = last(&function.name)?;
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))]
            if ["lower", "upper"].contains(&name.as_str()) =>
        {
            Some(inner)
        }
        _ => None,
    }
}

/// The expressions that an INSERT takes its rows from, one list a row.
pub(super) fn rows(query: &Query) -> Vec<Vec<&Expr>> {
    match query.body.as_ref() {
        SetExpr::Values(values) => values.rows.iter().map(|row| row.iter().collect()).collect(),
        SetExpr::Select(select) => {
            let items = select.projection.iter().map(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    Some(expr)
                }
                _ => None,
            });
            items.collect::<Option<Vec<_>>>().into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Vec<String> {
        meetings(text)
            .iter()
            .map(|meeting| {
                let tables: Vec<&str> = meeting.tables.iter().map(Ident::as_str).collect();
                let how = match (meeting.written, meeting.folded) {
                    (true, _) => ":=",
                    (_, true) => "~",
                    _ => "=",
                };
                format!(
                    "{}.{}{how}{}",
                    tables.join("|"),
                    meeting.column.as_str(),
                    meeting.param
                )
            })
            .collect()
    }

    #[test]
    fn finds_what_parameters_are_compared_with_and_written_to() {
        let sql = "UPDATE account b SET owner = :new, n = n + 1 WHERE b.id = CAST(:id AS uuid) AND b.x IN (:p, :found.q)";
        assert_eq!(
            show(sql),
            [
                "account.owner:=new",
                "account.id=id",
                "account.x=p",
                "account.x=found.q"
            ]
        );
        let sql = "INSERT INTO t (a, b) SELECT :a, c FROM u WHERE u.k = :k AND (d, e) > (:d, :e)";
        assert_eq!(show(sql), ["t.a:=a", "u.k=k", "t|u.d=d", "t|u.e=e"]);
        assert_eq!(
            show("INSERT INTO t (a, b) VALUES (1, lower(:b)), (:c, 2)"),
            ["t.b:=b", "t.a:=c"]
        );
        assert_eq!(
            show("SELECT 1 FROM t WHERE lower(name) = lower(:name)"),
            ["t.name~name"]
        );
        assert_eq!(show("not sql at all :x"), Vec::<String>::new());
    }
}
