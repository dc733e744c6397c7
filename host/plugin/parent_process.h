// The child's part of child_process.h: what it was asked, and what it tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host/plugin/file_descriptor.h"

namespace kps {

class ParentProcess {
 public:
  // Reads the request. No value: this process was not started by RunChild. To be called first of all, before there are
  // threads. From then on this process ends when its parent does, leaves no core dump, and its stdin is /dev/null.
  static std::optional<ParentProcess> Find();

  const std::string& request() const { return request_; }

  // One frame, of up to ChildFrame::kTextMax bytes. Where the parent does not listen any more, nothing happens. One
  // thread at a time.
  void Tell(std::int32_t code, std::string_view text) const;

 private:
  ParentProcess(FileDescriptor frames, std::string request)
      : frames_(std::move(frames)), request_(std::move(request)) {}

  FileDescriptor frames_;
  std::string request_;
};

}  // namespace kps
