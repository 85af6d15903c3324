//! Single values against their shapes: words, numbers, small grammars.

use super::super::nearest::nearest;
use super::shape::{Shape, Sql, Word, one_of};
use super::validate::Judge;
use super::{codes, grammar, values};
use crate::source::{Node, Span, Text};

impl Judge<'_> {
    pub(super) fn scalar(&mut self, node: &Node, text: &Text, shape: &Shape) {
        match shape {
            Shape::Text | Shape::Scalar | Shape::Condition | Shape::Sql(Sql::Expression) => {}
            Shape::Sql(_) | Shape::Name(_) | Shape::Label(_) | Shape::Slug
                if !node.to_json().is_string() =>
            {
                self.wrong_type(node, shape, "put it in quotes if it is meant as text");
            }
            Shape::Slug if !is_slug(text.as_str()) => {
                let message = format!("{} is no name for a design", quoted(text));
                let help =
                    "begin with a lower-case letter; then lower-case letters, digits and `-`";
                self.error(codes::BAD_NAME, message, node.at, help);
            }
            Shape::Bool if node.as_bool().is_none() => {
                let help = match text.as_str().to_lowercase().as_str() {
                    "yes" | "on" | "true" => "write `true`, without quotes",
                    "no" | "off" | "false" => "write `false`, without quotes",
                    _ => "",
                };
                self.wrong_type(node, shape, help);
            }
            Shape::Integer(low, high) => self.number(node, shape, *low as f64, *high as f64),
            Shape::Number(low, high) => self.number(node, shape, *low, *high),
            Shape::Choice(words) => self.choice(text.as_str(), node.at, words, self.key),
            _ => self.grammatical(node, text, shape),
        }
    }

    fn number(&mut self, node: &Node, shape: &Shape, low: f64, high: f64) {
        let is_whole = matches!(shape, Shape::Integer(..));
        let Some(number) = node.as_f64().filter(|n| !is_whole || n.fract() == 0.0) else {
            let is_quoted = node
                .as_str()
                .is_some_and(|text| text.parse::<f64>().is_ok());
            let help = match is_quoted && node.as_f64().is_none() {
                true => "take the quotes off",
                false => "",
            };
            return self.wrong_type(node, shape, help);
        };
        if number < low || number > high {
            let message = format!("{} is out of range", self.found(node));
            let help = format!("give {}", shape.words());
            self.error(codes::OUT_OF_RANGE, message, node.at, help);
        }
    }

    fn grammatical(&mut self, node: &Node, text: &Text, shape: &Shape) {
        let Some(Err(said)) = grammar::judge(shape, text.as_str()) else {
            return;
        };
        if matches!(shape, Shape::PlanNode) {
            let words = text.as_str().split(" on ").next().unwrap_or_default();
            let help = match nearest(words, values::PLAN_NODES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("choose one of `{}`", values::PLAN_NODES.join("`, `")),
            };
            return self.error(codes::UNKNOWN_VALUE, said, node.at, help);
        }
        if !said.starts_with("expected") {
            let help = format!("give {}", shape.words());
            return self.error(codes::OUT_OF_RANGE, said, node.at, help);
        }
        let help = match said.split_once("; ") {
            Some((_, help)) => help.to_owned(),
            None => said.replacen("expected", "write", 1),
        };
        self.wrong_type(node, shape, &help);
    }

    pub(super) fn choice(&mut self, text: &str, at: Span, words: &[Word], what: &str) {
        let plain = |word: &str| word.replace([' ', '-'], "_");
        if words.iter().any(|(word, _)| plain(word) == plain(text)) {
            return;
        }
        let help = match nearest(text, words.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choose {}", one_of(words)),
        };
        let message = format!("`{}` is none of the values of `{what}`", shortened(text));
        self.error(codes::UNKNOWN_VALUE, message, at, help);
    }
}

/// A value for a message.
pub(super) fn quoted(text: &Text) -> String {
    match text.as_str() {
        "" => "an empty text".to_owned(),
        text => format!("`{}`", shortened(text)),
    }
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    match short.len() < text.trim_end().len() {
        true => format!("{short}…"),
        false => short,
    }
}

/// Whether a text is a name of pgproof's own.
pub(super) fn is_label(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_slug(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
