//! Conditions as they are read, and faults at their place.

use super::{Fault, parse};
use crate::design::{Capture, Condition, Operand, Operator};

fn read(text: &str) -> Condition {
    parse(text)
        .unwrap_or_else(|fault| unreachable!("{text}: {fault:?}"))
        .condition
}

fn fault(text: &str) -> (String, String) {
    let Fault { message, range } = parse(text).expect_err(text);
    (message, text[range].to_owned())
}

fn param(name: &str) -> Operand {
    Operand::Param(name.into())
}

fn number(text: &str) -> Operand {
    Operand::Number(text.to_owned())
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    let condition = read("not a and b or c");
    let not_a = Condition::Not(Box::new(Condition::True(param("a"))));
    let and = Condition::And(Box::new(not_a), Box::new(Condition::True(param("b"))));
    assert_eq!(
        condition,
        Condition::Or(Box::new(and), Box::new(Condition::True(param("c"))))
    );
    assert_eq!(read("NOT (a OR b)"), read("not (a or b)"));
    assert_ne!(read("not (a or b)"), read("not a or b"));
}

#[test]
fn values_are_compared() {
    assert_eq!(
        read("found.rows == 1"),
        Condition::Compare(
            Operator::Equal,
            Operand::Capture(Capture::Rows("found".into())),
            number("1")
        )
    );
    assert_eq!(
        read("found.stock - amount >= -2.5"),
        Condition::Compare(
            Operator::GreaterOrEqual,
            Operand::Subtract(
                Box::new(Operand::Capture(Capture::Column(
                    "found".into(),
                    "stock".into()
                ))),
                Box::new(param("amount"))
            ),
            number("-2.5")
        )
    );
    assert_eq!(
        read("a not in ['it''s', null, true]"),
        Condition::Not(Box::new(Condition::In(
            param("a"),
            vec![
                Operand::Text("it's".to_owned()),
                Operand::Null,
                Operand::Bool(true)
            ]
        )))
    );
    assert_eq!(read("(a) < ((b + 1))"), read("a < b + 1"));
    assert_eq!(read("-a < --1"), read("0 - a < 1"));
    assert_eq!(
        read("a != null"),
        Condition::Compare(Operator::NotEqual, param("a"), Operand::Null)
    );
}

#[test]
fn names_are_noted_with_their_place() {
    let text = "found.rows == 1 and actor != found.owner";
    let parsed = parse(text).expect("well formed");
    let names: Vec<&str> = parsed.uses.iter().map(|u| &text[u.range.clone()]).collect();
    assert_eq!(names, ["found.rows", "actor", "found.owner"]);
}

#[test]
fn faults_say_what_was_meant_and_where() {
    for (text, marked, words) in [
        ("a = 1", "=", "`==`"),
        ("a === 1", "===", "`==`"),
        ("a <> 1", "<>", "`!=`"),
        ("a && b", "&&", "`and`"),
        ("a || b", "||", "`or`"),
        ("!a", "!", "`not`"),
        (":a == 1", ":", "without `:`"),
        ("a is null", "is", "== null"),
        ("(a is null)", "is", "== null"),
        ("a like 'x'", "like", "SQL of a step"),
        ("a * 2 > 1", "*", "SQL of a step"),
        ("a == \"x\"", "\"", "single quotes"),
        ("a == 'x", "'x", "no closing quote"),
        ("a == 1;", ";", "without `;`"),
        ("a == §", "§", "no meaning"),
        ("a in [1", "", "expected `]`"),
        ("a in (1)", "(", "expected `[`"),
        ("a in []", "]", "expected a value"),
        ("", "", "found the end"),
        ("a ==", "", "found the end"),
        ("a == and b", "and", "expected a value"),
        ("a b", "b", "expected the end"),
        ("found.", "", "after `found.`"),
        ("found.rows", "found.rows", "compare it"),
        ("1 + 1", "1 + 1", "this is a value"),
        ("'x'", "'x'", "this is a value"),
        ("(a == 1) == 2", "a == 1", "this is a condition"),
    ] {
        let (message, found) = fault(text);
        assert_eq!(found, marked, "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    let deep = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(fault(&deep).0.contains("too"));
    let nots = format!("{}a", "not ".repeat(900));
    assert!(fault(&nots).0.contains("too deeply"));
    let long = vec!["a"; 5_000].join(" or ");
    assert!(fault(&long).0.contains("too long"));
    assert!(parse(&vec!["a"; 400].join(" or ")).is_ok());
}
