// Secrets of a plugin: a password or a key stands in a file or in the environment, never in parameters, which the
// platform shows to whoever may read a stream.
#ifndef KPS_PLUGINS_SUPPORT_SECRET_H
#define KPS_PLUGINS_SUPPORT_SECRET_H

#include <kps/cpp/params.hpp>
#include <string>

namespace kps::plugins {

// What "<name>File" or "<name>Env" refers to, such as passwordFile and passwordEnv for the name "password"; empty:
// neither is given. A line end at the end of a file does not count. Read when it is asked for, so that a secret that
// was replaced is used by the next connection. Throws Failure: INVALID_ARGUMENT for both at a time, for a variable that
// is not set and for an empty secret; what the file system says for a file that cannot be read. No text of it holds the
// secret.
std::string read_secret(plugin::Params& params, const std::string& name);

// The path under `key`; empty: none is given. Throws what the file system says where the file cannot be read.
std::string readable_file(plugin::Params& params, const char* key);

// "username" with its "passwordFile" or "passwordEnv". Both are empty where none is given.
struct Credentials {
  std::string username;
  std::string password;
};
Credentials read_credentials(plugin::Params& params);

// The properties of a schema that read_credentials reads; a comma comes after it where more follow.
#define KPS_CREDENTIALS_SCHEMA                                                                                \
  R"("username": {"type": "string", "minLength": 1, "description": "The name to log in with"},)"              \
  R"("passwordFile": {"type": "string", "minLength": 1, "description": "The file that holds the password"},)" \
  R"("passwordEnv": {"type": "string", "minLength": 1,)"                                                      \
  R"( "description": "The environment variable that holds the password"})"

}  // namespace kps::plugins

#endif
