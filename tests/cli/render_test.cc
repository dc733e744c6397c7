#include "cli/render.h"

#include <gtest/gtest.h>

#include "kps/host/v1/plugin.pb.h"
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

TEST(Render, PluginTableHasOneRowForEachThingThatIsKnown) {
  const char* const known = R"("name":"mqtt","version":"1.2.3","file":"/p/mqtt.so","loadedFile":"/t/mqtt.2.so",
      "sha256":"ab","generation":"2","loadedAt":"2026-01-02T03:04:05.006Z","resident":"1","residentMax":"64",
      "watching":true,"swaps":"1")";
  const auto status = FromJson<host::v1::PluginStatus>(std::string("{") + known + "}");
  EXPECT_EQ(PluginTable(status, 0),
            "PLUGIN       mqtt 1.2.3\n"
            "generation   2\n"
            "file         /p/mqtt.so (watched)\n"
            "loaded from  /t/mqtt.2.so\n"
            "loaded at    2026-01-02T03:04:05.006Z\n"
            "build id     -\n"
            "sha256       ab\n"
            "resident     1 of at most 64\n"
            "swaps        1, 0 failed\n");
  const auto swapped = FromJson<host::v1::PluginStatus>(std::string("{") + known + R"(,"failures":"3",
      "lastSwap":{"at":"2026-01-02T03:04:05Z","fromVersion":"1.2.2","toVersion":"1.2.3","streams":"7",
                  "pauseMax":"1.0025s","dropped":"4"},
      "lastFailure":{"at":"2026-01-02T03:04:06Z","reason":"is no\nplugin"}})");
  const std::string table = PluginTable(swapped, 0);
  EXPECT_NE(
      table.find("swaps         1, 3 failed\n"
                 "last swap     2026-01-02T03:04:05.000Z 1.2.2 -> 1.2.3, 7 streams, pause 1002.5 ms, messages lost 4\n"
                 "last failure  2026-01-02T03:04:06.000Z is no plugin\n"),
      std::string::npos)
      << table;
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
