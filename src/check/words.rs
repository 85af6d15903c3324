//! What names and sentences look like they mean. Every list here is a guess with a price: a word too many is a false alarm in
//! somebody's review, so the lists hold what is nearly always right, and every guess can be overruled by what the design says.

/// The parts of a name: `billing_emailAddress2` is `billing`, `email`, `address`.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut lower = false;
    for c in name.chars() {
        let starts = c.is_uppercase() && lower;
        if !c.is_alphabetic() || starts {
            parts.extend(Some(std::mem::take(&mut part)).filter(|part| !part.is_empty()));
        }
        if c.is_alphabetic() {
            part.extend(c.to_lowercase());
        }
        lower = c.is_lowercase();
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    parts
}

fn any(parts: &[String], words: &[&str]) -> bool {
    parts.iter().any(|part| words.contains(&part.as_str()))
}

const MONEY: &[&str] = &[
    "amount",
    "price",
    "prices",
    "balance",
    "cost",
    "costs",
    "fee",
    "fees",
    "salary",
    "wage",
    "wages",
    "payment",
    "revenue",
    "turnover",
    "subtotal",
    "refund",
    "payout",
    "budget",
    "fare",
    "rent",
    "tax",
    "vat",
    "usd",
    "eur",
    "gbp",
    "chf",
    "jpy",
    "cents",
    "money",
    "credit",
    "debit",
    "income",
    "profit",
    "expense",
    "expenses",
    "deposit",
    "surcharge",
    "tariff",
    "spend",
];

/// Words beside which a sum of money is a count, a share or a measure.
const NO_MONEY: &[&str] = &[
    "rate",
    "ratio",
    "score",
    "percent",
    "percentage",
    "pct",
    "factor",
    "share",
    "weight",
    "count",
    "number",
    "duration",
    "seconds",
    "minutes",
    "hours",
    "days",
    "ms",
    "probability",
    "level",
    "distance",
    "km",
    "kg",
    "mg",
    "g",
    "ml",
    "l",
    "liters",
    "litres",
    "kwh",
    "energy",
    "temperature",
    "index",
    "size",
    "bytes",
    "fraction",
    "sheet",
    "estimate",
    "elasticity",
    "sensitivity",
    "volatility",
    "planner",
    "variance",
    "dose",
    "water",
    "rainfall",
    "history",
];

/// Before these a total is a total of money.
const TOTALLED: &[&str] = &[
    "order", "invoice", "cart", "grand", "sub", "net", "gross", "bill", "line", "item", "purchase",
    "basket", "receipt", "checkout",
];

/// Whether a name, with what is said about it, means a sum of money.
pub(super) fn is_money(name: &str, means: &str) -> bool {
    let parts = parts(name);
    let means = means.to_lowercase();
    let measures = [
        "percent",
        "ratio",
        "fraction",
        "probability",
        "per cent",
        "share of",
        "%",
    ];
    if any(&parts, NO_MONEY) || measures.iter().any(|word| means.contains(word)) {
        return false;
    }
    let total = match parts.as_slice() {
        [total] => total == "total",
        [.., before, total] => total == "total" && TOTALLED.contains(&before.as_str()),
        [] => false,
    };
    total || any(&parts, MONEY)
}

/// Whether a name says when a row was changed last.
pub(super) fn is_update_time(name: &str) -> bool {
    let parts = parts(name);
    let changed = |word: &str| matches!(word, "updated" | "modified" | "edited");
    let when = |word: &str| {
        matches!(
            word,
            "at" | "on" | "time" | "date" | "ts" | "timestamp" | "by"
        )
    };
    match parts
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [one] => changed(one),
        ["last", one] => changed(one) || *one == "update",
        ["last", one, last] | ["row", one, last] | ["record", one, last] => {
            changed(one) && when(last)
        }
        ["update", last] => matches!(*last, "time" | "date" | "ts" | "timestamp"),
        [one, last] => changed(one) && when(last),
        _ => false,
    }
}

/// Whether a name, of a column or a type, says where something stands in its life.
pub(super) fn is_state(name: &str) -> bool {
    let parts = parts(name);
    parts.last().is_some_and(|last| {
        matches!(
            last.as_str(),
            "state" | "status" | "stage" | "phase" | "lifecycle"
        )
    }) || parts.first().is_some_and(|first| first == "lifecycle")
}

/// Names after which `name` is the name of a person.
const PEOPLE: &[&str] = &[
    "first",
    "last",
    "full",
    "middle",
    "family",
    "given",
    "maiden",
    "nick",
    "customer",
    "patient",
    "person",
    "employee",
    "contact",
    "guest",
    "recipient",
    "sender",
    "holder",
    "cardholder",
    "buyer",
    "student",
    "applicant",
    "user",
    "member",
    "subscriber",
];

const PERSONAL: &[&str] = &[
    "email",
    "mail",
    "phone",
    "mobile",
    "fax",
    "surname",
    "firstname",
    "lastname",
    "fullname",
    "username",
    "birthdate",
    "birthday",
    "dob",
    "ssn",
    "passport",
    "iban",
    "ip",
    "street",
    "postcode",
    "zipcode",
    "geolocation",
];

/// Beside these, a personal word is about something that is no person, or no longer tells who it is.
const IMPERSONAL: &[&str] = &[
    "hash",
    "hashed",
    "sha",
    "digest",
    "fingerprint",
    "masked",
    "redacted",
    "anonymised",
    "anonymized",
    "pseudonym",
    "encrypted",
    "count",
    "template",
    "type",
    "kind",
    "status",
    "state",
    "verified",
    "sent",
    "enabled",
    "domain",
    "provider",
    "server",
    "host",
    "version",
    "id",
    "ref",
    "key",
    "token",
    "subject",
    "country",
    "region",
    "prefix",
    "mode",
    "format",
    "code",
];

/// Whether a name says that a column holds what tells who somebody is.
pub(super) fn is_personal(name: &str) -> bool {
    let parts = parts(name);
    if any(&parts, IMPERSONAL) {
        return false;
    }
    let pairs = |first: &[&str], second: &str| {
        parts
            .windows(2)
            .any(|pair| first.contains(&pair[0].as_str()) && pair[1] == second)
    };
    any(&parts, PERSONAL)
        || pairs(PEOPLE, "name")
        || pairs(&["birth"], "date")
        || pairs(&["of"], "birth")
        || pairs(&["remote", "client", "peer"], "addr")
        || pairs(
            &[
                "home", "postal", "billing", "shipping", "delivery", "street", "mailing",
            ],
            "address",
        )
        || pairs(&["tax", "national", "social"], "number")
        || pairs(&["credit", "card", "account"], "holder")
        || pairs(&["card"], "number")
}

/// After these words a sentence only says more about the one thing it has named.
const PREPOSITIONS: &[&str] = &[
    "of", "for", "per", "in", "by", "on", "at", "to", "from", "with", "within", "between", "that",
    "which", "who", "whose", "where", "as", "under", "over", "during", "made", "put", "sent",
    "when", "since", "until", "than", "against", "through", "into", "linked", "about", "after",
    "before", "across", "among", "because", "older", "left",
];

/// Whether a grain names more than one thing: `one order and its items`, `one task, note or decision`, `task and/or note`.
/// What follows a preposition only narrows the thing down: `one balance per customer and day` is one balance.
pub(super) fn names_several(grain: &str) -> bool {
    let lower = grain.to_lowercase();
    if lower.contains("and/or") || lower.contains("and / or") {
        return true;
    }
    let lower = lower.replace('&', " and ");
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .collect();
    // `one row per …`, `a record for each …` speak of the row; the thing comes after.
    let opening = [
        "one", "a", "an", "each", "every", "single", "exactly", "the",
    ];
    let row = words
        .iter()
        .position(|word| !opening.contains(word))
        .unwrap_or(0);
    let speaks_of_rows = words
        .get(row)
        .is_some_and(|word| matches!(*word, "row" | "record" | "entry" | "tuple" | "line"))
        && words
            .get(row + 1)
            .is_some_and(|word| matches!(*word, "per" | "for" | "is" | "represents" | "="));
    let start = if speaks_of_rows { row + 2 } else { 0 };
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let mut narrowed = false;
    for (index, word) in words.iter().enumerate().skip(start) {
        let word = bare(word);
        if word == "and" || word == "or" {
            let next = words.get(index + 1).map(|next| bare(next));
            let previous = words[index - usize::from(index > 0)];
            let owned = next
                .as_deref()
                .is_some_and(|n| matches!(n, "its" | "their"));
            let another = previous.ends_with(',')
                && next
                    .as_deref()
                    .is_some_and(|n| matches!(n, "one" | "a" | "an"));
            if !narrowed || owned || another {
                return true;
            }
        }
        narrowed |= PREPOSITIONS.contains(&word.as_str());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(
            parts("billing_emailAddress2"),
            ["billing", "email", "address"]
        );
        assert_eq!(parts("IPAddress"), ["ipaddress"]);
        assert_eq!(parts("__x9y"), ["x", "y"]);
    }

    #[test]
    fn money() {
        for name in [
            "amount",
            "unit_price",
            "total",
            "order_total",
            "account_balance",
            "fee_eur",
            "netAmount",
            "cost",
        ] {
            assert!(is_money(name, ""), "{name}");
        }
        for name in [
            "tax_rate",
            "price_ratio",
            "total_distance",
            "score",
            "payment_count",
            "credit_score",
            "latitude",
            "weight",
            "amount_ml",
            "accost",
            "feedback",
            "taxonomy",
            "balance_factor",
            "total_score",
        ] {
            assert!(!is_money(name, ""), "{name}");
        }
        assert!(!is_money("discount_amount", "in percent"));
    }

    #[test]
    fn update_times() {
        for name in [
            "updated_at",
            "last_updated",
            "modified_on",
            "last_modified_at",
            "updatedAt",
            "update_time",
            "updated",
        ] {
            assert!(is_update_time(name), "{name}");
        }
        for name in [
            "created_at",
            "updated_rows",
            "occurred_at",
            "changed_at",
            "update_kind",
            "modified_columns",
            "date",
        ] {
            assert!(!is_update_time(name), "{name}");
        }
    }

    #[test]
    fn people() {
        for name in [
            "email",
            "user_email",
            "contact_phone",
            "client_ip",
            "ip_address",
            "first_name",
            "user_name",
            "date_of_birth",
            "remote_addr",
            "billing_address",
            "iban",
            "card_number",
        ] {
            assert!(is_personal(name), "{name}");
        }
        for name in [
            "event_name",
            "file_name",
            "email_template",
            "email_hash",
            "ip_version",
            "table_name",
            "address",
            "mailbox_id",
            "recipe",
            "tip",
            "skip",
            "shipment",
            "user_id",
            "name",
            "phone_verified",
        ] {
            assert!(!is_personal(name), "{name}");
        }
    }

    #[test]
    fn grains() {
        for grain in [
            "one order and its items",
            "one order of one customer and its lines",
            "one task, note or decision",
            "task and/or note",
            "one row per task or note",
            "a research and development project",
            "one \"order & invoice\"",
            "one user or one service account",
            "one order of a customer, and one shipment of it",
        ] {
            assert!(names_several(grain), "{grain}");
        }
        for grain in [
            "one standard brand",
            "one responsibility interval for one case and actor",
            "one balance per customer and day",
            "one row per customer per day",
            "one orchestra",
            "one person who buys and sells",
            "one order of one customer, from cart to delivery",
            "one successful operation that is older than the hot log keeps it",
            "one payment by card or transfer",
            "the login counters of one account",
        ] {
            assert!(!names_several(grain), "{grain}");
        }
    }
}
