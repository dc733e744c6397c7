// How a plugin's connection is encrypted, and whom it trusts.
#ifndef KPS_PLUGINS_SUPPORT_TLS_H
#define KPS_PLUGINS_SUPPORT_TLS_H

#include <kps/cpp/params.hpp>
#include <string>

namespace kps::plugins {

struct Tls {
  bool on = false;
  std::string ca_file;    // PEM; empty: those that the system trusts
  std::string cert_file;  // PEM, of this client; empty: none. With it goes key_file
  std::string key_file;
  bool verify = true;  // the server's certificate, and that its name is the one in the address
};

// "tls", "caFile", "certFile", "keyFile" and "tlsVerify". `implied`: the address asks for TLS already. Throws Failure,
// INVALID_ARGUMENT: one of the others without TLS, a certificate without its key; what the file system says for a file
// that cannot be read.
Tls read_tls(plugin::Params& params, bool implied);

// The properties of a schema that read_tls reads; a comma comes after it where more follow.
#define KPS_TLS_SCHEMA                                                                                                    \
  R"("tls": {"type": "boolean", "description": "Whether the connection is encrypted; by default, as the address says"},)" \
  R"("caFile": {"type": "string", "minLength": 1,)"                                                                       \
  R"( "description": "The certificates to trust, PEM; by default, those of the system"},)"                                \
  R"("certFile": {"type": "string", "minLength": 1, "description": "This client's certificate, PEM"},)"                   \
  R"("keyFile": {"type": "string", "minLength": 1, "description": "The key of certFile, PEM"},)"                          \
  R"("tlsVerify": {"type": "boolean", "default": true,)"                                                                  \
  R"( "description": "Whether the server's certificate has to be one to trust, and for its name"})"

}  // namespace kps::plugins

#endif
