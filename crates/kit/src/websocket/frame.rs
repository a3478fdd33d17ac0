//! Frames: RFC 6455, section 5. The server's are never masked, the clients' always; no extensions.
//!
//! Public for transports that speak WebSocket in a way of their own, such as Engine.IO's.

/// Bytes of a control frame's payload at most (5.5).
const MAX_CONTROL: usize = 125;

/// Fragments of one message at most.
const MAX_FRAGMENTS: usize = 1 << 16;

/// What a client has sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping, to be answered by a pong of the same payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, perhaps with a code.
    Close(Option<u16>),
}

/// Why the connection has to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// 1002.
    Protocol,
    /// 1007.
    NotUtf8,
    /// 1009.
    TooLarge,
}

impl Violation {
    /// The close code that tells the client (7.4.1).
    pub fn code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// What a frame is (5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The close of the connection.
    Close = 8,
    /// A question whether the other end is there.
    Ping = 9,
    /// The answer to a ping.
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
        [Continuation, Text, Binary, Close, Ping, Pong].into_iter().find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// Appends a whole frame of the server's.
pub fn encode(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode as u8);
    let length = payload.len();
    if let Some(short) = u8::try_from(length).ok().filter(|n| *n < 126) {
        out.push(short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.push(126);
        out.extend(medium.to_be_bytes());
    } else {
        out.push(127);
        out.extend((length as u64).to_be_bytes());
    }
    out.extend_from_slice(payload);
}

/// Appends a close frame.
pub fn encode_close(code: u16, out: &mut Vec<u8>) {
    encode(Opcode::Close, &code.to_be_bytes(), out);
}

/// Takes a client's bytes apart. Between messages it holds no memory.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    /// Bytes that were fed and not taken yet; those before `taken` are done with.
    buffer: Vec<u8>,
    taken: usize,
    /// The message of which some fragments are here.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    opcode: Opcode,
    payload: Vec<u8>,
    fragments: usize,
}

struct Head {
    last: bool,
    opcode: Opcode,
    mask: [u8; 4],
    /// Where the payload starts, and how long it is.
    start: usize,
    length: usize,
}

impl Decoder {
    /// A decoder that lets messages of up to `max_message` bytes through.
    pub fn new(max_message: usize) -> Self {
        Self { max_message, buffer: Vec::new(), taken: 0, partial: None }
    }

    /// Adds what was read.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message or control frame, if all of it is here. After a violation nothing more can be read.
    pub fn decode(&mut self) -> Result<Option<Incoming>, Violation> {
        loop {
            let Some(head) = self.head()? else { return Ok(None) };
            let input = &mut self.buffer[self.taken..];
            if input.len() < head.start + head.length {
                return Ok(None);
            }
            let payload = &mut input[head.start..head.start + head.length];
            unmask(payload, head.mask);
            let payload = payload.to_vec();
            self.taken += head.start + head.length;
            if self.taken == self.buffer.len() {
                self.buffer = Vec::new();
                self.taken = 0;
            }
            if let Some(incoming) = self.accept(&head, payload)? {
                return Ok(Some(incoming));
            }
        }
    }

    /// The head of the next frame, checked; `None` when it is not all here.
    fn head(&self) -> Result<Option<Head>, Violation> {
        let input = &self.buffer[self.taken..];
        let [first, second, rest @ ..] = input else { return Ok(None) };
        let opcode = Opcode::from_bits(first & 0x0F).ok_or(Violation::Protocol)?;
        let (last, masked) = (first & 0x80 != 0, second & 0x80 != 0);
        if first & 0x70 != 0 || !masked {
            return Err(Violation::Protocol);
        }
        let (length, start) = match (second & 0x7F, rest.first_chunk::<2>(), rest.first_chunk::<8>()) {
            (126, Some(medium), _) => (u64::from(u16::from_be_bytes(*medium)), 4),
            (127, _, Some(long)) => (u64::from_be_bytes(*long), 10),
            (126 | 127, ..) => return Ok(None),
            (short, ..) => (u64::from(short), 2),
        };
        let length = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        if opcode.is_control() && (length > MAX_CONTROL || !last) {
            return Err(Violation::Protocol);
        }
        let before = self.partial.as_ref().map_or(0, |partial| partial.payload.len());
        if !opcode.is_control() && length > self.max_message.saturating_sub(before) {
            return Err(Violation::TooLarge);
        }
        let Some(mask) = input.get(start..start + 4).and_then(|bytes| bytes.try_into().ok()) else {
            return Ok(None);
        };
        Ok(Some(Head { last, opcode, mask, start: start + 4, length }))
    }

    fn accept(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Incoming>, Violation> {
        match head.opcode {
            Opcode::Ping => Ok(Some(Incoming::Ping(payload))),
            Opcode::Pong => Ok(Some(Incoming::Pong)),
            Opcode::Close => closed(&payload).map(Some),
            Opcode::Continuation => {
                let mut partial = self.partial.take().ok_or(Violation::Protocol)?;
                partial.payload.extend_from_slice(&payload);
                partial.fragments += 1;
                if partial.fragments > MAX_FRAGMENTS {
                    return Err(Violation::TooLarge);
                }
                if head.last {
                    return message(partial.opcode, partial.payload).map(Some);
                }
                self.partial = Some(partial);
                Ok(None)
            }
            Opcode::Text | Opcode::Binary => {
                if self.partial.is_some() {
                    return Err(Violation::Protocol);
                }
                if head.last {
                    return message(head.opcode, payload).map(Some);
                }
                self.partial = Some(Partial { opcode: head.opcode, payload, fragments: 1 });
                Ok(None)
            }
        }
    }
}

fn message(opcode: Opcode, payload: Vec<u8>) -> Result<Incoming, Violation> {
    if opcode == Opcode::Text {
        String::from_utf8(payload).map(Incoming::Text).map_err(|_| Violation::NotUtf8)
    } else {
        Ok(Incoming::Binary(payload))
    }
}

/// A close frame's payload: nothing, or a code and a reason in UTF-8 (5.5.1).
fn closed(payload: &[u8]) -> Result<Incoming, Violation> {
    match payload {
        [] => Ok(Incoming::Close(None)),
        [_] => Err(Violation::Protocol),
        [a, b, reason @ ..] => {
            std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
            let code = u16::from_be_bytes([*a, *b]);
            // What may stand in a close frame: 7.4.
            if matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                Ok(Incoming::Close(Some(code)))
            } else {
                Err(Violation::Protocol)
            }
        }
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 100_000;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        encode(Opcode::Text, payload, &mut frame);
        frame[0] = first;
        frame[1] |= 0x80;
        let at = frame.len() - payload.len();
        let mask = [1, 2, 3, 4];
        unmask(&mut frame[at..], mask);
        frame.splice(at..at, mask);
        frame
    }

    fn decode(bytes: &[u8]) -> Result<Vec<Incoming>, Violation> {
        let mut decoder = Decoder::new(MAX);
        decoder.feed(bytes);
        std::iter::from_fn(|| decoder.decode().transpose()).collect()
    }

    #[test]
    fn messages_may_come_in_fragments_with_control_frames_between() {
        let bytes =
            [masked(0x01, b"he"), masked(0x89, b"?"), masked(0x00, b"ll"), masked(0x80, b"o")].concat();
        assert_eq!(decode(&bytes), Ok(vec![Incoming::Ping(b"?".to_vec()), Incoming::Text("hello".into())]));
    }

    #[test]
    fn what_the_rfc_forbids_is_a_violation() {
        let unmasked = {
            let mut frame = Vec::new();
            encode(Opcode::Text, b"x", &mut frame);
            frame
        };
        for bad in [
            unmasked,
            masked(0xC1, b"x"),                                // a reserved bit
            masked(0x83, b"x"),                                // a reserved opcode
            masked(0x80, b"x"),                                // a continuation of nothing
            masked(0x09, b"x"),                                // a control frame in fragments
            masked(0x88, &[3]),                                // half a close code
            masked(0x88, &[3, 0xED]),                          // 1005 is never sent
            [masked(0x01, b"x"), masked(0x81, b"y")].concat(), // a message within a message
        ] {
            assert_eq!(decode(&bad), Err(Violation::Protocol), "{bad:x?}");
        }
        assert_eq!(decode(&masked(0x81, &[0xFF])), Err(Violation::NotUtf8));
        let long_ping = masked(0x89, &[0; 126]);
        assert_eq!(decode(&long_ping), Err(Violation::Protocol));
    }

    #[test]
    fn what_is_too_large_is_refused_by_its_head_alone() {
        let frame = masked(0x82, &vec![0; MAX + 1]);
        assert_eq!(decode(&frame[..14]), Err(Violation::TooLarge));
        let parts = [masked(0x02, &vec![0; MAX]), masked(0x80, &[0])].concat();
        assert_eq!(decode(&parts), Err(Violation::TooLarge));
        assert_eq!(decode(&masked(0x82, &vec![7; MAX])), Ok(vec![Incoming::Binary(vec![7; MAX])]));
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_messages(
            texts in proptest::collection::vec("\\PC{0,200}", 1..10),
            cuts in proptest::collection::vec(1usize..300, 1..50),
        ) {
            let bytes: Vec<u8> = texts.iter().flat_map(|text| masked(0x81, text.as_bytes())).collect();
            let mut decoder = Decoder::new(MAX);
            let (mut got, mut rest, mut cut) = (Vec::new(), &bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                decoder.feed(now);
                rest = later;
                while let Some(incoming) = decoder.decode().unwrap() {
                    got.push(incoming);
                }
            }
            let expected: Vec<_> = texts.into_iter().map(Incoming::Text).collect();
            prop_assert_eq!(got, expected);
            prop_assert_eq!(decoder.buffer.capacity(), 0);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
