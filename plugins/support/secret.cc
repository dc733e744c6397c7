#include "secret.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace kps::plugins {
namespace {

constexpr std::size_t kSecretBytesMax = 64 * 1024;

std::string secret_of_file(const plugin::Params& params, const std::string& key, const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw plugin::errno_failure(errno, "\"" + key + "\": open " + path);
  std::string secret(kSecretBytesMax + 1, '\0');
  file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  if (file.bad()) throw plugin::errno_failure(errno == 0 ? EIO : errno, "\"" + key + "\": read " + path);
  secret.resize(static_cast<std::size_t>(file.gcount()));
  if (secret.size() > kSecretBytesMax) params.fail("\"" + key + "\": " + path + " is too large for a secret");
  if (!secret.empty() && secret.back() == '\n') secret.pop_back();
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  if (secret.empty()) params.fail("\"" + key + "\": " + path + " is empty");
  return secret;
}

}  // namespace

std::string read_secret(plugin::Params& params, const std::string& name) {
  const std::string file_key = name + "File";
  const std::string env_key = name + "Env";
  const std::string path = params.string_or(file_key.c_str(), "");
  const std::string variable = params.string_or(env_key.c_str(), "");
  if (!path.empty() && !variable.empty()) params.fail("give \"" + file_key + "\" or \"" + env_key + "\", not both");
  if (!path.empty()) return secret_of_file(params, file_key, path);
  if (variable.empty()) return {};
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') {
    params.fail("\"" + env_key + "\": the environment variable " + variable + " is not set, or empty");
  }
  return value;
}

std::string readable_file(plugin::Params& params, const char* key) {
  std::string path = params.string_or(key, "");
  if (!path.empty() && ::access(path.c_str(), R_OK) != 0) {
    throw plugin::errno_failure(errno, "\"" + std::string(key) + "\": open " + path);
  }
  return path;
}

Credentials read_credentials(plugin::Params& params) {
  Credentials credentials;
  credentials.username = params.string_or("username", "");
  credentials.password = read_secret(params, "password");
  if (credentials.username.empty() && !credentials.password.empty()) {
    params.fail("a password needs a \"username\"");
  }
  return credentials;
}

}  // namespace kps::plugins
