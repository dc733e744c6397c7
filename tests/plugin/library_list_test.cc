#include "host/plugin/library_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace kps {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LibraryListTest, WhatTheLoaderPrints) {
  EXPECT_THAT(ParseLibraryList("\tlinux-vdso.so.1 (0x00007f5a0df4a000)\n"
                               "\tlibc.so.6 => /lib/x (y)/libc.so.6 (0x00007f5a0da1e000)\n"
                               "\tlibgone.so => not found\n"
                               "./a.so: /lib/libc.so.6: version `GLIBC_9.9' not found (required by ./a.so)\n"
                               "\t/lib64/ld-linux-x86-64.so.2 (0x00007f5a0df4c000)\n"
                               "\tlibodd.so => somewhere"),
              ElementsAre(NeededLibrary{"libc.so.6", "/lib/x (y)/libc.so.6"}, NeededLibrary{"libgone.so", ""}));
  EXPECT_THAT(ParseLibraryList("\tstatically linked\n"), IsEmpty());
}

TEST(LibraryListTest, LibraryBesideThePluginIsFoundThereAndNowhereElse) {
  const fs::path plugin = KPS_ODD_PLUGINS "/needs_library.so";
  const auto found = ListLibraries(plugin, OwnLoader());
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_THAT(found.value(), Contains(Field(&NeededLibrary::path, EndsWith("/needed/libodd-from_a_library.so"))));

  char pattern[] = "/tmp/kps-libraries-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  fs::copy(plugin, folder / "alone.so");
  const auto missing = ListLibraries(folder / "alone.so", OwnLoader());
  fs::remove_all(folder);
  ASSERT_TRUE(missing.ok()) << missing.error().ToString();
  EXPECT_THAT(missing.value(), Contains(NeededLibrary{"libodd-from_a_library.so", ""}));
}

TEST(LibraryListTest, FileThatIsNoneNeedsNothing) {
  const auto libraries = ListLibraries("/proc/self/cmdline", OwnLoader());
  ASSERT_TRUE(libraries.ok());
  EXPECT_THAT(libraries.value(), IsEmpty());
}

TEST(LibraryListTest, LoaderThatIsNotThere) {
  const auto libraries = ListLibraries(KPS_BROKEN_PLUGINS "/good.so", "/nowhere/ld.so");
  ASSERT_FALSE(libraries.ok());
  EXPECT_EQ(libraries.error().code(), Code::kUnavailable);
  EXPECT_THAT(libraries.error().message(), HasSubstr("cannot run /nowhere/ld.so: No such file"));
}

}  // namespace
}  // namespace kps
