//! What a plugin implements and what it may use: traits over the C ABI, so that the plugin itself is safe Rust.
#![allow(dead_code)] // a plugin uses the part that it needs

mod abi;
mod table;

use std::os::raw::{c_int, c_ulong};
use std::time::{Duration, Instant};

pub use abi::*;
pub use table::*;

/// Why a call failed. The code says whether the host tries again (kps/error.h); the text is what an operator reads.
#[derive(Debug)]
pub struct Failure {
    pub code: i32,
    pub text: String,
}

impl Failure {
    pub fn new(code: i32, text: impl Into<String>) -> Self {
        Failure {
            code,
            text: text.into(),
        }
    }
}

pub type Result<T> = std::result::Result<T, Failure>;

pub trait Connector: Sized + Sync {
    /// The parameters are JSON objects.
    fn new(host: Host, static_json: &str, config_json: &str) -> Result<Self>;
}

pub trait Ingress: Connector {
    type Consumer: Consumer;
    /// `position` is that of the last confirmed batch, or empty.
    fn create_consumer(&self, stream: &Stream, position: &[u8]) -> Result<Self::Consumer>;
}

pub trait Consumer {
    /// Waits up to `timeout` for at least one message, adds what there is, and sets the position after it.
    fn next(&mut self, batch: &mut Batch, timeout: Duration) -> Result<()>;
}

pub trait Egress: Connector {
    type Producer: Producer;
    fn create_producer(&self, stream: &Stream) -> Result<Self::Producer>;
}

pub trait Producer {
    fn take(&mut self, message: &[u8], timeout: Duration) -> Result<bool>;
}

pub struct Stream {
    pub id: String,
    pub channel: String,
    pub metadata_json: String,
    pub wake_fd: i32, // readable when the host wants a call to return
}

/// What `Consumer::next` fills.
#[derive(Default)]
pub struct Batch {
    payloads: Vec<Vec<u8>>,
    position: Vec<u8>,
    messages: Vec<Message>,
    messages_max: usize,
    bytes_max: u64,
}

impl Batch {
    pub fn add(&mut self, payload: impl Into<Vec<u8>>) {
        self.payloads.push(payload.into());
    }
    /// Whether the host wants one more payload of that size now. The first always has room.
    pub fn has_room(&self, size: usize) -> bool {
        let bytes: usize = self.payloads.iter().map(Vec::len).sum();
        let fits =
            self.payloads.len() < self.messages_max && (bytes + size) as u64 <= self.bytes_max;
        fits || self.payloads.is_empty()
    }
    pub fn set_position(&mut self, position: impl Into<Vec<u8>>) {
        self.position = position.into();
    }
    pub fn payloads(&self) -> &[Vec<u8>] {
        &self.payloads
    }
    pub fn position(&self) -> &[u8] {
        &self.position
    }
}

/// The services of the host, for any thread, until the connector is dropped. What it does not offer does nothing.
#[derive(Clone, Copy)]
pub struct Host(*const HostTable);

unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    pub fn none() -> Self {
        Host(std::ptr::null())
    }
    pub fn log(&self, level: i32, stream_id: &str, text: &str) {
        if let Some(host) = unsafe { self.0.as_ref() } {
            if let Some(log) = host.log {
                unsafe { log(host.context, level, Str::of(stream_id), Str::of(text)) }
            }
        }
    }
    pub fn counter_add(&self, stream_id: &str, name: &str, increment: u64) {
        if let Some(host) = unsafe { self.0.as_ref() } {
            if let Some(counter_add) = host.counter_add {
                unsafe { counter_add(host.context, Str::of(stream_id), Str::of(name), increment) }
            }
        }
    }
}

/// A position that is a number, 0 for that of a stream at its start. Nobody should guess what any other means.
pub fn number_of_position(position: &[u8]) -> Result<u64> {
    if position.is_empty() {
        return Ok(0);
    }
    let digits = position.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(position)
        .ok()
        .filter(|_| digits)
        .and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        Failure::new(
            KPS_DATA_LOSS,
            "the position is no number: it is not of this plugin",
        )
    })
}

/// true: `due` has come. false: the time is over, or the host wants the call to return.
pub fn wait_until(due: Instant, wake_fd: i32, timeout: Duration) -> Result<bool> {
    let left = due.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(true);
    }
    // Rounded up, so that it has come when the wait is over.
    let wait_ms = left
        .as_millis()
        .saturating_add(1)
        .min(timeout.as_millis())
        .min(c_int::MAX as u128) as c_int;
    let mut woken = PollFd {
        fd: wake_fd,
        events: POLLIN,
        revents: 0,
    };
    if unsafe { poll(&mut woken, 1, wait_ms) } < 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(Failure::new(KPS_INTERNAL, format!("poll: {error}")));
        }
    }
    Ok(woken.revents == 0 && Instant::now() >= due)
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

const POLLIN: i16 = 1;

extern "C" {
    fn poll(descriptors: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
}
