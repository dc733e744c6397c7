// CRC-64/XZ: the checksum of .xz files, which finds every change of up to eight bytes in a row.
#pragma once

#include <cstdint>
#include <string_view>

namespace kps {

std::uint64_t Crc64(std::string_view bytes);

}  // namespace kps
