// The events that clients of the contract know: names, texts, severities and states are fixed. This is the one place
// where they stand; README.md and the tests are checked against it.
#pragma once

#include <array>
#include <string_view>

#include "host/core/event.h"

namespace kps {

struct KnownEvent {
  EventKind kind;
  std::string_view id;
  std::string_view message;
  Severity severity;  // of alerts
  State state;
  std::string_view when;  // for people
};

inline constexpr KnownEvent kTransportPublishFailed{
    EventKind::kAlert,
    "transportPublishFailed",
    "failed to publish message on transport",
    Severity::kCritical,
    State::kFailed,
    "messages of an ingress stream cannot be published; gone when they can"};
inline constexpr KnownEvent kTransportSubscribeFailed{EventKind::kAlert,
                                                      "transportSubscribeFailed",
                                                      "failed to subscribe to transport",
                                                      Severity::kCritical,
                                                      State::kFailed,
                                                      "an egress stream cannot receive its channel; gone when it can"};
inline constexpr KnownEvent kTransportUnsubscribeFailed{
    EventKind::kAlert,
    "transportUnsubscribeFailed",
    "failed to unsubscribe from transport",
    Severity::kCritical,
    State::kFailed,
    "known to clients; this host has no cause for it: what ends with a stream is not asked of the transport"};
inline constexpr KnownEvent kStreamStarted{
    EventKind::kStatus,     "streamStarted",     "stream has successfully started",
    Severity::kUnspecified, State::kProvisioned, "the plugin has made the stream's consumer or producer"};
inline constexpr KnownEvent kStreamHealthy{
    EventKind::kStatus,     "streamHealthy", "stream is healthy",
    Severity::kUnspecified, State::kHealthy, "the stream carries messages; takes the place of streamUnhealthy"};
inline constexpr KnownEvent kStreamUnhealthy{
    EventKind::kStatus,     "streamUnhealthy", "stream is unhealthy",
    Severity::kUnspecified, State::kUnhealthy, "something is in its way; takes the place of streamHealthy"};

inline constexpr std::array kKnownEvents{
    kTransportPublishFailed, kTransportSubscribeFailed, kTransportUnsubscribeFailed, kStreamStarted,
    kStreamHealthy,          kStreamUnhealthy};

// Keys of their metadata.
inline constexpr std::string_view kErrorMessageKey = "ErrorMessage";
inline constexpr std::string_view kStreamIdKey = "StreamID";
inline constexpr std::string_view kExtraMessageKey = "ExtraMessage";

}  // namespace kps
