#include "cli/kit/check/findings.h"

#include "cli/kit/check/wire.h"
#include "host/plugin/packed_texts.h"

namespace kps::cli {
namespace {

// More of one kind say nothing new.
constexpr int kFailuresMax = 10;

}  // namespace

void Findings::Tell(std::int32_t frame, const std::string& text) {
  MutexLock lock(mutex_);
  if (frame == kFrameFailed || frame == kFrameBeside) {
    if (!told_.insert(text).second || ++failures_[frame] > kFailuresMax) return;
  }
  parent_->Tell(frame, text);
}

void Findings::Fail(const std::string& sentence) { Tell(kFrameFailed, sentence); }
void Findings::Skip(const std::string& sentence) { Tell(kFrameSkipped, sentence); }
void Findings::Note(const std::string& sentence) { Tell(kFrameNote, sentence); }
void Findings::FailBeside(std::string_view rule, const std::string& sentence) {
  Tell(kFrameBeside, PackTexts({rule, sentence}));
}
void Findings::Has(Need need) { Tell(kFrameHas, std::to_string(need)); }
void Findings::Refused(Need need) { Tell(kFrameRefused, std::to_string(need)); }
void Findings::SetAt(std::string_view function) { Tell(kFrameAt, std::string(function)); }
void Findings::Done() { Tell(kFrameDone, ""); }

}  // namespace kps::cli
