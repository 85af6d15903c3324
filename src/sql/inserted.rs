//! Into which columns a statement inserts a parameter.

use super::lex::{Token, TokenKind, fold, tokens};

/// (table, column) for each `INSERT INTO table (…, column, …) VALUES (…, :param, …)` or `SELECT …, :param, …` of the statement. Only an expression
/// that is the parameter itself, casts included, counts.
pub fn inserted_params(sql: &str, param: &str) -> Vec<(String, String)> {
    let tokens: Vec<Token> = tokens(sql)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        if !tokens[start].is(sql, "insert")
            || !tokens
                .get(start + 1)
                .is_some_and(|token| token.is(sql, "into"))
        {
            continue;
        }
        let Some((table, next)) = name(sql, &tokens, start + 2) else {
            continue;
        };
        let Some((columns, next)) = bracketed(sql, &tokens, next) else {
            continue;
        };
        let Some(values) = values(sql, &tokens, next) else {
            continue;
        };
        for (column, value) in columns.iter().zip(&values) {
            let is_param = value.first().is_some_and(|token| {
                token.kind == TokenKind::Param && token.text(sql).trim_start_matches(':') == param
            });
            let whole =
                value.len() == 1 || value.get(1).is_some_and(|token| token.is_symbol(sql, "::"));
            if let (true, true, [column]) = (is_param, whole, column.as_slice()) {
                found.push((table.clone(), fold(column.text(sql))));
            }
        }
    }
    found
}

/// A name with or without schema and alias; the token after it.
fn name(sql: &str, tokens: &[Token], mut at: usize) -> Option<(String, usize)> {
    let mut name = fold(tokens.get(at)?.text(sql));
    at += 1;
    while tokens
        .get(at)
        .is_some_and(|token| token.is_symbol(sql, "."))
    {
        name = fold(tokens.get(at + 1)?.text(sql));
        at += 2;
    }
    if tokens.get(at).is_some_and(|token| token.is(sql, "as")) {
        at += 2;
    }
    Some((name, at))
}

/// The items of a list in parentheses, each as its tokens; the token after it.
fn bracketed<'a>(
    sql: &str,
    tokens: &'a [Token],
    open: usize,
) -> Option<(Vec<Vec<&'a Token>>, usize)> {
    tokens.get(open).filter(|token| token.is_symbol(sql, "("))?;
    let (items, end) = items(sql, tokens, open + 1);
    Some((items, end + 1))
}

/// Items up to the closing parenthesis or a word that ends a select list.
fn items<'a>(sql: &str, tokens: &'a [Token], from: usize) -> (Vec<Vec<&'a Token>>, usize) {
    let mut items: Vec<Vec<&Token>> = vec![Vec::new()];
    let mut depth = 0;
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        let text = token.text(sql);
        let ends = ["from", "where", "on", "returning", "union", "limit"]
            .iter()
            .any(|word| token.is(sql, word));
        match text {
            ")" if depth == 0 => break,
            _ if depth == 0 && ends => break,
            "," if depth == 0 => items.push(Vec::new()),
            _ => {
                depth +=
                    i32::from(text == "(" || text == "[") - i32::from(text == ")" || text == "]");
                if let Some(last) = items.last_mut() {
                    last.push(token);
                }
            }
        }
        at += 1;
    }
    (items, at)
}

fn values<'a>(sql: &str, tokens: &'a [Token], from: usize) -> Option<Vec<Vec<&'a Token>>> {
    let start = (from..tokens.len())
        .find(|at| tokens[*at].is(sql, "values") || tokens[*at].is(sql, "select"))?;
    if tokens[start].is(sql, "values") {
        return bracketed(sql, tokens, start + 1).map(|(items, _)| items);
    }
    Some(items(sql, tokens, start + 1).0)
}

#[cfg(test)]
mod tests {
    use super::inserted_params;

    #[test]
    fn finds_the_column_a_parameter_goes_into() {
        let found = |sql| inserted_params(sql, "key");
        let pair = |table: &str, column: &str| vec![(table.to_owned(), column.to_owned())];
        assert_eq!(
            found("INSERT INTO s.request AS r (id, \"Key\") VALUES (f(1, 2), :key::text)"),
            pair("request", "Key")
        );
        assert_eq!(
            found(
                "with x as (insert into a (k, v) select :key, b from c returning *) select * from x"
            ),
            pair("a", "k")
        );
        assert_eq!(found("INSERT INTO a (k) VALUES (lower(:key))"), vec![]);
        assert_eq!(found("INSERT INTO a VALUES (:key)"), vec![]);
    }
}
