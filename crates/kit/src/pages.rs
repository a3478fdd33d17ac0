//! Pages by number, as Django REST framework's `PageNumberPagination` has them (friends.md, Accounts).

use domain::Numbered;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base_url::BaseUrl;

/// The page that a query asks for: `page`, from 1, and `page_size`, from 1, where more than `most` is `most`. Without
/// them the first page of `usual`. `None` when either is no positive integer. Of repeated parameters the last counts.
pub fn asked(query: &str, usual: usize, most: usize) -> Option<Numbered> {
    let mut page = Numbered { number: 1, size: usual };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "page" => page.number = positive(&value)?,
            "page_size" => page.size = positive(&value)?.min(most),
            _ => {}
        }
    }
    Some(page)
}

/// Digits of a number from 1; one beyond the range stops at its end.
fn positive(text: &str) -> Option<usize> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_digits.then(|| text.parse().unwrap_or(usize::MAX))?;
    (number > 0).then_some(number)
}

/// A page on the wire.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// How many there are on all pages.
    pub count: usize,
    /// The absolute URL of the next page, if there is one.
    pub next: Option<String>,
    /// The absolute URL of the page before, if there is one.
    pub previous: Option<String>,
    /// What stands on this page.
    pub results: Vec<T>,
}

/// Where pages are, for the links between them.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The start of absolute URLs.
    pub base: &'a BaseUrl,
    /// The path, with its slashes.
    pub path: &'a str,
    /// The query as it was sent.
    pub query: &'a str,
}

impl<T> Page<T> {
    /// The page `asked` of `count` things, with links that keep the query's other parameters.
    pub fn new(place: Place<'_>, asked: Numbered, count: usize, results: Vec<T>) -> Self {
        let has_next = asked.number.checked_mul(asked.size).is_some_and(|end| end < count);
        Self {
            count,
            next: has_next.then(|| place.link(asked.number + 1)),
            previous: (asked.number > 1).then(|| place.link(asked.number - 1)),
            results,
        }
    }
}

impl Place<'_> {
    /// The URL of a page. The first one needs no number.
    fn link(self, number: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != "page"));
        if number > 1 {
            query.append_pair("page", &number.to_string());
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.base.0, self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(query: &str, count: usize) -> Page<()> {
        let base = BaseUrl("http://chat.example".into());
        let place = Place { base: &base, path: "/api/users/", query };
        Page::new(place, asked(query, 10, 100).unwrap(), count, Vec::new())
    }

    #[test]
    fn numbers_are_positive_integers() {
        assert_eq!(asked("", 10, 100), Some(Numbered { number: 1, size: 10 }));
        assert_eq!(asked("page=3&page_size=7&x=y", 10, 100), Some(Numbered { number: 3, size: 7 }));
        assert_eq!(asked("page_size=101", 10, 100), Some(Numbered { number: 1, size: 100 }));
        let huge = "9".repeat(30);
        assert_eq!(
            asked(&format!("page={huge}&page_size={huge}"), 10, 100),
            Some(Numbered { number: usize::MAX, size: 100 })
        );
        for bad in ["0", "-1", "%2B1", "abc", "1.5", "", "1%20", "NaN", "last", "１"] {
            assert_eq!(asked(&format!("page={bad}"), 10, 100), None, "{bad}");
            assert_eq!(asked(&format!("page_size={bad}"), 10, 100), None, "{bad}");
        }
    }

    #[test]
    fn links_keep_the_other_parameters() {
        let first = page("username=a%20b%26&page_size=2", 5);
        assert_eq!(first.next.unwrap(), "http://chat.example/api/users/?username=a+b%26&page_size=2&page=2");
        assert_eq!(first.previous, None);
        let second = page("page=2&username=j&page_size=2", 5);
        assert_eq!(second.next.unwrap(), "http://chat.example/api/users/?username=j&page_size=2&page=3");
        assert_eq!(second.previous.unwrap(), "http://chat.example/api/users/?username=j&page_size=2");
        let last = page("page=3&page_size=2", 5);
        assert_eq!(last.next, None);
        assert_eq!(last.previous.unwrap(), "http://chat.example/api/users/?page_size=2&page=2");
        assert_eq!(page("page=2", 11).previous.unwrap(), "http://chat.example/api/users/");
    }

    proptest! {
        #[test]
        fn following_the_links_walks_all_pages_once(count in 0usize..60, size in 1usize..20) {
            let (mut query, mut seen) = (format!("x=%26&page_size={size}"), 0);
            for number in 1.. {
                let here = page(&query, count);
                prop_assert_eq!(asked(&query, 10, 100).unwrap().number, number);
                seen += size.min(count - seen);
                let Some(next) = here.next else { break };
                query = next.split_once('?').unwrap().1.to_owned();
            }
            prop_assert_eq!(seen, count);
        }
    }
}
