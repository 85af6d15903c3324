//! A type's text taken apart: its name, what stands in parentheses, and its dimensions.

/// What is wrong with a type's name.
pub(super) struct Fault {
    /// What is so.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// A type taken apart as text.
pub(super) struct Parts {
    /// `timestamp with time zone`
    pub(super) name: String,
    /// What stands in parentheses.
    pub(super) modifiers: Vec<String>,
    /// Dimensions of an array.
    pub(super) dimensions: usize,
}

pub(super) fn no_modifiers(name: &str) -> Fault {
    Fault {
        message: format!("type `{name}` takes nothing in parentheses"),
        help: "leave the parentheses out".to_owned(),
    }
}

pub(super) fn check_modifiers(name: &str, modifiers: &[String], most: usize) -> Result<(), Fault> {
    if modifiers.is_empty() {
        return Ok(());
    }
    if most == 0 {
        return Err(no_modifiers(name));
    }
    let numbers = modifiers.iter().map(|text| text.parse::<i32>().ok());
    if modifiers.len() > most || numbers.clone().any(|number| number.is_none()) {
        let takes = ["", "one whole number", "a precision and a scale"][most];
        return Err(Fault {
            message: format!("type `{name}` takes {takes} in parentheses"),
            help: format!("write `{name}({})`", if most == 2 { "12,2" } else { "3" }),
        });
    }
    let first = numbers.flatten().next().unwrap_or(1);
    let is_length = !matches!(name, "interval") && !name.starts_with("time");
    let (least, greatest) = match name {
        "numeric" | "decimal" | "dec" => (1, 1000),
        "float" => (1, 53),
        _ if is_length => (1, 10_485_760),
        _ => (0, 6),
    };
    if (least..=greatest).contains(&first) {
        return Ok(());
    }
    Err(Fault {
        message: format!("`{name}({first})` is out of range"),
        help: format!("write a number from {least} to {greatest}"),
    })
}

/// The one number in parentheses: `varchar(20)`.
pub(in crate::design::resolve) fn length(text: &str) -> Option<f64> {
    match parts(text).ok()?.modifiers.as_slice() {
        [only] => only.parse().ok(),
        _ => None,
    }
}

/// Takes `timestamp(3) with time zone[]` apart.
pub(super) fn parts(text: &str) -> Result<Parts, Fault> {
    let malformed = || Fault {
        message: format!("`{}` cannot be read as a type", text.trim()),
        help: "write a type as in SQL: `numeric(12,2)`, `timestamptz`, `text[]`".to_owned(),
    };
    let mut rest = text.trim();
    let mut dimensions = 0;
    while let Some(open) = rest.strip_suffix(']') {
        let (before, size) = open.rsplit_once('[').ok_or_else(malformed)?;
        if !size.trim().bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        dimensions += 1;
        rest = before.trim_end();
    }
    let (name, modifiers) = match rest.split_once('(') {
        Some((before, tail)) => {
            let (inner, after) = tail.split_once(')').ok_or_else(malformed)?;
            let modifiers = inner.split(',').map(|m| m.trim().to_owned()).collect();
            (format!("{} {}", before, after), modifiers)
        }
        None => (rest.to_owned(), Vec::new()),
    };
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = |c: char| c.is_alphanumeric() || "_ .$\"-".contains(c);
    if name.is_empty() || !name.chars().all(is_name) || modifiers.iter().any(String::is_empty) {
        return Err(malformed());
    }
    if let Some(element) = name
        .strip_suffix(" array")
        .or_else(|| name.strip_suffix(" ARRAY"))
    {
        return Ok(Parts {
            name: element.to_owned(),
            modifiers,
            dimensions: dimensions.max(1),
        });
    }
    Ok(Parts {
        name,
        modifiers,
        dimensions,
    })
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn types_come_apart() {
        let of = |text: &str| {
            parts(text)
                .map(|p| (p.name, p.modifiers.len(), p.dimensions))
                .ok()
        };
        assert_eq!(of("numeric(12, 2)"), Some(("numeric".to_owned(), 2, 0)));
        assert_eq!(
            of("timestamp (3)  with time zone"),
            Some(("timestamp with time zone".to_owned(), 1, 0))
        );
        assert_eq!(of("text[][3]"), Some(("text".to_owned(), 0, 2)));
        assert_eq!(of("integer array"), Some(("integer".to_owned(), 0, 1)));
        for wrong in ["", "numeric(", "numeric()", "text]", "text[a]", "a;b", "?"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
