use std::fs;

use serde_json::json;

use super::*;
use crate::assets::Assets;

/// Renders a template of this name and text.
fn render(name: &str, text: &str, context: serde_json::Value) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("templates").join(name);
    let parent = path.parent().ok_or("no parent")?;
    fs::create_dir_all(parent).map_err(|error| error.to_string())?;
    fs::write(&path, text).map_err(|error| error.to_string())?;
    let assets = Assets::new(&[folder.path().to_owned()]).map_err(|error| error.to_string())?;
    environment(&assets)
        .render(name, &context)
        .map_err(|error| error.to_string())
}

fn sql(text: &str, context: serde_json::Value) -> Result<String, String> {
    render("sql/t.sql.j2", text, context)
}

#[test]
fn only_what_is_quoted_gets_into_sql() {
    let context = json!({
        "name": {"schema": "s", "name": "Order"}, "columns": ["a", "user"], "text": "it's", "n": 3,
        "expression": "a > 0", "checks": ["a > 0", "b > 0"], "nothing": null, "flag": true,
    });
    let cases = [
        (
            "{{ name | ident }} ({{ columns | idents }})",
            "s.\"Order\" (a, \"user\")",
        ),
        (
            "{{ text | lit }}, {{ nothing | lit }}, {{ flag | lit }}, {{ columns | lit }}",
            "'it''s', NULL, true, 'a', 'user'",
        ),
        ("LIMIT {{ n }}", "LIMIT 3"),
        ("CHECK ({{ expression | sql }})", "CHECK (a > 0)"),
        ("{{ checks | sql(' AND ') }}", "a > 0 AND b > 0"),
        ("-- {{ \"a\nb\" | comment }}", "-- a\n-- b"),
        (
            "{% for c in columns %}\n  {{ c | ident }}{{ \",\" | sql if not loop.last else \"\" | sql }}\n{% endfor %}",
            "  a,\n  \"user\"\n",
        ),
        (
            "{% macro col(c) %}{{ c | ident }}{% endmacro %}{{ col('user') }}",
            "\"user\"",
        ),
        ("{{ expression | indent(2) | sql }}", "a > 0"),
    ];
    for (template, expected) in cases {
        assert_eq!(
            sql(template, context.clone()).as_deref(),
            Ok(expected),
            "{template}"
        );
    }
    for template in [
        "{{ text }}",
        "{{ nothing }}",
        "{{ flag }}",
        "{{ columns | join(', ') }}",
        "{{ text | upper }}",
        "{{ (text | lit) ~ text }}",
        "{{ text | safe }}",
        "{{ text | e }}",
        "{{ text | tojson }}",
        "{{ text | html }}",
        "{{ text | markdown }}",
        "{% autoescape false %}{{ text }}{% endautoescape %}",
        "{{ absent }}",
        "{{ name.absent | ident }}",
        "{{ 1e999 }}",
    ] {
        assert!(sql(template, context.clone()).is_err(), "{template}");
    }
    let error = sql("a\n{{ text }}", context).expect_err("text is not quoted");
    assert!(error.contains("sql/t.sql.j2, line 2"), "{error}");
    assert!(error.contains("unquoted value in SQL"), "{error}");
}

#[test]
fn markdown_and_html_escape() {
    let context = json!({"text": "a|b <i> `c` *d*\ne", "nothing": null});
    assert_eq!(
        render(
            "markdown/t.md.j2",
            "{{ text }}{{ nothing }}",
            context.clone()
        )
        .as_deref(),
        Ok("a\\|b &lt;i&gt; \\`c\\` \\*d\\* e")
    );
    assert_eq!(
        render("markdown/t.md.j2", "{{ text | code }}", context.clone()).as_deref(),
        Ok("``a\\|b <i> `c` *d* e``")
    );
    assert_eq!(
        render("html/t.html.j2", "{{ text }}", context.clone()).as_deref(),
        Ok("a|b &lt;i&gt; `c` *d*\ne")
    );
    assert!(render("t.txt.j2", "{{ text }}", context).is_err());
}

#[test]
fn expressions_and_messages() -> Result<(), crate::error::Error> {
    let mut env = environment(&Assets::builtin());
    env.add_predicate("longer_than", |value, arguments| {
        let length = value.as_str().map(str::len).unwrap_or_default() as u64;
        let limit = arguments.first().and_then(serde_json::Value::as_u64);
        limit
            .map(|limit| length > limit)
            .ok_or_else(|| "no number".to_owned())
    });
    let context = Context::new(&json!({"column": {"name": "amount", "type": "real"}, "n": 2}));
    let condition = env.expression("column.name is longer_than(n) and column.type in ['real']")?;
    assert!(condition.is_true(&context)?);
    let paths: Vec<_> = condition.paths().into_iter().collect();
    assert_eq!(paths, ["column.name", "column.type", "n"]);
    let message = env.message("column `{{ column.name }}` is {{ n }}")?;
    assert_eq!(message.render(&context)?, "column `amount` is 2");
    assert!(env.expression("a ==").is_err());
    assert!(env.message("a {{ b").is_err());
    for text in [
        "n is no_such_question",
        "n is not no_such_question",
        "n | no_such_filter > 1",
    ] {
        let error = env.expression(text).map(|_| ()).map_err(|e| e.to_string());
        assert!(error.is_err_and(|e| e.contains("no_such_")), "{text}");
    }
    assert!(
        env.expression("'n is nothing | at all' is string and n is not none")
            .is_ok()
    );
    assert!(
        env.expression("column.nam == 1")?
            .is_true(&context)
            .is_err()
    );
    Ok(())
}
