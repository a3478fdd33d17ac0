//! Many tasks at once.

use std::{cell::RefCell, collections::VecDeque, net::SocketAddr, rc::Rc};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use crate::http::Connection;

/// Does all jobs, as many at a time as there are connections; the results in the order of the jobs.
pub(crate) async fn each<J, T, W>(
    address: SocketAddr,
    connections: usize,
    jobs: impl IntoIterator<Item = J>,
    work: W,
) -> Result<Vec<T>>
where
    J: 'static,
    T: 'static,
    W: AsyncFn(&mut Connection, J) -> Result<T> + 'static,
{
    let jobs: VecDeque<(usize, J)> = jobs.into_iter().enumerate().collect();
    let (jobs, work) = (Rc::new(RefCell::new(jobs)), Rc::new(work));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (jobs, work) = (Rc::clone(&jobs), Rc::clone(&work));
        workers.spawn_local(async move {
            let mut connection = Connection::open(address).await?;
            let mut done = Vec::new();
            loop {
                let next = jobs.borrow_mut().pop_front();
                let Some((number, job)) = next else { return anyhow::Ok(done) };
                done.push((number, work(&mut connection, job).await?));
            }
        });
    }
    let mut done = Vec::new();
    while let Some(by_one) = workers.join_next().await {
        done.extend(by_one??);
    }
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Waits while `work` lasts, in which none of these tasks may end.
pub(crate) async fn meanwhile<T>(
    tasks: &mut JoinSet<Result<()>>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        done = work => done,
        Some(ended) = tasks.join_next() => {
            ended??;
            bail!("a client ended before its time")
        }
    }
}
