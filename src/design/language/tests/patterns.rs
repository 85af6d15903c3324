//! The patterns that editors get against the parsers that judge.

use proptest::prelude::*;
use serde_json::json;

use super::super::grammar::{judge, pattern};
use super::super::shape::Shape;

const SHAPES: &[Shape] = &[
    Shape::Count,
    Shape::Rate,
    Shape::Duration,
    Shape::Size,
    Shape::Share,
    Shape::Date,
    Shape::AtMost,
    Shape::Partitions,
    Shape::Within,
    Shape::PlanNode,
];

/// Texts near the grammars.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "0",
        "1",
        "20",
        "007",
        "1_000",
        "1.5",
        ".5",
        "5.",
        "1e3",
        "1e",
        "+",
        "-",
        " ",
        "  ",
        "k",
        "M",
        "m",
        "B",
        "%",
        "/",
        "s",
        "ms",
        "min",
        "h",
        "day",
        "days",
        "month",
        "years",
        "kB",
        "GB",
        "<=",
        "<",
        ">=",
        " rows",
        " row",
        "of",
        " of t",
        "within",
        "within ",
        "x",
        "seq scan",
        "sort",
        " on t",
        "bitmap",
        "2026-03-01",
        "2026",
        "-03",
        "é",
        "_",
        ".",
        "\t",
    ]);
    prop::collection::vec(piece, 0..6)
        .prop_map(|pieces| pieces.concat())
        // Nothing that is counted needs an exponent of three digits.
        .prop_filter("exponent", |text| {
            text.split('e')
                .skip(1)
                .all(|rest| rest.bytes().take_while(u8::is_ascii_digit).count() < 3)
        })
}

#[test]
fn patterns_and_parsers_agree() {
    let validators: Vec<_> = SHAPES
        .iter()
        .map(|shape| {
            let schema = json!({ "pattern": pattern(shape) });
            (
                shape,
                jsonschema::draft202012::new(&schema).expect("it is a schema"),
            )
        })
        .collect();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(text in text())| {
        for (shape, validator) in &validators {
            let said = judge(shape, &text).expect("the shape has a grammar");
            let is_match = validator.is_valid(&json!(text));
            // A pattern cannot know the calendar, nor how much a number comes to; a share without `%` is a plain number.
            let is_beyond = matches!(shape, Shape::Date | Shape::Share | Shape::Within | Shape::Partitions);
            let is_plain_number = matches!(shape, Shape::Share | Shape::Rate) && !text.contains(['%', '/']);
            if said.is_ok() && !is_plain_number {
                prop_assert!(is_match, "{shape:?} takes {text:?}, its pattern does not");
            }
            if is_match && !is_beyond {
                prop_assert!(said.is_ok(), "the pattern of {shape:?} takes {text:?}: {said:?}");
            }
        }
    });
}
