#include "reference/attention/mutants/mutant_call.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "core/tensor/tensor.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/mutants/mutant_memory.hpp"
#include "reference/attention/mutants/wrong_lists.hpp"

namespace lvsa::reference {
namespace {

class Call {
 public:
  Call(const lvsa_problem& p, Defect defect, bool dirty_workspace)
      : p_(p),
        defect_(defect),
        dirty_workspace_(dirty_workspace),
        video_(p.frames * p.patches_per_frame),
        tokens_(video_ + p.text_tokens),
        lists_(lists()),
        k_(p, p.k, p.kv_heads, defect == Defect::kValuesClamped ? Defect::kNone : defect),
        v_(p, p.v, p.kv_heads, defect == Defect::kValuesClamped ? defect : Defect::kNone),
        q_(p, p.q, p.heads, Defect::kNone, true),
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
  bool runs_backwards(std::int64_t batch, std::int64_t token, std::int64_t head) const;
  float behind_row(std::int64_t batch, std::int64_t token, std::int64_t head) const;
  MutantKey key(std::int64_t batch, std::int64_t token, std::int64_t head) const;
  void add_range(std::vector<MutantTile>& tiles, std::int64_t batch, std::int64_t first,
                 std::int64_t count, std::int64_t head) const;
  void add_masked(std::vector<MutantTile>& tiles, const std::vector<std::int32_t>& row,
                  std::int64_t batch, std::int64_t head) const;
  std::vector<MutantTile> tiles_of(std::int64_t batch, std::int64_t frame, std::int64_t head,
                                   std::size_t& split) const;
  void run_frame(std::int64_t batch, std::int64_t head, std::int64_t frame);
  void write_behind(std::int64_t batch, std::int64_t token, std::int64_t head,
                    std::byte* behind) const;
  // A query row that was perhaps not staged, from where it lies.
  float neighbour(std::int64_t batch, std::int64_t token, std::int64_t head) const;
  void write(std::int64_t batch, std::int64_t token, std::int64_t head,
             const MutantResult& result) const;

  const lvsa_problem& p_;
  Defect defect_;
  bool dirty_workspace_;
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
  } else if (defect_ == Defect::kPlanByAddress) {
    const std::array<std::int64_t, 4> place = {
        reinterpret_cast<std::intptr_t>(p_.frame_lists.list),
        reinterpret_cast<std::intptr_t>(p_.frame_lists.offsets), p_.frames,
        p_.frame_lists.offsets[p_.frames]};
    return mutant_memory().plans.try_emplace(place, given).first->second;
  } else if (defect_ != Defect::kStalePattern) {
    return wrong_lists(given, defect_);
  }
  return mutant_memory().patterns.try_emplace(key, given).first->second;
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
  const float bias = defect_ == Defect::kRowEndRead ? 0.0F * behind_row(batch, token, head) : 0.0F;
  return {k_.row(batch, token, head), v_.row(batch, token - behind, head), bias, false};
}

// The element behind a row of K, but for the last row, behind which there may be nothing.
float Call::behind_row(std::int64_t batch, std::int64_t token, std::int64_t head) const {
  if (batch + 1 == p_.batch && token + 1 == tokens_ && head + 1 == p_.kv_heads) return 0.0F;
  const std::int64_t at = batch * p_.k.strides[0] + token * p_.k.strides[1] +
                          head * p_.k.strides[2] + p_.head_dim * p_.k.strides[3];
  const auto width = static_cast<std::int64_t>(dtype_bytes(p_.dtype));
  return static_cast<float>(
      decode(p_.dtype, static_cast<const std::byte*>(p_.k.data) + at * width));
}

// The defects that change nothing but the order of additions.
bool Call::runs_backwards(std::int64_t batch, std::int64_t token, std::int64_t head) const {
  switch (defect_) {
    case Defect::kOrderVaries:
      return mutant_memory().calls % 2 == 1;
    case Defect::kNoLseOrder:
      return p_.lse == nullptr;
    case Defect::kWorkspaceDirty:
      return dirty_workspace_;
    case Defect::kThreadsOrder:
      return p_.threads == 1;
    case Defect::kBatchOrder:
      return batch % 2 == 1;
    case Defect::kHeadOrder:
      return head % 2 == 1;
    case Defect::kGroupOrder:
      return p_.heads != p_.kv_heads;
    case Defect::kFrameCountOrder:
      return p_.frames % 2 == 1;
    case Defect::kWantedOrder: {
      if (p_.wanted_tokens == nullptr) return false;
      const auto* end = p_.wanted_tokens + p_.wanted_count;
      return (std::lower_bound(p_.wanted_tokens, end, token) - p_.wanted_tokens) % 2 == 0;
    }
    default:
      return false;
  }
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
  const bool dense = static_cast<std::int64_t>(row.size()) == p_.frames;
  const bool no_text =
      defect_ == Defect::kTextMissing || (defect_ == Defect::kDenseTextMissing && dense);
  const bool has_text = text_query || !no_text;
  if (has_text) add_range(tiles, batch, video_, p_.text_tokens, kv);
  if (defect_ == Defect::kTextTwice) add_range(tiles, batch, video_, p_.text_tokens, kv);
  if (defect_ == Defect::kMaskBiasFinite || defect_ == Defect::kMaskByZeroWeight) {
    add_masked(tiles, row, batch, kv);
  }
  if (defect_ == Defect::kLastKeyDropped && !tiles.empty()) tiles.back().pop_back();
  return tiles;
}

void Call::run_frame(std::int64_t batch, std::int64_t head, std::int64_t frame) {
  std::size_t split = 0;
  std::vector<MutantTile> tiles;
  bool backwards = false;
  const std::int64_t end = std::min((frame + 1) * p_.patches_per_frame, tokens_);
  const std::int64_t last = frame == p_.frames ? tokens_ : end;
  double scale = p_.scale;
  if (defect_ == Defect::kScaleForgotten) scale = 1.0;
  if (defect_ == Defect::kScaleTwice) scale *= p_.scale;
  if (defect_ == Defect::kScaleOnePercent) scale *= 1.01;
  for (std::int64_t token = frame * p_.patches_per_frame; token < last; ++token) {
    if (!is_wanted(p_, token)) continue;
    if (tiles.empty()) tiles = tiles_of(batch, frame, head, split);
    if (runs_backwards(batch, token, head) != backwards) {
      std::reverse(tiles.begin(), tiles.end());
      backwards = !backwards;
    }
    const bool first_row = batch == 0 && head == 0 && token == 0;
    const bool carries = defect_ == Defect::kPreviousCall && first_row;
    MutantResult result =
        mutant_row(q_.row(batch, token, head), p_.head_dim, static_cast<float>(scale), tiles, split,
                   carries ? mutant_memory().last_sum : 0.0F, defect_);
    if (carries) mutant_memory().last_sum = 1.0F;
    if (defect_ == Defect::kNeighbourQueryRead && token + 1 < tokens_) {
      result.out.front() += 0.0F * neighbour(batch, token + 1, head);
    }
    const bool unwritten = defect_ == Defect::kQueryTailUnwritten && token + 1 == tokens_;
    if (!unwritten) write(batch, token, head, result);
  }
}

float Call::neighbour(std::int64_t batch, std::int64_t token, std::int64_t head) const {
  const std::int64_t at =
      batch * p_.q.strides[0] + token * p_.q.strides[1] + head * p_.q.strides[2];
  const auto width = static_cast<std::int64_t>(dtype_bytes(p_.dtype));
  return static_cast<float>(
      decode(p_.dtype, static_cast<const std::byte*>(p_.q.data) + at * width));
}

// An output in its type, rounded towards -infinity.
double rounded_down(double value, DType dtype) {
  const double nearest = round_to_dtype(dtype, value);
  return nearest > value ? next_in_dtype(dtype, nearest, -INFINITY) : nearest;
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
    auto value = static_cast<double>(result.out[static_cast<std::size_t>(c)]);
    if (defect_ == Defect::kZerosUnwritten && value == 0.0) continue;
    if (defect_ == Defect::kRoundsDown) value = rounded_down(value, p_.out_dtype);
    encode(p_.out_dtype, value, bytes + (base + c * t.strides[3]) * width);
  }
  write_behind(batch, token, target, bytes + (base + p_.head_dim * t.strides[3]) * width);
  if (p_.lse == nullptr) return;
  float lse = result.lse;
  if (defect_ == Defect::kLseOfValues) lse += 0x1p-20F * result.out.front();
  p_.lse[batch * p_.lse_strides[0] + token * p_.lse_strides[1] + head * p_.lse_strides[2]] = lse;
}

// The defects that write behind a row; where a caller has put nothing there that can be written to,
// they must not be used.
void Call::write_behind(std::int64_t batch, std::int64_t token, std::int64_t head,
                        std::byte* behind) const {
  const std::int64_t nearest = std::min(p_.out.strides[1], p_.out.strides[2]);
  const bool last = batch + 1 == p_.batch && token + 1 == tokens_ && head + 1 == p_.heads;
  const bool row_end = defect_ == Defect::kRowEndOverrun && nearest > p_.head_dim;
  if (row_end || (defect_ == Defect::kTensorEndOverrun && last)) encode(p_.out_dtype, 0.0, behind);
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

void run_mutant(const lvsa_problem& problem, Defect defect, bool dirty_workspace) {
  lvsa_problem p = problem;
  if (defect == Defect::kInputChanged) {
    change_q(p);
    p.scale = 1.0;
  }
  Call(p, defect, dirty_workspace).run();
  ++mutant_memory().calls;
}

}  // namespace lvsa::reference
