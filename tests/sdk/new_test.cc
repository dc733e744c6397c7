// `kps-connector plugin new`: what it makes of the templates, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/kit/new/write_project.h"
#include "tests/support/process.h"

namespace kps::cli {
namespace {

namespace fs = std::filesystem;
using test::Process;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

class Directory {
 public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "kps-new-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~Directory() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string Read(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

Project Made(const ProjectRequest& request) {
  auto project = MakeProject(request);
  if (!project.ok()) throw std::runtime_error(project.failure().text);
  return project.value();
}

std::vector<std::string> Paths(const Project& project) {
  std::vector<std::string> paths;
  for (const ProjectFile& file : project.files) paths.push_back(file.path);
  return paths;
}

std::string All(const Project& project) {
  std::string text;
  for (const ProjectFile& file : project.files) text += file.content;
  return text;
}

std::string ContentOf(const Project& project, const std::string& path) {
  for (const ProjectFile& file : project.files) {
    if (file.path == path) return file.content;
  }
  throw std::runtime_error("there is no " + path);
}

// Neither empty nor a comment alone.
int LinesOfCode(const std::string& text) {
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos && line.compare(start, 2, "//") != 0) ++count;
  }
  return count;
}

TEST(NewTest, SectionsOfAnotherDirectionAreLeftOutWithTheirMarks) {
  const std::string text =
      "a\n  // begin INGRESS\nin\n  // end INGRESS\n<!-- begin EGRESS -->\nout\n<!-- end EGRESS -->\nb\n";
  EXPECT_EQ(CutSections(text, true, true), "a\nin\nout\nb\n");
  EXPECT_EQ(CutSections(text, true, false), "a\nin\nb\n");
  EXPECT_EQ(CutSections(text, false, true), "a\nout\nb\n");
  EXPECT_EQ(CutSections("# begin EGRESS\nout\n/* end EGRESS */\nno newline", true, false), "no newline");
  EXPECT_EQ(CutSections("begin INGRESS is a sentence\n\n", false, true), "begin INGRESS is a sentence\n\n");
}

TEST(NewTest, TheNameIsReplacedWhereItIsAWord) {
  EXPECT_EQ(ReplaceWord("t \"t\" t.so -t t-c t_t at", "t", "new"), "new \"new\" new.so -t t-c t_t at");
  EXPECT_EQ(ReplaceWord("", "t", "new"), "");
}

TEST(NewTest, ANameThatNoPluginCanHaveIsRefused) {
  for (const char* name : {"", "A", "1a", "-a", "a_b", "a.b", "a/b", "../a", "a b", "\xc3\xa4"}) {
    const auto project = MakeProject({.name = name});
    ASSERT_FALSE(project.ok()) << name;
    EXPECT_EQ(project.failure().exit_code, kExitUsage);
    EXPECT_THAT(project.failure().text, HasSubstr("[a-z][a-z0-9-]*")) << name;
  }
  ASSERT_FALSE(MakeProject({.name = "test"}).ok());
  EXPECT_THAT(MakeProject({.name = "test"}).failure().text, HasSubstr("choose another name"));
  EXPECT_TRUE(MakeProject({.name = std::string(64, 'a')}).ok());
  ASSERT_FALSE(MakeProject({.name = std::string(65, 'a')}).ok());
  EXPECT_THAT(MakeProject({.name = std::string(65, 'a')}).failure().text, HasSubstr("at most 64"));
}

TEST(NewTest, NothingOfTheTemplateStaysInAProject) {
  for (const Language language : {Language::kCpp, Language::kC, Language::kRust}) {
    for (const bool ingress : {true, false}) {
      for (const bool egress : {true, false}) {
        if (!ingress && !egress) continue;
        const Project project = Made({.name = "zz-9", .language = language, .ingress = ingress, .egress = egress});
        const std::string all = All(project);
        EXPECT_THAT(all, Not(HasSubstr("template")));
        EXPECT_THAT(all, Not(testing::ContainsRegex("(begin|end) (IN|E)GRESS")));
        EXPECT_THAT(all, HasSubstr("zz-9"));
        EXPECT_EQ(all.find("KPS_DIRECTIONS_INGRESS") != std::string::npos, ingress || language == Language::kRust);
        EXPECT_EQ(all.find("KPS_DIRECTIONS_EGRESS") != std::string::npos, egress || language == Language::kRust);
        EXPECT_EQ(all.find("KPS_DIRECTIONS_INGRESS | KPS_DIRECTIONS_EGRESS") != std::string::npos, ingress && egress);
        EXPECT_EQ(all.find("received_total") != std::string::npos, egress);
        EXPECT_EQ(all.find("create_producer(") != std::string::npos, egress || language == Language::kRust);
        EXPECT_EQ(std::ranges::count(Paths(project), "stream_ingress.json"), ingress ? 1 : 0);
        EXPECT_EQ(std::ranges::count(Paths(project), "stream_egress.json"), egress ? 1 : 0);
      }
    }
  }
}

TEST(NewTest, EachLanguageHasItsFiles) {
  EXPECT_THAT(Paths(Made({.name = "a"})),
              IsSupersetOf({"CMakeLists.txt", "plugin.cc", "plugin_test.cc", ".gitignore"}));
  EXPECT_THAT(Paths(Made({.name = "a", .language = Language::kC})), IsSupersetOf({"CMakeLists.txt", "plugin.c"}));
  EXPECT_THAT(Paths(Made({.name = "a", .language = Language::kRust})), IsSupersetOf({"Cargo.toml", "src/lib.rs"}));
}

TEST(NewTest, TheCommandsAreThoseOfItsReadme) {
  EXPECT_THAT(Made({.name = "a", .ingress = false}).commands,
              ElementsAre("cmake -B build", "cmake --build build", "ctest --test-dir build",
                          "kps-connector plugin check build/a.so --stream stream_*.json",
                          "kps-connector plugin run build/a.so --stream stream_egress.json",
                          "kps-connector-host --plugin build/a.so --watch --listen 127.0.0.1:8000 &",
                          "kps-connector streams set stream_*.json", "kps-connector events", "kill %1"));
}

TEST(NewTest, APluginInCppTakesAtMostSixtyLinesOfCode) {
  const int lines = LinesOfCode(ContentOf(Made({.name = "a"}), "plugin.cc"));
  EXPECT_GT(lines, 30);
  EXPECT_LE(lines, 60);
}

TEST(NewTest, ADirectoryThatIsThereStaysAsItIs) {
  const Directory directory;
  fs::create_directory(directory / "empty");
  std::ofstream(directory / "file") << "mine";
  fs::create_symlink("nowhere", directory / "link");
  for (const char* name : {"empty", "file", "link", "empty/"}) {
    const auto failure = WriteProject(Made({.name = "a"}), directory / name);
    ASSERT_TRUE(failure) << name;
    EXPECT_EQ(failure->exit_code, kExitUsage);
    EXPECT_THAT(failure->text, HasSubstr("exists already: choose another with --dir"));
  }
  EXPECT_TRUE(fs::is_empty(directory / "empty"));
  EXPECT_EQ(Read(directory / "file"), "mine");
}

TEST(NewTest, ADirectoryThatCannotBeMadeIsNamed) {
  const Directory directory;
  std::ofstream(directory / "file") << "mine";
  const auto failure = WriteProject(Made({.name = "a"}), directory / "file/below/a");
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->text, StartsWith("cannot write " + directory / "file/below/a: "));
}

TEST(NewTest, AProjectThatCannotBeWrittenIsTakenAwayAgain) {
  const Directory directory;
  const std::string too_long(300, 'x');
  for (const std::string& path : {too_long, std::string("first/below"), too_long + "/below"}) {
    const Project project{.files = {{"first", "1"}, {path, "2"}}, .commands = {}};
    const auto failure = WriteProject(project, directory / "deep/project");
    ASSERT_TRUE(failure);
    EXPECT_THAT(failure->text, StartsWith("cannot write " + (directory / "deep/project") + "/"));
    EXPECT_FALSE(fs::exists(directory / "deep/project"));
  }
}

TEST(NewProgramTest, WritesTheProjectAndSaysWhatToDo) {
  const Directory directory;
  Process process({KPS_CONNECTOR, "plugin", "new", "my-plugin", "--lang", "c", "--dir", directory / "it's here/"}, {});
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_THAT(process.out(), HasSubstr("holds a plugin in C. To build, test and run it:\n\n    cd '" +
                                       (directory / "it'\\''s here/'\n    cmake -B build\n")));
  EXPECT_THAT(Read(directory / "it's here/plugin.c"), HasSubstr("KPS_STR(\"my-plugin\")"));
}

TEST(NewProgramTest, JsonHasTheCommands) {
  const Directory directory;
  Process process({KPS_CONNECTOR, "plugin", "new", "a", "--lang=rust", "--dir", directory / "a", "-o", "json"}, {});
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_THAT(process.out(), StartsWith("{\"directory\":\"" + (directory / "a") + "\",\"commands\":[\"cd " +
                                        (directory / "a") + "\",\"cargo build --release\","));
}

TEST(NewProgramTest, WhatIsWrongIsSaidInOneLineWithExitCode1) {
  const Directory directory;
  const std::string there = directory / "";
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"My", "--dir", directory / "a"}, "the name of a plugin matches [a-z][a-z0-9-]*"},
      {{"my", "--dir", there}, "exists already"},
      {{"my", "--dir", directory / "a", "--lang", "cobol"}, "--lang"},
      {{"my", "--dir", directory / "a", "--direction", "up"}, "--direction"},
      {{}, "NAME is required"},
  };
  for (const auto& [arguments, complaint] : wrong) {
    std::vector<std::string> command = {KPS_CONNECTOR, "plugin", "new"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process(command, {});
    EXPECT_EQ(process.Wait(), 1) << complaint;
    EXPECT_THAT(process.err(), HasSubstr(complaint));
    EXPECT_EQ(process.out(), "");
  }
  EXPECT_FALSE(fs::exists(directory / "a"));
}

}  // namespace
}  // namespace kps::cli
