#include "analysis/report/line_hash.hpp"

#include <string>

#include "analysis/verify/byte_hash.hpp"

namespace lvsa::analysis {

void LineHash::add(std::string_view line) {
  std::string text = hash_text(value_);
  text += line;
  value_ = byte_hash(text);
}

}  // namespace lvsa::analysis
