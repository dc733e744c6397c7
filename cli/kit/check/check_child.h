// The child in which one rule is examined.
#pragma once

namespace kps::cli {

// The exit code, when it was started by somebody else; else it does not return.
int RunCheckChild();

}  // namespace kps::cli
