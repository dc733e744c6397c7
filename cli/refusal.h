// An answer that is not OK, for a person who wants to know what to change.
#pragma once

#include <string>

#include "cli/contract.h"

namespace kps::cli {

struct Sources;

// "INVALID_ARGUMENT: message", and below it every violation of a google.rpc.BadRequest in the details: grouped by the
// payload of `request` that it is about, each with its stream's id and the file that it came from.
std::string DescribeRefusal(const v1::ResponseStatus& status, const v1::SetPayloadRequest& request,
                            const Sources& sources);

}  // namespace kps::cli
