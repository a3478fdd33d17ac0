//! Plays the contract transcripts of every dialect against the real binary, on every database.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    testkit::transcript::runner::main(&crates, env!("CARGO_BIN_EXE_tertulia"))?;
    Ok(())
}
