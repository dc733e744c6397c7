#include "host/plugin/packed_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kps {
namespace {

using testing::ElementsAre;

TEST(PackedTextsTest, ComeOutAsTheyWentIn) {
  const std::string with_zero("a\0b", 3);
  EXPECT_THAT(*UnpackTexts(PackTexts({with_zero, "", "last"}), 3), ElementsAre(with_zero, "", "last"));
  EXPECT_THAT(*UnpackTexts("", 0), ElementsAre());
}

TEST(PackedTextsTest, OtherNumberOfTexts) {
  EXPECT_FALSE(UnpackTexts(PackTexts({"a", "b"}), 1));
  EXPECT_FALSE(UnpackTexts(PackTexts({"a", "b"}), 3));
}

TEST(PackedTextsTest, CutAnywhere) {
  const std::string packed = PackTexts({"first", "second"});
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(UnpackTexts(packed.substr(0, size), 2)) << size;
  }
}

TEST(PackedTextsTest, MoreThanTheTexts) { EXPECT_FALSE(UnpackTexts(PackTexts({"a"}) + "b", 1)); }

TEST(PackedTextsTest, SizeThatIsNotThere) { EXPECT_FALSE(UnpackTexts(std::string(8, '\xFF'), 1)); }

}  // namespace
}  // namespace kps
