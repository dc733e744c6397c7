// kafka-serve COMMAND ARGUMENTS...: runs it beside a cluster whose topic "t" has twenty messages, with @BROKERS@ in its
// arguments replaced by the address; ends with its exit code.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/plugins/kafka_server.h"

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: kafka-serve COMMAND ARGUMENTS...\n");
    return 2;
  }
  kps::testing::KafkaServer server;
  server.create("t");
  server.create("out");
  std::vector<std::string> payloads;
  for (int i = 0; i < 20; ++i) payloads.push_back("message " + std::to_string(i));
  server.send("t", 0, payloads);

  std::vector<std::string> command(arguments + 1, arguments + count);
  std::vector<char*> words;
  for (std::string& word : command) {
    const std::string name = "@BROKERS@";
    for (size_t at = word.find(name); at != std::string::npos; at = word.find(name))
      word.replace(at, name.size(), server.brokers());
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execvp(words[0], words.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 1;
  return WEXITSTATUS(status);
}
