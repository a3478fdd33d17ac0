//! What the server counts with each change of an account, counted anew after accounts were filled in.

use std::collections::HashMap;

use anyhow::Result;

use crate::bulk::{Bulk, Cell};

/// Counts the accounts, and the names that hold each short text.
pub(crate) async fn count_accounts(bulk: &Bulk) -> Result<()> {
    const LIVING: &str =
        "UPDATE account_count SET living = (SELECT COUNT(*) FROM account WHERE deleted_at IS NULL)";
    const NAMES: &str = "SELECT username_folded FROM account WHERE username_folded IS NOT NULL";
    bulk.run(LIVING).await?;
    let names = bulk.texts(NAMES).await?;
    let mut holding: HashMap<&str, i64> = HashMap::new();
    for part in names.iter().flat_map(|name| store::name_parts(name)) {
        *holding.entry(part).or_default() += 1;
    }
    bulk.run("DELETE FROM name_part").await?;
    let rows = holding.into_iter().map(|(part, names)| vec![Cell::Text(part.to_owned()), Cell::Int(names)]);
    bulk.fill("name_part", "part,names", rows).await
}
