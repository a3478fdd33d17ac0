//! Usernames as people have them, as many as are wanted.

use crate::bulk::Dice;

const SYLLABLES: [&str; 40] = [
    "an", "mar", "jo", "be", "li", "ka", "ro", "sa", "ti", "no", "el", "vi", "da", "pe", "lu", "mi", "ra",
    "ch", "ol", "ga", "ste", "fan", "gre", "tor", "wil", "hel", "mo", "ni", "ya", "su", "ed", "ir", "pa",
    "do", "ze", "bri", "con", "fi", "ju", "kle",
];

/// The name of that number: no other number has it.
pub(super) fn name(number: u64) -> String {
    let mut dice = Dice::new(number);
    let mut syllable = || SYLLABLES[usize::try_from(dice.below(40)).unwrap_or(0)];
    let (given, family) = ([syllable(), syllable()], [syllable(), syllable()]);
    format!("{}.{}{number}", given.concat(), family.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_stay_the_same() {
        assert_eq!(name(7), name(7));
        assert!(name(7).ends_with('7') && name(7).contains('.'));
        let mut names: Vec<_> = (0..1000).map(name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }
}
