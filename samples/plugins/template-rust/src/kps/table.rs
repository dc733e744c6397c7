//! The functions in the plugin's table, over the traits. Errors and panics end here: the host gets a code and a text.
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};

use super::abi::*;
use super::{Batch, Connector, Consumer, Egress, Failure, Host, Ingress, Producer, Result, Stream};

/// Runs `body`; its error, or its panic, becomes what the host reads.
unsafe fn guarded(error: *mut Error, body: impl FnOnce() -> Result<()>) -> i32 {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return KPS_OK,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::new(KPS_INTERNAL, "the plugin panicked: its reason is on stderr"),
    };
    if let Some(error) = error.as_mut() {
        let mut size = failure.text.len().min(ERROR_TEXT_MAX);
        while !failure.text.is_char_boundary(size) {
            size -= 1;
        }
        error.code = failure.code;
        error.text[..size].copy_from_slice(&failure.text.as_bytes()[..size]);
        error.text_size = size as u32;
    }
    failure.code
}

/// Hands an object to the host, which gives it back to `destroy`.
fn owned_by_host<T>(object: T) -> *mut c_void {
    Box::into_raw(Box::new(object)) as *mut c_void
}

unsafe fn destroy<T>(object: *mut c_void) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(object as *mut T))));
}

unsafe fn stream_of(stream: *const StreamTable) -> Result<Stream> {
    let stream = &*stream;
    Ok(Stream {
        id: stream.id.text()?,
        channel: stream.channel.text()?,
        metadata_json: stream.metadata_json.text()?,
        wake_fd: stream.wake_fd,
    })
}

pub unsafe extern "C" fn create_connector<C: Connector>(
    host: *const HostTable,
    static_json: Str,
    config_json: Str,
    out: *mut *mut c_void,
    error: *mut Error,
) -> i32 {
    guarded(error, || {
        *out = owned_by_host(C::new(
            Host(host),
            &static_json.text()?,
            &config_json.text()?,
        )?);
        Ok(())
    })
}

pub unsafe extern "C" fn destroy_connector<C: Connector>(connector: *mut c_void) {
    destroy::<C>(connector);
}

/// A consumer, and what it has handed over: that stays until the next call of next_msg.
struct ConsumerSlot<C> {
    consumer: C,
    batch: Batch,
    token: u64,
}

pub unsafe extern "C" fn create_consumer<C: Ingress>(
    connector: *mut c_void,
    stream: *const StreamTable,
    resume: Bytes,
    out: *mut *mut c_void,
    error: *mut Error,
) -> i32 {
    guarded(error, || {
        let connector = &*(connector as *const C);
        let consumer =
            connector.create_consumer(&stream_of(stream)?, bytes_of(resume.data, resume.size))?;
        *out = owned_by_host(ConsumerSlot {
            consumer,
            batch: Batch::default(),
            token: 0,
        });
        Ok(())
    })
}

pub unsafe extern "C" fn destroy_consumer<C: Ingress>(consumer: *mut c_void) {
    destroy::<ConsumerSlot<C::Consumer>>(consumer);
}

pub unsafe extern "C" fn next_msg<C: Ingress>(
    consumer: *mut c_void,
    limits: *const Limits,
    timeout_ms: u32,
    out: *mut BatchTable,
    error: *mut Error,
) -> i32 {
    guarded(error, || {
        let slot = &mut *(consumer as *mut ConsumerSlot<C::Consumer>);
        slot.batch.payloads.clear();
        slot.batch.messages_max = (*limits).messages_max as usize;
        slot.batch.bytes_max = (*limits).bytes_max;
        slot.consumer
            .next(&mut slot.batch, Duration::from_millis(timeout_ms.into()))?;
        if slot.batch.payloads.is_empty() {
            return Ok(());
        }
        let message = |payload: &Vec<u8>| Message {
            payload: Bytes::of(payload),
            timestamp_ns: 0,
            id: Bytes::of(&[]),
        };
        slot.batch.messages = slot.batch.payloads.iter().map(message).collect();
        slot.token += 1;
        let out = &mut *out;
        out.message_stride = std::mem::size_of::<Message>() as u32;
        out.messages = slot.batch.messages.as_ptr();
        out.message_count = slot.batch.messages.len();
        out.position = Bytes::of(&slot.batch.position);
        out.token = slot.token;
        Ok(())
    })
}

pub unsafe extern "C" fn create_producer<C: Egress>(
    connector: *mut c_void,
    stream: *const StreamTable,
    out: *mut *mut c_void,
    error: *mut Error,
) -> i32 {
    guarded(error, || {
        let connector = &*(connector as *const C);
        *out = owned_by_host(connector.create_producer(&stream_of(stream)?)?);
        Ok(())
    })
}

pub unsafe extern "C" fn destroy_producer<C: Egress>(producer: *mut c_void) {
    destroy::<C::Producer>(producer);
}

pub unsafe extern "C" fn produce<C: Egress>(
    producer: *mut c_void,
    messages: *const Message,
    message_count: usize,
    message_stride: u32,
    timeout_ms: u32,
    taken: *mut usize,
    error: *mut Error,
) -> i32 {
    *taken = 0;
    guarded(error, || {
        let producer = &mut *(producer as *mut C::Producer);
        let deadline = Instant::now() + Duration::from_millis(timeout_ms.into());
        while *taken < message_count {
            // By the stride: the messages of a later host may be larger than these.
            let message =
                &*((messages as *const u8).add(*taken * message_stride as usize) as *const Message);
            let left = deadline.saturating_duration_since(Instant::now());
            if !producer.take(bytes_of(message.payload.data, message.payload.size), left)? {
                break;
            }
            *taken += 1;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let mut error = Error {
            struct_size: 1024,
            code: 0,
            retry_after_ms: 0,
            text_size: 0,
            text: [0; ERROR_TEXT_MAX],
        };
        assert_eq!(
            unsafe { guarded(&mut error, || panic!("on purpose")) },
            KPS_INTERNAL
        );
        assert_eq!(error.code, KPS_INTERNAL);
        assert!(error.text_size > 0);
    }
}
