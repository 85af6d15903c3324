//! An open question that nobody has to answer by any day.

use serde_json::Value;

use super::super::subject::Subject;
use super::super::world::World;
use super::Hit;

pub(super) fn run<'m>(_: &World<'m>, subject: &Subject<'m>) -> Vec<Hit> {
    let Subject::Design(model) = subject else {
        return Vec::new();
    };
    let Some(section) = model.section("questions") else {
        return Vec::new();
    };
    let questions = section.data.as_array().map_or(&[][..], Vec::as_slice);
    let mut hits = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        let says = |key: &str| {
            question
                .get(key)
                .is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
        };
        let lacks = match (says("owner"), says("by")) {
            (true, true) => continue,
            (false, false) => "no owner and no deadline",
            (false, true) => "no owner",
            (true, false) => "no deadline",
        };
        let ask = question
            .get("ask")
            .and_then(Value::as_str)
            .unwrap_or_default();
        hits.push(Hit {
            at: section.entries.get(index).copied().unwrap_or(section.at),
            labels: Vec::new(),
            part: Some(format!("question {}", index + 1)),
            found: vec![
                ("question", ask.trim().to_owned()),
                ("lacks", lacks.to_owned()),
            ],
        });
    }
    hits
}
