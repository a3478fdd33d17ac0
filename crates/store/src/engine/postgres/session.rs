//! One connection to PostgreSQL, driven by the thread that uses it.

use std::{
    error::Error as StdError,
    sync::{Mutex, PoisonError},
};

use deadpool_postgres::GenericClient;
use tokio::runtime::Runtime;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use super::fault::PostgresFault;
use crate::engine::{Fault, Flavour, Row, Session, Val, text::Texts};

/// A session on a plain connection (each statement stands alone) or in a transaction.
pub(super) struct PostgresSession<'a, C> {
    client: &'a C,
    runtime: &'a Runtime,
    texts: &'a Mutex<Texts>,
    /// The worst that happened: the closure's own error may have lost it.
    pub(super) trouble: Option<PostgresFault>,
}

impl<'a, C: GenericClient> PostgresSession<'a, C> {
    /// A session on `client`; `runtime` drives its connection.
    pub(super) fn new(client: &'a C, runtime: &'a Runtime, texts: &'a Mutex<Texts>) -> Self {
        Self { client, runtime, texts, trouble: None }
    }

    /// Prepares (or finds) the statement, then runs `work` with it.
    fn run<T>(
        &mut self,
        sql: &'static str,
        work: impl AsyncFnOnce(&C, tokio_postgres::Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        let text = self.texts.lock().unwrap_or_else(PoisonError::into_inner).of(sql);
        let client = self.client;
        let done = self.runtime.block_on(async {
            let statement = client.prepare_cached(&text).await?;
            work(client, statement).await
        });
        done.map_err(|cause| {
            let kind = PostgresFault::of(&cause);
            self.trouble = Some(kind);
            match kind {
                PostgresFault::Unique => Fault::Unique(cause.into()),
                PostgresFault::Unavailable => {
                    tracing::warn!("the database is not reachable: {cause}");
                    Fault::Unavailable
                }
                PostgresFault::Collision | PostgresFault::Other => Fault::Other(cause.into()),
            }
        })
    }
}

impl<C: GenericClient> Session for PostgresSession<'_, C> {
    fn flavour(&self) -> Flavour {
        Flavour::Postgres
    }

    fn exec(&mut self, sql: &'static str, values: &[Val]) -> Result<u64, Fault> {
        let values = parameters(values);
        self.run(sql, async |client, statement| client.execute(&statement, &values).await)
    }

    fn query(&mut self, sql: &'static str, values: &[Val]) -> Result<Vec<Row>, Fault> {
        let values = parameters(values);
        let rows = self.run(sql, async |client, statement| client.query(&statement, &values).await)?;
        rows.iter().map(row).collect()
    }
}

/// The values as the client library takes them.
pub(crate) fn parameters(values: &[Val]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// A row of the client library as a row of ours.
pub(crate) fn row(row: &tokio_postgres::Row) -> Result<Row, Fault> {
    let columns = row.columns().iter().enumerate();
    let values: Result<Vec<Val>, tokio_postgres::Error> = columns
        .map(|(index, column)| {
            Ok(match *column.type_() {
                Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Val::Null, Val::Int),
                Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map_or(Val::Null, |n| Val::Int(n.into())),
                Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map_or(Val::Null, Val::Bool),
                Type::FLOAT8 => row.try_get::<_, Option<f64>>(index)?.map_or(Val::Null, Val::Float),
                Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Val::Null, Val::Bytes),
                Type::UUID => row.try_get::<_, Option<uuid::Uuid>>(index)?.map_or(Val::Null, Val::Uuid),
                _ => row.try_get::<_, Option<String>>(index)?.map_or(Val::Null, Val::Text),
            })
        })
        .collect();
    values.map(Row::new).map_err(|cause| Fault::Other(cause.into()))
}

impl ToSql for Val {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Bool(value) => value.to_sql_checked(ty, out),
            Self::Float(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
            Self::Uuid(value) => value.to_sql_checked(ty, out),
            Self::Ints(values) => values.to_sql_checked(ty, out),
            Self::Texts(values) => values.to_sql_checked(ty, out),
            Self::Uuids(values) => values.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each value checks the type that the statement wants when it is written.
        true
    }

    to_sql_checked!();
}
