#include "tls.h"

#include "secret.h"

namespace kps::plugins {

Tls read_tls(plugin::Params& params, bool implied) {
  Tls tls;
  tls.on = params.bool_or("tls", implied);
  if (implied && !tls.on) params.fail("\"tls\" is false, but the address asks for TLS");
  tls.ca_file = readable_file(params, "caFile");
  tls.cert_file = readable_file(params, "certFile");
  tls.key_file = readable_file(params, "keyFile");
  tls.verify = params.bool_or("tlsVerify", true);
  if (tls.cert_file.empty() != tls.key_file.empty()) params.fail("\"certFile\" and \"keyFile\" go together");
  if (!tls.on && (!tls.ca_file.empty() || !tls.cert_file.empty() || !tls.verify)) {
    params.fail("certificates are given, but no TLS: set \"tls\"");
  }
  return tls;
}

}  // namespace kps::plugins
