#include "reference/attention/blocks/block_mutant_call.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/tensor/tensor.hpp"
#include "reference/attention/blocks/block_mutant_skip.hpp"
#include "reference/attention/mutants/mutant_row.hpp"

namespace lvsa::reference {
namespace {

using enum BlockDefect;

// The part of the arithmetic that is wrong.
Defect numerics_of(BlockDefect defect) {
  switch (defect) {
    case kLog2e144:
      return Defect::kLog2e144;
    case kRescaleMissing:
      return Defect::kRescaleMissing;
    case kSumNotRescaled:
      return Defect::kSumNotRescaled;
    case kSumMissesLastTile:
      return Defect::kSumMissesLastTile;
    case kMaxNotUpdated:
      return Defect::kMaxNotUpdated;
    case kMaxStartsAtZero:
      return Defect::kMaxStartsAtZero;
    case kFewerBitsOfP:
      return Defect::kFewerBitsOfP;
    case kAccumulateBf16:
      return Defect::kAccumulateBf16;
    case kLseBase2:
      return Defect::kLseBase2;
    case kLseWithoutMax:
      return Defect::kLseWithoutMax;
    case kHeadDimTailDropped:
      return Defect::kHeadDimTailDropped;
    case kEmptyRowNan:
      return Defect::kEmptyRowNan;
    default:
      return Defect::kNone;
  }
}

// A tensor as floats, [B, S, H, D].
class Floats {
 public:
  Floats(const lvsa_block_problem& p, const lvsa_tensor& t, std::int64_t tokens, std::int64_t heads)
      : tokens_(tokens), heads_(heads), dim_(p.head_dim) {
    TensorView view{t.data, p.dtype, {p.batch, tokens, heads, dim_}, {}};
    std::copy(std::begin(t.strides), std::end(t.strides), view.strides.begin());
    values_.resize(static_cast<std::size_t>(p.batch * tokens * heads * dim_));
#pragma omp parallel
    {
      std::vector<double> row(static_cast<std::size_t>(dim_));
#pragma omp for schedule(static)
      for (std::int64_t i = 0; i < p.batch * tokens; ++i) {
        for (std::int64_t h = 0; h < heads; ++h) {
          view.read_row(i / tokens, i % tokens, h, row.data());
          std::transform(row.begin(), row.end(), values_.begin() + (i * heads + h) * dim_,
                         [](double x) { return static_cast<float>(x); });
        }
      }
    }
  }
  const float* row(std::int64_t b, std::int64_t s, std::int64_t h) const {
    return values_.data() + ((b * tokens_ + s) * heads_ + h) * dim_;
  }

 private:
  std::int64_t tokens_;
  std::int64_t heads_;
  std::int64_t dim_;
  std::vector<float> values_;
};

class Call {
 public:
  Call(const lvsa_block_problem& p, BlockDefect defect)
      : p_(p),
        defect_(defect),
        maps_(p, defect),
        q_(p, p.q, p.query_tokens, p.heads),
        k_(p, p.k, p.key_tokens, p.kv_heads),
        v_(p, p.v, p.key_tokens, p.kv_heads),
        zeros_(static_cast<std::size_t>(p.head_dim), 0.0F) {
    scale_ = p.scale;
    if (defect == kScaleForgotten) scale_ = 1.0;
    if (defect == kScaleOnePercent) scale_ *= 1.01;
  }

  void run() const {
    const std::int64_t items = p_.batch * p_.heads * p_.row_blocks;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < items; ++i) {
      run_block(i / (p_.heads * p_.row_blocks), i / p_.row_blocks % p_.heads, i % p_.row_blocks);
    }
  }

 private:
  bool wanted(std::int64_t token) const {
    return p_.wanted_tokens == nullptr ||
           std::binary_search(p_.wanted_tokens, p_.wanted_tokens + p_.wanted_count, token);
  }
  std::int64_t kv_head(std::int64_t head) const {
    return defect_ == kGroupsTiled ? head % p_.kv_heads : head / (p_.heads / p_.kv_heads);
  }
  std::int64_t kv_batch(std::int64_t batch) const { return defect_ == kBatchFolded ? 0 : batch; }
  const float* key(std::int64_t batch, std::int64_t head, std::int64_t place) const {
    const std::int64_t token = defect_ == kOrderNotOnK ? place : maps_.token(batch, head, place);
    return kv_row(k_, batch, token, head);
  }
  const float* value(std::int64_t batch, std::int64_t head, std::int64_t place) const {
    const std::int64_t token = defect_ == kOrderNotOnV ? place : maps_.token(batch, head, place);
    return kv_row(v_, batch, token, head);
  }
  // A token of K and V; of another batch element where these are placed wrongly.
  const float* kv_row(const Floats& of, std::int64_t batch, std::int64_t token,
                      std::int64_t head) const {
    batch = kv_batch(batch);
    if (defect_ == kBatchOfQueries) {
      token += batch * p_.query_tokens;
      batch = std::min(token / p_.key_tokens, p_.batch - 1);
      token %= p_.key_tokens;
    }
    return of.row(batch, address(token), kv_head(head));
  }
  std::int64_t address(std::int64_t token) const {
    if (defect_ != kOffsetOverflow) return token;
    constexpr std::int64_t kBound = std::int64_t{1} << 10;
    return token % std::max<std::int64_t>(1, kBound / (p_.kv_heads * p_.head_dim));
  }

  using Skips = std::vector<std::vector<bool>>;
  Skips skips_of(std::int64_t batch, std::int64_t head, std::int64_t block,
                 const std::vector<MutantEntry>& entries) const;
  std::vector<MutantTile> tiles_of(std::int64_t batch, std::int64_t head, std::int64_t row,
                                   const std::vector<MutantEntry>& entries,
                                   const Skips& skips) const;
  MutantKey masked(MutantKey key) const;
  void run_block(std::int64_t batch, std::int64_t head, std::int64_t block) const;
  const float* query(std::int64_t batch, std::int64_t head, std::int64_t place) const {
    const std::int64_t token = defect_ == kOrderNotOnQ ? place : maps_.token(batch, head, place);
    return q_.row(batch, token, head);
  }
  void write(std::int64_t batch, std::int64_t head, std::int64_t place,
             const MutantResult& result) const;

  const lvsa_block_problem& p_;
  BlockDefect defect_;
  MutantMaps maps_;
  Floats q_;
  Floats k_;
  Floats v_;
  std::vector<float> zeros_;
  double scale_ = 1.0;
};

Call::Skips Call::skips_of(std::int64_t batch, std::int64_t head, std::int64_t block,
                           const std::vector<MutantEntry>& entries) const {
  if (p_.skip_threshold_log2 == nullptr) return {};
  SkipInput in;
  in.threshold = p_.skip_threshold_log2[defect_ == kSkipOfHeadZero ? 0 : head];
  if (std::isinf(in.threshold)) return {};
  in.dim = p_.head_dim;
  in.factor = static_cast<float>(scale_ * std::numbers::log2e);
  in.entries = entries;
  for (std::int64_t place = maps_.row_begin(block); place < maps_.row_end(block); ++place) {
    in.queries.push_back(query(batch, head, place));
  }
  for (const MutantEntry& e : entries) {
    in.keys.emplace_back();
    for (std::int64_t place = e.begin; place < e.end; ++place) {
      in.keys.back().push_back(key(batch, head, place));
    }
  }
  return mutant_skips(in, maps_, defect_);
}

// A pair that the mask leaves out, where a defect lets something of it in.
MutantKey Call::masked(MutantKey key) const {
  if (defect_ == kMaskBiasSmall) key.bias = -30.0F;
  if (defect_ == kMaskedInSum) key.v = zeros_.data();
  return key;
}

std::vector<MutantTile> Call::tiles_of(std::int64_t batch, std::int64_t head, std::int64_t row,
                                       const std::vector<MutantEntry>& entries,
                                       const Skips& skips) const {
  const bool keeps_masked = defect_ == kMaskBiasSmall || defect_ == kMaskedInSum;
  std::vector<MutantTile> tiles;
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const bool skipped = !skips.empty() && skips[e][static_cast<std::size_t>(row)];
    if (skipped && defect_ != kSkipKeepsSum) continue;
    const MutantEntry& entry = entries[e];
    const std::int64_t end = defect_ == kPhantomKeys ? entry.nominal_end : entry.end;
    for (std::int64_t start = entry.begin; start < end; start += kMutantTile) {
      MutantTile tile;
      for (std::int64_t place = start; place < std::min(start + kMutantTile, end); ++place) {
        if (place >= entry.end) {
          tile.push_back({zeros_.data(), zeros_.data(), 0.0F, false});
          continue;
        }
        MutantKey one{key(batch, head, place), skipped ? zeros_.data() : value(batch, head, place),
                      0.0F, false};
        const bool attended = maps_.attends(entry.mask, row, place - entry.begin);
        if (attended || keeps_masked) tile.push_back(attended ? one : masked(one));
      }
      if (!tile.empty()) tiles.push_back(std::move(tile));
    }
  }
  return tiles;
}

void Call::run_block(std::int64_t batch, std::int64_t head, std::int64_t block) const {
  const std::int64_t begin = maps_.row_begin(block);
  const std::int64_t end = maps_.row_end(block);
  if (defect_ == kQueryTailUnwritten && end - begin < p_.block_rows && p_.row_blocks > 1) return;
  const std::vector<MutantEntry> entries = maps_.entries(batch, head, block);
  const Skips skips = skips_of(batch, head, block, entries);
  for (std::int64_t place = begin; place < end; ++place) {
    const std::int64_t token = maps_.token(batch, head, place);
    if (!wanted(token) && defect_ != kInverseForgotten && defect_ != kLseInPlaceOrder) continue;
    const auto tiles = tiles_of(batch, head, place - begin, entries, skips);
    MutantResult result =
        mutant_row(query(batch, head, place), p_.head_dim, static_cast<float>(scale_), tiles, 0,
                   0.0F, numerics_of(defect_));
    const bool empty = tiles.empty();
    if (empty && defect_ == kEmptyRowUnwritten) continue;
    if (empty && defect_ == kEmptyRowFiniteLse) result.lse = -50000.0F;
    write(batch, head, place, result);
  }
}

void Call::write(std::int64_t batch, std::int64_t head, std::int64_t place,
                 const MutantResult& result) const {
  const std::int64_t token = maps_.token(batch, head, place);
  const std::int64_t to = defect_ == kInverseForgotten ? place : token;
  if (wanted(to)) {
    const lvsa_tensor& t = p_.out;
    const std::int64_t base = batch * t.strides[0] + to * t.strides[1] + head * t.strides[2];
    auto* bytes = static_cast<std::byte*>(t.data);
    const auto width = static_cast<std::int64_t>(dtype_bytes(p_.out_dtype));
    for (std::int64_t c = 0; c < p_.head_dim; ++c) {
      encode(p_.out_dtype, static_cast<double>(result.out[static_cast<std::size_t>(c)]),
             bytes + (base + c * t.strides[3]) * width);
    }
  }
  const std::int64_t lse_to = defect_ == kLseInPlaceOrder ? place : to;
  if (p_.lse == nullptr || !wanted(lse_to)) return;
  p_.lse[batch * p_.lse_strides[0] + lse_to * p_.lse_strides[1] + head * p_.lse_strides[2]] =
      result.lse;
}

}  // namespace

void run_block_mutant(const lvsa_block_problem& problem, BlockDefect defect) {
  Call(problem, defect).run();
}

}  // namespace lvsa::reference
