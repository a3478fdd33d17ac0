//! E-mailed sign-in codes. They are used up in [`sessions`](crate::sessions).

use async_trait::async_trait;
use domain::{AccountId, Result, Time, codes::Codes};

use crate::{SqlStore, engine::vals};

#[async_trait]
impl Codes for SqlStore {
    async fn set_code(&self, account: AccountId, mac: [u8; 32], expires_at: Time) -> Result<()> {
        const SET: &str = "
            INSERT INTO code (account, mac, expires_at, wrong)
            SELECT id, $2, $3, 0 FROM account WHERE id = $1 AND deleted_at IS NULL
            ON CONFLICT (account)
            DO UPDATE SET mac = excluded.mac, expires_at = excluded.expires_at, wrong = 0";
        self.write(move |tx| Ok(tx.exec(SET, vals![account, mac, expires_at]).map(drop)?)).await
    }
}
