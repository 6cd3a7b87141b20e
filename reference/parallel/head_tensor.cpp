#include "reference/parallel/head_tensor.hpp"

#include <algorithm>

namespace lvsa::reference {

HeadTensor take_tokens(const HeadTensor& from, std::int64_t begin, std::int64_t end) {
  HeadTensor part(end - begin, from.heads, from.dim);
  const std::int64_t width = from.heads * from.dim;
  for (std::int64_t t = begin; t < std::min(end, from.tokens); ++t) {
    std::copy_n(from.data.data() + t * width, width, part.data.data() + (t - begin) * width);
  }
  return part;
}

HeadTensor take_heads(const HeadTensor& from, std::int64_t begin, std::int64_t end) {
  HeadTensor part(from.tokens, end - begin, from.dim);
  for (std::int64_t t = 0; t < from.tokens; ++t) {
    for (std::int64_t h = begin; h < std::min(end, from.heads); ++h) {
      std::copy_n(from.row(t, h), from.dim, part.row(t, h - begin));
    }
  }
  return part;
}

void put(const HeadTensor& part, std::int64_t token, std::int64_t head, HeadTensor& whole) {
  for (std::int64_t t = 0; t < std::min(part.tokens, whole.tokens - token); ++t) {
    for (std::int64_t h = 0; h < std::min(part.heads, whole.heads - head); ++h) {
      std::copy_n(part.row(t, h), part.dim, whole.row(token + t, head + h));
    }
  }
}

}  // namespace lvsa::reference
