//! How lengths of time, sizes and rates are written.

use std::time::Duration;

use domain::Rate;
use kit::websocket::MessageRate;

/// The longest time that can be set: it keeps every sum of times far from overflowing.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);

/// A length of time: a whole number and its unit, `45s`, `60m`, `24h` or `30d`; more than nothing, a century at most.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and s, m, h or d behind it, such as 45s, 60m, 24h or 30d".to_owned();
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let length = number.checked_mul(seconds).map(Duration::from_secs);
    match length.filter(|length| *length <= LONGEST) {
        None => Err("that is longer than a century".to_owned()),
        Some(Duration::ZERO) => Err("it has to be more than nothing".to_owned()),
        Some(length) => Ok(length),
    }
}

/// A size in bytes: a whole number, alone or with `KiB`, `MiB` or `GiB` behind it. At least 1, at most 1 TiB.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong =
        || "write a whole number of bytes, or one with KiB, MiB or GiB behind it, such as 512KiB".to_owned();
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number.checked_mul(unit).filter(|bytes| (1..=1 << 40).contains(bytes));
    bytes
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| "it has to be from 1 byte to 1024 GiB".to_owned())
}

/// So many in so long: `10/5m`; `off` for no limit.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate { most: 0, within: Duration::from_secs(1) });
    }
    let wrong = "write how many in how long, such as 10/5m, or off";
    let (most, within) = text.split_once('/').ok_or(wrong)?;
    let most = most.parse().ok().filter(|most| *most > 0).ok_or(wrong)?;
    let within = duration(within).map_err(|why| format!("{wrong}: {why}"))?;
    Ok(Rate { most, within })
}

/// Messages of one socket; [`None`] in it is no limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct MessageLimit(pub(crate) Option<MessageRate>);

/// Messages a second in the long run, and at once: `200/2000`; `off` for no limit.
pub(crate) fn message_rate(text: &str) -> Result<MessageLimit, String> {
    if text == "off" {
        return Ok(MessageLimit(None));
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=1_000_000).contains(number));
    let rate = text.split_once('/').and_then(|(a_second, burst)| {
        Some(MessageRate { a_second: number(a_second)?, burst: number(burst)? })
    });
    let wrong =
        "write how many a second and how many at once, each from 1 to 1000000, such as 200/2000, or off";
    rate.map(|rate| MessageLimit(Some(rate))).ok_or_else(|| wrong.to_owned())
}

/// A whole number and what stands behind it.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("45s", 45), ("60m", 3600), ("24h", 86_400), ("30d", 2_592_000), ("1 h", 3600)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        let huge = format!("{}d", u64::MAX);
        for text in [
            "",
            "60",
            "m",
            "soon",
            "1.5h",
            "-1s",
            "1w",
            "60M",
            "0s",
            "40000d",
            "99999999999999999999s",
            &huge,
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_of_bytes_with_or_without_a_unit() {
        for (text, bytes) in
            [("1", 1), ("1048576", 1 << 20), ("64KiB", 64 << 10), ("10MiB", 10 << 20), ("2 gib", 2 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "1MB", "MiB", "1.5MiB", "99999999999999999999", "2048GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_so_many_in_so_long() {
        assert_eq!(rate("10/5m"), Ok(Rate { most: 10, within: Duration::from_mins(5) }));
        assert_eq!(rate("off").map(|rate| rate.most), Ok(0));
        for text in ["", "10", "0/5m", "10/0s", "x/5m", "10/5", "-1/5m", "OFF"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_rate_is_a_steady_one_and_a_burst() {
        let usual = MessageRate { a_second: 200, burst: 2000 };
        assert_eq!(message_rate("200/2000"), Ok(MessageLimit(Some(usual))));
        assert_eq!(message_rate("off"), Ok(MessageLimit(None)));
        for text in ["", "200", "0/2000", "200/0", "200/2000/1", "5000000000/1"] {
            assert!(message_rate(text).is_err(), "{text}");
        }
    }
}
