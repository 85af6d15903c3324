//! A question that a draft still asks.

use serde_json::Value;

use super::super::subject::Subject;
use super::super::world::World;
use super::Hit;

pub(super) fn run<'m>(_: &World<'m>, subject: &Subject<'m>) -> Vec<Hit> {
    let Subject::Design(model) = subject else {
        return Vec::new();
    };
    let status = model.document.status.as_ref();
    if status.is_none_or(|status| status.as_str() != "draft") {
        return Vec::new();
    }
    let Some(section) = model.section("questions") else {
        return Vec::new();
    };
    let questions = section.data.as_array().map_or(&[][..], Vec::as_slice);
    let hits = questions.iter().enumerate().map(|(index, question)| {
        let ask = question.get("ask").and_then(Value::as_str);
        Hit {
            at: section.entries.get(index).copied().unwrap_or(section.at),
            labels: Vec::new(),
            part: Some(format!("question {}", index + 1)),
            found: vec![("question", ask.unwrap_or_default().trim().to_owned())],
        }
    });
    hits.collect()
}
