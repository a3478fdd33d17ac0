//! Those that Tertulia is measured beside.

use std::rc::Rc;

use super::contender::Contender;

/// All of them, in the order of the tables.
pub(super) fn all() -> Vec<Rc<dyn Contender>> {
    Vec::new()
}
