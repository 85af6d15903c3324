//! The distribution of one column's values.

use super::kind::{Kind, seconds_to_text, text_to_seconds};
use super::pattern;
use super::profile::steps;
use super::random::{Random, Zipf};
use super::sample::is_scalar;
use super::shape::Column;
use super::solve::mentioned;
use crate::sql::Expression;

/// Share of nulls where the design is silent.
const NULLS: f64 = 0.1;
/// Distinct values of a column that is no key, where the design is silent.
const DISTINCT: usize = 1000;
/// Days that times cover where the design is silent.
const DAYS: f64 = 365.0;

/// Digits of a number that tells rows apart, where the design does not say how many there are.
const DIGITS: usize = 7;
/// More different values than anybody loads.
const MANY: f64 = (1u64 << 52) as f64;
/// A range that is drawn is this part of those in which it may begin.
const BRIEF: f64 = 0.01;
/// What `jsonb` takes beside the text in it.
const JSON_HEAD: usize = 40;

/// A text of so many bytes is stored apart from its row, and compressed.
const LONG: usize = 500;
/// What long texts are made of.
const WORDS: [&str; 40] = [
    "a", "after", "and", "because", "before", "book", "carries", "change", "clear", "door",
    "every", "few", "from", "garden", "given", "house", "kept", "late", "letter", "market",
    "minute", "never", "of", "often", "open", "paper", "quite", "reason", "river", "said",
    "second", "small", "than", "the", "through", "under", "value", "was", "which", "year",
];

/// How a column's values are made.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    nulls: f64,
    source: Source,
    zipf: Option<Zipf>,
    correlation: f64,
    width: Option<usize>,
    kind: Kind,
    hint: String,
}

#[derive(Clone, Debug)]
enum Source {
    /// A value of its own for every row.
    Numbered,
    /// Values with cumulated shares.
    Values(Vec<(String, f64)>),
    /// Numbers or seconds between two bounds, in so many steps.
    Between { low: f64, high: f64, steps: usize },
    /// The first `n` values of the type.
    Enumerated(usize),
    /// Matches of a regular expression.
    Pattern(String, usize),
}

impl Source {
    fn size(&self) -> usize {
        match self {
            Source::Between { steps, .. } => *steps,
            Source::Enumerated(n) | Source::Pattern(_, n) => *n,
            Source::Values(values) => values.len(),
            Source::Numbered => 1,
        }
    }
}

impl Spread {
    /// Reads what the design says, and infers the rest.
    pub(super) fn new(column: &Column, checks: &[Expression], rows: usize) -> Spread {
        let data = &column.data;
        let distinct = distinct(column, rows);
        let source = if column.keyed
            && data.distinct.is_none()
            && data.range.is_none()
            && data.values.is_empty()
            && column.allowed.is_empty()
        {
            Source::Numbered
        } else if !data.values.is_empty() {
            cumulated(
                data.values
                    .iter()
                    .map(|(value, share)| (column.kind.widen(value), *share)),
            )
        } else if let Some((low, high)) = data.range.as_ref().filter(|_| has_ends(&column.kind)) {
            let said = data.distinct.map(|_| distinct);
            between(&column.kind, Some((low, high)), said, distinct)
        } else if !column.allowed.is_empty() {
            cumulated(column.allowed.iter().map(|value| (value.clone(), 1.0)))
        } else if let Some(pattern) = &data.pattern {
            Source::Pattern(pattern.clone(), distinct)
        } else {
            match of_checks(column, checks) {
                Some(source) => source,
                None if is_scalar(&column.kind) => between(
                    &column.kind,
                    None,
                    data.distinct.map(|_| distinct),
                    distinct,
                ),
                None => Source::Enumerated(distinct),
            }
        };
        let size = match &source {
            Source::Numbered | Source::Values(_) => 0,
            source => source.size(),
        };
        let nulls = if column.nullable {
            data.nulls.unwrap_or(NULLS)
        } else {
            0.0
        };
        Spread {
            nulls,
            zipf: data
                .skew
                .filter(|_| size > 1)
                .map(|exponent| Zipf::new(size.min(100_000), exponent)),
            source,
            correlation: data.correlation.unwrap_or(0.0),
            width: data.width.map(|width| width.max(1.0) as usize),
            kind: column.kind.clone(),
            hint: hint(column).to_owned(),
        }
    }

    /// The ends of what is drawn from a range.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        match self.source {
            Source::Between { low, high, .. } => Some((low, high)),
            _ => None,
        }
    }

    /// Which of `parents` rows is referred to.
    pub(super) fn of_parents(column: &Column, parents: usize, rows: usize) -> Spread {
        let used = match column.data.distinct {
            Some(_) => distinct(column, rows).min(parents).max(1),
            None => parents,
        };
        Spread {
            nulls: 0.0,
            zipf: column.data.skew.map(|exponent| Zipf::new(used, exponent)),
            source: Source::Enumerated(used),
            correlation: 0.0,
            width: None,
            kind: Kind::Other,
            hint: String::new(),
        }
    }

    /// Different values there are to choose from.
    pub(super) fn size(&self) -> f64 {
        self.source.size() as f64
    }

    /// A position among the values.
    pub(super) fn index(&self, random: &mut Random) -> usize {
        match &self.zipf {
            Some(zipf) => zipf.pick(random),
            None => random.below(self.source.size()),
        }
    }

    /// The value of row `number`, which stands at `position` (0 to 1) in the table.
    pub(super) fn value(
        &self,
        number: usize,
        position: f64,
        random: &mut Random,
    ) -> Option<String> {
        if self.nulls > 0.0 && random.share() < self.nulls {
            return None;
        }
        self.filled(number, position, random)
    }

    fn filled(&self, number: usize, position: f64, random: &mut Random) -> Option<String> {
        let text = match &self.source {
            Source::Numbered => self.kind.value(number as i64 + 1, &self.hint),
            Source::Values(values) => {
                let wanted = random.share();
                values
                    .iter()
                    .find(|(_, sum)| wanted <= *sum)
                    .or(values.last())?
                    .0
                    .clone()
            }
            Source::Between { low, high, steps } => {
                let ordered = random.share() < self.correlation.abs();
                let along = match (ordered, self.correlation < 0.0) {
                    (false, _) => None,
                    (true, false) => Some(position),
                    (true, true) => Some(1.0 - position),
                };
                let step = match along {
                    Some(along) => (along * *steps as f64) as usize,
                    None => self.index(random),
                };
                self.between((*low, *high), step, *steps)
            }
            Source::Enumerated(_) => self.kind.value(self.index(random) as i64 + 1, &self.hint),
            Source::Pattern(text, _) => pattern::matching(text, self.index(random) as u64)?,
        };
        Some(self.padded(text))
    }

    /// The value at so many steps from the low end; the last step is the high one.
    fn between(&self, (low, high): (f64, f64), step: usize, steps: usize) -> String {
        let last = steps.saturating_sub(1).max(1);
        let value = low + (high - low) * step.min(last) as f64 / last as f64;
        match &self.kind {
            Kind::Range(of) => {
                let brief = ((high - low) * BRIEF).max(least(of));
                format!("[{},{})", scalar(of, value), scalar(of, value + brief))
            }
            kind => scalar(kind, value),
        }
    }

    /// The value of the k-th rank, counted from 0, where ranks have values of their own.
    pub(super) fn ranked(&self, rank: usize) -> Option<String> {
        let text = match &self.source {
            Source::Between { low, high, steps } => {
                if rank >= *steps {
                    return None;
                }
                self.between((*low, *high), rank, *steps)
            }
            Source::Enumerated(_) => self.kind.value(rank as i64 + 1, &self.hint),
            Source::Pattern(text, _) => pattern::matching(text, rank as u64)?,
            Source::Numbered | Source::Values(_) => return None,
        };
        Some(self.padded(text))
    }

    /// Another value for a row that a condition refused; null as often as not, where it may be.
    pub(super) fn redrawn(
        &self,
        number: usize,
        nullable: bool,
        random: &mut Random,
    ) -> Option<String> {
        if nullable && random.share() < 0.5 {
            return None;
        }
        self.filled(number, random.share(), random)
    }

    fn padded(&self, mut text: String) -> String {
        if let (Kind::Json, Some(width), Some(open)) =
            (&self.kind, self.width, text.strip_suffix('}'))
        {
            let many = width.saturating_sub(JSON_HEAD);
            let mut random = Random::for_part(width as u64, &text);
            let mut words = String::new();
            while words.len() < many {
                words.push_str(&word(&mut random));
                words.push(' ');
            }
            words.truncate(many);
            return match many {
                0 => text,
                _ => format!("{open}, \"text\": \"{words}\"}}"),
            };
        }
        if let (Kind::Text { max }, Some(width)) = (&self.kind, self.width) {
            // Never cut: what sets values apart stands at their end.
            let width = width.max(text.len());
            let width = max.map_or(width, |max| width.min(max));
            let mut random = Random::for_part(text.len() as u64, &text);
            while text.len() < width {
                // Long values are compressed, and it matters how far: prose is to about the half.
                text.push(' ');
                match (width < LONG, random.below(3)) {
                    (true, _) => text.push_str("lorem ipsum dolor sit amet"),
                    (false, 0) => text.push_str(&word(&mut random)),
                    (false, _) => text.push_str(WORDS[random.below(WORDS.len())]),
                }
            }
            let end = (0..=width.max(1).min(text.len()))
                .rev()
                .find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0).max(1));
        }
        text
    }
}

/// A word that nobody has used before.
fn word(random: &mut Random) -> String {
    let letters = (0..3 + random.below(7)).map(|_| b'a' + random.below(26) as u8);
    letters.map(char::from).collect()
}

/// What text begins with; nothing where that would make it wider than the design says. The same for any number of rows.
fn hint(column: &Column) -> &str {
    let name = column.name.as_str();
    let digits = match column.data.distinct {
        Some(count) if count >= 1.0 => count.log10() as usize + 1,
        None if !column.keyed => DISTINCT.to_string().len(),
        _ => DIGITS,
    };
    let room = column.data.width.unwrap_or(f64::INFINITY);
    match (name.len() + 1 + digits) as f64 > room {
        true => "",
        false => name,
    }
}

fn distinct(column: &Column, rows: usize) -> usize {
    let wanted = match column.data.distinct {
        Some(share) if share < 1.0 => share * rows as f64,
        Some(count) => count,
        None => DISTINCT as f64,
    };
    (wanted as usize).clamp(1, rows.max(1))
}

fn cumulated(values: impl Iterator<Item = (String, f64)>) -> Source {
    let values: Vec<(String, f64)> = values.collect();
    let total: f64 = values.iter().map(|(_, share)| share).sum();
    let mut sum = 0.0;
    let add = |(value, share): (String, f64)| {
        sum += share / total.max(f64::MIN_POSITIVE);
        (value, sum)
    };
    Source::Values(values.into_iter().map(add).collect())
}

/// Whether a range of values can be drawn from.
fn has_ends(kind: &Kind) -> bool {
    match kind {
        Kind::Range(of) => is_scalar(of),
        kind => is_scalar(kind),
    }
}

/// The least by which two values differ that people tell apart.
pub(super) fn least(kind: &Kind) -> f64 {
    match kind {
        Kind::Date => 86_400.0,
        Kind::Decimal { scale, .. } => 10f64.powi(-(*scale as i32)),
        _ => 1.0,
    }
}

/// `said`: how many different values the design says there are.
fn between(
    kind: &Kind,
    range: Option<(&str, &str)>,
    said: Option<usize>,
    distinct: usize,
) -> Source {
    let kind = match kind {
        Kind::Range(of) => of,
        kind => kind,
    };
    let is_time = matches!(kind, Kind::Date | Kind::Timestamp { .. });
    let read = |text: &str| match is_time {
        true => text_to_seconds(text),
        false => text.parse().ok(),
    };
    let given = range.and_then(|(low, high)| Some((read(low)?, read(high)?)));
    let start = text_to_seconds(&Kind::Date.value(0, "")).unwrap_or(0.0);
    let (low, high) = match (given, is_time) {
        (Some(given), _) => given,
        (None, true) => (start - DAYS * 86_400.0, start),
        (None, false) => (1.0, distinct as f64),
    };
    let all = range.and_then(|(low, high)| steps(kind, low, high));
    let all = all.unwrap_or(if is_time { MANY } else { distinct as f64 });
    let steps = said.map_or(all, |said| all.min(said as f64));
    Source::Between {
        low,
        high,
        steps: steps.clamp(1.0, MANY) as usize,
    }
}

/// Where conditions name values: these.
fn of_checks(column: &Column, checks: &[Expression]) -> Option<Source> {
    if is_scalar(&column.kind) {
        let own: Vec<Expression> = checks
            .iter()
            .filter(|check| check.columns().iter().all(|name| *name == column.name))
            .cloned()
            .collect();
        let numbers: Vec<f64> = mentioned(&column.name, &column.kind, &own, 1)
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let low = numbers.iter().copied().reduce(f64::min)?;
        let high = numbers.iter().copied().reduce(f64::max)?;
        // `x > 0` names one bound and its neighbours; the other end is as far away as values are many.
        let high = if high - low <= 2.0 {
            low + DISTINCT as f64
        } else {
            high
        };
        return Some(Source::Between {
            low,
            high,
            steps: (high - low).clamp(1.0, 1e6) as usize,
        });
    }
    let mut found = None;
    for check in checks {
        check.visit(&mut |part| match part {
            Expression::Matches(value, text, _) if value.columns().contains(&column.name) => {
                found = pattern::matching(text, 0).map(|_| Source::Pattern(text.clone(), DISTINCT));
            }
            _ => {}
        });
    }
    found
}

pub(super) fn scalar(kind: &Kind, value: f64) -> String {
    match kind {
        Kind::Integer { .. } => (value.round() as i64).to_string(),
        Kind::Decimal { scale, precision } => {
            let digits = if precision.is_none() {
                2
            } else {
                *scale as usize
            };
            format!("{value:.digits$}")
        }
        Kind::Date => seconds_to_text(value, "%Y-%m-%d"),
        Kind::Timestamp { zone: true } => seconds_to_text(value, "%Y-%m-%d %H:%M:%S%.6f+00"),
        Kind::Timestamp { zone: false } => seconds_to_text(value, "%Y-%m-%d %H:%M:%S%.6f"),
        _ => value.to_string(),
    }
}
