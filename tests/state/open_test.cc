// Directories that cannot be used, and files that are set aside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/state/disk_calls.h"
#include "tests/state/support.h"
#include "tests/support/process.h"

namespace kps::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OpenTest : public testing::Test {
 protected:
  Error OpenError(const std::string& directory) {
    auto opened = OpenStateDir(directory, {"edge-1"}, &heard_);
    return opened.ok() ? Error() : opened.error();
  }
  // With a stream "a" at "1".
  void Save(const std::string& connector = "edge-1") {
    const auto store = OpenLoaded(folder_.state(), &heard_, nullptr, {connector});
    ASSERT_TRUE(store->SaveDesired(Streams({"a"}), {{"key", "1"}}).ok());
    store->PutResumePoint("a", "1", "r", 1);
    ASSERT_TRUE(store->Flush(std::chrono::seconds(20)).ok());
  }
  Error Load() {
    auto opened = OpenStateDir(folder_.state(), {"edge-1"}, &heard_);
    if (!opened.ok()) return opened.error();
    return opened.value()->Load(&state_);
  }
  fs::path File(const std::string& name) const { return fs::path(folder_.state()) / name; }
  // Names of what was set aside.
  std::vector<std::string> Bad(const std::string& name) const { return NamesOf(folder_.state(), name + ".bad-"); }

  TempFolder folder_;
  HeardChanges heard_;
  SavedState state_;
};

TEST_F(OpenTest, OneProcessAtATimeAndTheOtherIsNamed) {
  Process writer({KPS_STATE_WRITER, folder_.state()}, {});
  ASSERT_TRUE(writer.WaitForOutput("#1 "));
  const std::string& out = writer.out();
  const std::string pid = out.substr(4, out.find('\n') - 4);  // "pid N\n"
  Error error = OpenError(folder_.state());
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_THAT(error.message(), HasSubstr("is in use by process " + pid + ": stop that one"));

  WriteText(File("lock"), "");  // as on a full disk
  EXPECT_THAT(OpenError(folder_.state()).message(), HasSubstr("is in use by another process"));

  writer.Signal(SIGKILL);
  writer.Wait();
  EXPECT_TRUE(OpenError(folder_.state()).ok()) << "the lock ends with its process";
}

TEST_F(OpenTest, OnceWithinAProcess) {
  const auto store = OpenLoaded(folder_.state(), &heard_);
  EXPECT_THAT(OpenError(folder_.state()).message(), HasSubstr("in use by process " + std::to_string(getpid())));
}

TEST_F(OpenTest, WhatIsNoDirectoryIsRefused) {
  WriteText(folder_.path() / "file", "kept");
  EXPECT_EQ(OpenError(folder_.path() / "file").code(), Code::kInvalidArgument);
  EXPECT_THAT(OpenError(folder_.path() / "file").message(), HasSubstr("file is not a directory"));
  EXPECT_EQ(ReadText(folder_.path() / "file"), "kept");
  EXPECT_THAT(OpenError(folder_.path() / "absent" / "state").message(),
              HasSubstr("cannot make the state directory " + (folder_.path() / "absent" / "state").string() +
                        ": No such file or directory"));
  EXPECT_FALSE(OpenError("").ok());
}

TEST_F(OpenTest, WhatMayNotBeUsedIsRefused) {
  fs::create_directory(folder_.state());
  constexpr uid_t kNobody = 65534;
  const uid_t self = geteuid();
  chmod(folder_.path().c_str(), 0711);
  for (const auto& [mode, text] : {std::pair<mode_t, const char*>(0555, "cannot write in the state directory"),
                                   std::pair<mode_t, const char*>(0333, "cannot open the state directory")}) {
    chmod(folder_.state().c_str(), mode);
    if (self == 0) {
      ASSERT_EQ(seteuid(kNobody), 0);
    }  // root may everything
    const Error error = OpenError(folder_.state());
    const Error not_made = self == 0 ? OpenError(folder_.path() / "other") : error;
    if (self == 0) {
      ASSERT_EQ(seteuid(self), 0);
    }
    EXPECT_EQ(error.code(), Code::kPermissionDenied);
    EXPECT_THAT(error.message(), HasSubstr(text));
    EXPECT_THAT(error.message(), HasSubstr(folder_.state() + ": Permission denied"));
    EXPECT_EQ(not_made.code(), Code::kPermissionDenied);
  }
  chmod(folder_.state().c_str(), 0755);
}

TEST_F(OpenTest, ADiskThatFailsAtOnceIsNamed) {
  DiskCalls calls;
  calls.Fail("fsync " + folder_.path().filename().string(), EIO);
  EXPECT_THAT(OpenError(folder_.state()).message(), HasSubstr("was made: Input/output error"));
  calls.Fail("flock lock", ENOLCK);
  EXPECT_THAT(OpenError(folder_.state()).message(), HasSubstr("cannot lock the state directory"));
}

TEST_F(OpenTest, ATemporaryFileOfACrashIsRemoved) {
  Save();
  WriteText(File("positions.tmp"), "half of");
  WriteText(File("desired.tmp"), "");
  EXPECT_TRUE(Load().ok());
  EXPECT_TRUE(NamesOf(folder_.state(), "positions.tmp").empty());
  EXPECT_TRUE(NamesOf(folder_.state(), "desired.tmp").empty());
  EXPECT_EQ(state_.resume_points.at("a").position, "1");

  fs::create_directory(File("desired.tmp"));
  EXPECT_THAT(OpenError(folder_.state()).message(), HasSubstr("cannot remove " + File("desired.tmp").string()));
}

TEST_F(OpenTest, TornPositionsAreSetAsideAndTheStreamsAreGood) {
  Save();
  const std::string torn = ReadText(File("positions")).substr(0, 100);
  for (std::size_t round = 1; round <= 3; ++round) {
    WriteText(File("positions"), torn);
    const Error error = Load();
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_EQ(state_.streams.size(), 1u);
    EXPECT_EQ(state_.config.at("key"), "1");
    EXPECT_TRUE(state_.resume_points.empty());
    const auto bad = Bad("positions");
    ASSERT_EQ(bad.size(), round) << "each has a name of its own, within one second, too";
    EXPECT_TRUE(std::any_of(bad.begin(), bad.end(), [&](const std::string& name) {
      return error.message() == File("positions").string() +
                                    " is damaged: its checksum does not fit what it holds; it was set aside as " + name;
    })) << error.message();
    for (const std::string& name : bad) EXPECT_EQ(ReadText(File(name)), torn);
    EXPECT_FALSE(fs::exists(File("positions")));
  }
  EXPECT_TRUE(Load().ok());
}

TEST_F(OpenTest, ATornDesiredStateTakesItsPositionsAlong) {
  Save();
  const std::string positions = ReadText(File("positions"));
  WriteText(File("desired"), "");
  const Error error = Load();
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.message(), HasSubstr("desired is damaged: it is empty; it was set aside as desired.bad-"));
  EXPECT_THAT(error.message(), HasSubstr("positions belongs to "));
  EXPECT_TRUE(state_.streams.empty());
  EXPECT_TRUE(state_.resume_points.empty());
  ASSERT_EQ(Bad("positions").size(), 1u);
  EXPECT_EQ(ReadText(File(Bad("positions")[0])), positions);
  EXPECT_EQ(Bad("desired").size(), 1u);
  Save();
  EXPECT_EQ(LoadCopy(folder_.state()).resume_points.at("a").position, "1");
}

TEST_F(OpenTest, FilesOfAnotherConnectorAreSetAside) {
  Save("edge-2");
  EXPECT_THAT(Load().message(), HasSubstr("desired is of connector \"edge-2\", but this is \"edge-1\""));
  EXPECT_EQ(Bad("positions").size(), 1u);
  EXPECT_EQ(Bad("desired").size(), 1u);
}

TEST_F(OpenTest, WhatIsNoFileOfOursIsSetAside) {
  Save();
  fs::remove(File("positions"));
  fs::create_directory(File("positions"));
  EXPECT_THAT(Load().message(), HasSubstr("positions is no file"));
  ASSERT_EQ(mkfifo(File("positions").c_str(), 0600), 0);
  EXPECT_THAT(Load().message(), HasSubstr("positions is no file"));
  WriteText(File("positions"), "");
  fs::resize_file(File("positions"), (std::uintmax_t{1} << 30) + 1);  // without content, so that it takes no room
  EXPECT_THAT(Load().message(), HasSubstr("is larger than 1 GiB"));
  EXPECT_EQ(Bad("positions").size(), 3u);
}

TEST_F(OpenTest, ALaterVersionIsLeftAsItIs) {
  Save();
  for (const char* name : {"desired", "positions"}) {
    const std::string good = ReadText(File(name));
    std::string text = good;
    text.replace(text.find("\"version\":1"), 11, "\"version\":2");
    WriteText(File(name), text);
    // The other one is torn, and stays, too.
    const std::string other = name == std::string("desired") ? "positions" : "desired";
    const std::string other_good = ReadText(File(other));
    WriteText(File(other), "torn");
    auto opened = OpenStateDir(folder_.state(), {"edge-1"}, &heard_);
    ASSERT_TRUE(opened.ok());
    const Error error = opened.value()->Load(&state_);
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_THAT(error.message(), HasSubstr(File(name).string() + " is of version 2"));
    EXPECT_EQ(opened.value()->SaveDesired({}, {}).code(), Code::kFailedPrecondition);
    opened.value().reset();
    EXPECT_EQ(ReadText(File(name)), text);
    EXPECT_EQ(ReadText(File(other)), "torn");
    WriteText(File(name), good);
    WriteText(File(other), other_good);
  }
  EXPECT_TRUE(Load().ok());
}

TEST_F(OpenTest, WhatCannotBeReadIsLeftAsItIs) {
  Save();
  fs::remove(File("positions"));
  fs::create_symlink("positions", File("positions"));  // to itself
  const Error error = Load();
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("cannot read " + File("positions").string()));
  EXPECT_TRUE(fs::is_symlink(File("positions")));
}

TEST_F(OpenTest, WhatCannotBeSetAsideIsAnErrorAndNothingIsForgotten) {
  Save();
  const std::string torn = ReadText(File("desired")).substr(1);
  WriteText(File("desired"), torn);
  {
    DiskCalls calls;
    calls.Fail("fsync state", EIO);
    EXPECT_THAT(Load().message(), HasSubstr("cannot rename " + File("positions").string()));
  }
  EXPECT_EQ(Bad("positions").size(), 1u);
  EXPECT_EQ(ReadText(File("desired")), torn);
  EXPECT_EQ(Load().code(), Code::kDataLoss);
  EXPECT_EQ(Bad("desired").size(), 1u);
}

// As state_file_test.cc does with every byte, here through the files.
TEST_F(OpenTest, TornAndChangedFilesAreSetAside) {
  Save();
  for (const char* name : {"desired", "positions"}) {
    for (const char* other : {"desired", "positions"}) fs::copy(File(other), folder_.path() / other);
    const std::string good = ReadText(File(name));
    for (std::size_t i = 0; i < good.size(); i += 7) {
      for (const bool change : {true, false}) {
        std::string text = change ? good : good.substr(0, i);
        if (change) text[i] = static_cast<char>(text[i] ^ 0x20);
        WriteText(File(name), text);
        ASSERT_EQ(Load().code(), Code::kDataLoss) << name << ' ' << i;
        for (const char* other : {"desired", "positions"}) {
          fs::copy(folder_.path() / other, File(other), fs::copy_options::overwrite_existing);
        }
      }
    }
    for (const char* other : {"desired", "positions"}) fs::remove(folder_.path() / other);
  }
  EXPECT_TRUE(Load().ok());
}

}  // namespace
}  // namespace kps::test
