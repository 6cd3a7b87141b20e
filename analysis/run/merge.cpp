#include "analysis/run/merge.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <limits>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::uint16_t kNoPart = std::numeric_limits<std::uint16_t>::max();

std::string shard_text(const ResultStore& store) {
  return fmt::format("shard {}/{}", store.plan().shard.number, store.plan().shard.of);
}

}  // namespace

Shards::Shards(const std::vector<std::string>& folders) {
  if (folders.size() >= kNoPart) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} folders: fewer than {} are due", folders.size(), kNoPart));
  }
  for (const std::string& folder : folders) {
    const std::string path = (std::filesystem::path(folder) / "report.jsonl").string();
    parts_.push_back({folder, ResultStore::open(path, false)});
  }
  require_same_run();
  assign_cases();
  plan_ = parts_.front().store->plan();
  plan_.shard = Shard{};
  for (const Part& part : parts_) provenance_ = joined(provenance_, part.store->provenance());
}

void Shards::require_same_run() const {
  const Part& first = parts_.front();
  for (const Part& part : parts_) {
    const std::string other = difference(first.store->plan(), part.store->plan(), true);
    if (other.empty()) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("{} and {} are of two runs: {}", first.folder, part.folder, other));
  }
}

void Shards::assign_cases() {
  const std::int64_t cases = parts_.front().store->plan().cases;
  part_of_.assign(static_cast<std::size_t>(cases), kNoPart);
  std::int64_t missing = 0;
  std::int64_t first_missing = 0;
  for (std::int64_t number = 1; number <= cases; ++number) {
    std::uint16_t& owner = part_of_[static_cast<std::size_t>(number) - 1];
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].store->has(number)) continue;
      if (owner != kNoPart) {
        throw Error(ErrorKind::kValue,
                    fmt::format("case {} stands in two folders: {} ({}) and {} ({})", number,
                                parts_[owner].folder, shard_text(*parts_[owner].store),
                                parts_[i].folder, shard_text(*parts_[i].store)));
      }
      owner = static_cast<std::uint16_t>(i);
    }
    if (owner != kNoPart) continue;
    if (++missing == 1) first_missing = number;
  }
  if (missing == 0) return;
  for (const Part& part : parts_) {
    if (!part.store->plan().shard.holds(first_missing)) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("{} of {} cases are missing, the first is number {}: {} in {} is "
                            "unfinished; lvsa-verify kernel --resume goes on with it",
                            missing, cases, first_missing, shard_text(*part.store), part.folder));
  }
  const std::int64_t of = parts_.front().store->plan().shard.of;
  throw Error(ErrorKind::kValue,
              fmt::format("{} of {} cases are missing, the first is number {}: the folder of shard "
                          "{}/{} is not among those given",
                          missing, cases, first_missing, (first_missing - 1) % of + 1, of));
}

void Shards::for_each(const std::function<void(CaseResult)>& visit) const {
  for (std::size_t i = 0; i < part_of_.size(); ++i) {
    visit(parts_[part_of_[i]].store->at(static_cast<std::int64_t>(i) + 1));
  }
}

}  // namespace lvsa::analysis
