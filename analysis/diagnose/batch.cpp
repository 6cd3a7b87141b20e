#include "analysis/diagnose/batch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kLargestLength = std::int64_t{1} << 40;
constexpr std::int64_t kLargestFrames = std::int64_t{1} << 24;

std::size_t hash(std::int64_t seq_len, std::int64_t frames) {
  auto mixed = static_cast<std::uint64_t>(seq_len) * 0x9e3779b97f4a7c15U ^
               static_cast<std::uint64_t>(frames) * 0xc2b2ae3d27d4eb4fU;
  return static_cast<std::size_t>(mixed ^ mixed >> 29);
}

}  // namespace

Batch::Batch(const Question& question) : judge_(question), slots_(1024) {}

Batch::Slot& Batch::find(std::int64_t seq_len, std::int64_t frames) {
  std::size_t at = hash(seq_len, frames) & (slots_.size() - 1);
  while (slots_[at].seq_len != 0 &&
         (slots_[at].seq_len != seq_len || slots_[at].frames != frames)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return slots_[at];
}

void Batch::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.seq_len != 0) find(slot.seq_len, slot.frames) = slot;
  }
}

void Batch::add(std::int64_t seq_len, std::optional<std::int64_t> frames, std::string_view where) {
  if (seq_len < 1 || seq_len > kLargestLength) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: seq_len is {}; 1 to 2^40 is due", where, seq_len));
  }
  if (frames && (*frames < 1 || *frames > kLargestFrames)) {
    throw Error(ErrorKind::kValue, fmt::format("{}: T is {}; 1 to 2^24 is due", where, *frames));
  }
  ++rows_;
  const auto told = frames ? frames : judge_.told_frames();
  Slot& slot = find(seq_len, told.value_or(-1));
  ++slot.calls;
  if (slot.seq_len != 0) return;
  slot.seq_len = seq_len;
  slot.frames = told.value_or(-1);
  slot.verdict = judge_.rule(seq_len, told).verdict;
  if (2 * ++used_ > slots_.size()) grow();
}

BatchSummary Batch::summary() const {
  BatchSummary summary;
  summary.rows = rows_;
  summary.distinct = static_cast<std::int64_t>(used_);
  std::vector<const Slot*> order;
  for (const Slot& slot : slots_) {
    if (slot.seq_len == 0) continue;
    summary.by_verdict[static_cast<std::size_t>(slot.verdict)] += slot.calls;
    order.push_back(&slot);
  }
  const auto shown = std::min(order.size(), BatchSummary::kMostGroups);
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const Slot* a, const Slot* b) {
                              return std::tuple(-a->calls, a->seq_len, a->frames) <
                                     std::tuple(-b->calls, b->seq_len, b->frames);
                            });
  for (std::size_t i = 0; i < shown; ++i) {
    const auto frames = order[i]->frames < 0 ? std::nullopt : std::optional(order[i]->frames);
    summary.groups.push_back({order[i]->seq_len, frames, order[i]->calls, order[i]->verdict});
  }
  return summary;
}

}  // namespace lvsa::analysis
