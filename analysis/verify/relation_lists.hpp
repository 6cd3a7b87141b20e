#pragma once
// What the lists of relations of frame lists and of block maps have in common.

#include <array>

#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {

/// Those that hold whatever says which keys a row attends; both lists begin with them.
inline constexpr std::array kCommonRelations = {
    Relation{"repeat", "the same call twice gives the same bits", check_repeat},
    Relation{"prefill", "what out and lse hold before the call changes nothing", check_prefill},
    Relation{"workspace", "what the workspace holds before the call changes nothing",
             check_workspace},
    Relation{"strides", "rows with gaps between them: the same bits, the gaps untouched",
             check_strides},
    Relation{"own-strides", "q, k, v, out and lse each with strides of its own: the same bits",
             check_own_strides},
    Relation{"element-stride", "elements of a row two apart: the same bits", check_element_stride},
    Relation{"alignment", "addresses 16 bytes past a multiple of 256: the same bits",
             check_alignment},
    Relation{"far", "elements more than 2^31 apart: the same bits", check_far},
    Relation{"padding", "NaN between and behind the rows of q, k, v changes no bit", check_padding},
    Relation{
        "input-ends",
        "inputs that end at a page nobody may touch, lists and maps too: none is read past its end",
        check_input_ends},
    Relation{"input-starts", "the same in front of them", check_input_starts},
    Relation{"threads", "any number of threads gives the same bits", check_threads},
    Relation{"no-lse", "without the log-sum-exp the output is the same", check_no_lse},
    Relation{"wanted", "rows come out the same whichever others are wanted", check_wanted},
    Relation{"scale", "half the scale counts", check_scale},
    Relation{"values-doubled", "2V gives twice the output", check_values_doubled},
    Relation{"values-negated", "-V gives minus the output", check_values_negated},
    Relation{"values-one", "V = 1 gives 1 within one rounding of P and of the output",
             check_values_one},
    Relation{"lse-of-values", "the log-sum-exp does not depend on V", check_lse_of_values},
    Relation{"integers", "weights of exactly 0 and 1: the output is the gather or mean, exactly",
             check_integers},
};

/// One list behind the other.
template <std::size_t kFirst, std::size_t kSecond>
constexpr std::array<Relation, kFirst + kSecond> joined(
    const std::array<Relation, kFirst>& first, const std::array<Relation, kSecond>& second) {
  std::array<Relation, kFirst + kSecond> all{};
  for (std::size_t i = 0; i < kFirst; ++i) all[i] = first[i];
  for (std::size_t i = 0; i < kSecond; ++i) all[kFirst + i] = second[i];
  return all;
}

}  // namespace lvsa::analysis
