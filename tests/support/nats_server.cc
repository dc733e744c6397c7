#include "tests/support/nats_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/support/eventually.h"

namespace kps::test {
namespace {

constexpr int kStartsMax = 20;

// Debian puts it where an ordinary user's PATH does not look.
const char* Program() { return ::access("/usr/sbin/nats-server", X_OK) == 0 ? "/usr/sbin/nats-server" : "nats-server"; }

}  // namespace

NatsServer::NatsServer(const std::string& config) {
  std::string folder = (std::filesystem::temp_directory_path() / "kps-nats-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make a folder for nats-server");
  folder_ = folder;
  Configure(config);
  Start();
}

void NatsServer::Configure(const std::string& config) {
  constexpr std::string_view kFolder = "$FOLDER";
  std::string text = config;
  for (std::size_t at = text.find(kFolder); at != std::string::npos; at = text.find(kFolder)) {
    text.replace(at, kFolder.size(), folder_);
  }
  std::ofstream(folder_ + "/nats.conf") << text << "\n";
}

NatsServer::~NatsServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void NatsServer::Start() {
  // Somebody else may hold the port for a moment: it is one of those the system hands out.
  for (int i = 0; i < kStartsMax; ++i) {
    if (TryStart()) return;
  }
  std::ostringstream log;
  log << std::ifstream(folder_ + "/log").rdbuf();
  throw std::runtime_error("nats-server does not start: " + log.str());
}

bool NatsServer::TryStart() {
  const std::string port = port_ == 0 ? "-1" : std::to_string(port_);
  const std::string config = folder_ + "/nats.conf";
  const std::string log = folder_ + "/log";
  const char* const arguments[] = {"nats-server",   "-c", config.c_str(), "-a",
                                   "127.0.0.1",     "-p", port.c_str(),   "--ports_file_dir",
                                   folder_.c_str(), "-l", log.c_str(),    nullptr};
  const char* const program = Program();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
    if (::getppid() != parent) ::_exit(127);
    ::execvp(program, const_cast<char* const*>(arguments));
    ::_exit(127);
  }
  int port_read = 0;
  const bool told = Eventually([&] { return (port_read = ReadPort()) != 0 || Exited(); });
  if (told && port_read != 0) {
    port_ = port_read;
    return true;
  }
  Stop();
  return false;
}

int NatsServer::ReadPort() const {
  // {"nats":["nats://127.0.0.1:41234"]}, or tls://, written once it listens.
  std::ostringstream text;
  text << std::ifstream(folder_ + "/nats-server_" + std::to_string(pid_) + ".ports").rdbuf();
  const std::string ports = text.str();
  const std::string before = "://127.0.0.1:";
  const std::size_t start = ports.find(before);
  if (start == std::string::npos || ports.find('"', start) == std::string::npos) return 0;
  return std::atoi(ports.c_str() + start + before.size());
}

bool NatsServer::Exited() {
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

void NatsServer::Stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove(folder_ + "/nats-server_" + std::to_string(pid_) + ".ports", ignored);
  pid_ = -1;
}

void NatsServer::Pause() {
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);  // it goes on for a moment
}
void NatsServer::Resume() { ::kill(pid_, SIGCONT); }

}  // namespace kps::test
