#include "host/plugin/elf_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ElfFacts Odd(const std::string& name) { return ReadElfFacts(std::string(KPS_ODD_PLUGINS "/") + name + ".so"); }

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ElfFactsTest, GoodPlugin) {
  const ElfFacts facts = ReadElfFacts(KPS_BROKEN_PLUGINS "/good.so");
  EXPECT_THAT(facts.machine, testing::AnyOf("x86-64", "AArch64"));
  EXPECT_EQ(facts.build_id, "00c0ffee0123456789abcdef");
  EXPECT_EQ(facts.sha256.size(), 64u);
  EXPECT_TRUE(facts.exports_entry);
  EXPECT_FALSE(facts.static_tls || facts.no_delete || facts.go_runtime || facts.thread_exit_hooks);
  EXPECT_THAT(WhyNotUnloadable(facts), IsEmpty());
}

TEST(ElfFactsTest, LibraryThatIsNoPlugin) {
  EXPECT_FALSE(ReadElfFacts(KPS_BROKEN_PLUGINS "/missing_symbol.so").exports_entry);
}

TEST(ElfFactsTest, UniqueSymbolIsNamed) {
  EXPECT_THAT(Odd("unique_symbol").unique_symbols, ElementsAre("kept_once"));
  EXPECT_THAT(WhyNotUnloadable(Odd("unique_symbol")), ElementsAre(HasSubstr("(kept_once): compile with")));
}

TEST(ElfFactsTest, OnlySomeOfManyUniqueSymbolsAreNamed) {
  ElfFacts facts;
  facts.unique_symbols = {"a", "b", "c", "d"};
  EXPECT_THAT(WhyNotUnloadable(facts), ElementsAre(HasSubstr("4 UNIQUE symbols (a, b, c, ...)")));
}

TEST(ElfFactsTest, LinkedWithNoDelete) {
  EXPECT_THAT(WhyNotUnloadable(Odd("no_delete")), ElementsAre("linked with -z nodelete"));
}

TEST(ElfFactsTest, GoRuntime) {
  EXPECT_THAT(WhyNotUnloadable(Odd("go_runtime")), ElementsAre(HasSubstr("Go runtime")));
}

TEST(ElfFactsTest, StaticTls) { EXPECT_TRUE(Odd("static_tls").static_tls); }

TEST(ElfFactsTest, ThreadLocalObjectWithADestructor) {
  EXPECT_TRUE(Odd("thread_exit").thread_exit_hooks);
  EXPECT_FALSE(Odd("static_tls").thread_exit_hooks);
}

TEST(ElfFactsTest, NeededLibrariesAndWhereTheyAreLookedFor) {
  const ElfFacts facts = Odd("needs_library");
  EXPECT_THAT(facts.needed, Contains("libodd-from_a_library.so"));
  EXPECT_EQ(facts.runpath, "$ORIGIN/needed");
}

TEST(ElfFactsTest, FileThatIsNoElfFileHasAHashAlone) {
  const ElfFacts facts = ReadElfFacts("/proc/self/cmdline");
  EXPECT_EQ(facts.machine, "");
  EXPECT_EQ(facts.sha256.size(), 64u);
  EXPECT_EQ(ReadElfFacts("/nowhere.so").sha256, "");
}

// Of every length, and with every byte of its tables spoilt: sanitizers see what is read outside.
TEST(ElfFactsTest, SpoiltFileIsReadAsFarAsItGoes) {
  char pattern[] = "/tmp/kps-facts-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  const std::string path = folder / "spoilt.so";
  const std::string content = Content(KPS_ODD_PLUGINS "/unique_symbol.so");
  for (std::size_t size = 0; size < content.size(); size += 97) {
    std::ofstream(path, std::ios::binary) << content.substr(0, size);
    EXPECT_FALSE(ReadElfFacts(path).exports_entry) << size;
  }
  for (std::size_t at = 4; at < content.size(); at += 31) {
    std::string spoilt = content;
    spoilt[at] = '\xFF';
    std::ofstream(path, std::ios::binary) << spoilt;
    EXPECT_EQ(ReadElfFacts(path).sha256.size(), 64u) << at;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kps
