#include "reference/sparse/rainfusion.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace lvsa::reference {
namespace {

using Rows = std::vector<std::vector<double>>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::int64_t seq_len(const VideoHead& x) { return x.frames * x.height * x.width + x.text; }

TokenPattern dense(const VideoHead& x) {
  TokenPattern pattern{"dense", {}, {}};
  for (std::int64_t s = 0; s < seq_len(x); ++s) pattern.order.push_back(s);
  pattern.attends.assign(at(seq_len(x)), std::vector<bool>(at(seq_len(x)), true));
  return pattern;
}

// Python's round(x, 2).
double python_round(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", x);
  return std::strtod(text, nullptr);
}

// Python's a // b for floats.
double floor_division(double a, double b) { return (a - std::fmod(a, b)) / b; }

long double product(const std::vector<double>& a, const std::vector<double>& b) {
  long double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    sum += static_cast<long double>(a[d]) * static_cast<long double>(b[d]);
  }
  return sum;
}

// Mean over rows of the softmax mass with |i - j| <= half.
float recall(const VideoHead& x, const std::vector<std::int64_t>& tokens, std::int64_t half) {
  long double mass = 0;
  const long double root = sqrtl(static_cast<long double>(x.q.front().size()));
  const auto count = static_cast<std::int64_t>(tokens.size());
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<long double> scores;
    for (const std::int64_t token : tokens) {
      scores.push_back(product(x.q[at(tokens[at(i)])], x.k[at(token)]) / root);
    }
    const long double highest = *std::max_element(scores.begin(), scores.end());
    long double inside = 0;
    long double all = 0;
    for (std::int64_t j = 0; j < count; ++j) {
      const long double e = expl(scores[at(j)] - highest);
      all += e;
      if (std::llabs(i - j) <= half) inside += e;
    }
    mass += inside / all;
  }
  return static_cast<float>(mass / static_cast<long double>(count));
}

// [frames 1 .. T - 1][text][frame 0]
std::vector<std::int64_t> rolled(const VideoHead& x) {
  const std::int64_t patches = x.height * x.width;
  std::vector<std::int64_t> order;
  for (std::int64_t s = patches; s < seq_len(x); ++s) order.push_back(s);
  for (std::int64_t s = 0; s < patches; ++s) order.push_back(s);
  return order;
}

// (t h w) -> (h w t) of the first `frames` * h * w places.
std::vector<std::int64_t> place_major(const VideoHead& x, const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> result;
  for (std::int64_t h = 0; h < x.height; ++h) {
    for (std::int64_t w = 0; w < x.width; ++w) {
      for (std::int64_t t = 0; t < x.frames - 1; ++t) {
        result.push_back(order[at((t * x.height + h) * x.width + w)]);
      }
    }
  }
  result.insert(result.end(), order.begin() + static_cast<std::ptrdiff_t>(result.size()),
                order.end());
  return result;
}

std::vector<double> mean_of(const VideoHead& x, const Rows& rows,
                            const std::vector<std::int64_t>& tokens) {
  std::vector<double> mean;
  for (std::size_t d = 0; d < rows.front().size(); ++d) {
    long double sum = 0;
    for (const std::int64_t token : tokens) sum += static_cast<long double>(rows[at(token)][d]);
    const float quotient = static_cast<float>(sum) / static_cast<float>(tokens.size());
    mean.push_back(round_to_dtype(x.dtype, static_cast<double>(quotient)));
  }
  return mean;
}

std::vector<float> softmax(const std::vector<float>& scores) {
  const float highest = *std::max_element(scores.begin(), scores.end());
  std::vector<float> p;
  long double sum = 0;
  for (const float score : scores) {
    p.push_back(static_cast<float>(
        expl(static_cast<long double>(score) - static_cast<long double>(highest))));
    sum += static_cast<long double>(p.back());
  }
  for (float& value : p) value /= static_cast<float>(sum);
  return p;
}

// The order of v2: every token's keys, sorted.
std::vector<std::int64_t> tiled(const VideoHead& x) {
  const std::int64_t main_height = x.height - x.height % 8;
  const std::int64_t main_width = x.width - x.width % 8;
  const bool ragged = main_height != x.height || main_width != x.width;
  std::vector<std::vector<std::int64_t>> keys;
  for (std::int64_t s = 0; s < seq_len(x); ++s) {
    const std::int64_t frame = s / (x.height * x.width);
    const std::int64_t row = s / x.width % x.height;
    const std::int64_t column = s % x.width;
    std::vector<std::int64_t> key{frame};
    if (frame >= x.frames) {  // text
      key = {x.frames};
    } else if (ragged && frame == 0) {
      key.push_back(0);
    } else if (row >= main_height) {
      key.push_back(1);
    } else if (column >= main_width) {
      key.push_back(2);
    } else {
      key.insert(key.end(), {0, row / 8, column / 8});
    }
    key.push_back(s);
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::int64_t> order;
  for (const auto& key : keys) order.push_back(key.back());
  return order;
}

}  // namespace

TokenPattern rainfusion(const VideoHead& x, const RainFusionRequest& request) {
  if (x.frames == 1) return dense(x);
  const std::int64_t patches = x.height * x.width;
  const std::int64_t rest = (x.frames - 1) * patches;
  const double bw = python_round(1 - std::sqrt(request.sparsity));
  const auto sample_half = static_cast<std::int64_t>(static_cast<double>(patches) * bw);
  TokenPattern pattern{"", rolled(x), {}};
  std::vector<std::int64_t> first_frame(pattern.order.begin(), pattern.order.begin() + patches);
  std::vector<std::int64_t> strided;
  for (std::int64_t i = 0; i < rest; i += x.frames - 1) strided.push_back(pattern.order[at(i)]);
  const float local = recall(x, first_frame, sample_half);
  const float global = recall(x, strided, sample_half);
  const auto unit = static_cast<double>(request.unit);
  std::int64_t half = 0;
  if (local > static_cast<float>(request.local_recall) || local > global) {
    pattern.choice = "local";
    pattern.order = place_major(x, pattern.order);
    const auto units =
        static_cast<std::int64_t>(floor_division(bw * static_cast<double>(patches), unit));
    half = units * (x.frames - 1) * request.unit;
  } else {
    pattern.choice = "global";
    half = static_cast<std::int64_t>(floor_division(bw * static_cast<double>(rest), unit) * unit);
  }
  const std::int64_t tokens = seq_len(x);
  pattern.attends.assign(at(tokens), std::vector<bool>(at(tokens), false));
  for (std::int64_t i = 0; i < tokens; ++i) {
    for (std::int64_t j = 0; j < tokens; ++j) {
      const bool kept = i >= rest || j >= rest || std::llabs(i - j) <= half;
      pattern.attends[at(pattern.order[at(i)])][at(pattern.order[at(j)])] = kept;
    }
  }
  return pattern;
}

TokenPattern rainfusion2(const VideoHead& x, const RainFusion2Request& request) {
  const std::int64_t patches = x.height * x.width;
  const std::int64_t video = x.frames * patches;
  const std::int64_t video_blocks = (video + request.block - 1) / request.block;
  if (video_blocks < request.dense_below) return dense(x);
  TokenPattern pattern{"", tiled(x), {}};
  std::vector<std::vector<std::int64_t>> blocks;
  for (std::int64_t place = 0; place < seq_len(x); ++place) {
    const std::int64_t within = place < video ? place : place - video;
    if (within % request.block == 0) blocks.emplace_back();
    blocks.back().push_back(pattern.order[at(place)]);
  }
  Rows q;
  Rows k;
  for (const auto& block : blocks) {
    q.push_back(mean_of(x, x.q, block));
    k.push_back(mean_of(x, x.k, block));
  }
  const auto root = sqrtl(static_cast<long double>(x.q.front().size()));
  const auto nk = static_cast<std::int64_t>(blocks.size());
  const auto keep =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(nk) * (1.0 - request.sparsity)));
  const std::int64_t first =
      request.first_frame ? (patches + request.block - 1) / request.block : 0;
  pattern.attends.assign(at(seq_len(x)), std::vector<bool>(at(seq_len(x)), false));
  for (std::int64_t i = 0; i < nk; ++i) {
    std::vector<float> scores;
    for (std::int64_t j = 0; j < nk; ++j) {
      scores.push_back(static_cast<float>(product(q[at(i)], k[at(j)])) *
                       static_cast<float>(1.0L / root));
    }
    const std::vector<float> a = softmax(scores);
    std::vector<float> sorted = a;
    std::sort(sorted.rbegin(), sorted.rend());
    const float threshold = sorted[at(keep < 1 ? 0 : keep - 1)];
    for (std::int64_t j = 0; j < nk; ++j) {
      const bool kept =
          a[at(j)] >= threshold || i >= video_blocks || j >= video_blocks || i < first || j < first;
      if (!kept) continue;
      for (const std::int64_t query : blocks[at(i)]) {
        for (const std::int64_t key : blocks[at(j)]) pattern.attends[at(query)][at(key)] = true;
      }
    }
  }
  return pattern;
}

}  // namespace lvsa::reference
