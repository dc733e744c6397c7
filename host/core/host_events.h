// The events that the host raises besides those that clients of the contract know.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/known_events.h"

namespace kps {

inline Event MakeEvent(const KnownEvent& known, std::string stream_id, std::string metadata_json) {
  return {known.kind,
          std::string(known.id),
          std::move(stream_id),
          std::string(known.message),
          known.severity,
          known.state,
          0,
          std::move(metadata_json)};
}

inline constexpr KnownEvent kStreamFailed{
    EventKind::kAlert,   "streamFailed", "stream has failed",
    Severity::kCritical, State::kFailed, "an error that does not pass by itself; it waits for the next SetPayload"};

inline constexpr KnownEvent kTransportDurability{
    EventKind::kStatus,
    "transportDurability",
    "which faults a confirm of the transport survives",
    Severity::kUnspecified,
    State::kUnspecified,
    "over JetStream; the message names the storage and the replicas of the stream"};

// About single messages. They stay, as somebody should know, but the stream itself goes on: its state is not theirs.
inline constexpr KnownEvent kMessageUndeliverable{
    EventKind::kAlert,
    "messageUndeliverable",
    "a message can never be delivered",
    Severity::kCritical,
    State::kUnspecified,
    "once or more since the stream was set: the metadata say why, what became of it, and how many there were"};
inline constexpr KnownEvent kEnvelopeMalformed{
    EventKind::kAlert,  "envelopeMalformed", "a message on the channel is no envelope",
    Severity::kWarning, State::kUnspecified, "once or more since the stream was set"};
inline constexpr KnownEvent kTransportMessagesDropped{
    EventKind::kAlert,
    "transportMessagesDropped",
    "messages were dropped because the stream is slower than its channel",
    Severity::kCritical,
    State::kUnspecified,
    "over core NATS; the number is in the metadata"};

// Of the connector as a whole.
inline constexpr KnownEvent kDiscoveryFailed{
    EventKind::kAlert,  "discoveryFailed", "failed to discover streams",
    Severity::kWarning, State::kUnhealthy, "the plugin could not tell what there is; gone when it can"};

inline constexpr KnownEvent kStateNotSaved{
    EventKind::kAlert,   "stateNotSaved",   "failed to save the state of the streams",
    Severity::kCritical, State::kUnhealthy, "sources are not acknowledged to meanwhile; gone when it is saved again"};
inline constexpr KnownEvent kStateDamaged{
    EventKind::kAlert,   "stateDamaged",      "a file of the state was damaged and was set aside",
    Severity::kCritical, State::kUnspecified, "at the start; its name is in the metadata"};
inline constexpr KnownEvent kStateRefused{
    EventKind::kAlert,   "stateRefused", "the saved streams and config do not fit the plugin",
    Severity::kCritical, State::kFailed, "at the start, with another plugin; they are kept until the next SetPayload"};

inline constexpr KnownEvent kPluginCallLasts{
    EventKind::kAlert,
    "pluginCallLasts",
    "a call of the plugin does not return",
    Severity::kWarning,
    State::kUnhealthy,
    "for 10 s beyond its time, and its stream is unhealthy; gone when it does. The metadata name the function"};

inline constexpr KnownEvent kPluginSwapped{
    EventKind::kStatus,     "pluginSwapped",     "another version of the plugin runs",
    Severity::kUnspecified, State::kUnspecified, "after a swap; the metadata name both versions and their build ids"};
inline constexpr KnownEvent kPluginSwapFailed{
    EventKind::kAlert,
    "pluginSwapFailed",
    "the plugin's file cannot take the place of the version that runs",
    Severity::kWarning,
    State::kUnspecified,
    "the version before goes on, and the metadata say why; gone after a swap, or when the file is again what runs"};

inline constexpr std::array kHostEvents{
    kStreamFailed,    kTransportDurability, kMessageUndeliverable, kEnvelopeMalformed, kTransportMessagesDropped,
    kDiscoveryFailed, kStateNotSaved,       kStateDamaged,         kStateRefused,      kPluginCallLasts,
    kPluginSwapped,   kPluginSwapFailed};

// Whether `id` names an event that the host alone raises, of either kind: a plugin that took it would make it lie.
inline bool IsOfHost(std::string_view id) {
  const auto named = [id](const KnownEvent& known) { return known.id == id; };
  return std::any_of(kKnownEvents.begin(), kKnownEvents.end(), named) ||
         std::any_of(kHostEvents.begin(), kHostEvents.end(), named);
}

}  // namespace kps
