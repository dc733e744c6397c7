// What goes between a process and the child that it runs with RunChild. They are one program, so numbers go as they
// are.
//   stdin      a socket: the request, to its end
//   kFramesFd  a pipe: frames, each a FrameHeader and its text
#pragma once

#include <cstdint>

namespace kps {

inline constexpr int kFramesFd = 3;  // of the child, at its start

struct FrameHeader {
  std::int32_t code;
  std::uint32_t text_size;  // bytes
};

}  // namespace kps
