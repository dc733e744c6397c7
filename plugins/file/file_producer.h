// Appends messages to a file.
#ifndef KPS_PLUGINS_FILE_FILE_PRODUCER_H
#define KPS_PLUGINS_FILE_FILE_PRODUCER_H

#include <kps/plugin.hpp>
#include <string>

#include "descriptor.h"
#include "file_root.h"

namespace kps::plugins {

class FileProducer : public plugin::Producer {
 public:
  FileProducer(const FileRoot& root, std::string path, bool lines);

  void produce(const plugin::Messages& messages, std::chrono::milliseconds timeout, size_t& taken) override;
  void flush(std::chrono::milliseconds timeout) override;

 private:
  void refuse_after_lost_sync() const;
  size_t append_some(const plugin::Messages& messages, size_t first);
  void write_rest();
  [[noreturn]] void fail(int number) const;

  std::string path_;
  bool lines_;
  Descriptor file_;
  // The rest of a message that was cut by an error and could not be taken back; it goes before anything else.
  std::string rest_;
  // A sync has failed: what it was for may be gone, though the next one succeeds (fsync(2), EIO).
  bool lost_sync_ = false;
};

}  // namespace kps::plugins

#endif
