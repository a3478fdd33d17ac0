//! Where meetings are, as both databases can look for it: cells of a grid with a plain index, and points of the unit
//! sphere, whose distance is arithmetic.
//!
//! The grid has rows of equal height from pole to pole. Each row is cut into cells about as wide as it is high, fewer the
//! nearer it is to a pole. A circle of the largest radius touches some 150 of its cells, wherever it is.

use std::f64::consts::PI;

use domain::meetings::{Circle, Point};

/// The earth's mean radius, in kilometres.
const EARTH: f64 = 6371.0;

/// Rows from pole to pole: each some 6.5 km high.
const ROWS: i64 = 3072;

/// Cells of the widest rows.
const COLUMNS: f64 = 6144.0;

/// Numbers of cells are those of their row times this, and their place in it.
const STRIDE: i64 = 1 << 16;

/// Degrees that a search looks beyond the exact bounds, so that no rounding loses a cell: a centimetre.
const MARGIN: f64 = 1e-7;

/// What the table of meetings keeps of a place besides its degrees, for who fills that table in bulk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spot {
    /// The columns `x`, `y` and `z`: the point on the unit sphere.
    pub sphere: [f64; 3],
    /// The column `cell`.
    pub cell: i64,
}

impl Spot {
    /// Where that point is.
    pub fn of(point: Point) -> Self {
        Self { sphere: on_sphere(point), cell: cell_of(point) }
    }
}

/// The point on the unit sphere.
pub(super) fn on_sphere(point: Point) -> [f64; 3] {
    let (lat, lng) = (point.lat().to_radians(), point.lng().to_radians());
    [lat.cos() * lng.cos(), lat.cos() * lng.sin(), lat.sin()]
}

/// The square of the straight line between two points of the unit sphere that are so many kilometres apart on it.
pub(super) fn chord_squared(kilometres: f64) -> f64 {
    let half = (kilometres / EARTH / 2.0).min(PI / 2.0).sin();
    4.0 * half * half
}

/// The cell in which the point lies.
pub(super) fn cell_of(point: Point) -> i64 {
    let row = row_of(point.lat());
    row * STRIDE + column_of(row, point.lng())
}

/// All cells that the circle touches, and perhaps some around it; each once.
pub(super) fn cells_around(circle: Circle) -> Vec<i64> {
    let (lat, lng) = (circle.middle.lat(), circle.middle.lng());
    let angle = circle.radius / EARTH;
    let (south, north) = (lat - angle.to_degrees() - MARGIN, lat + angle.to_degrees() + MARGIN);
    let mut cells = Vec::new();
    for row in row_of(south.max(-90.0))..=row_of(north.min(90.0)) {
        let columns = columns(row);
        match half_width(lat, angle, south, north) {
            Some(half) if half < 180.0 => {
                let (west, east) = (lng - half, lng + half);
                // Columns are counted on across the date line, and brought back one by one.
                let first = column_unbounded(row, west);
                let last = column_unbounded(row, east);
                let touched = (last - first + 1).min(columns);
                cells
                    .extend((first..first + touched).map(|column| row * STRIDE + column.rem_euclid(columns)));
            }
            _ => cells.extend((0..columns).map(|column| row * STRIDE + column)),
        }
    }
    cells
}

/// Degrees of longitude by which the circle reaches to either side of its middle; `None` when a pole lies in it.
fn half_width(lat: f64, angle: f64, south: f64, north: f64) -> Option<f64> {
    if south <= -90.0 || north >= 90.0 {
        return None;
    }
    // The meridian that touches the circle: sin of its difference is sin of the angle by cos of the latitude.
    let sine = angle.sin() / lat.to_radians().cos();
    (sine < 1.0).then(|| sine.asin().to_degrees() + MARGIN / lat.to_radians().cos())
}

fn row_of(lat: f64) -> i64 {
    whole((lat + 90.0) / 180.0 * real(ROWS)).clamp(0, ROWS - 1)
}

/// How many cells the row has: by its edge that is nearer to the equator, so that none is wider than those there.
fn columns(row: i64) -> i64 {
    let edge = |row: i64| (real(row) / real(ROWS) * PI - PI / 2.0).cos();
    whole(COLUMNS * edge(row).max(edge(row + 1))).max(1)
}

fn column_of(row: i64, lng: f64) -> i64 {
    // The date line is one meridian, whichever sign it is given.
    column_unbounded(row, lng).rem_euclid(columns(row))
}

fn column_unbounded(row: i64, lng: f64) -> i64 {
    whole((lng + 180.0) / 360.0 * real(columns(row)))
}

#[expect(clippy::cast_precision_loss, reason = "rows and columns are small numbers")]
fn real(number: i64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding down is the purpose, and degrees are small numbers"
)]
fn whole(number: f64) -> i64 {
    number.floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lat: f64, lng: f64) -> Point {
        Point::new(lat, lng).unwrap()
    }

    fn distance(one: Point, other: Point) -> f64 {
        let (a, b) = (on_sphere(one), on_sphere(other));
        let chord: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        2.0 * EARTH * (chord / 2.0).min(1.0).asin()
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        let moscow = point(55.751_244, 37.618_423);
        assert!((distance(moscow, point(59.938_63, 30.314_13)) - 634.0).abs() < 1.0);
        assert!((distance(point(0.0, 179.9), point(0.0, -179.9)) - 22.24).abs() < 0.01);
        assert!((distance(point(89.9, 0.0), point(89.9, 180.0)) - 22.24).abs() < 0.01);
        assert!((distance(point(90.0, 0.0), point(-90.0, 77.0)) - PI * EARTH).abs() < 0.01);
        assert!(distance(moscow, moscow) <= 0.0);
    }

    #[test]
    fn a_chord_is_as_long_as_its_arc_says() {
        for kilometres in [0.0, 0.5, 30.0, 5_000.0] {
            let chord = chord_squared(kilometres).sqrt();
            assert!((2.0 * EARTH * (chord / 2.0).asin() - kilometres).abs() < 1e-6);
        }
    }

    #[test]
    fn a_circle_touches_few_cells_wherever_it_is() {
        for lat in [-90.0, -89.95, -80.0, 0.0, 45.0, 55.75, 89.0, 89.7, 89.9, 90.0] {
            for lng in [-180.0, -0.001, 37.6, 179.99, 180.0] {
                let mut cells = cells_around(Circle { middle: point(lat, lng), radius: 30.0 });
                assert!(cells.contains(&cell_of(point(lat, lng))), "{lat} {lng}");
                let count = cells.len();
                assert!((25..300).contains(&count), "{lat} {lng}: {count}");
                cells.sort_unstable();
                cells.dedup();
                assert_eq!(cells.len(), count, "{lat} {lng}");
            }
        }
    }

    #[test]
    fn the_date_line_is_one_place() {
        for lat in [-90.0, -12.3, 0.0, 55.0, 90.0] {
            assert_eq!(cell_of(point(lat, 180.0)), cell_of(point(lat, -180.0)));
        }
    }

    #[test]
    fn what_lies_in_a_circle_lies_in_its_cells() {
        // Points on rings within the circle, by bearing and distance.
        for lat in [-89.99, -89.8, -45.0, 0.0, 30.0, 55.75, 70.0, 89.72, 89.74, 89.9] {
            for lng in [-180.0, -179.99, 0.0, 12.0, 179.95] {
                let middle = point(lat, lng);
                let cells = cells_around(Circle { middle, radius: 30.0 });
                for step in 0..720 {
                    let bearing = f64::from(step) * PI / 360.0;
                    for kilometres in [0.1, 10.0, 29.999_999] {
                        let there = reached(middle, bearing, kilometres);
                        assert!(cells.contains(&cell_of(there)), "{middle:?} {bearing} {there:?}");
                    }
                }
            }
        }
    }

    fn reached(from: Point, bearing: f64, kilometres: f64) -> Point {
        let (lat, angle) = (from.lat().to_radians(), kilometres / EARTH);
        let to = (lat.sin() * angle.cos() + lat.cos() * angle.sin() * bearing.cos()).clamp(-1.0, 1.0).asin();
        let turn = (bearing.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * to.sin());
        let lng = (from.lng() + turn.to_degrees() + 540.0).rem_euclid(360.0) - 180.0;
        point(to.to_degrees().clamp(-90.0, 90.0), lng)
    }
}
