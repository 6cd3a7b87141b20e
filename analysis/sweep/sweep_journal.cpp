#include "analysis/sweep/sweep_journal.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kValueBytes = sizeof(MetricValues);
static_assert(kValueBytes == kMetricCount * sizeof(double));
constexpr JournalKind kKind{"lvsa-sweep-journal 1 ", "sweep", kValueBytes};

}  // namespace

SweepJournal::SweepJournal(std::unique_ptr<UnitJournal> units, SweepPlan plan)
    : units_(std::move(units)), plan_(std::move(plan)) {}

std::unique_ptr<SweepJournal> SweepJournal::create(const std::string& path, const SweepPlan& plan) {
  return std::unique_ptr<SweepJournal>(
      new SweepJournal(UnitJournal::create(path, kKind, sweep_plan_json(plan)), plan));
}

std::unique_ptr<SweepJournal> SweepJournal::open(const std::string& path, bool writable) {
  auto units = UnitJournal::open(path, kKind, writable);
  SweepPlan plan;
  try {
    plan = parse_sweep_plan(units->plan());
    if (plan.settings.empty()) throw Error(ErrorKind::kJson, "plan of the sweep: no settings");
  } catch (const Error& error) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, error.what()));
  }
  units->read_records(plan.shard);
  return std::unique_ptr<SweepJournal>(new SweepJournal(std::move(units), std::move(plan)));
}

void SweepJournal::add(const UnitResult& result) {
  units_->add(result.unit, {reinterpret_cast<const char*>(result.values.data()),
                            result.values.size() * kValueBytes});
}

std::vector<MetricValues> SweepJournal::read(std::int64_t unit) const {
  const std::string bytes = units_->read(unit);
  std::vector<MetricValues> values(bytes.size() / kValueBytes);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace lvsa::analysis
