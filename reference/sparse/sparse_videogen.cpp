#include "reference/sparse/sparse_videogen.hpp"

#include <cmath>
#include <cstdlib>

namespace lvsa::reference {
namespace {

using Mask = std::vector<std::vector<bool>>;

struct Sizes {
  std::int64_t frames, patches, video, tokens;
};

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Sizes sizes_of(const VideoHead& x) {
  const std::int64_t patches = x.height * x.width;
  return {x.frames, patches, x.frames * patches, x.frames * patches + x.text};
}

Mask empty_mask(const Sizes& n) { return Mask(at(n.tokens), std::vector<bool>(at(n.tokens))); }

void switch_text_on(const Sizes& n, Mask& mask) {
  for (std::int64_t i = 0; i < n.tokens; ++i) {
    for (std::int64_t j = 0; j < n.tokens; ++j) {
      if (i >= n.video || j >= n.video) mask[at(i)][at(j)] = true;
    }
  }
}

void switch_first_columns_on(const Sizes& n, Mask& mask) {
  for (auto& row : mask) {
    for (std::int64_t j = 0; j < n.patches; ++j) row[at(j)] = true;
  }
}

// From the order p * T + f of the video part to the order f * P + p, rows and columns.
Mask to_frame_order(const Sizes& n, const Mask& mask) {
  std::vector<std::int64_t> token;
  for (std::int64_t p = 0; p < n.patches; ++p) {
    for (std::int64_t f = 0; f < n.frames; ++f) token.push_back(f * n.patches + p);
  }
  for (std::int64_t s = n.video; s < n.tokens; ++s) token.push_back(s);
  Mask result = empty_mask(n);
  for (std::int64_t i = 0; i < n.tokens; ++i) {
    for (std::int64_t j = 0; j < n.tokens; ++j) {
      result[at(token[at(i)])][at(token[at(j)])] = mask[at(i)][at(j)];
    }
  }
  return result;
}

// The masks that the samples are judged by.
Mask sample_mask(const Sizes& n, const SparseVideoGenRequest& r, bool temporal) {
  Mask mask = empty_mask(n);
  const double threshold =
      std::floor(r.sample_width * static_cast<double>(n.patches) / static_cast<double>(r.unit));
  for (std::int64_t i = 0; i < n.video; ++i) {
    for (std::int64_t j = 0; j < n.video; ++j) {
      mask[at(i)][at(j)] = static_cast<double>(std::llabs(i / r.unit - j / r.unit)) < threshold;
    }
  }
  if (r.wan && (r.sink_before_reorder || !temporal)) switch_first_columns_on(n, mask);
  if (temporal) mask = to_frame_order(n, mask);
  if (r.wan && !r.sink_before_reorder) switch_first_columns_on(n, mask);
  switch_text_on(n, mask);
  return mask;
}

// What is attended.
Mask final_mask(const Sizes& n, const SparseVideoGenRequest& r, bool temporal) {
  Mask mask = empty_mask(n);
  const double units = r.mul * static_cast<double>(n.patches) / static_cast<double>(r.unit);
  const double width = (r.wan ? std::ceil(units) : std::floor(units)) * static_cast<double>(r.unit);
  for (std::int64_t i = 0; i < n.tokens; ++i) {
    for (std::int64_t j = 0; j < n.tokens; ++j) {
      const auto distance = static_cast<double>(std::llabs(i - j));
      mask[at(i)][at(j)] = r.wan ? distance <= width : distance < width;
    }
  }
  if (r.wan && (r.sink_before_reorder || !temporal)) switch_first_columns_on(n, mask);
  switch_text_on(n, mask);
  if (temporal) mask = to_frame_order(n, mask);
  if (r.wan && !r.sink_before_reorder) switch_first_columns_on(n, mask);
  return mask;
}

// A row's result under a mask; without v its probabilities. 0 where nothing is attended.
std::vector<float> result(const VideoHead& x, std::int64_t row, const std::vector<bool>& mask) {
  const std::vector<double>& q = x.q[at(row)];
  std::vector<long double> scores;
  long double highest = -HUGE_VALL;
  for (std::size_t j = 0; j < mask.size(); ++j) {
    long double score = 0;
    for (std::size_t d = 0; d < q.size(); ++d) {
      score += static_cast<long double>(q[d]) * static_cast<long double>(x.k[j][d]);
    }
    score /= sqrtl(static_cast<long double>(q.size()));
    scores.push_back(score);
    if (mask[j] && score > highest) highest = score;
  }
  std::vector<long double> p;
  long double sum = 0;
  for (std::size_t j = 0; j < mask.size(); ++j) {
    p.push_back(mask[j] ? expl(scores[j] - highest) : 0);
    sum += p.back();
  }
  const std::size_t width = x.v.empty() ? p.size() : x.v.front().size();
  std::vector<float> out;
  for (std::size_t d = 0; d < width; ++d) {
    long double value = x.v.empty() ? p[d] : 0;
    if (!x.v.empty()) {
      for (std::size_t j = 0; j < p.size(); ++j) {
        value += p[j] * static_cast<long double>(x.v[j][d]);
      }
    }
    out.push_back(sum == 0 ? 0.0F : static_cast<float>(value / sum));
  }
  return out;
}

float mean_squared_error(const VideoHead& x, const SparseVideoGenRequest& r, const Mask& mask) {
  long double sum = 0;
  std::size_t count = 0;
  for (const std::int64_t row : r.rows) {
    const std::vector<float> full = result(x, row, std::vector<bool>(mask.size(), true));
    const std::vector<float> part = result(x, row, mask[at(row)]);
    for (std::size_t d = 0; d < full.size(); ++d) {
      const long double e = static_cast<long double>(part[d]) - static_cast<long double>(full[d]);
      sum += e * e;
    }
    count += full.size();
  }
  return static_cast<float>(sum / static_cast<long double>(count));
}

}  // namespace

TokenPattern sparse_videogen(const VideoHead& x, const SparseVideoGenRequest& r) {
  const Sizes n = sizes_of(x);
  const float spatial = mean_squared_error(x, r, sample_mask(n, r, false));
  const float temporal = mean_squared_error(x, r, sample_mask(n, r, true));
  const bool is_temporal = temporal < spatial;
  TokenPattern pattern;
  pattern.choice = is_temporal ? "temporal" : "spatial";
  pattern.attends = final_mask(n, r, is_temporal);
  for (std::int64_t s = 0; s < n.tokens; ++s) {
    const bool moved = is_temporal && s < n.video;
    pattern.order.push_back(moved ? s % n.frames * n.patches + s / n.frames : s);
  }
  return pattern;
}

double sparse_videogen_multiplier(const VideoHead& x, double density) {
  const Sizes n = sizes_of(x);
  const auto tokens = static_cast<double>(n.tokens);
  const double left = density - 2.0 * static_cast<double>(x.text) / tokens;
  return tokens * (1.0 - std::sqrt(1.0 - left)) / static_cast<double>(n.patches);
}

}  // namespace lvsa::reference
