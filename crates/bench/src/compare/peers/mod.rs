//! Those that Tertulia is measured beside.

mod django;
mod mint;
mod node;
mod pocketbase;
mod python;
mod python_socketio;

use std::rc::Rc;

use super::contender::Contender;

/// All of them, in the order of the tables.
pub(super) fn all() -> Vec<Rc<dyn Contender>> {
    vec![
        Rc::new(node::Node::Ws),
        Rc::new(node::Node::WsEach),
        Rc::new(node::Node::SocketIo),
        Rc::new(python_socketio::PythonSocketIo),
        Rc::new(django::Django),
        Rc::new(pocketbase::PocketBase),
    ]
}
