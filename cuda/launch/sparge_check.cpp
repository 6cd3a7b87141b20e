#include "cuda/launch/sparge_check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "cuda/launch/block_problem_check.hpp"

namespace lvsa::cuda {
namespace {

constexpr double kSkipOff = 50.0;

Verdict invalid(std::string message) { return {LVSA_INVALID, std::move(message)}; }
Verdict unsupported(std::string message) { return {LVSA_UNSUPPORTED, std::move(message)}; }

constexpr std::int64_t kPredicted[][2] = {{128, 64}, {64, 128}, {128, 128}, {64, 64}};
constexpr std::int64_t kAttended[][2] = {{128, 64}, {64, 128}, {128, 128}};

BlockRules rules_of(bool attention) {
  BlockRules rules{};
  rules.dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16);
  rules.out_dtypes = LVSA_DTYPE_BIT(LVSA_DTYPE_NONE);
  rules.head_dim_multiple = 64;
  rules.head_dim_max = 128;
  rules.block_sizes = kPredicted;
  if (attention) rules.block_sizes = kAttended;
  rules.block_max = 128;
  rules.copy_engine = attention;
  rules.device_least = attention ? 90 : 80;
  rules.device_major = attention ? 9 : 0;
  return rules;
}

std::int64_t pieces(std::int64_t n, std::int64_t size) { return size < 1 ? 0 : (n - 1) / size + 1; }

/// The problem with what is not read taken out or replaced by what is.
lvsa_block_problem prepared_of(const lvsa_block_problem& problem, bool attention) {
  lvsa_block_problem p = problem;
  p.row_blocks = pieces(p.query_tokens, p.block_rows);
  p.column_blocks = pieces(p.key_tokens, p.block_columns);
  p.map_count = 1;
  p.maps = nullptr;
  p.map_of_head = nullptr;
  p.row_begin = p.column_begin = nullptr;
  p.mask_count = p.mask_words = p.order_count = p.wanted_count = 0;
  p.mask_bits = nullptr;
  p.orders = p.order_of_head = nullptr;
  p.skip_threshold_log2 = nullptr;
  p.wanted_tokens = nullptr;
  if (attention) return p;
  p.v = p.k;
  p.out = p.q;  // its strides may be such that no output can have
  p.out.strides[2] = p.head_dim;
  p.out.strides[1] = p.heads * p.head_dim;
  p.out.strides[0] = p.query_tokens * p.out.strides[1];
  p.lse = nullptr;
  p.out_dtype = p.dtype;
  p.p_dtype = LVSA_DTYPE_NONE;
  p.scale = 1.0;
  return p;
}

// Launches count blocks of threads in 31 bits; the finest are tiles of 32 x 32 scores and parts of
// rows.
Verdict check_counts(const lvsa_block_problem& p) {
  if (p.query_tokens != p.key_tokens) {
    return unsupported("query_tokens = " + std::to_string(p.query_tokens) +
                       ": must be key_tokens = " + std::to_string(p.key_tokens));
  }
  if (p.column_blocks > prediction::kMostColumns) {
    return unsupported(std::to_string(p.column_blocks) + " key blocks: must be at most " +
                       std::to_string(prediction::kMostColumns));
  }
  const std::int64_t finest =
      std::max({pieces(p.row_blocks, 32) * pieces(p.column_blocks, 32), p.row_blocks,
                p.column_blocks, pieces(p.key_tokens, prediction::kMeanTokens)});
  const std::int64_t most = std::numeric_limits<std::int32_t>::max() / finest;
  if (p.batch * p.heads > most) {
    return unsupported("batch * heads = " + std::to_string(p.batch * p.heads) +
                       ": must be at most " + std::to_string(most) + " for " +
                       std::to_string(p.query_tokens) + " tokens");
  }
  return {};
}

struct Numbers {
  const char* name;
  const double* values;
  std::int64_t count;
  double least;
  double most;

  double of(std::int64_t head) const { return count == 1 ? values[0] : values[head]; }
};

Verdict check_numbers(const Numbers& n, std::int64_t heads) {
  const std::string name(n.name);
  if (n.count != 1 && n.count != heads) {
    return invalid(name + "_count = " + std::to_string(n.count) + ": must be 1 or " +
                   std::to_string(heads) + ", the number of heads");
  }
  if (n.values == nullptr) return invalid(name + " = null: must point to its numbers");
  for (std::int64_t i = 0; i < n.count; ++i) {
    if (!(n.values[i] >= n.least && n.values[i] <= n.most)) {
      return invalid(name + "[" + std::to_string(i) + "] = " + std::to_string(n.values[i]) +
                     ": must be in " + std::to_string(static_cast<int>(n.least)) + " .. " +
                     std::to_string(static_cast<int>(n.most)));
    }
  }
  return {};
}

Verdict check_flags(const lvsa_sparge_settings& s) {
  struct Flag {
    const char* name;
    std::int32_t value;
  };
  for (const Flag& flag : {Flag{"attention_sink", s.attention_sink}, Flag{"smooth_k", s.smooth_k},
                           Flag{"partial_kept", s.partial_kept}, Flag{"round_p", s.round_p}}) {
    if (flag.value != 0 && flag.value != 1) {
      return invalid(std::string(flag.name) + " = " + std::to_string(flag.value) +
                     ": must be 0 or 1");
    }
  }
  return {};
}

}  // namespace

Verdict prepare_sparge_problem(const lvsa_block_problem* problem, bool attention,
                               lvsa_block_problem* prepared) {
  const BlockRules rules = rules_of(attention);
  // Too small a struct is refused before any field of it is read.
  if (problem == nullptr || problem->struct_size < sizeof *problem) {
    return check_block_shape(problem, rules);
  }
  *prepared = prepared_of(*problem, attention);
  Verdict verdict = check_block_shape(prepared, rules);
  if (verdict.ok()) verdict = check_counts(*prepared);
  return verdict;
}

Verdict read_sparge_settings(const lvsa_sparge_settings* settings,
                             const lvsa_block_problem& prepared,
                             std::vector<prediction::HeadNumbers>* numbers) {
  if (settings == nullptr) return invalid("settings = null: must point to settings");
  const lvsa_sparge_settings& s = *settings;
  if (s.struct_size < sizeof s) {
    return invalid("struct_size of the settings = " + std::to_string(s.struct_size) +
                   ": must be at least " + std::to_string(sizeof s));
  }
  const bool by_mass = s.cdfthreshd_count != 0;
  if (by_mass == (s.topk_count != 0)) {
    return invalid("topk and cdfthreshd: one of the two must be given, not " +
                   std::string(by_mass ? "both" : "none"));
  }
  const Numbers share = by_mass ? Numbers{"cdfthreshd", s.cdfthreshd, s.cdfthreshd_count, 0.0, 1.0}
                                : Numbers{"topk", s.topk, s.topk_count, 0.0, 1.0};
  const Numbers likeness{"simthreshd1", s.simthreshd1, s.simthreshd1_count, -1.0, 1.0};
  const Numbers skip{"pvthreshd", s.pvthreshd, s.pvthreshd_count, 0.0, kSkipOff};
  const bool skips = s.pvthreshd_count != 0;
  Verdict verdict = check_numbers(share, prepared.heads);
  if (verdict.ok()) verdict = check_numbers(likeness, prepared.heads);
  if (verdict.ok() && skips) verdict = check_numbers(skip, prepared.heads);
  if (verdict.ok()) verdict = check_flags(s);
  if (!verdict.ok()) return verdict;
  const std::int64_t columns = prepared.column_blocks;
  for (std::int64_t head = 0; head < prepared.heads; ++head) {
    prediction::HeadNumbers one;
    const auto value = static_cast<float>(share.of(head));
    if (by_mass) {
      one.most = value;
    } else {
      const auto taken = static_cast<std::int64_t>(value * static_cast<float>(columns));
      one.taken = static_cast<std::int32_t>(std::clamp<std::int64_t>(taken, 1, columns));
    }
    one.least = static_cast<float>(likeness.of(head));
    one.skip_log2 = skips && skip.of(head) < kSkipOff ? static_cast<float>(skip.of(head))
                                                      : std::numeric_limits<float>::infinity();
    numbers->push_back(one);
  }
  return {};
}

Verdict check_sparge_device(const lvsa_block_problem& prepared, bool attention) {
  return check_block_device(prepared, rules_of(attention), nullptr);
}

Verdict check_device_memory(const char* name, const void* pointer, std::size_t alignment) {
  const std::string what(name);
  if (pointer == nullptr) return invalid(what + " = null: must point to device memory");
  if (reinterpret_cast<std::uintptr_t>(pointer) % alignment != 0) {
    return invalid(what + " is not aligned to " + std::to_string(alignment) + " bytes");
  }
  cudaPointerAttributes attributes{};
  Verdict verdict =
      from_cuda(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  if (verdict.ok() && attributes.devicePointer == nullptr) {
    verdict = invalid(what + " is not in memory that the device reaches");
  }
  return verdict;
}

}  // namespace lvsa::cuda
