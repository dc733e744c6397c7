#include "cli/kit/class/image_reference.h"

#include <regex>

#include "cli/table.h"

namespace kps::cli {
namespace {

constexpr std::size_t kImageSizeMax = 512;  // names have 255 at most, tags 128, digests of SHA-512 135

// As the distribution project writes it down. An upper-case letter may stand in the host of a registry alone, which has
// a dot, a port, or is "localhost"; or else it is taken for a part of the name.
constexpr char kHost[] = R"((?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]+)?|[A-Za-z0-9-]+:[0-9]+|)"
                         R"(localhost|\[[0-9A-Fa-f:]+\](?::[0-9]+)?))";
constexpr char kPart[] = R"([a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)";
constexpr char kTag[] = R"((?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?)";
constexpr char kDigest[] = R"((?:@[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,128})?)";

}  // namespace

std::optional<Failure> CheckImage(const std::string& image) {
  static const std::regex reference("(?:" + std::string(kHost) + "/)?" + kPart + "(?:/" + kPart + ")*" + kTag +
                                    kDigest);
  if (image.size() <= kImageSizeMax && std::regex_match(image, reference)) return std::nullopt;
  const std::string shown = image.size() <= kImageSizeMax ? Printable(image) : Printable(image.substr(0, 60)) + "...";
  return Failure{kExitUsage, "--image \"" + shown +
                                 "\" is no name of an image: it is [REGISTRY[:PORT]/]NAME[:TAG][@DIGEST], where NAME "
                                 "has lower-case letters, digits and, between them, . _ - and /"};
}

bool HasTag(const std::string& image) { return image.find(':', image.rfind('/') + 1) != std::string::npos; }

}  // namespace kps::cli
