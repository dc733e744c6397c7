#include "webhook_server.h"

#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "listen_address.h"

namespace kps::plugins {
namespace {

constexpr std::chrono::milliseconds kGoodbye{300};
constexpr unsigned kIdleSeconds = 60;
constexpr unsigned kConnectionsBesidesWaiting = 256;
// A body that is refused is read to its end, so that its sender looks at the answer; up to so many bytes.
constexpr uint64_t kDiscardBytesMax = 1u << 20;

// Of one connection, made and ended by the server's thread.
struct Link {
  bool fresh = true;
};

const char* text_of(unsigned status) {
  switch (status) {
    case MHD_HTTP_OK: return "";
    case MHD_HTTP_UNAUTHORIZED: return "a bearer token is needed\n";
    case MHD_HTTP_NOT_FOUND: return "nothing is here\n";
    case MHD_HTTP_METHOD_NOT_ALLOWED: return "this method is not taken here\n";
    case MHD_HTTP_CONTENT_TOO_LARGE: return "the body is too large\n";
    default: return "the message is not known to be safe: send it again\n";
  }
}

// As fast for a wrong token as for one that is nearly right.
bool equal(const std::string& one, const std::string& other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < one.size(); ++i) difference |= static_cast<unsigned char>(one[i] ^ other[i]);
  return difference == 0;
}

ino_t inode_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

WebhookServer::WebhookServer(WebhookSettings settings, WebhookWaiting* waiting)
    : settings_(std::move(settings)), waiting_(waiting) {
  start(listen_at(settings_.listen));
}

void WebhookServer::start(int socket) {
  const ino_t inode = inode_of(socket);
  address_ = address_of(socket);
  unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  const bool tls = !settings_.certificate.empty();
  if (tls) flags |= MHD_USE_TLS;
  const MHD_OptionItem certificate[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(settings_.certificate.c_str())},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(settings_.key.c_str())},
      {MHD_OPTION_END, 0, nullptr}};
  const MHD_OptionItem none[] = {{MHD_OPTION_END, 0, nullptr}};
  const auto connections_max = static_cast<unsigned>(settings_.waiting_max) + kConnectionsBesidesWaiting;
  daemon_ =
      MHD_start_daemon(flags, 0, nullptr, nullptr, &WebhookServer::on_request, this,  //
                       MHD_OPTION_EXTERNAL_LOGGER, &WebhookServer::on_log, this,      //
                       MHD_OPTION_LISTEN_SOCKET, socket,                              //
                       MHD_OPTION_CONNECTION_LIMIT, connections_max,                  //
                       MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,                   //
                       MHD_OPTION_NOTIFY_COMPLETED, &WebhookServer::on_completed, this, MHD_OPTION_NOTIFY_CONNECTION,
                       &WebhookServer::on_connection, this, MHD_OPTION_ARRAY, tls ? certificate : none, MHD_OPTION_END);
  if (daemon_ != nullptr) return;
  // Depending on where it failed, the library has closed the socket or has not.
  if (inode_of(socket) == inode) ::close(socket);
  throw plugin::Failure(KPS_FAILED_PRECONDITION, "serve at " + address_ + ": " +
                                                     (last_log_.empty() ? "libmicrohttpd does not start" : last_log_) +
                                                     (tls ? ": see \"certFile\" and \"keyFile\"" : ""));
}

WebhookServer::~WebhookServer() {
  const int socket = MHD_quiesce_daemon(daemon_);
  if (socket >= 0) {
    hand_over_accepted(socket);
    ::close(socket);
  }
  {
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait_for(lock, kGoodbye, [this] { return requests_ == 0 && fresh_ == 0; });
  }
  MHD_stop_daemon(daemon_);
}

// Closing the socket would reset the connections that the system has accepted for it already.
void WebhookServer::hand_over_accepted(int socket) {
  for (;;) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(socket, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&address), size) != MHD_YES) return;
  }
}

void WebhookServer::count(int requests, int fresh) {
  const std::lock_guard<std::mutex> lock(mutex_);
  requests_ += requests;
  fresh_ += fresh;
  if (requests_ == 0 && fresh_ == 0) idle_.notify_one();
}

void WebhookServer::on_connection(void* self, MHD_Connection*, void** link, MHD_ConnectionNotificationCode code) {
  WebhookServer& server = *static_cast<WebhookServer*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *link = std::make_unique<Link>().release();
    server.count(0, 1);
    return;
  }
  const std::unique_ptr<Link> ended(static_cast<Link*>(*link));
  *link = nullptr;
  if (ended && ended->fresh) server.count(0, -1);
}

void WebhookServer::on_completed(void* self, MHD_Connection*, void** slot, MHD_RequestTerminationCode) {
  WebhookServer& server = *static_cast<WebhookServer*>(self);
  const std::unique_ptr<Caller> caller(static_cast<Caller*>(*slot));
  *slot = nullptr;
  if (!caller) return;
  server.waiting_->leave(*caller);
  server.count(-1, 0);
}

void WebhookServer::on_log(void* self, const char* format, va_list arguments) {
  WebhookServer& server = *static_cast<WebhookServer*>(self);
  if (server.daemon_ != nullptr) return;  // what one connection does is no event
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  server.last_log_ = text;
  server.last_log_.erase(server.last_log_.find_last_not_of("\r\n. ") + 1);
}

MHD_Result WebhookServer::on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                                     const char*, const char* data, size_t* size, void** slot) {
  WebhookServer& server = *static_cast<WebhookServer*>(self);
  if (*slot == nullptr) return server.begin(connection, path, method, slot);
  Caller& caller = *static_cast<Caller*>(*slot);
  if (*size > 0) {
    const bool go_on = server.receive(caller, data, *size);
    *size = 0;
    return go_on ? MHD_YES : MHD_NO;
  }
  if (caller.refusal == 0 && !caller.entered) {
    if (server.waiting_->enter(caller)) return MHD_YES;
    caller.refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
  }
  return server.answer(connection, caller.refusal != 0 ? caller.refusal : server.waiting_->status_of(caller));
}

MHD_Result WebhookServer::begin(MHD_Connection* connection, const char* path, const char* method, void** slot) {
  auto caller = std::make_unique<Caller>();
  caller->connection = connection;
  caller->refusal = refusal_of(connection, path, method);
  const char* length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  const uint64_t declared = length == nullptr ? 0 : std::strtoull(length, nullptr, 10);
  if (caller->refusal == 0 && declared > settings_.body_bytes_max) caller->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
  const unsigned refusal = caller->refusal;
  *slot = caller.release();  // until on_completed
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  Link* link = info == nullptr ? nullptr : static_cast<Link*>(info->socket_context);
  const bool first = link != nullptr && link->fresh;
  if (first) link->fresh = false;
  count(1, first ? -1 : 0);
  return refusal != 0 && declared > kDiscardBytesMax ? answer(connection, refusal) : MHD_YES;
}

unsigned WebhookServer::refusal_of(MHD_Connection* connection, const char* path, const char* method) const {
  if (settings_.path != path) return MHD_HTTP_NOT_FOUND;
  const bool post = std::strcmp(method, MHD_HTTP_METHOD_POST) == 0;
  const bool put = std::strcmp(method, MHD_HTTP_METHOD_PUT) == 0;
  if (!(post && settings_.post) && !(put && settings_.put)) return MHD_HTTP_METHOD_NOT_ALLOWED;
  const char* header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
  return is_authorized(header) ? 0 : MHD_HTTP_UNAUTHORIZED;
}

bool WebhookServer::is_authorized(const char* header) const {
  if (settings_.token.empty()) return true;
  constexpr char kScheme[] = "Bearer ";
  constexpr size_t kSchemeSize = sizeof kScheme - 1;
  if (header == nullptr || strncasecmp(header, kScheme, kSchemeSize) != 0) return false;
  return equal(header + kSchemeSize, settings_.token);
}

// False: the connection is to be closed, as its sender does not stop.
bool WebhookServer::receive(Caller& caller, const char* data, size_t size) {
  if (caller.refusal == 0 && size > settings_.body_bytes_max - caller.body.size()) {
    caller.refusal = MHD_HTTP_CONTENT_TOO_LARGE;
  }
  if (caller.refusal == 0) {
    if (waiting_->receive(caller, data, size)) return true;
    caller.refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
  }
  if (caller.discarded == 0) {
    waiting_->leave(caller);
    std::string().swap(caller.body);
  }
  caller.discarded += size;
  return caller.discarded <= kDiscardBytesMax + settings_.body_bytes_max;
}

MHD_Result WebhookServer::answer(MHD_Connection* connection, unsigned status) const {
  const char* text = text_of(status);
  const std::unique_ptr<MHD_Response, void (*)(MHD_Response*)> response(
      MHD_create_response_from_buffer(std::strlen(text), const_cast<char*>(text), MHD_RESPMEM_PERSISTENT),
      MHD_destroy_response);
  if (!response) return MHD_NO;
  const auto add = [&](const char* name, const char* value) { MHD_add_response_header(response.get(), name, value); };
  if (*text != '\0') add(MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
  if (status == MHD_HTTP_UNAUTHORIZED) add(MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    add(MHD_HTTP_HEADER_ALLOW, !settings_.put ? "POST" : !settings_.post ? "PUT" : "POST, PUT");
  }
  if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
    // The next try comes on a new connection, which may be another consumer's: this one may be about to end.
    add(MHD_HTTP_HEADER_RETRY_AFTER, "1");
    add(MHD_HTTP_HEADER_CONNECTION, "close");
  }
  return MHD_queue_response(connection, status, response.get());
}

}  // namespace kps::plugins
