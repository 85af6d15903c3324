//! The small grammars inside scalars: counts, durations, sizes, rates, shares, dates, bounds.
//!
//! Each parser takes the scalar's text and gives the number in base units (rows, seconds, bytes, per second), or says in
//! a few words what was expected; the caller knows the place.

use std::ops::Range;

/// Seconds in a minute, hour, day, week, month (a twelfth of a year) and year (365.25 days).
const SECONDS: &[(&[&str], f64)] = &[
    (&["us", "µs", "microsecond", "microseconds"], 1e-6),
    (&["ms", "millisecond", "milliseconds"], 1e-3),
    (&["s", "sec", "second", "seconds"], 1.0),
    (&["min", "minute", "minutes"], 60.0),
    (&["h", "hour", "hours"], 3_600.0),
    (&["d", "day", "days"], 86_400.0),
    (&["w", "week", "weeks"], 604_800.0),
    (&["month", "months"], 2_629_800.0),
    (&["y", "year", "years"], 31_557_600.0),
];

/// Plan nodes that `never:` knows, in the words of the language.
pub const PLAN_NODES: &[&str] = &[
    "seq scan",
    "index scan",
    "index only scan",
    "bitmap",
    "sort",
    "incremental sort",
    "hash join",
    "merge join",
    "nested loop",
    "hash aggregate",
    "materialize",
    "parallel",
    "temp",
    "filter-heavy",
];

/// A plain number: `12`, `-0.5`, `.5`, `20_000`, `1e6`.
pub fn parse_number(text: &str) -> Result<f64, String> {
    number_and_rest(text.trim())
        .filter(|(_, rest)| rest.is_empty())
        .map(|(number, _)| number)
        .ok_or_else(|| "expected a number".to_owned())
}

/// The number that `text` begins with, and what follows it.
fn number_and_rest(text: &str) -> Option<(f64, &str)> {
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = |from: usize| {
        text[from..]
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'_')
            .count()
    };
    let whole = digits(sign);
    let mut end = sign + whole;
    if text[end..].starts_with('.') {
        let part = digits(end + 1);
        if whole == 0 && part == 0 {
            return None;
        }
        end += 1 + part;
    }
    // A digit comes first, also after a bare point.
    let first = text[sign..].trim_start_matches('.').bytes().next();
    if end == sign || !first.is_some_and(|b| b.is_ascii_digit()) {
        return None;
    }
    // An exponent counts as part of the number only where digits follow: `1e6`, but `5 events`.
    if text[end..].starts_with(['e', 'E']) {
        let exponent = text[end + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        end += if exponent > 0 { 1 + exponent } else { 0 };
    }
    let number: f64 = text[..end].replace('_', "").parse().ok()?;
    number.is_finite().then_some((number, &text[end..]))
}

/// Splits `500k` into a number and what follows it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let (number, unit) = number_and_rest(text.trim())?;
    Some((number, unit.trim()))
}

/// A count: `20000`, `20_000`, `500k`, `5M`, `1.5B`.
pub fn parse_count(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a count such as `20000`, `500k`, `5M` or `1B`";
    let (number, unit) = number_and_unit(text).ok_or(EXPECTED)?;
    let factor = match unit {
        "" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "B" | "G" => 1e9,
        "m" => return Err(format!("{EXPECTED}; a million is a capital `M`")),
        _ => return Err(EXPECTED.to_owned()),
    };
    if number.is_sign_negative() {
        return Err("a count cannot be negative".to_owned());
    }
    Ok(number * factor)
}

/// A duration in seconds: `50 ms`, `5 s`, `15 min`, `1 h`, `30 days`, `7 years`, also in parts: `1 h 30 min`.
pub fn parse_duration(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a duration such as `50 ms`, `5 s`, `15 min`, `1 h`, `30 days`, `12 months` or `7 years`";
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return Err(EXPECTED.to_owned());
    }
    while !rest.is_empty() {
        let (number, tail) = number_and_unit(rest).ok_or(EXPECTED)?;
        let end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let unit = unit_seconds(&tail[..end]).ok_or_else(|| match &tail[..end] {
            "" => format!("{EXPECTED}; the unit is missing"),
            "m" => format!("{EXPECTED}; write `min` or `months`, `m` could be either"),
            other => format!("{EXPECTED}; `{other}` is no unit of time"),
        })?;
        if number.is_sign_negative() {
            return Err("a duration cannot be negative".to_owned());
        }
        total += number * unit;
        rest = tail[end..].trim_start();
    }
    Ok(total)
}

fn unit_seconds(word: &str) -> Option<f64> {
    SECONDS
        .iter()
        .find(|(words, _)| words.contains(&word))
        .map(|(_, seconds)| *seconds)
}

/// A size in bytes, units as PostgreSQL counts them (1 kB is 1024 bytes): `8kB`, `64 MB`, `8GB`.
pub fn parse_size(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a size such as `8kB`, `64MB` or `8GB`";
    let (number, unit) = number_and_unit(text).ok_or(EXPECTED)?;
    let factor = match unit {
        "B" => 1.0,
        "kB" | "KB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => 1024.0 * 1024.0 * 1024.0,
        "TB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "" => return Err(format!("{EXPECTED}; the unit is missing")),
        _ => return Err(EXPECTED.to_owned()),
    };
    if number.is_sign_negative() {
        return Err("a size cannot be negative".to_owned());
    }
    Ok(number * factor)
}

/// A rate as a number per second: `500/s`, `500k/month`, `2M / day`.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a rate such as `500/s`, `20k/day` or `500k/month`";
    if parse_number(text).is_ok_and(|number| number == 0.0) {
        return Ok(0.0);
    }
    let (count, unit) = text
        .split_once('/')
        .ok_or_else(|| format!("{EXPECTED}; the unit of time is missing"))?;
    let count = parse_count(count).map_err(|_| EXPECTED)?;
    let seconds = unit_seconds(unit.trim())
        .ok_or_else(|| format!("{EXPECTED}; `{}` is no unit of time", unit.trim()))?;
    Ok(count / seconds)
}

/// A share from 0 to 1, also `5%`.
pub fn parse_share(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a share from 0 to 1, or a percentage such as `5%`";
    let share = match text.trim().strip_suffix('%') {
        Some(percent) => parse_number(percent).map_err(|_| EXPECTED)? / 100.0,
        None => parse_number(text).map_err(|_| EXPECTED)?,
    };
    if (0.0..=1.0).contains(&share) && share.is_sign_positive() {
        Ok(share)
    } else {
        Err("a share lies between 0 and 1".to_owned())
    }
}

/// A calendar date, `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Result<jiff::civil::Date, String> {
    let text = text.trim();
    let is_shaped = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !is_shaped {
        return Err("expected a date such as `2026-03-01`".to_owned());
    }
    text.parse()
        .map_err(|_| format!("`{text}` is no day of the calendar"))
}

/// Whether a text is a calendar date.
pub fn is_date(text: &str) -> bool {
    parse_date(text).is_ok()
}

/// An upper bound: `<= 200 rows`, `<= 5k`, `200`. Words after the number (`rows`, `blocks`, `buffers`) are for the reader.
pub fn parse_at_most(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected an upper bound such as `<= 200 rows`";
    let text = text.trim();
    if text.starts_with('<') && !text.starts_with("<=") || text.starts_with(['>', '=']) {
        return Err(format!("{EXPECTED}; only `<=` can be asked for"));
    }
    let text = text.strip_prefix("<=").unwrap_or(text).trim();
    let count = ["rows", "row", "blocks", "block", "buffers", "pages"]
        .iter()
        .find_map(|word| text.strip_suffix(word))
        .filter(|count| count.ends_with(char::is_whitespace))
        .unwrap_or(text);
    parse_count(count).map_err(|_| EXPECTED.to_owned())
}

/// `<= 3 of TABLE`: the bound, and where in the text the table's name stands.
pub fn parse_partitions(text: &str) -> Result<(u32, Range<usize>), String> {
    const EXPECTED: &str = "expected `<= N of TABLE`, such as `<= 2 of audit_log`";
    let (bound, table) = text.split_once(" of ").ok_or(EXPECTED)?;
    let bound = parse_at_most(bound).map_err(|_| EXPECTED)?;
    let name = table.trim();
    if name.is_empty() || bound.fract() != 0.0 || bound > f64::from(u32::MAX) {
        return Err(EXPECTED.to_owned());
    }
    let start = text.len() - table.trim_start().len();
    Ok((bound as u32, start..start + name.len()))
}

/// `within 10x`: the factor.
pub fn parse_within(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a factor such as `within 10x`";
    let text = text.trim();
    let text = text.strip_prefix("within").unwrap_or(text).trim();
    let factor = parse_number(text.strip_suffix('x').unwrap_or(text)).map_err(|_| EXPECTED)?;
    if factor < 1.0 {
        return Err(format!("{EXPECTED}, at least 1"));
    }
    Ok(factor)
}

/// An entry of `never:`: a plan node, and where in the text the table it is narrowed to stands.
pub fn parse_never(text: &str) -> Result<(&'static str, Option<Range<usize>>), String> {
    let (words, table) = match text.split_once(" on ") {
        Some((words, table)) => {
            let start = text.len() - table.trim_start().len();
            (words, Some(start..start + table.trim().len()))
        }
        None => (text, None),
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    PLAN_NODES
        .iter()
        .find(|node| node.eq_ignore_ascii_case(&words))
        .map(|node| (*node, table))
        .ok_or_else(|| format!("`{words}` is no plan node that can be ruled out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_k_m_and_b() {
        assert_eq!(parse_count("20000"), Ok(20_000.0));
        assert_eq!(parse_count("20_000"), Ok(20_000.0));
        assert_eq!(parse_count(" 500k "), Ok(500_000.0));
        assert_eq!(parse_count("1.5 B"), Ok(1.5e9));
        assert_eq!(parse_count("1e6"), Ok(1e6));
        assert!(parse_count("5m").is_err_and(|e| e.contains("capital")));
        for wrong in ["", "k", "five", "-1", "5MM", "nan", "inf", "0x10", "5 rows"] {
            assert!(parse_count(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(parse_duration("50 ms"), Ok(0.05));
        assert_eq!(parse_duration("5s"), Ok(5.0));
        assert_eq!(parse_duration("1 h 30 min"), Ok(5_400.0));
        assert_eq!(parse_duration("30 days"), Ok(2_592_000.0));
        assert_eq!(parse_duration("12 months"), parse_duration("1 year"));
        assert!(parse_duration("5 m").is_err_and(|e| e.contains("either")));
        for wrong in ["", "5", "s", "-1 s", "5 parsecs", "5 s x"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_counted_as_postgresql_counts() {
        assert_eq!(parse_size("8kB"), Ok(8192.0));
        assert_eq!(parse_size("1 GB"), Ok(1_073_741_824.0));
        assert!(parse_size("8").is_err());
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(parse_rate("500/s"), Ok(500.0));
        assert_eq!(parse_rate("86.4k / day"), Ok(1.0));
        assert_eq!(parse_rate("0"), Ok(0.0));
        assert!(parse_rate("500").is_err_and(|e| e.contains("unit of time")));
        assert!(parse_rate("500/fortnight").is_err());
    }

    #[test]
    fn shares_stay_between_0_and_1() {
        assert_eq!(parse_share("0.05"), Ok(0.05));
        assert_eq!(parse_share("5 %"), Ok(0.05));
        assert!(parse_share("1.1").is_err());
        assert!(parse_share("-0.1").is_err());
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert!(parse_date("2024-02-29").is_ok());
        assert!(parse_date("2026-02-29").is_err_and(|e| e.contains("no day")));
        assert!(parse_date("26-2-1").is_err());
    }

    #[test]
    fn bounds_are_upper() {
        assert_eq!(parse_at_most("<= 200 rows"), Ok(200.0));
        assert_eq!(parse_at_most("<=5k"), Ok(5_000.0));
        assert_eq!(parse_at_most("200"), Ok(200.0));
        assert!(parse_at_most(">= 2").is_err_and(|e| e.contains("only")));
        assert!(parse_at_most("< 2").is_err());
        let text = "<= 3 of  audit_log ";
        let (bound, at) = parse_partitions(text).expect("it is well formed");
        assert_eq!((bound, &text[at]), (3, "audit_log"));
        assert_eq!(parse_within("within 10x"), Ok(10.0));
        assert!(parse_within("0.5x").is_err());
    }

    #[test]
    fn never_may_name_a_table() {
        assert_eq!(parse_never("sort"), Ok(("sort", None)));
        let text = "Seq  Scan on orders";
        let (node, at) = parse_never(text).expect("it is well formed");
        assert_eq!((node, at.map(|at| &text[at])), ("seq scan", Some("orders")));
        assert!(parse_never("table flip").is_err());
    }
}
