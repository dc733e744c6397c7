// What is read of a plugin file without running it.
#include "host/plugin/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::Eq;
using testing::IsEmpty;

constexpr char kGood[] = KPS_BROKEN_PLUGINS "/good.so";
constexpr char kBuildId[] = "00c0ffee0123456789abcdef";  // tests/plugin/CMakeLists.txt

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(BuildIdTest, IsThatOfTheLinker) { EXPECT_EQ(BuildIdOf(kGood), kBuildId); }

TEST(BuildIdTest, IsEmptyWhereThereIsNone) {
  EXPECT_THAT(BuildIdOf(KPS_BROKEN_PLUGINS "/missing_symbol.so"), IsEmpty());
  EXPECT_THAT(BuildIdOf("/nowhere/good.so"), IsEmpty());
  EXPECT_THAT(BuildIdOf("/dev/null"), IsEmpty());
  EXPECT_THAT(BuildIdOf("/"), IsEmpty());
}

// Changes a copy of a good plugin in place.
class DamagedTest : public testing::Test {
 protected:
  DamagedTest() : content_(ReadAll(kGood)) {
    char pattern[] = "/tmp/kps-elf-XXXXXX";
    folder_ = mkdtemp(pattern);
    path_ = (folder_ / "damaged.so").string();
    std::ofstream(path_, std::ios::binary) << content_;
    fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~DamagedTest() override {
    close(fd_);
    fs::remove_all(folder_);
  }

  void Put(std::size_t offset, char byte) { ASSERT_EQ(pwrite(fd_, &byte, 1, static_cast<off_t>(offset)), 1); }

  // Offsets of the ELF header, the program headers and the notes.
  std::vector<std::size_t> HeaderOffsets() const {
    Elf64_Ehdr header{};
    std::memcpy(&header, content_.data(), sizeof header);
    std::vector<std::size_t> offsets;
    const auto add = [&](std::size_t offset, std::size_t size) {
      for (std::size_t i = 0; i < size; ++i) offsets.push_back(offset + i);
    };
    add(0, sizeof header);
    add(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment{};
      std::memcpy(&segment, content_.data() + header.e_phoff + i * sizeof segment, sizeof segment);
      if (segment.p_type == PT_NOTE) add(segment.p_offset, segment.p_filesz);
    }
    return offsets;
  }

  const std::string content_;
  fs::path folder_;
  std::string path_;
  int fd_ = -1;
};

TEST_F(DamagedTest, AnyByteOfTheHeaders) {
  std::size_t without = 0;
  for (const std::size_t offset : HeaderOffsets()) {
    const char byte = content_[offset];
    for (const char damage : {'\x01', '\x08', '\x80', '\xFF'}) {
      Put(offset, static_cast<char>(byte ^ damage));
      without += BuildIdOf(path_).empty() ? 1 : 0;
      static_cast<void>(CheckElf(path_));
    }
    Put(offset, byte);
  }
  EXPECT_GT(without, 100u) << "the bytes that were damaged are those that are read";
  EXPECT_EQ(BuildIdOf(path_), kBuildId) << "all is as it was";
}

TEST_F(DamagedTest, CutAnywhereInTheHeaders) {
  const auto offsets = HeaderOffsets();
  for (std::size_t size = *std::max_element(offsets.begin(), offsets.end()) + 1; size-- > 0;) {
    ASSERT_EQ(ftruncate(fd_, static_cast<off_t>(size)), 0);
    EXPECT_THAT(BuildIdOf(path_), AnyOf(Eq(kBuildId), IsEmpty())) << size;
  }
}

TEST_F(DamagedTest, SegmentThatEndsWithinItsNote) {
  Elf64_Ehdr header{};
  std::memcpy(&header, content_.data(), sizeof header);
  const std::size_t note = content_.find(std::string("\x04\0\0\0\x0C\0\0\0\x03\0\0\0GNU\0", 16));
  ASSERT_NE(note, std::string::npos);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const std::size_t offset = header.e_phoff + i * sizeof segment;
    std::memcpy(&segment, content_.data() + offset, sizeof segment);
    if (segment.p_type != PT_NOTE) continue;
    for (segment.p_offset = note, segment.p_filesz = 0; segment.p_filesz < 28; ++segment.p_filesz) {
      ASSERT_EQ(pwrite(fd_, &segment, sizeof segment, static_cast<off_t>(offset)), ssize_t{sizeof segment});
      EXPECT_THAT(BuildIdOf(path_), AnyOf(IsEmpty(), Eq(kBuildId))) << segment.p_filesz;
    }
  }
  EXPECT_THAT(BuildIdOf(path_), IsEmpty()) << "no segment holds all of it";
}

TEST_F(DamagedTest, NoteThatSaysItIsLargerThanItsSegment) {
  const std::size_t note = content_.find(std::string("\x04\0\0\0\x0C\0\0\0\x03\0\0\0GNU\0", 16));
  ASSERT_NE(note, std::string::npos);
  for (std::size_t field = 0; field < 8; field += 4) {
    for (std::size_t i = 0; i < 4; ++i) Put(note + field + i, '\xFF');
    EXPECT_THAT(BuildIdOf(path_), IsEmpty());
    for (std::size_t i = 0; i < 4; ++i) Put(note + field + i, content_[note + field + i]);
  }
}

TEST(InterpreterTest, ProgramHasOneAndALibraryHasNone) {
  EXPECT_TRUE(std::filesystem::exists(InterpreterOf("/proc/self/exe")));
  EXPECT_EQ(InterpreterOf(KPS_BROKEN_PLUGINS "/good.so"), "");
  EXPECT_EQ(InterpreterOf("/nowhere"), "");
}

}  // namespace
}  // namespace kps
