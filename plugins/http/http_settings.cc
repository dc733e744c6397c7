#include "http_settings.h"

#include <curl/curl.h>

#include <memory>

#include "http_headers.h"

namespace kps::plugins {
namespace {

using std::chrono::milliseconds;

std::string what_of(const plugin::Stream& stream) { return "stream " + stream.id + ", metadata"; }

// Throws for what curl would refuse later, and for a password in it.
std::string checked_url(plugin::Params& params, bool* https, std::string* shown) {
  const std::string url = params.required_string("url");
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed) throw std::bad_alloc();
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return std::string();
    const std::unique_ptr<char, void (*)(void*)> owner(text, curl_free);
    return std::string(text);
  };
  // Not quoted in what is wrong with it: it may hold a password.
  if (url.find('\0') != std::string::npos || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    params.fail("\"url\" is not an address such as https://host:8443/path");
  }
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") params.fail("\"url\" must begin with http:// or https://");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
    params.fail("\"url\" must not hold a user or a password: use \"username\" and \"passwordFile\"");
  }
  if (part(CURLUPART_HOST).empty()) params.fail("\"url\" has no host");
  *https = scheme == "https";
  curl_url_set(parsed.get(), CURLUPART_QUERY, nullptr, 0);
  curl_url_set(parsed.get(), CURLUPART_FRAGMENT, nullptr, 0);
  *shown = part(CURLUPART_URL);
  return url;
}

bool is_one_line(const std::string& text) { return text.find_first_of(std::string("\r\n\0", 3)) == std::string::npos; }

std::string read_token(plugin::Params& params) {
  const std::string token = read_secret(params, "token");
  if (!is_one_line(token)) params.fail("the token is more than one line");
  return token;
}

ClientSettings read_client(plugin::Params& params, std::vector<std::string> headers) {
  ClientSettings settings;
  bool https = false;
  settings.url = checked_url(params, &https, &settings.shown_url);
  settings.timeout = milliseconds(params.integer_or("timeoutMs", 10000, 1, 3600000));
  settings.headers = std::move(headers);
  settings.credentials = read_credentials(params);
  settings.token = read_token(params);
  if (!settings.token.empty() && !settings.credentials.username.empty()) {
    params.fail("give a \"username\" or a token, not both");
  }
  settings.tls = read_tls(params, https);
  if (settings.tls.on && !https) params.fail("\"tls\" is true, but \"url\" begins with http://: write https://");
  return settings;
}

}  // namespace

bool is_webhook(const plugin::Stream& stream) {
  const SplitMetadata split = split_headers(stream.metadata_json, what_of(stream));
  plugin::Params params(split.json, what_of(stream));
  const bool listens = !params.string_or("listen", "").empty();
  const bool polls = !params.string_or("url", "").empty();
  if (listens && polls) params.fail("give \"listen\" (a webhook) or \"url\" (polling), not both");
  if (!listens && !polls) params.fail("\"listen\" (a webhook) or \"url\" (polling) is missing");
  return listens;
}

WebhookSettings read_webhook_settings(const plugin::Stream& stream) {
  plugin::Params params(stream.metadata_json, what_of(stream));
  WebhookSettings settings;
  settings.listen = params.required_string("listen");
  settings.path = params.string_or("path", "/");
  if (settings.path.front() != '/' || settings.path.find_first_of("?#") != std::string::npos) {
    params.fail("\"path\" must begin with / and have no ? or #");
  }
  const std::string method = params.choice_or("method", {"POST", "PUT", "any"}, "any");
  settings.post = method != "PUT";
  settings.put = method != "POST";
  settings.token = read_token(params);
  settings.certificate = read_secret(params, "cert");
  settings.key = read_secret(params, "key");
  if (settings.certificate.empty() != settings.key.empty()) params.fail("\"certFile\" and \"keyFile\" go together");
  settings.body_bytes_max = params.integer_or("bodyBytesMax", kBodyBytesDefault, 0, kBodyBytesMax);
  settings.waiting_max = params.integer_or("waitingMax", 1000, 1, 100000);
  settings.answer_timeout = milliseconds(params.integer_or("answerTimeoutMs", 30000, 1, 3600000));
  params.refuse_unknown_keys();
  return settings;
}

PollSettings read_poll_settings(const plugin::Stream& stream) {
  const SplitMetadata split = split_headers(stream.metadata_json, what_of(stream));
  plugin::Params params(split.json, what_of(stream));
  PollSettings settings;
  settings.client = read_client(params, split.headers);
  settings.interval = milliseconds(params.integer_or("intervalMs", 10000, 1, 86400000));
  settings.body_bytes_max = params.integer_or("bodyBytesMax", kBodyBytesDefault, 0, kBodyBytesMax);
  params.refuse_unknown_keys();
  return settings;
}

ProduceSettings read_produce_settings(const plugin::Stream& stream) {
  const SplitMetadata split = split_headers(stream.metadata_json, what_of(stream));
  plugin::Params params(split.json, what_of(stream));
  ProduceSettings settings;
  settings.client = read_client(params, split.headers);
  settings.method = params.choice_or("method", {"POST", "PUT"}, "POST");
  const std::string batch = params.choice_or("batch", {"none", "lines", "array"}, "none");
  settings.framing = batch == "none" ? Framing::kNone : batch == "lines" ? Framing::kLines : Framing::kArray;
  const char* type = batch == "none"    ? "application/octet-stream"
                     : batch == "lines" ? "application/x-ndjson"
                                        : "application/json";
  settings.content_type = params.string_or("contentType", type);
  if (!is_one_line(settings.content_type)) params.fail("\"contentType\" must be one line");
  settings.batch_messages_max = params.integer_or("batchMessagesMax", 100, 1, 10000);
  params.refuse_unknown_keys();
  return settings;
}

}  // namespace kps::plugins
