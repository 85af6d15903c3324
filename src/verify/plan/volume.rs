//! The volumes at which plans are judged: now, each year to the horizon, and the horizon.

use crate::design::{Model, Table};
use crate::sql::Ident;

/// Seconds of a year.
const YEAR: f64 = 365.25 * 86_400.0;
/// A moment, and so a number of rows for each table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Seconds from now.
    pub after: f64,
    /// How many times as many rows as then.
    pub factor: f64,
}

impl Point {
    /// That moment, with the rows that the design declares.
    pub(super) fn at(after: f64) -> Point {
        Point { after, factor: 1.0 }
    }

    /// Rows of a table.
    pub(super) fn rows(&self, table: &Table) -> f64 {
        let grown = table
            .volume
            .as_ref()
            .map_or(0.0, |volume| volume.grows * self.after);
        ((table.rows() + grown) * self.factor).max(0.0).round()
    }

    /// Rows of a table by its name.
    pub(super) fn rows_of(&self, model: &Model, table: &Ident) -> f64 {
        let table = model.tables.iter().find(|known| known.name.ident == *table);
        table.map_or(0.0, |table| self.rows(table))
    }

    /// `now`, `in 2 years`, `in 18 months`.
    pub(super) fn words(&self) -> String {
        let years = self.after / YEAR;
        let months = years * 12.0;
        match () {
            () if self.after <= 0.0 => "now".to_owned(),
            () if months < 1.5 => format!("in {:.0} days", self.after / 86_400.0),
            () if (years - years.round()).abs() < 0.02 => match years.round() as i64 {
                1 => "in 1 year".to_owned(),
                years => format!("in {years} years"),
            },
            () => format!("in {months:.0} months"),
        }
    }
}

/// The moments of a design, the first is now.
pub(super) fn points(model: &Model) -> Vec<Point> {
    let horizons = model
        .tables
        .iter()
        .filter_map(|table| table.volume.as_ref());
    let growing = horizons.filter(|volume| volume.grows > 0.0);
    let horizon = growing.map(|volume| volume.horizon).fold(0.0, f64::max);
    let mut points = vec![Point::at(0.0)];
    let mut after = YEAR;
    // A few years say what a hundred would.
    while after < horizon * 0.98 && points.len() < 6 {
        points.push(Point::at(after));
        after += YEAR;
    }
    if horizon > 0.0 {
        points.push(Point::at(horizon));
    }
    points
}

/// The first and the last of them; one where there is only one.
pub(super) fn ends(model: &Model) -> Vec<Point> {
    let mut points = points(model);
    if points.len() > 2 {
        points.drain(1..points.len() - 1);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_names() {
        assert_eq!(Point::at(0.0).words(), "now");
        assert_eq!(Point::at(YEAR).words(), "in 1 year");
        assert_eq!(Point::at(3.0 * YEAR).words(), "in 3 years");
        assert_eq!(Point::at(YEAR / 2.0).words(), "in 6 months");
        assert_eq!(Point::at(YEAR / 52.0).words(), "in 7 days");
    }
}
