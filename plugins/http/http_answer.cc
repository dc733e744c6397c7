#include "http_answer.h"

#include <algorithm>

namespace kps::plugins {
namespace {

constexpr size_t kQuotedMax = 200;

// The first line of the body: mostly it says why. Not where it repeats what it was sent, which may be the secret, or
// what holds it: "Basic" and base64.
std::string reason(const Answer& answer, const std::string& secret) {
  const auto has = [&](const std::string& text) { return answer.body.find(text) != std::string::npos; };
  if (!secret.empty() && (has(secret) || has("Basic "))) return {};
  const std::string line = answer.body.substr(0, std::min(kQuotedMax, answer.body.find_first_of("\r\n")));
  return line.empty() ? std::string() : " (" + line + ")";
}

struct Judgement {
  kps_code code;
  const char* advice;
};

Judgement judge(long status, kps_code code_of_refusal) {
  if (status >= 500 || status == 408 || status == 425) return {KPS_UNAVAILABLE, "it is tried again"};
  if (status >= 300 && status < 400) return {KPS_FAILED_PRECONDITION, "redirects are not followed"};
  switch (status) {
    case 401:
      return {KPS_UNAUTHENTICATED, "give credentials that the server knows: username and passwordFile, or tokenFile"};
    case 403: return {KPS_PERMISSION_DENIED, "give this user the right to it"};
    case 404:
    case 410: return {KPS_NOT_FOUND, "nothing is there: mend \"url\""};
    case 405:
      return {KPS_FAILED_PRECONDITION, "the server does not take this method there: mend \"method\" or \"url\""};
    case 407: return {KPS_UNAUTHENTICATED, "the proxy wants credentials"};
    case 429: return {KPS_RESOURCE_EXHAUSTED, "it is tried again, later"};
    default: return {code_of_refusal, "the server refuses what it was sent"};
  }
}

}  // namespace

bool Answer::refuses_body() const {
  constexpr kps_code kMark = KPS_INVALID_ARGUMENT;
  return status >= 400 && judge(status, kMark).code == kMark;
}

plugin::Failure failure_of(const Answer& answer, const std::string& what, const std::string& secret,
                           kps_code code_of_refusal) {
  const Judgement judgement = judge(answer.status, code_of_refusal);
  std::string text = what + ": the answer is " + std::to_string(answer.status) + reason(answer, secret) + ": ";
  text += judgement.advice;
  if (answer.status >= 300 && answer.status < 400 && !answer.location.empty()) {
    text += "; set \"url\" to where it points: " + answer.location.substr(0, answer.location.find('?'));
  }
  return plugin::Failure(judgement.code, text, answer.retry_after_ms);
}

}  // namespace kps::plugins
