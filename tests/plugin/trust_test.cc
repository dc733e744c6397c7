#include "host/plugin/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace kps {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::HasSubstr;

constexpr char kOne[] = "1111111111111111111111111111111111111111111111111111111111111111";
constexpr char kTwo[] = "2222222222222222222222222222222222222222222222222222222222222222";

class TrustTest : public testing::Test {
 protected:
  TrustTest() {
    char pattern[] = "/tmp/kps-trust-XXXXXX";  // below a directory that all may write to, with the sticky bit
    root_ = mkdtemp(pattern);
    fs::create_directories(root_ / "a/b");
    std::ofstream(file_ = root_ / "a/b/one.so") << "x";
    fs::permissions(file_, fs::perms(0644));
  }
  ~TrustTest() override { fs::remove_all(root_); }

  static void Mode(const fs::path& path, unsigned mode) { fs::permissions(path, fs::perms(mode)); }
  void ExpectRefusedFor(const fs::path& reason) {
    for (const fs::path& file : {file_, fs::path(root_ / "a/../a/b/one.so")}) {
      const Error error = CheckPlace({}, file);
      EXPECT_EQ(error.code(), Code::kPermissionDenied) << file;
      EXPECT_THAT(error.message(), AllOf(HasSubstr("chmod o-w " + reason.string() + ","),
                                         HasSubstr("--allow-writable-plugins"), HasSubstr(file.string())));
    }
    EXPECT_TRUE(CheckPlace({.writable_by_all = true, .sums = ""}, file_).ok());
  }
  PluginTrust Listed(const std::string& content) const {
    std::ofstream(root_ / "sums") << content;
    return {.writable_by_all = false, .sums = root_ / "sums"};
  }

  fs::path root_;
  fs::path file_;
};

TEST_F(TrustTest, WhatOthersMayNotWriteToIsLoaded) {
  EXPECT_TRUE(CheckPlace({}, file_).ok());
  EXPECT_TRUE(CheckPlace({}, root_ / "nothing.so").ok()) << "what is not there, loading tells";
}

TEST_F(TrustTest, AFileThatEverybodyMayWriteToIsNot) {
  Mode(file_, 0646);
  ExpectRefusedFor(file_);
}

TEST_F(TrustTest, NorOneInADirectoryThatEverybodyMayAddTo) {
  for (const unsigned mode : {0777u, 01777u}) {
    Mode(root_ / "a/b", mode);
    ExpectRefusedFor(root_ / "a/b");
  }
}

TEST_F(TrustTest, NorOneOnAWayThatEverybodyMayChange) {
  Mode(root_ / "a", 0777);
  ExpectRefusedFor(root_ / "a");
  Mode(root_ / "a", 01777);
  EXPECT_TRUE(CheckPlace({}, file_).ok()) << "entries of a sticky directory stay with their owners";
}

TEST_F(TrustTest, TheWayIsAlsoThatOfALink) {
  fs::create_symlink(file_, root_ / "link.so");
  EXPECT_TRUE(CheckPlace({}, root_ / "link.so").ok());
  Mode(root_ / "a", 0777);
  EXPECT_THAT(CheckPlace({}, root_ / "link.so").message(), HasSubstr("chmod o-w " + (root_ / "a").string()));
  Mode(root_ / "a", 0755);
  Mode(root_, 0777);
  EXPECT_FALSE(CheckPlace({}, root_ / "link.so").ok());
}

TEST_F(TrustTest, AListNamesWhatMayRun) {
  const PluginTrust trust = Listed("# ours\n\n" + std::string(kOne) + "  one.so\n" + kTwo + " *dir/two.so\n");
  EXPECT_TRUE(CheckContent(trust, "/plugins/one.so", kOne).ok());
  EXPECT_TRUE(CheckContent(trust, "/plugins/two.so", kTwo).ok());
  const Error other = CheckContent(trust, "/plugins/one.so", kTwo);
  EXPECT_EQ(other.code(), Code::kPermissionDenied);
  EXPECT_THAT(other.message(), AllOf(HasSubstr("another SHA-256 for one.so"), HasSubstr(kTwo)));
  const Error unknown = CheckContent(trust, "/plugins/three.so", kOne);
  EXPECT_EQ(unknown.code(), Code::kPermissionDenied);
  EXPECT_THAT(unknown.message(), HasSubstr("does not have its name, three.so"));
  EXPECT_TRUE(CheckContent({}, "/plugins/three.so", kOne).ok()) << "without a list anything may run";
}

TEST_F(TrustTest, OneFileMayHaveSeveralSums) {
  const PluginTrust trust = Listed(SumLine("/p/one.so", kOne) + SumLine("/p/one.so", kTwo));
  EXPECT_TRUE(CheckContent(trust, "one.so", kOne).ok());
  EXPECT_TRUE(CheckContent(trust, "one.so", kTwo).ok());
}

TEST_F(TrustTest, AListThatIsNoneOrNotThereLetsNothingRun) {
  EXPECT_EQ(CheckContent({.writable_by_all = false, .sums = "/nowhere"}, "one.so", kOne).code(), Code::kNotFound);
  for (const std::string& line : {std::string("one.so"), std::string(kOne) + " one.so",
                                  "g" + std::string(kOne, 63) + "  one.so", std::string(kOne)}) {
    const Error error = CheckContent(Listed(line + "\n" + SumLine("one.so", kOne)), "one.so", kOne);
    EXPECT_EQ(error.code(), Code::kInvalidArgument) << line;
    EXPECT_THAT(error.message(), HasSubstr("line 1"));
  }
}

}  // namespace
}  // namespace kps
