//! The toy of the tests, to be tried and measured by hand: `cargo run -p tertulia-socketio --example toy`.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code, reason = "a tool for development")]

#[path = "../tests/socketio/toy.rs"]
mod toy;

#[tokio::main]
async fn main() {
    let toy = toy::Toy::with(kit::context::SocketLimits::default(), 100_000).await;
    println!("http://{}", toy.address);
    std::future::pending::<()>().await;
}
