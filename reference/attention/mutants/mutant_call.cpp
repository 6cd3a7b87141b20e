#include "reference/attention/mutants/mutant_call.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "core/tensor/tensor.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/mutants/wrong_lists.hpp"

namespace lvsa::reference {
namespace {

// What defects keep from call to call; healthy code has nothing of the kind.
struct Memory {
  std::map<std::array<std::int64_t, 4>, AttendedLists> patterns;
  float last_sum = 0.0F;
  std::int64_t calls = 0;
};
Memory memory;

// A tensor as floats, [B, S, H, D].
class Staged {
 public:
  Staged(const lvsa_problem& p, const lvsa_tensor& t, std::int64_t heads, Defect defect)
      : tokens_(p.frames * p.patches_per_frame + p.text_tokens), heads_(heads), dim_(p.head_dim) {
    const bool ignores = defect == Defect::kStridesIgnored;
    TensorView view{t.data, p.dtype, {p.batch, tokens_, heads_, dim_}, {}};
    std::copy(std::begin(t.strides), std::end(t.strides), view.strides.begin());
    if (ignores) view.strides = {tokens_ * heads_ * dim_, heads_ * dim_, dim_, 1};
    values_.resize(static_cast<std::size_t>(p.batch * tokens_ * heads_ * dim_));
    std::vector<double> row(static_cast<std::size_t>(dim_));
    auto out = values_.begin();
    for (std::int64_t r = 0; r < p.batch * tokens_ * heads_; ++r) {
      view.read_row(r / (tokens_ * heads_), r / heads_ % tokens_, r % heads_, row.data());
      out = std::transform(row.begin(), row.end(), out,
                           [](double x) { return static_cast<float>(x); });
    }
  }
  // `token` counts on into the next batch elements, as an address would.
  const float* row(std::int64_t batch, std::int64_t token, std::int64_t head) const {
    return values_.data() + ((batch * tokens_ + token) * heads_ + head) * dim_;
  }
  std::int64_t rows() const { return static_cast<std::int64_t>(values_.size()) / (heads_ * dim_); }

 private:
  std::int64_t tokens_;
  std::int64_t heads_;
  std::int64_t dim_;
  std::vector<float> values_;
};

class Call {
 public:
  Call(const lvsa_problem& p, Defect defect)
      : p_(p),
        defect_(defect),
        video_(p.frames * p.patches_per_frame),
        tokens_(video_ + p.text_tokens),
        lists_(lists()),
        k_(p, p.k, p.kv_heads, defect),
        v_(p, p.v, p.kv_heads, Defect::kNone),
        q_(p, p.q, p.heads, Defect::kNone),
        zeros_(static_cast<std::size_t>(p.head_dim), 0.0F) {}

  void run() {
    const std::int64_t frames = p_.frames + (p_.text_tokens > 0 ? 1 : 0);
    const std::int64_t items = p_.batch * p_.heads * frames;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < items; ++i) {
      run_frame(i / (p_.heads * frames), i / frames % p_.heads, i % frames);
    }
  }

 private:
  AttendedLists lists() const;
  std::int64_t kv_head(std::int64_t head) const;
  bool is_wanted(std::int64_t token) const {
    return p_.wanted_tokens == nullptr ||
           std::binary_search(p_.wanted_tokens, p_.wanted_tokens + p_.wanted_count, token);
  }
  MutantKey key(std::int64_t batch, std::int64_t token, std::int64_t head) const;
  void add_range(std::vector<MutantTile>& tiles, std::int64_t batch, std::int64_t first,
                 std::int64_t count, std::int64_t head) const;
  void add_masked(std::vector<MutantTile>& tiles, const std::vector<std::int32_t>& row,
                  std::int64_t batch, std::int64_t head) const;
  std::vector<MutantTile> tiles_of(std::int64_t batch, std::int64_t frame, std::int64_t head,
                                   std::size_t& split) const;
  void run_frame(std::int64_t batch, std::int64_t head, std::int64_t frame);
  void write(std::int64_t batch, std::int64_t token, std::int64_t head,
             const MutantResult& result) const;

  const lvsa_problem& p_;
  Defect defect_;
  std::int64_t video_;
  std::int64_t tokens_;
  AttendedLists lists_;
  Staged k_;
  Staged v_;
  Staged q_;
  std::vector<float> zeros_;
};

AttendedLists Call::lists() const {
  const AttendedLists given = lists_of(p_);
  std::array<std::int64_t, 4> key = {p_.frames, p_.patches_per_frame, p_.text_tokens, 0};
  if (defect_ == Defect::kEqualChecksums) {
    for (const auto& row : given) key[3] += std::accumulate(row.begin(), row.end(), 0);
  } else if (defect_ != Defect::kStalePattern) {
    return wrong_lists(given, defect_);
  }
  return memory.patterns.try_emplace(key, given).first->second;
}

std::int64_t Call::kv_head(std::int64_t head) const {
  const std::int64_t group = p_.heads / p_.kv_heads;
  if (defect_ == Defect::kGroupsTiled) return head % p_.kv_heads;
  if (defect_ == Defect::kWrongKvHead && head % group == group - 1) {
    return (head / group + 1) % p_.kv_heads;
  }
  return head / group;
}

MutantKey Call::key(std::int64_t batch, std::int64_t token, std::int64_t head) const {
  if (defect_ == Defect::kOffsetOverflow) {
    constexpr std::int64_t kBound = std::int64_t{1} << 14;
    token %= std::max<std::int64_t>(1, kBound / (p_.kv_heads * p_.head_dim));
  }
  const std::int64_t behind = defect_ == Defect::kValuesShifted && token > 0 ? 1 : 0;
  return {k_.row(batch, token, head), v_.row(batch, token - behind, head), 0.0F, false};
}

// Appends tokens first .. first + count - 1 as tiles that end with the range.
void Call::add_range(std::vector<MutantTile>& tiles, std::int64_t batch, std::int64_t first,
                     std::int64_t count, std::int64_t head) const {
  for (std::int64_t start = 0; start < count; start += kMutantTile) {
    std::int64_t end = std::min(start + kMutantTile, count);
    const bool part = end - start < kMutantTile;
    const bool in_video = first < video_;
    const bool at_end = first + count == tokens_;
    if (part && in_video && defect_ == Defect::kFrameTailDropped) continue;
    const bool reads_on = (in_video && defect_ == Defect::kFrameTailReadPast) ||
                          (at_end && defect_ == Defect::kRowsPastEnd);
    const std::int64_t there =
        defect_ == Defect::kRowsPastEnd ? k_.rows() - batch * tokens_ : tokens_;
    if (part && reads_on) end = std::min(start + kMutantTile, there - first);
    MutantTile tile;
    for (std::int64_t i = start; i < end; ++i) tile.push_back(key(batch, first + i, head));
    if (part && defect_ == Defect::kPhantomKeys) {
      tile.resize(kMutantTile, {zeros_.data(), zeros_.data(), 0.0F, false});
    }
    tiles.push_back(std::move(tile));
  }
}

// Frames that are not attended, for the defects that mask late.
void Call::add_masked(std::vector<MutantTile>& tiles, const std::vector<std::int32_t>& row,
                      std::int64_t batch, std::int64_t head) const {
  for (std::int32_t f = 0; f < p_.frames; ++f) {
    if (std::find(row.begin(), row.end(), f) != row.end()) continue;
    const std::size_t before = tiles.size();
    add_range(tiles, batch, f * p_.patches_per_frame, p_.patches_per_frame, head);
    for (std::size_t t = before; t < tiles.size(); ++t) {
      for (MutantKey& masked : tiles[t]) {
        masked.bias = -10000.0F;
        masked.no_weight = defect_ == Defect::kMaskByZeroWeight;
      }
    }
  }
}

// The tiles of a frame's rows (frame T: the text's). `split`: tiles of the first half of the video.
std::vector<MutantTile> Call::tiles_of(std::int64_t batch, std::int64_t frame, std::int64_t head,
                                       std::size_t& split) const {
  const std::int64_t kv = kv_head(head);
  std::vector<std::int32_t> row(static_cast<std::size_t>(p_.frames));
  std::iota(row.begin(), row.end(), 0);
  const bool text_query = frame == p_.frames;
  if (!text_query) row = lists_[static_cast<std::size_t>(frame)];
  if (text_query && defect_ == Defect::kTextQueriesSparse) row = lists_.back();
  std::vector<MutantTile> tiles;
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::int64_t from = batch;
    const bool last = i + 1 == row.size();
    if (defect_ == Defect::kNextBatchFrames && last) from = (batch + 1) % p_.batch;
    add_range(tiles, from, row[i] * p_.patches_per_frame, p_.patches_per_frame, kv);
    if (2 * row[i] < p_.frames) split = tiles.size();
    if (defect_ == Defect::kBatchFolded && p_.batch > 1) {
      add_range(tiles, (batch + 1) % p_.batch, row[i] * p_.patches_per_frame, p_.patches_per_frame,
                kv);
    }
  }
  const bool has_text = defect_ != Defect::kTextMissing || text_query;
  if (has_text) add_range(tiles, batch, video_, p_.text_tokens, kv);
  if (defect_ == Defect::kTextTwice) add_range(tiles, batch, video_, p_.text_tokens, kv);
  if (defect_ == Defect::kMaskBiasFinite || defect_ == Defect::kMaskByZeroWeight) {
    add_masked(tiles, row, batch, kv);
  }
  if (defect_ == Defect::kLastKeyDropped && !tiles.empty()) tiles.back().pop_back();
  if (defect_ == Defect::kOrderVaries && memory.calls % 2 == 1) {
    std::reverse(tiles.begin(), tiles.end());
  }
  return tiles;
}

void Call::run_frame(std::int64_t batch, std::int64_t head, std::int64_t frame) {
  std::size_t split = 0;
  std::vector<MutantTile> tiles;
  const std::int64_t end = std::min((frame + 1) * p_.patches_per_frame, tokens_);
  const std::int64_t last = frame == p_.frames ? tokens_ : end;
  double scale = p_.scale;
  if (defect_ == Defect::kScaleForgotten) scale = 1.0;
  if (defect_ == Defect::kScaleTwice) scale *= p_.scale;
  if (defect_ == Defect::kScaleOnePercent) scale *= 1.01;
  for (std::int64_t token = frame * p_.patches_per_frame; token < last; ++token) {
    if (!is_wanted(token)) continue;
    if (tiles.empty()) tiles = tiles_of(batch, frame, head, split);
    const bool first_row = batch == 0 && head == 0 && token == 0;
    const bool carries = defect_ == Defect::kPreviousCall && first_row;
    const MutantResult result =
        mutant_row(q_.row(batch, token, head), p_.head_dim, static_cast<float>(scale), tiles, split,
                   carries ? memory.last_sum : 0.0F, defect_);
    if (carries) memory.last_sum = 1.0F;
    const bool unwritten = defect_ == Defect::kQueryTailUnwritten && token + 1 == tokens_;
    if (!unwritten) write(batch, token, head, result);
  }
}

void Call::write(std::int64_t batch, std::int64_t token, std::int64_t head,
                 const MutantResult& result) const {
  const std::int64_t to = defect_ == Defect::kHeadsSwapped && p_.heads > 1 ? head ^ 1 : head;
  const lvsa_tensor& t = p_.out;
  const std::int64_t target = to < p_.heads ? to : head;
  const std::int64_t base = batch * t.strides[0] + token * t.strides[1] + target * t.strides[2];
  const std::int64_t columns = p_.head_dim - (defect_ == Defect::kColumnTailUnwritten ? 1 : 0);
  auto* bytes = static_cast<std::byte*>(t.data);
  const auto width = static_cast<std::int64_t>(dtype_bytes(p_.out_dtype));
  for (std::int64_t c = 0; c < columns; ++c) {
    encode(p_.out_dtype, static_cast<double>(result.out[static_cast<std::size_t>(c)]),
           bytes + (base + c * t.strides[3]) * width);
  }
  if (p_.lse == nullptr) return;
  p_.lse[batch * p_.lse_strides[0] + token * p_.lse_strides[1] + head * p_.lse_strides[2]] =
      result.lse;
}

// The defect: q is scaled where it lies, and rounded to its type by that.
void change_q(const lvsa_problem& p) {
  auto* bytes = static_cast<std::byte*>(p.q.data);
  const auto width = static_cast<std::int64_t>(dtype_bytes(p.dtype));
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  for (std::int64_t row = 0; row < p.batch * tokens * p.heads; ++row) {
    const std::int64_t base = row / (tokens * p.heads) * p.q.strides[0] +
                              row / p.heads % tokens * p.q.strides[1] +
                              row % p.heads * p.q.strides[2];
    for (std::int64_t i = 0; i < p.head_dim; ++i) {
      std::byte* element = bytes + (base + i * p.q.strides[3]) * width;
      encode(p.dtype, decode(p.dtype, element) * p.scale, element);
    }
  }
}

}  // namespace

void forget_previous_calls() { memory = {}; }

void run_mutant(const lvsa_problem& problem, Defect defect) {
  lvsa_problem p = problem;
  if (defect == Defect::kInputChanged) {
    change_q(p);
    p.scale = 1.0;
  }
  Call(p, defect).run();
  ++memory.calls;
}

}  // namespace lvsa::reference
