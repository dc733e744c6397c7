// Every broken plugin gets its code, and a sentence that names the file and what to do.
#include "host/plugin/load.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class NoServices : public HostServices {
 public:
  void Log(LogLevel, std::string_view, std::string_view) override {}
  void Raise(Event) override {}
  void CounterAdd(std::string_view, std::string_view, std::uint64_t) override {}
  void GaugeSet(std::string_view, std::string_view, double) override {}
};

std::string Broken(const std::string& name) { return std::string(KPS_BROKEN_PLUGINS "/") + name + ".so"; }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Case {
  const char* name;
  Code code;
  const char* text;
};

void PrintTo(const Case& test_case, std::ostream* out) { *out << test_case.name; }

class LoadTest : public testing::TestWithParam<Case> {};

TEST_P(LoadTest, IsRefusedWithAReason) {
  const std::string path = Broken(GetParam().name);
  const auto plugin = LoadPlugin(path);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().code(), GetParam().code) << plugin.error().ToString();
  EXPECT_THAT(plugin.error().message(), HasSubstr(path));
  EXPECT_THAT(plugin.error().message(), HasSubstr(GetParam().text));
}

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Broken, LoadTest,
    testing::Values(Case{"missing_symbol", Code::kInvalidArgument, "build it with kps_add_plugin()"},
                    Case{"too_new_abi", Code::kFailedPrecondition, "plugin ABI 99"},
                    Case{"refuses_host", Code::kFailedPrecondition, "use the host version that it was built for"},
                    Case{"short_table", Code::kInvalidArgument, "must be sizeof(kps_plugin)"},
                    Case{"no_functions", Code::kInvalidArgument, "create_connector and destroy_connector are needed"},
                    Case{"no_next_msg", Code::kInvalidArgument, "ingress needs create_consumer"},
                    Case{"throws_in_entry", Code::kInternal, "threw an exception across the ABI"}),
    NameOf);

class CreateTest : public testing::TestWithParam<Case> {};

TEST_P(CreateTest, ConnectorIsNotCreated) {
  const auto plugin = LoadPlugin(Broken(GetParam().name));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  NoServices services;
  const auto connector = plugin.value()->CreateConnector("{}", "{}", &services);
  ASSERT_FALSE(connector.ok());
  EXPECT_EQ(connector.error().code(), GetParam().code) << connector.error().ToString();
  EXPECT_THAT(connector.error().message(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Broken, CreateTest,
    testing::Values(Case{"throws_in_create", Code::kInternal,
                         "create_connector threw an exception across the ABI: no such broker"},
                    Case{"fails_create", Code::kInvalidArgument, "url: set it to the address of the broker"},
                    Case{"returns_zero_code", Code::kInternal, "returned 0, which is no kps_code"}),
    NameOf);

TEST(NextMsgTest, ABatchThatCannotBeReadIsAnErrorThatSaysWhy) {
  const auto plugin = LoadPlugin(Broken("wrong_batches"));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  NoServices services;
  const auto connector = plugin.value()->CreateConnector("{}", "{}", &services);
  const auto waker = connector.value()->CreateWaker("a");
  const auto consumer = connector.value()->CreateConsumer(StreamSpec{}, "", waker.value().get());
  ASSERT_TRUE(consumer.ok()) << consumer.error().ToString();
  for (const char* why :
       {"2000 messages; at most 512", "a message with a size and no data", "a position with a size and no data",
        "a message whose id has a size and no data", "whose id is not printable ASCII", "of at most 128 bytes"}) {
    const auto batch = consumer.value()->NextBatch({512, 1024}, std::chrono::milliseconds(0));
    ASSERT_FALSE(batch.ok()) << why;
    EXPECT_EQ(batch.error().code(), Code::kInternal);
    EXPECT_THAT(batch.error().message(), HasSubstr(why));
  }
  const auto failed = consumer.value()->NextBatch({512, 1024}, std::chrono::milliseconds(0));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kUnavailable);
  EXPECT_EQ(failed.error().message().find_first_not_of(std::string_view("\0?\\x", 5)), std::string::npos)
      << "nothing of the host's memory: " << failed.error().message();
}

TEST(NextMsgTest, MessagesOfAPluginOfBeforeTheIdsAreRead) {
  const auto plugin = LoadPlugin(Broken("short_messages"));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  NoServices services;
  const auto connector = plugin.value()->CreateConnector("{}", "{}", &services);
  const auto waker = connector.value()->CreateWaker("a");
  const auto consumer = connector.value()->CreateConsumer(StreamSpec{}, "", waker.value().get());
  const auto batch = consumer.value()->NextBatch({512, 1024}, std::chrono::milliseconds(0));
  ASSERT_TRUE(batch.ok()) << batch.error().ToString();
  ASSERT_EQ(batch.value().messages.size(), 2u);
  EXPECT_EQ(batch.value().messages[1].payload, "two");
  EXPECT_EQ(batch.value().messages[1].id, "");
}

TEST(CreateConsumerTest, ExceptionOfAnyTypeIsAnError) {
  const auto plugin = LoadPlugin(Broken("throws_in_create_consumer"));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  NoServices services;
  const auto connector = plugin.value()->CreateConnector("{}", "{}", &services);
  ASSERT_TRUE(connector.ok()) << connector.error().ToString();
  const auto waker = connector.value()->CreateWaker("a");
  ASSERT_TRUE(waker.ok());
  const auto consumer = connector.value()->CreateConsumer(StreamSpec{}, "", waker.value().get());
  ASSERT_FALSE(consumer.ok());
  EXPECT_EQ(consumer.error().code(), Code::kInternal);
  EXPECT_THAT(consumer.error().message(), HasSubstr("create_consumer threw an exception across the ABI"));
}

TEST(OddAnswersTest, AreNotTakenAtTheirWord) {
  const auto plugin = LoadPlugin(Broken("odd_answers"));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  NoServices services;
  const auto connector = plugin.value()->CreateConnector("{}", "{}", &services);
  ASSERT_TRUE(connector.ok());
  const auto configured = connector.value()->Configure("{}");
  ASSERT_FALSE(configured.ok());
  EXPECT_EQ(configured.error().code(), Code::kInternal);
  EXPECT_THAT(configured.error().message(), HasSubstr("configure returned the outcome 7"));

  const auto waker = connector.value()->CreateWaker("s");
  const auto consumer =
      connector.value()->CreateConsumer({"s", Direction::kIngress, "c", "{}"}, "", waker.value().get());
  ASSERT_FALSE(consumer.ok());
  EXPECT_EQ(consumer.error().code(), Code::kUnavailable);
  EXPECT_EQ(consumer.error().retry_after(), std::chrono::hours(1));
}

TEST(GoodPluginTest, LoadsAndCreates) {
  const auto plugin = LoadPlugin(Broken("good"));
  ASSERT_TRUE(plugin.ok()) << plugin.error().ToString();
  EXPECT_EQ(plugin.value()->descriptor().name, "good");
  EXPECT_TRUE(plugin.value()->descriptor().ingress);
  EXPECT_FALSE(plugin.value()->descriptor().egress);
  NoServices services;
  EXPECT_TRUE(plugin.value()->CreateConnector("{}", "{}", &services).ok());
}

// Files that no compiler made.
class FileTest : public testing::Test {
 protected:
  FileTest() {
    char pattern[] = "/tmp/kps-load-XXXXXX";
    folder_ = mkdtemp(pattern);
    path_ = folder_ / "made.so";
  }
  ~FileTest() override { fs::remove_all(folder_); }

  void ExpectRefused(Code code, const std::string& text) {
    const auto plugin = LoadPlugin(path_);
    ASSERT_FALSE(plugin.ok());
    EXPECT_EQ(plugin.error().code(), code) << plugin.error().ToString();
    EXPECT_THAT(plugin.error().message(), HasSubstr(path_.string()));
    EXPECT_THAT(plugin.error().message(), HasSubstr(text));
  }
  void Write(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }

  fs::path folder_;
  fs::path path_;
};

TEST_F(FileTest, Missing) { ExpectRefused(Code::kNotFound, "No such file"); }

TEST_F(FileTest, Text) {
  Write("#!/bin/sh\necho not a plugin, but longer than an ELF header of sixty-four bytes is\n");
  ExpectRefused(Code::kInvalidArgument, "is not an ELF file: build the plugin as a shared library");
}

TEST_F(FileTest, Empty) {
  Write("");
  ExpectRefused(Code::kInvalidArgument, "is not an ELF file");
}

TEST_F(FileTest, Directory) {
  fs::create_directory(path_);
  ExpectRefused(Code::kInvalidArgument, "is not an ELF file");
}

TEST_F(FileTest, TruncatedAnywhere) {
  const std::string whole = ReadAll(Broken("good"));
  ASSERT_GT(whole.size(), 4096u);
  for (const std::size_t size : {sizeof(Elf64_Ehdr), std::size_t{200}, whole.size() / 2, whole.size() - 1}) {
    Write(whole.substr(0, size));
    ExpectRefused(Code::kInvalidArgument, "is cut short");
  }
}

TEST_F(FileTest, OtherMachine) {
  std::string content = ReadAll(Broken("good"));
  Elf64_Half& machine = reinterpret_cast<Elf64_Ehdr*>(content.data())->e_machine;
  machine = machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  Write(content);
  ExpectRefused(Code::kInvalidArgument, "rebuild the plugin for this machine");
}

TEST_F(FileTest, Program) {
  std::string content = ReadAll(Broken("good"));
  reinterpret_cast<Elf64_Ehdr*>(content.data())->e_type = ET_EXEC;
  Write(content);
  ExpectRefused(Code::kInvalidArgument, "no shared library: build it with kps_add_plugin()");
}

}  // namespace
}  // namespace kps
