//! Where meetings are: a dense spot around the place that is asked for, towns, and the whole globe.

use std::f64::consts::PI;

use anyhow::{Context, Result};
use domain::meetings::Point;

use crate::bulk::Dice;

/// The place that is asked for: the middle of Moscow.
pub(super) const MIDDLE: (f64, f64) = (55.751_244, 37.618_423);

/// Kilometres around it: as far as is searched.
pub(super) const RADIUS: f64 = 30.0;

/// Meetings within that distance, however many there are elsewhere.
pub(super) const NEAR: u64 = 1000;

/// For each of them so many lie in the country around, up to three times as far, if there are enough.
const OUTSKIRTS: u64 = 3;

/// Towns elsewhere; half of all other meetings are within 15 km or so of one of them.
const TOWNS: u64 = 500;

/// The earth's mean radius, in kilometres.
const EARTH: f64 = 6371.0;

/// Where the meetings of a table are.
pub(super) struct Places {
    meetings: u64,
    towns: Vec<(f64, f64)>,
}

impl Places {
    /// Of a table of so many, [`NEAR`] or more.
    pub(super) fn new(meetings: u64) -> Self {
        let mut dice = Dice::new(0);
        Self { meetings, towns: (0..TOWNS).map(|_| anywhere(&mut dice)).collect() }
    }

    /// Whether the meeting of this number, from 0, is one of the near ones: they are spread evenly over the table.
    pub(super) fn is_near(&self, number: u64) -> bool {
        number.is_multiple_of(self.step()) && number / self.step() < NEAR
    }

    fn step(&self) -> u64 {
        (self.meetings / NEAR).max(1)
    }

    /// The place of the meeting of this number.
    pub(super) fn place(&self, number: u64, dice: &mut Dice) -> Result<Point> {
        if self.is_near(number) {
            // Not quite to the edge, where rounding would decide.
            return point(within(MIDDLE, 0.0, RADIUS * 0.999, dice));
        }
        let (round, turn) = (number / self.step(), number % self.step());
        if round < NEAR && self.step() > OUTSKIRTS && turn <= OUTSKIRTS {
            return point(within(MIDDLE, RADIUS * 1.001, RADIUS * 3.0, dice));
        }
        loop {
            let there = if dice.below(2) == 0 {
                anywhere(dice)
            } else {
                let town = usize::try_from(dice.below(TOWNS))?;
                within(*self.towns.get(town).context("no such town")?, 0.0, 15.0, dice)
            };
            if distance(there, MIDDLE) > RADIUS * 3.0 {
                return point(there);
            }
        }
    }
}

fn point((lat, lng): (f64, f64)) -> Result<Point> {
    // As many digits as a phone tells.
    let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6;
    Point::new(rounded(lat), rounded(lng)).context("a place beyond the globe")
}

/// Anywhere on the globe, each square kilometre as likely as another.
fn anywhere(dice: &mut Dice) -> (f64, f64) {
    ((2.0 * dice.part() - 1.0).asin().to_degrees(), 360.0 * dice.part() - 180.0)
}

/// Somewhere between these two distances, in kilometres, each square kilometre (nearly) as likely as another.
fn within(from: (f64, f64), least: f64, most: f64, dice: &mut Dice) -> (f64, f64) {
    let kilometres = (least * least + dice.part() * (most * most - least * least)).sqrt();
    let (bearing, angle, lat) = (2.0 * PI * dice.part(), kilometres / EARTH, from.0.to_radians());
    let to = (lat.sin() * angle.cos() + lat.cos() * angle.sin() * bearing.cos()).clamp(-1.0, 1.0).asin();
    let turn = (bearing.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * to.sin());
    let lng = (from.1 + turn.to_degrees() + 540.0).rem_euclid(360.0) - 180.0;
    (to.to_degrees(), lng)
}

/// Kilometres between two places.
pub(super) fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let [lat, to] = [one.0.to_radians(), other.0.to_radians()];
    let (half_lat, half_lng) = ((to - lat) / 2.0, (other.1 - one.1).to_radians() / 2.0);
    let square = half_lat.sin().powi(2) + lat.cos() * to.cos() * half_lng.sin().powi(2);
    2.0 * EARTH * square.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_are_near_however_many_there_are() {
        for meetings in [1000, 4321, 100_000] {
            let (places, mut dice) = (Places::new(meetings), Dice::new(1));
            let mut near = 0;
            for number in 0..meetings {
                let place = places.place(number, &mut dice).unwrap();
                let is_near = distance((place.lat(), place.lng()), MIDDLE) <= RADIUS;
                assert_eq!(is_near, places.is_near(number), "{number} of {meetings}");
                near += u64::from(is_near);
            }
            assert_eq!(near, NEAR);
        }
    }
}
