#pragma once
// Suites: named lists of cases, and files of case lines.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/case.hpp"

namespace lvsa::analysis {

/// The cases of a suite:
///  - "smoke": recorded calls and small shapes, seconds;
///  - "default": recorded calls, small shapes, and every model at its real patches per frame and 1
///  to
///    6 times its reference horizon, one head (or one group), at several steps of the rotation,
///    each with the rows it needs: about a minute on two cores;
///  - "full": the same models at every whole multiple of the horizon and every step of a rotation
///  up
///    to 8, in all element types, all rows computed: hours;
///  - "blocks-smoke": maps for block-sparse kernels (words pattern=), seconds; "blocks": all rules,
///    block sizes, lengths around them, masks, orders, skips: minutes;
///  - "random:COUNT" or "random:COUNT:SEED": cases drawn at random, small enough that a thousand
///    take minutes; the same seed gives the same cases;
///  - anything else: a file of case lines; '#' begins a comment, "include FILE" takes in another
///  file.
/// `fixtures` gives the folder that holds attention_vectors.h5; asked by the built-in suites only.
/// Throws Error(kValue or kIo) that names the suite, or file and line.
std::vector<Case> suite_cases(const std::string& suite,
                              const std::function<std::string()>& fixtures);

/// The same one by one, for suites of any length: none is kept. What is wrong with the suite shows
/// when its place is reached.
void for_each_case(const std::string& suite, const std::function<std::string()>& fixtures,
                   const std::function<void(Case)>& visit);

/// The recorded attention calls of a file as cases.
std::vector<Case> recorded_cases(const std::string& path);

/// Small shapes around the sizes where kernels go wrong.
std::vector<Case> small_cases();

/// Maps for block-sparse kernels.
std::vector<Case> block_smoke_cases();
std::vector<Case> block_cases();

/// Random cases. Number i of a seed is the same in a suite of any length.
inline constexpr std::string_view kRandomPrefix = "random:";
inline constexpr std::uint64_t kMostRandomCases = 1'000'000;
bool is_random_suite(std::string_view suite);
/// Throws Error(kValue) when what follows the prefix is no count (and seed).
std::vector<Case> random_cases(std::string_view suite);
void for_each_random_case(std::string_view suite, const std::function<void(Case)>& visit);
Case random_case(std::uint64_t seed, std::uint64_t number);

/// Model geometries of the default and the full suite.
std::vector<Case> model_cases();
std::vector<Case> all_model_cases();

}  // namespace lvsa::analysis
