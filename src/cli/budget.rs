//! What races may cost, as it is written on a command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A time, or a number of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Budget {
    Orders(usize),
    Time(Duration),
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Budget, String> {
        let unit_at = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(unit_at);
        let wrong =
            || "a time such as `60s` or `5min`, or a number of orders such as `20000`".to_owned();
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        if number == 0 {
            return Err("nothing can be tried with nothing".to_owned());
        }
        let seconds = match unit.trim() {
            "" => {
                return Ok(Budget::Orders(
                    usize::try_from(number).map_err(|_| wrong())?,
                ));
            }
            "s" => 1,
            "min" | "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
        Ok(Budget::Time(Duration::from_secs(seconds)))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Orders(orders) => write!(f, "{orders}"),
            Budget::Time(time) => write!(f, "{}s", time.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_time_or_a_number() {
        assert_eq!("20000".parse(), Ok(Budget::Orders(20_000)));
        assert_eq!("60s".parse(), Ok(Budget::Time(Duration::from_secs(60))));
        assert_eq!("2min".parse(), Ok(Budget::Time(Duration::from_secs(120))));
        for wrong in ["", "s", "0", "5 parsecs", "-3", "99999999999999999999h"] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
        assert_eq!(Budget::Time(Duration::from_secs(90)).to_string(), "90s");
    }
}
