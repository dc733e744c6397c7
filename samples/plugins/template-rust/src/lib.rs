//! A whole connector plugin: replace what its types do. src/kps.rs stands between it and the C ABI.
mod kps;

use kps::*;
use std::time::Duration;
// begin INGRESS
use std::time::Instant;
// end INGRESS

// JSON Schemas (draft 4). The host validates against them before it calls the plugin.
const CONFIG_SCHEMA: &str =
    r#"{"type": "object", "additionalProperties": false, "properties": {}}"#;
const STREAM_SCHEMA: &str = concat!(
    r#"{"type": "object", "additionalProperties": false, "properties": {"#,
    // begin INGRESS
    r#""intervalMs": {"type": "integer", "minimum": 1, "maximum": 3600000, "default": 1000,"#,
    r#" "description": "INGRESS: milliseconds between two ticks"}"#,
    // end INGRESS
    "}}"
);

// begin INGRESS
/// One consumer runs one INGRESS stream, on a thread of its own.
struct Ticker {
    wake_fd: i32,
    interval: Duration,
    number: u64,
    due: Instant,
}

impl Consumer for Ticker {
    /// Never waits longer than `timeout`, and returns at once when the host makes wake_fd readable.
    fn next(&mut self, batch: &mut Batch, timeout: Duration) -> Result<()> {
        if !wait_until(self.due, self.wake_fd, timeout)? {
            return Ok(());
        }
        self.due = Instant::now() + self.interval;
        self.number += 1;
        batch.add(format!("tick {}", self.number));
        batch.set_position(self.number.to_string());
        Ok(())
    }
}

/// Reads the one key that the schema allows. A plugin with more keys takes a JSON crate.
fn interval_of(metadata_json: &str) -> Option<Duration> {
    let json = if metadata_json.is_empty() {
        "{}"
    } else {
        metadata_json
    };
    let members = json.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    if members.is_empty() {
        return Some(Duration::from_millis(1000));
    }
    let value = members
        .strip_prefix("\"intervalMs\"")?
        .trim_start()
        .strip_prefix(':')?;
    let ms: f64 = value.trim().parse().ok()?; // the platform's numbers are floating point
    (1.0..=3_600_000.0)
        .contains(&ms)
        .then(|| Duration::from_millis(ms as u64))
}

// end INGRESS
// begin EGRESS
/// One producer runs one EGRESS stream.
struct Counter {
    host: Host,
    stream_id: String,
}

impl Producer for Counter {
    /// false: again later. An error is about this message: KPS_UNAVAILABLE is tried again, KPS_INVALID_ARGUMENT is not.
    fn take(&mut self, message: &[u8], _timeout: Duration) -> Result<bool> {
        self.host.counter_add(&self.stream_id, "received_total", 1);
        self.host.counter_add(
            &self.stream_id,
            "received_bytes_total",
            message.len() as u64,
        );
        Ok(true)
    }
}

// end EGRESS
/// What the streams share, also several threads at once: parameters of the deployment, the config, a connection.
struct TheConnector {
    host: Host,
}

impl Connector for TheConnector {
    fn new(host: Host, _static_json: &str, _config_json: &str) -> Result<Self> {
        Ok(TheConnector { host })
    }
}

// begin INGRESS
impl Ingress for TheConnector {
    type Consumer = Ticker;

    fn create_consumer(&self, stream: &Stream, position: &[u8]) -> Result<Ticker> {
        let interval = interval_of(&stream.metadata_json).ok_or_else(|| {
            let text = "metadata: \"intervalMs\" from 1 to 3600000 is all there may be";
            Failure::new(KPS_INVALID_ARGUMENT, text)
        })?;
        let number = number_of_position(position)?;
        self.host.log(
            KPS_LOG_DEBUG,
            &stream.id,
            &format!("goes on after tick {number}"),
        );
        Ok(Ticker {
            wake_fd: stream.wake_fd,
            interval,
            number,
            due: Instant::now(),
        })
    }
}

// end INGRESS
// begin EGRESS
impl Egress for TheConnector {
    type Producer = Counter;

    fn create_producer(&self, stream: &Stream) -> Result<Counter> {
        Ok(Counter {
            host: self.host,
            stream_id: stream.id.clone(),
        })
    }
}

// end EGRESS
static PLUGIN: Plugin = Plugin {
    directions: KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS,
    config_schema: Str::of(CONFIG_SCHEMA),
    stream_schema: Str::of(STREAM_SCHEMA),
    // begin INGRESS
    create_consumer: Some(create_consumer::<TheConnector>),
    destroy_consumer: Some(destroy_consumer::<TheConnector>),
    next_msg: Some(next_msg::<TheConnector>),
    // end INGRESS
    // begin EGRESS
    create_producer: Some(create_producer::<TheConnector>),
    destroy_producer: Some(destroy_producer::<TheConnector>),
    produce: Some(produce::<TheConnector>),
    // end EGRESS
    ..Plugin::of::<TheConnector>(
        env!("CARGO_PKG_NAME"), // also the name of the file, without .so
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_DESCRIPTION"),
    )
};

/// The one symbol that the library exports.
#[no_mangle]
pub extern "C" fn kps_plugin_v1(host_abi_version: u32) -> *const Plugin {
    if host_abi_version == KPS_ABI_VERSION {
        &PLUGIN
    } else {
        std::ptr::null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector() -> TheConnector {
        TheConnector::new(Host::none(), "{}", "{}").unwrap()
    }

    fn stream(metadata_json: &str) -> Stream {
        Stream {
            id: "s".into(),
            channel: "c".into(),
            metadata_json: metadata_json.into(),
            wake_fd: -1,
        }
    }

    // begin INGRESS
    #[test]
    fn a_stream_goes_on_where_it_was() {
        let mut position = Vec::new();
        for expected in ["tick 1", "tick 2"] {
            let mut batch = Batch::default();
            let mut consumer = connector()
                .create_consumer(&stream("{\"intervalMs\": 1}"), &position)
                .unwrap();
            consumer.next(&mut batch, Duration::from_secs(1)).unwrap();
            assert_eq!(batch.payloads(), [expected.as_bytes()]);
            position = batch.position().to_vec();
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for metadata in [
            "x",
            "{\"intervalMs\": 0}",
            "{\"interval\": 1}",
            "{\"intervalMs\": 1, \"x\": 2}",
        ] {
            let failure = connector()
                .create_consumer(&stream(metadata), b"")
                .err()
                .expect(metadata);
            assert_eq!(failure.code, KPS_INVALID_ARGUMENT);
        }
        assert_eq!(
            connector()
                .create_consumer(&stream("{}"), b"x")
                .err()
                .unwrap()
                .code,
            KPS_DATA_LOSS
        );
    }

    // end INGRESS
    // begin EGRESS
    #[test]
    fn every_message_is_taken() {
        let mut producer = connector().create_producer(&stream("{}")).unwrap();
        assert!(producer.take(b"a", Duration::ZERO).unwrap());
    }
    // end EGRESS
}
