#include "cli/render.h"

#include <gtest/gtest.h>

#include "tests/cli/fake_connector.h"

namespace kps::cli {
namespace {

constexpr char kStreams[] = R"({"payloads":[
  {"stream":{"id":"a","direction":"STREAM_DIRECTION_INGRESS","subscribed":true,"transportChannel":"in.a",
             "metadata":{"z":1883,"b":[0.5,true,null],"a":"ü"}}},
  {"stream":{"id":"longer","direction":"STREAM_DIRECTION_EGRESS","transportChannel":"out"}},
  {"stream":{"id":"c","direction":"STREAM_DIRECTION_INGRESS","discovered":true}}]})";

TEST(Render, StreamsTable) {
  EXPECT_EQ(StreamsTable(FromJson<v1::GetPayloadResponse>(kStreams), 0),
            "ID      DIRECTION  CHANNEL  STATE       METADATA\n"
            "a       INGRESS    in.a     running     {\"a\":\"ü\",\"b\":[0.5,true,null],\"z\":1883}\n"
            "longer  EGRESS     out      waiting     {}\n"
            "c       INGRESS    -        discovered  {}\n");
}

TEST(Render, RowIsCutAtTheTerminalsWidthInCharacters) {
  EXPECT_EQ(StreamsTable(FromJson<v1::GetPayloadResponse>(kStreams), 50),
            "ID      DIRECTION  CHANNEL  STATE       METADATA\n"
            "a       INGRESS    in.a     running     {\"a\":\"ü\",…\n"
            "longer  EGRESS     out      waiting     {}\n"
            "c       INGRESS    -        discovered  {}\n");
}

TEST(Render, ConfigTableIsSorted) {
  EXPECT_EQ(ConfigTable(FromJson<v1::GetPayloadResponse>(
                            R"({"payloads":[{"config":{"metadata":{"port":1883,"host":"h","on":false}}}]})"),
                        0),
            "KEY   VALUE\n"
            "host  \"h\"\n"
            "on    false\n"
            "port  1883\n");
}

TEST(Render, EventsShowTheErrorBesideTheMessage) {
  const auto alert = FromJson<v1::EventPayload>(
      R"({"alert":{"id":"transportPublishFailed","streamId":"a","message":"failed to publish","state":"STATE_FAILED",
          "severity":"SEVERITY_CRITICAL","createdAt":"2026-01-02T03:04:05.006Z",
          "metadata":{"ErrorMessage":"no\nserver"}}})");
  const auto status = FromJson<v1::EventPayload>(
      R"({"status":{"id":"streamHealthy","streamId":"a","message":"stream is healthy","state":"STATE_HEALTHY"}})");
  Table table = EventsTable(0);
  EXPECT_EQ(table.Print({EventRow(alert)}),
            "TIME                      KIND   ID                      STREAM  STATE   SEVERITY  MESSAGE\n"
            "2026-01-02T03:04:05.006Z  alert  transportPublishFailed  a       FAILED  CRITICAL  failed to publish: no "
            "server\n");
  EXPECT_EQ(table.Print({EventRow(status)}),
            "-                         status  streamHealthy           a       HEALTHY  -         stream is healthy\n");
  EXPECT_EQ(table.Print({}), "");
}

TEST(Render, ControlCharactersDoNotReachTheTerminal) { EXPECT_EQ(Printable("a\x1b[31m\nb\x7f"), "a [31m b "); }

TEST(Render, JsonHasEveryField) {
  const auto response = FromJson<v1::GetPayloadResponse>(R"({"payloads":[{"stream":{"id":"a"}}]})");
  EXPECT_EQ(JsonLine(response).value(),
            "{\"payloads\":[{\"stream\":{\"id\":\"a\",\"subscribed\":false,\"discovered\":false,"
            "\"direction\":\"STREAM_DIRECTION_UNSPECIFIED\",\"transportChannel\":\"\"}}]}\n");
}

}  // namespace
}  // namespace kps::cli
