// Targets of sweeps: settings, axes and requirements as text, and the journal.
#include <algorithm>

#include "analysis/sweep/front.hpp"
#include "analysis/sweep/pattern_compare_folder.hpp"
#include "analysis/sweep/sweep_axes.hpp"
#include "analysis/sweep/sweep_journal.hpp"
#include "core/error.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {

// The first byte says what the rest is.
void fuzz_sweep_settings(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string text(bytes.substr(1));
  switch (bytes.front()) {
    case 'r': {
      const auto requirement = analysis::parse_requirement(text);
      const auto again = analysis::parse_requirement(requirement.text());
      require(again.text() == requirement.text(), "a requirement is read back");
      return;
    }
    case 'i':
      require(!analysis::parse_interval_axis("--interval", text).empty(), "an axis has values");
      return;
    case 'n':
      require(!analysis::parse_integer_axis("--window", text, 0, 65536).empty(), "axis");
      return;
    case 's': {
      const auto values = analysis::parse_real_axis("--scale", text, 0.0, 1000.0);
      require(std::all_of(values.begin(), values.end(),
                          [](double value) { return value >= 0.0 && value <= 1000.0; }),
              "the values of an axis are in its range");
      return;
    }
    default: {
      const ScratchFile file(text);
      for (const auto& setting : analysis::read_settings_file(file.path())) {
        require(analysis::parse_setting(setting_words(setting)) == setting,
                "a setting is read back from its words");
      }
    }
  }
}

namespace {

void read_compare_journal(const std::string& path) {
  const auto journal = analysis::CompareJournal::open(path, false);
  require(analysis::difference(analysis::parse_compare_plan(compare_plan_json(journal->plan())),
                               journal->plan(), false)
              .empty(),
          "a plan of a comparison is read back from its JSON");
  for (std::int64_t unit = 1; unit <= 64; ++unit) {
    if (!journal->has(unit)) continue;
    const std::string unit_read = analysis::unit_bytes(journal->read(unit));
    require(analysis::unit_bytes(analysis::parse_unit(unit_read, journal->plan().entries.size())) ==
                unit_read,
            "a unit is read back from its bytes");
  }
}

}  // namespace

// The journals of both kinds of sweep.
void fuzz_sweep_journal(std::string_view bytes) {
  const ScratchFile file(bytes);
  if (bytes.starts_with("lvsa-compare")) return read_compare_journal(file.path());
  const auto journal = analysis::SweepJournal::open(file.path(), false);
  require(analysis::difference(analysis::parse_sweep_plan(sweep_plan_json(journal->plan())),
                               journal->plan(), false)
              .empty(),
          "a plan is read back from its JSON");
  for (std::int64_t unit = 1; unit <= 64; ++unit) {
    if (journal->has(unit)) journal->read(unit);
  }
}

}  // namespace lvsa::fuzz
