//! What may stand in an index: an expression over one row that gives the same for ever. PostgreSQL decides by the volatility of functions;
//! here only those are let through that are known, so that nothing is proposed which it would refuse.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value,
};

use super::super::expression::fold;
use super::super::ident::Ident;
use super::kind::Kind;

/// Words that a point in time is read from with the help of the clock.
const CLOCK: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// Kinds of the columns of one table; `None` for what is no column of it.
pub(super) type Columns<'a> = &'a dyn Fn(&Ident) -> Option<Kind>;

/// The kind of an expression without qualifiers, where it lasts. `None` where it may change, or where that is not known.
pub(super) fn lasting(expr: &Expr, columns: Columns<'_>) -> Option<Kind> {
    let of = |inner: &Expr| lasting(inner, columns);
    let pair = |left: &Expr, right: &Expr| {
        comparable(of(left)?, of(right)?, [left, right]).then_some(Kind::Bool)
    };
    match expr {
        Expr::Identifier(name) => columns(&fold(name)),
        Expr::Nested(inner) => of(inner),
        Expr::Collate { expr: inner, .. } => of(inner),
        Expr::Value(value) => constant(&value.value),
        Expr::TypedString(typed) => {
            let kind = Kind::of(&typed.data_type.to_string());
            (!reads_clock(&typed.value.value)).then_some(kind)
        }
        Expr::Interval(interval) => of(&interval.value).map(|_| Kind::Interval),
        Expr::Array(array) => {
            let all = array.elem.iter().all(|item| of(item).is_some());
            all.then_some(Kind::Array)
        }
        Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner) => of(inner).map(|_| Kind::Bool),
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
            pair(left, right)
        }
        Expr::InList { expr, list, .. } => {
            let all = list.iter().all(|item| pair(expr, item).is_some());
            all.then_some(Kind::Bool)
        }
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => {
            let array = matches!(of(right)?, Kind::Array | Kind::Literal);
            (array && of(left).is_some()).then_some(Kind::Bool)
        }
        Expr::Between {
            expr, low, high, ..
        } => pair(expr, low).and(pair(expr, high)),
        Expr::Like {
            expr,
            pattern,
            escape_char: None,
            ..
        }
        | Expr::ILike {
            expr,
            pattern,
            escape_char: None,
            ..
        } => (is_text(of(expr)?) && is_text(of(pattern)?)).then_some(Kind::Bool),
        Expr::UnaryOp { op, expr } => match (op, of(expr)?) {
            (UnaryOperator::Not, Kind::Bool) => Some(Kind::Bool),
            (UnaryOperator::Minus | UnaryOperator::Plus, Kind::Number) => Some(Kind::Number),
            _ => None,
        },
        Expr::BinaryOp { left, op, right } => binary(left, op, right, columns),
        Expr::Cast {
            expr: inner,
            data_type,
            ..
        } => {
            let to = Kind::of(&data_type.to_string());
            let from = of(inner)?;
            let clock = to.is_time() && is_clock_word(inner);
            (!clock && castable(from, to)).then_some(to)
        }
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => match (of(timestamp)?, of(time_zone)?) {
            (Kind::Timestamptz, Kind::Literal) => Some(Kind::Timestamp),
            (Kind::Timestamp, Kind::Literal) => Some(Kind::Timestamptz),
            _ => None,
        },
        Expr::Extract { expr: inner, .. } => {
            matches!(of(inner)?, Kind::Date | Kind::Timestamp).then_some(Kind::Number)
        }
        Expr::Ceil { expr: inner, .. } | Expr::Floor { expr: inner, .. } => {
            (of(inner)? == Kind::Number).then_some(Kind::Number)
        }
        Expr::Trim {
            expr: inner,
            trim_what,
            trim_characters: None,
            ..
        } => {
            let what = trim_what
                .as_deref()
                .is_none_or(|what| of(what).is_some_and(is_text));
            (what && is_text(of(inner)?)).then_some(Kind::Text)
        }
        Expr::Substring {
            expr: inner,
            substring_from,
            substring_for,
            ..
        } => {
            let bounds = [substring_from, substring_for];
            let fixed = bounds.into_iter().flatten().all(|at| of(at).is_some());
            (fixed && is_text(of(inner)?)).then_some(Kind::Text)
        }
        Expr::Case {
            operand: None,
            conditions,
            else_result,
            ..
        } => case(conditions, else_result.as_deref(), columns),
        Expr::Function(function) => call(function, columns),
        _ => None,
    }
}

fn constant(value: &Value) -> Option<Kind> {
    match value {
        Value::Number(..) => Some(Kind::Number),
        Value::Boolean(_) => Some(Kind::Bool),
        Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::Null => {
            Some(Kind::Literal)
        }
        _ => None,
    }
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Literal)
}

fn reads_clock(value: &Value) -> bool {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
            let text = text.trim().to_lowercase();
            CLOCK.iter().any(|word| text.starts_with(word))
        }
        _ => false,
    }
}

fn is_clock_word(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_clock_word(inner),
        Expr::Value(value) => reads_clock(&value.value),
        _ => false,
    }
}

/// Whether a comparison of two kinds lasts: that of a date with a timestamptz asks for the time zone of the session.
fn comparable(left: Kind, right: Kind, sides: [&Expr; 2]) -> bool {
    let time = left.is_time() || right.is_time();
    if time && sides.into_iter().any(is_clock_word) {
        return false;
    }
    let either = |kind| left == kind || right == kind;
    match (left, right) {
        (Kind::Unordered, _) | (_, Kind::Unordered) => false,
        _ if either(Kind::Literal) => true,
        _ if either(Kind::Date) && either(Kind::Timestamp) => true,
        _ => left == right,
    }
}

/// Casts that depend on nothing but the value. What an enum or a time looks like as text is none of them: labels can be renamed, and
/// how times are written is a setting.
fn castable(from: Kind, to: Kind) -> bool {
    use Kind::*;
    matches!(
        (from, to),
        (Literal, _)
            | (Text, Number | Uuid | Bool | Jsonb)
            | (Number | Uuid | Bool | Jsonb, Text)
            | (Jsonb, Number | Bool)
            | (Number, Bool)
            | (Bool, Number)
            | (Timestamp, Date)
            | (Date, Timestamp)
            | (Text, Text)
            | (Number, Number)
            | (Timestamp, Timestamp)
            | (Timestamptz, Timestamptz)
            | (Date, Date)
            | (Uuid, Uuid)
            | (Jsonb, Jsonb)
    )
}

fn binary(left: &Expr, op: &BinaryOperator, right: &Expr, columns: Columns<'_>) -> Option<Kind> {
    use BinaryOperator as Op;
    let (l, r) = (lasting(left, columns)?, lasting(right, columns)?);
    let both = |kind| l == kind && r == kind;
    match op {
        Op::And | Op::Or => both(Kind::Bool).then_some(Kind::Bool),
        Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
            comparable(l, r, [left, right]).then_some(Kind::Bool)
        }
        Op::Plus | Op::Minus if l == Kind::Date && r == Kind::Number => Some(Kind::Date),
        Op::Plus | Op::Minus if l == Kind::Timestamp && r == Kind::Interval => {
            Some(Kind::Timestamp)
        }
        Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => {
            both(Kind::Number).then_some(Kind::Number)
        }
        Op::StringConcat if both(Kind::TsVector) => Some(Kind::TsVector),
        Op::StringConcat => (is_text(l) && is_text(r)).then_some(Kind::Text),
        Op::Arrow | Op::HashArrow => matches!(l, Kind::Jsonb | Kind::Unordered).then_some(l),
        Op::LongArrow | Op::HashLongArrow => {
            matches!(l, Kind::Jsonb | Kind::Unordered).then_some(Kind::Text)
        }
        Op::AtArrow | Op::ArrowAt | Op::PGOverlap => {
            let known = |kind| matches!(kind, Kind::Jsonb | Kind::Array | Kind::Range);
            let same = l == r || l == Kind::Literal || r == Kind::Literal;
            (same && (known(l) || known(r))).then_some(Kind::Bool)
        }
        Op::Question => (l == Kind::Jsonb && is_text(r)).then_some(Kind::Bool),
        Op::PGRegexMatch
        | Op::PGRegexIMatch
        | Op::PGRegexNotMatch
        | Op::PGRegexNotIMatch
        | Op::PGLikeMatch
        | Op::PGILikeMatch => (is_text(l) && is_text(r)).then_some(Kind::Bool),
        _ => None,
    }
}

fn case(arms: &[CaseWhen], otherwise: Option<&Expr>, columns: Columns<'_>) -> Option<Kind> {
    let mut kind = match otherwise {
        Some(otherwise) => lasting(otherwise, columns)?,
        None => Kind::Literal,
    };
    for arm in arms {
        lasting(&arm.condition, columns)?;
        kind = united(kind, lasting(&arm.result, columns)?)?;
    }
    Some(kind)
}

/// The kind of values of which some are of one kind and some of another.
fn united(left: Kind, right: Kind) -> Option<Kind> {
    match (left, right) {
        (Kind::Literal, other) | (other, Kind::Literal) => Some(other),
        _ => (left == right).then_some(left),
    }
}

fn call(function: &sqlparser::ast::Function, columns: Columns<'_>) -> Option<Kind> {
    if function.filter.is_some() || function.over.is_some() || !function.within_group.is_empty() {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => lasting(expr, columns),
        _ => None,
    });
    let arguments = arguments.collect::<Option<Vec<Kind>>>()?;
    let name = function.name.to_string().to_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    let first = *arguments.first()?;
    let texts = arguments
        .iter()
        .all(|kind| is_text(*kind) || *kind == Kind::Number);
    let numbers = arguments.iter().all(|kind| *kind == Kind::Number);
    match name {
        "lower" | "upper" | "btrim" | "ltrim" | "rtrim" | "left" | "right" | "replace"
        | "substr" | "substring" | "reverse" | "split_part" | "translate" | "md5" | "lpad"
        | "rpad" => (is_text(first) && texts).then_some(Kind::Text),
        "length" | "char_length" | "character_length" | "octet_length" | "ascii" | "strpos" => {
            (is_text(first) && texts).then_some(Kind::Number)
        }
        "abs" | "ceil" | "ceiling" | "floor" | "round" | "trunc" | "mod" | "sign" => {
            numbers.then_some(Kind::Number)
        }
        "cardinality" | "array_length" => (first == Kind::Array).then_some(Kind::Number),
        "jsonb_array_length" => (first == Kind::Jsonb).then_some(Kind::Number),
        "jsonb_typeof" | "jsonb_extract_path_text" => (first == Kind::Jsonb).then_some(Kind::Text),
        "coalesce" | "nullif" | "greatest" | "least" => {
            arguments.into_iter().try_fold(Kind::Literal, united)
        }
        "date_trunc" => match arguments.as_slice() {
            [Kind::Literal, Kind::Timestamp] => Some(Kind::Timestamp),
            _ => None,
        },
        // With one argument the configuration is a setting.
        "to_tsvector" => match arguments.as_slice() {
            [Kind::Literal | Kind::Other, Kind::Text | Kind::Jsonb] => Some(Kind::TsVector),
            _ => None,
        },
        "setweight" => (first == Kind::TsVector).then_some(Kind::TsVector),
        "tstzrange" => bounds(&arguments, &[Kind::Timestamptz]),
        "tsrange" => bounds(&arguments, &[Kind::Timestamp, Kind::Date]),
        "daterange" => bounds(&arguments, &[Kind::Date]),
        "int4range" | "int8range" | "numrange" => bounds(&arguments, &[Kind::Number]),
        _ => None,
    }
}

fn bounds(arguments: &[Kind], known: &[Kind]) -> Option<Kind> {
    let fit = |kind: &Kind| *kind == Kind::Literal || known.contains(kind);
    arguments.iter().all(fit).then_some(Kind::Range)
}
