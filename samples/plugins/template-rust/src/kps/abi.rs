//! The plugin ABI, version 1, as the headers kps/*.h have it; kps/plugin.h says what each function has to do. Its layouts
//! are frozen: a plugin that is built once goes on working with later hosts.
use std::os::raw::{c_char, c_void};

use super::table::{create_connector, destroy_connector};
use super::{Connector, Failure, Result};

pub const KPS_ABI_VERSION: u32 = 1;
pub const KPS_DIRECTIONS_INGRESS: u32 = 1;
pub const KPS_DIRECTIONS_EGRESS: u32 = 2;

pub const KPS_LOG_DEBUG: i32 = 1;
pub const KPS_LOG_INFO: i32 = 2;
pub const KPS_LOG_WARN: i32 = 3;
pub const KPS_LOG_ERROR: i32 = 4;

pub const KPS_OK: i32 = 1;
pub const KPS_INVALID_ARGUMENT: i32 = 4;
pub const KPS_NOT_FOUND: i32 = 6;
pub const KPS_PERMISSION_DENIED: i32 = 8;
pub const KPS_RESOURCE_EXHAUSTED: i32 = 10;
pub const KPS_INTERNAL: i32 = 15;
pub const KPS_UNAVAILABLE: i32 = 16;
pub const KPS_DATA_LOSS: i32 = 17;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub data: *const c_char,
    pub size: usize,
}

impl Str {
    /// Borrows: `text` has to outlive what reads it.
    pub const fn of(text: &str) -> Self {
        Str {
            data: text.as_ptr() as *const c_char,
            size: text.len(),
        }
    }
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        bytes_of(self.data as *const u8, self.size)
    }
    pub unsafe fn text(self) -> Result<String> {
        let invalid = |_| Failure::new(KPS_INVALID_ARGUMENT, "the host's text is no UTF-8");
        String::from_utf8(self.bytes().to_vec()).map_err(invalid)
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const u8,
    pub size: usize,
}

impl Bytes {
    pub fn of(bytes: &[u8]) -> Self {
        Bytes {
            data: bytes.as_ptr(),
            size: bytes.len(),
        }
    }
}

/// NULL stands for no bytes.
pub unsafe fn bytes_of<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data, size)
}

pub const ERROR_TEXT_MAX: usize = 1008;

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: i32,
    pub retry_after_ms: u32,
    pub text_size: u32,
    pub text: [u8; ERROR_TEXT_MAX],
}

#[repr(C)]
pub struct HostTable {
    pub struct_size: u32,
    pub abi_version: u32,
    pub context: *mut c_void,
    pub log: Option<unsafe extern "C" fn(*mut c_void, i32, Str, Str)>,
    pub raise_alert: Option<unsafe extern "C" fn(*mut c_void, Str, Str, Str, i32, i32, Str)>,
    pub set_status: Option<unsafe extern "C" fn(*mut c_void, Str, Str, Str, i32, Str)>,
    pub counter_add: Option<unsafe extern "C" fn(*mut c_void, Str, Str, u64)>,
    pub gauge_set: Option<unsafe extern "C" fn(*mut c_void, Str, Str, f64)>,
    pub should_stop: Option<unsafe extern "C" fn(*mut c_void, Str) -> i32>,
}

#[repr(C)]
pub struct StreamTable {
    pub struct_size: u32,
    pub direction: i32,
    pub id: Str,
    pub channel: Str,
    pub metadata_json: Str,
    pub wake_fd: i32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Message {
    pub payload: Bytes,
    pub timestamp_ns: i64,
    pub id: Bytes,
}

#[repr(C)]
pub struct Limits {
    pub struct_size: u32,
    pub messages_max: u32,
    pub bytes_max: u64,
}

#[repr(C)]
pub struct BatchTable {
    pub struct_size: u32,
    pub message_stride: u32,
    pub messages: *const Message,
    pub message_count: usize,
    pub position: Bytes,
    pub token: u64,
    pub release: Option<unsafe extern "C" fn(*mut c_void)>,
    pub release_context: *mut c_void,
}

type CreateConnector =
    unsafe extern "C" fn(*const HostTable, Str, Str, *mut *mut c_void, *mut Error) -> i32;
type Configure = unsafe extern "C" fn(*mut c_void, Str, *mut i32, *mut Error) -> i32;
type Discover = unsafe extern "C" fn(*mut c_void, *const c_void, u32, *mut Error) -> i32;
type CreateConsumer = unsafe extern "C" fn(
    *mut c_void,
    *const StreamTable,
    Bytes,
    *mut *mut c_void,
    *mut Error,
) -> i32;
type NextMsg =
    unsafe extern "C" fn(*mut c_void, *const Limits, u32, *mut BatchTable, *mut Error) -> i32;
type Ack = unsafe extern "C" fn(*mut c_void, u64, *mut Error) -> i32;
type CreateProducer =
    unsafe extern "C" fn(*mut c_void, *const StreamTable, *mut *mut c_void, *mut Error) -> i32;
type Produce = unsafe extern "C" fn(
    *mut c_void,
    *const Message,
    usize,
    u32,
    u32,
    *mut usize,
    *mut Error,
) -> i32;
type Flush = unsafe extern "C" fn(*mut c_void, u32, *mut Error) -> i32;
type OfObject = unsafe extern "C" fn(*mut c_void);

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_version: u32,
    pub name: Str,
    pub version: Str,
    pub description: Str,
    pub directions: u32,
    pub flags: u32,
    pub static_schema: Str,
    pub config_schema: Str,
    pub stream_schema: Str,
    pub create_connector: Option<CreateConnector>,
    pub destroy_connector: Option<OfObject>,
    pub configure: Option<Configure>,
    pub discover: Option<Discover>,
    pub create_consumer: Option<CreateConsumer>,
    pub destroy_consumer: Option<OfObject>,
    pub next_msg: Option<NextMsg>,
    pub ack: Option<Ack>,
    pub create_producer: Option<CreateProducer>,
    pub destroy_producer: Option<OfObject>,
    pub produce: Option<Produce>,
    pub flush: Option<Flush>,
    pub wake_consumer: Option<OfObject>,
    pub wake_producer: Option<OfObject>,
    pub get_extension: Option<unsafe extern "C" fn(*const c_char) -> *const c_void>,
}

unsafe impl Sync for Plugin {} // it never changes

impl Plugin {
    /// The table of a plugin without streams, to be completed.
    pub const fn of<C: Connector>(
        name: &'static str,
        version: &'static str,
        description: &'static str,
    ) -> Self {
        Plugin {
            struct_size: std::mem::size_of::<Plugin>() as u32,
            abi_version: KPS_ABI_VERSION,
            name: Str::of(name),
            version: Str::of(version),
            description: Str::of(description),
            directions: 0,
            flags: 0,
            static_schema: Str::of(""),
            config_schema: Str::of(""),
            stream_schema: Str::of(""),
            create_connector: Some(create_connector::<C>),
            destroy_connector: Some(destroy_connector::<C>),
            configure: None, // the host makes a new connector
            discover: None,
            create_consumer: None,
            destroy_consumer: None,
            next_msg: None,
            ack: None,
            create_producer: None,
            destroy_producer: None,
            produce: None,
            flush: None,
            wake_consumer: None,
            wake_producer: None,
            get_extension: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! offset_of {
        ($type:ty, $field:ident) => {{
            let place = std::mem::MaybeUninit::<$type>::uninit();
            let field = unsafe { std::ptr::addr_of!((*place.as_ptr()).$field) };
            field as usize - place.as_ptr() as usize
        }};
    }

    #[test]
    fn layouts_are_those_of_the_headers() {
        assert_eq!(std::mem::size_of::<Error>(), 1024);
        assert_eq!(offset_of!(HostTable, should_stop), 56);
        assert_eq!(offset_of!(StreamTable, wake_fd), 56);
        assert_eq!(offset_of!(Message, id), 24);
        assert_eq!(offset_of!(Limits, bytes_max), 8);
        assert_eq!(offset_of!(BatchTable, release_context), 56);
        assert_eq!(offset_of!(Plugin, create_connector), 112);
        assert_eq!(offset_of!(Plugin, get_extension), 224);
    }
}
