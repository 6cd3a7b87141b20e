#pragma once
// RainFusion v1 and v2, restated token by token. Source: the published code of 2025 as
// docs/patterns/rainfusion.md tells it; sums and points of rounding as that page fixes them.

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace lvsa::reference {

/// A video's tokens (frame, row, column), text behind, and q and k of one head.
struct VideoHead {
  std::int64_t frames = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t text = 0;
  DType dtype = LVSA_BF16;             ///< of the elements
  std::vector<std::vector<double>> q;  ///< [S][D], numbers of the type
  std::vector<std::vector<double>> k;  ///< [S][D]
  std::vector<std::vector<double>> v;  ///< [S][D], or empty
};

struct TokenPattern {
  std::string choice;
  std::vector<std::int64_t> order;         ///< the token at each place
  std::vector<std::vector<bool>> attends;  ///< [S][S] by tokens
};

struct RainFusionRequest {
  double sparsity = 0.64;
  double local_recall = 0.95;
  std::int64_t unit = 128;
};
TokenPattern rainfusion(const VideoHead& head, const RainFusionRequest& request);

struct RainFusion2Request {
  double sparsity = 0.8;
  std::int64_t block = 128;
  std::int64_t dense_below = 32;
  bool first_frame = true;
};
TokenPattern rainfusion2(const VideoHead& head, const RainFusion2Request& request);

}  // namespace lvsa::reference
