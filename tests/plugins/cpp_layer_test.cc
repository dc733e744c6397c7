// Small parts of the C++ layer.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <kps/plugin.hpp>

namespace kps::plugin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLong{60'000};

kps_code CodeOf(const std::string& position) {
  try {
    number_of_position(position);
  } catch (const Failure& failure) {
    return failure.code();
  }
  return KPS_OK;
}

TEST(PositionTest, IsTheNumberThatWasWritten) {
  EXPECT_EQ(number_of_position(""), 0u);
  for (const uint64_t number : {uint64_t{0}, uint64_t{42}, UINT64_MAX}) {
    EXPECT_EQ(number_of_position(std::to_string(number)), number);
  }
}

TEST(PositionTest, OneThatIsNoNumberIsDataLoss) {
  for (const char* position : {"x", "1x", "-1", "+1", " 1", "1 ", "18446744073709551616", "99999999999999999999"}) {
    EXPECT_EQ(CodeOf(position), KPS_DATA_LOSS) << position;
  }
}

TEST(WaitUntilTest, WhatIsDueIsReadyWithoutAWait) {
  EXPECT_EQ(wait_until(steady_clock::time_point(), -1, milliseconds(0)), Wait::kReady);
  EXPECT_EQ(wait_until(steady_clock::now(), -1, kLong), Wait::kReady);
}

TEST(WaitUntilTest, WhatBecomesDueIsReadyAndNotBefore) {
  const auto due = steady_clock::now() + milliseconds(20);
  EXPECT_EQ(wait_until(due, -1, kLong), Wait::kReady);
  EXPECT_GE(steady_clock::now(), due);
}

TEST(WaitUntilTest, TheTimeoutEndsItEarlier) {
  EXPECT_EQ(wait_until(steady_clock::now() + kLong, -1, milliseconds(5)), Wait::kTimeout);
}

TEST(WaitUntilTest, TheHostEndsItAtOnce) {
  const int wake_fd = eventfd(1, EFD_CLOEXEC);
  EXPECT_EQ(wait_until(steady_clock::now() + kLong, wake_fd, kLong), Wait::kWoken);
  close(wake_fd);
}

std::string Reported(const std::string& text) {
  kps_error error{};
  const kps_code code = detail::guarded(&error, [&] { throw Failure(KPS_DATA_LOSS, text); });
  EXPECT_EQ(code, KPS_DATA_LOSS);
  return std::string(error.text, error.text_size);
}

TEST(Guarded, WhatIsNoUtf8InATextBecomesAQuestionMark) {
  EXPECT_EQ(Reported("a \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"), "a \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(Reported("\xFF|\x80|\xC3|\xC0\xAF|\xE0\x80\x80|\xED\xA0\x80|\xF4\x90\x80\x80|\xE2\x82"),
            "?|?|?|??|???|???|????|??");
  EXPECT_EQ(detail::guarded(nullptr, [] { throw Failure(KPS_DATA_LOSS, "nobody asks"); }), KPS_DATA_LOSS);
}

}  // namespace
}  // namespace kps::plugin
