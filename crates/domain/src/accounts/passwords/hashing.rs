//! Hashes of passwords, and the threads that make and compare them.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread::{self, available_parallelism},
    time::Duration,
};

use anyhow::{Context, anyhow};
use argon2::{Argon2, Block, PasswordVerifier, password_hash::phc::PasswordHash};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, oneshot};

use super::MAX_BYTES;
use crate::{Error, Result, ports::Ids};

/// Passwords that wait for a thread at most; beyond, callers are told to come again.
const MAX_WAITING: usize = 1_000;

/// Rounds of PBKDF2 at most: an imported hash cannot make a sign-in take minutes.
const MAX_ROUNDS: u32 = 5_000_000;

/// How hashes of the present kind begin.
const PRESENT_KIND: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// A hash of the present parameters that no password has, so that unknown names take as long as known ones.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGVydHVsaWEgbm9ib2R5$\
    AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What a comparison of a password with a hash says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the password.
    Good,
    /// It is the password, and the hash is of an old kind: time for a new one.
    GoodButOld,
    /// It is not.
    Wrong,
}

/// A bounded pool for hashing.
///
/// Its threads are its own and as many as there are cores: each hash takes 19 MiB, and the allocator keeps that a thread.
#[derive(Debug)]
pub struct Hashing {
    idle: Arc<Semaphore>,
    places: Semaphore,
    jobs: OnceLock<mpsc::Sender<Job>>,
}

/// Work for a thread of the pool.
type Job = Box<dyn FnOnce() + Send>;

impl Hashing {
    /// A pool of as many threads as there are cores. They start with the first work.
    pub fn new() -> Self {
        let cores = cores();
        Self {
            idle: Arc::new(Semaphore::new(cores)),
            places: Semaphore::new(cores + MAX_WAITING),
            jobs: OnceLock::new(),
        }
    }

    /// The hash of a new password. `Throttled` when too many wait.
    pub async fn hash(&self, ids: &dyn Ids, password: String) -> Result<String> {
        let mut salt = [0; 16];
        ids.fill(&mut salt);
        self.run(
            || Ok(()),
            move || {
                let hash = argon2id(password.as_bytes(), &salt).context("hashing a password")?;
                let encode = |bytes| BASE64_STANDARD_NO_PAD.encode(bytes);
                Ok(format!("{PRESENT_KIND}{}${}", encode(&salt[..]), encode(&hash[..])))
            },
        )
        .await?
        .map_err(|fault: anyhow::Error| Error::from(fault))
    }

    /// Compares. Without a hash the answer is `Wrong`, after the same time.
    ///
    /// `gate` is asked when a thread is free, right before the work: so parallel guesses cannot slip past a limit
    /// that counts their failures.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
        gate: impl FnOnce() -> Result<()>,
    ) -> Result<Verdict> {
        self.run(gate, move || {
            if let Some(hash) = &hash {
                compare(&password, hash)
            } else {
                compare(&password, NOBODYS);
                Verdict::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        gate: impl FnOnce() -> Result<()>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Error::Throttled(Duration::from_secs(5)));
        };
        let thread = Arc::clone(&self.idle).acquire_owned().await.context("the hashing pool is closed")?;
        gate()?;
        let (answer, answered) = oneshot::channel();
        let job = move || {
            // Nobody waits any more when the task was dropped.
            let _ = answer.send(work());
            drop(thread);
        };
        self.jobs
            .get_or_init(start)
            .send(Box::new(job))
            .map_err(|_| anyhow!("the hashing threads have ended"))?;
        Ok(answered.await.context("a hashing thread failed")?)
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Starts the threads; they end when the pool is dropped.
fn start() -> mpsc::Sender<Job> {
    let (jobs, queue) = mpsc::channel::<Job>();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..cores() {
        let queue = Arc::clone(&queue);
        let work = move || {
            give_way();
            loop {
                let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { break };
                // A panic is the one waiting task's misfortune, not the pool's.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        if let Err(fault) = thread::Builder::new().name("hashing".into()).spawn(work) {
            tracing::error!(%fault, "a hashing thread could not be started");
        }
    }
    jobs
}

/// Lets all other threads go first, at once and whenever they have work: a storm of sign-ins takes the time that chat
/// leaves. On Linux alone (`SCHED_IDLE`, sched(7)): a low niceness would still let a hash finish its slice of some
/// milliseconds.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{
            NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let priority = thread_priority::ThreadPriority::Min;
        if let Err(fault) = set_thread_priority_and_policy(thread_native_id(), priority, policy) {
            tracing::debug!(%fault, "the hashing threads run at the priority of all others");
        }
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

fn compare(password: &str, hash: &str) -> Verdict {
    if password.len() > MAX_BYTES {
        return Verdict::Wrong;
    }
    if hash.starts_with("pbkdf2_sha256$") {
        return if compare_django(password, hash) { Verdict::GoodButOld } else { Verdict::Wrong };
    }
    // Django writes `argon2` before the PHC form.
    let phc = hash.strip_prefix("argon2$").map_or_else(|| hash.to_owned(), |rest| format!("${rest}"));
    let Ok(parsed) = PasswordHash::new(&phc) else { return Verdict::Wrong };
    if !phc.starts_with(PRESENT_KIND) {
        let is_good = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        return if is_good { Verdict::GoodButOld } else { Verdict::Wrong };
    }
    let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Verdict::Wrong };
    let derived = argon2id(password.as_bytes(), salt.as_ref());
    let is_good = derived.is_ok_and(|derived| derived.as_slice().ct_eq(expected.as_bytes()).into());
    if is_good { Verdict::Good } else { Verdict::Wrong }
}

/// Argon2id at the present parameters. Each thread of the pool uses its 19 MiB again and again: given back after each
/// hash, they would pile up in the allocator's heaps.
fn argon2id(password: &[u8], salt: &[u8]) -> anyhow::Result<[u8; 32]> {
    thread_local! {
        static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
    }
    let argon2 = Argon2::default();
    let mut hash = [0; 32];
    MEMORY
        .with_borrow_mut(|memory| {
            memory.resize(argon2.params().block_count(), Block::default());
            argon2.hash_password_into_with_memory(password, salt, &mut hash, memory.as_mut_slice())
        })
        .map_err(|fault| anyhow!("{fault}"))?;
    Ok(hash)
}

/// Django's `pbkdf2_sha256$<rounds>$<salt>$<base64 of 32 bytes>`.
fn compare_django(password: &str, hash: &str) -> bool {
    let mut parts = hash.split('$').skip(1);
    let (Some(rounds), Some(salt), Some(expected), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some(rounds) = rounds.parse().ok().filter(|rounds| (1..=MAX_ROUNDS).contains(rounds)) else {
        return false;
    };
    let Ok(expected) = BASE64_STANDARD.decode(expected) else { return false };
    let derived = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), rounds);
    derived.as_slice().ct_eq(&expected).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Ids for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[tokio::test]
    async fn hashes_verify_and_old_kinds_are_told_apart() {
        let pool = Hashing::new();
        let verify = async |password: &str, hash: &str| {
            pool.verify(password.into(), Some(hash.into()), || Ok(())).await.unwrap()
        };
        let hash = pool.hash(&Zeros, "popopopo0987".into()).await.unwrap();
        assert!(
            Argon2::default().verify_password(b"popopopo0987", hash.as_str()).is_ok(),
            "others read it too"
        );
        let other = "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$";
        let weaker = argon2::Params::new(8192, 1, 1, None).unwrap();
        let weaker = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, weaker);
        let mut derived = [0; 32];
        weaker.hash_password_into(b"popopopo0987", b"saltsaltsalt", &mut derived).unwrap();
        let other = format!("{other}{}", BASE64_STANDARD_NO_PAD.encode(derived));
        assert_eq!(verify("popopopo0987", &other).await, Verdict::GoodButOld);
        assert_eq!(verify("popopopo0988", &other).await, Verdict::Wrong);
        assert_eq!(verify("popopopo0987", &hash).await, Verdict::Good);
        assert_eq!(verify("popopopo0988", &hash).await, Verdict::Wrong);
        // Made by Django 5.2 with 1,000 rounds.
        let django = "pbkdf2_sha256$1000$saltsalt$33RTR1vosJyLVmBPtW18W9MokBmx05MMRQp0Vc7UOWk=";
        assert_eq!(verify("popopopo0987", django).await, Verdict::GoodButOld);
        assert_eq!(verify("popopopo0986", django).await, Verdict::Wrong);
        for damaged in ["pbkdf2_sha256$x$y", "pbkdf2_sha256$99999999$a$AAAA", "", "!", "md5$a$b"] {
            assert_eq!(verify("popopopo0987", damaged).await, Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn nobodys_password_is_wrong_and_its_hash_is_one_that_takes_the_usual_time() {
        let pool = Hashing::new();
        assert_eq!(pool.verify("x".into(), None, || Ok(())).await.unwrap(), Verdict::Wrong);
        assert!(PasswordHash::new(NOBODYS).is_ok());
        assert!(NOBODYS.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn a_closed_gate_stops_the_comparison() {
        let refused = Hashing::new().verify("x".into(), None, || Err(Error::Throttled(Duration::ZERO))).await;
        assert!(matches!(refused, Err(Error::Throttled(_))));
    }
}
