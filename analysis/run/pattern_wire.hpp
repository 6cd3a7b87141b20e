#pragma once
// A rule's request and its answer as bytes, for the way between two processes of one executable.

#include <string>
#include <string_view>
#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

/// q, k and v with their rows one behind the other.
std::string request_bytes(const PatternInput& input);

/// A request, with the tensors that its input shows.
struct ReceivedRequest {
  PatternInput input;
  std::vector<std::byte> tensors;
};
/// Throws Error(kIo) for bytes that are no request.
ReceivedRequest parse_request(std::string_view bytes);

std::string pattern_bytes(const HeadPattern& pattern);
/// Throws Error(kIo) for bytes that are no pattern, and what the parts of a pattern refuse; the
/// whole is not checked.
HeadPattern parse_pattern(std::string_view bytes);

}  // namespace lvsa::analysis
