//! Pages by number, as wires have them.

use crate::{Error, Noun, Result};

/// A page: the first one is 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Numbered {
    /// Which one, from 1.
    pub number: usize,
    /// How many a page, from 1.
    pub size: usize,
}

impl Numbered {
    /// How many stand before it.
    pub fn skip(self) -> usize {
        (self.number.max(1) - 1).saturating_mul(self.size)
    }

    /// `NotFound(Page)` when it lies beyond `count`. The first page always exists.
    pub fn check(self, count: usize) -> Result<()> {
        if self.number <= 1 || self.skip() < count { Ok(()) } else { Err(Error::NotFound(Noun::Page)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_always_exists_and_none_beyond_the_last() {
        let page = |number| Numbered { number, size: 10 };
        assert!(page(1).check(0).is_ok());
        assert!(page(2).check(11).is_ok());
        assert!(page(2).check(10).is_err());
        assert!(page(usize::MAX).check(10).is_err());
    }
}
