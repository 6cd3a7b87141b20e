#pragma once
// What rules that look at q and k share: checks of their input, and sums whose order is fixed.

#include <string_view>
#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::sparse {

/// Throws Error(kValue) that begins with `rule` unless q and k are there, of one type, [1, S, 1, D]
/// with S of the grid and the same D.
void require_tensors(const PatternInput& input, std::string_view rule);
/// Throws Error(kValue) that begins with `rule` unless height * width = patches_per_frame.
void require_frame_sides(const VideoGrid& video, std::string_view rule);

/// `value` rounded to the tensor's type, as round_to_dtype() does, but fast for 16-bit types.
double round_to_type(DType dtype, double value);

/// Sum of a[i] * b[i] in fp64: eight partial sums, element i into number i % 8, added up in
/// ascending order.
double dot(const double* a, const double* b, std::int64_t count);

/// weights[i] = e^(scores[i] - highest) in fp64 for scores[i] <= highest, relative error below
/// 1e-14; faster than exact::exp(), and like it from operations that every machine rounds alike.
/// Below -700 it is that of -700.
void exp_differences(const double* scores, double highest, std::int64_t count, double* weights);

/// The rows of `places` of x [1, S, 1, D], [places][D].
std::vector<double> read_rows(const TensorView& x, const std::vector<std::int64_t>& tokens);

/// Throws Error(kValue) that begins with `rule` and names row and column of the first score that is
/// not finite; -infinity passes.
void require_finite(const std::vector<float>& scores, std::string_view rule, std::int64_t row);

/// fp32 probabilities of scores: e_j = exp(s_j - maximum) in fp64 rounded to fp32, their sum in
/// fp64 in ascending order rounded to fp32, e_j / sum in fp32. A score of -infinity has 0; when all
/// have it, all are 0.
void softmax_fp32(const std::vector<float>& scores, std::vector<float>& probabilities);

}  // namespace lvsa::sparse
