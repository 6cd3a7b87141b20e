// Target of the file that `bench --json` writes and `gate` reads.
#include "analysis/speed/analyse.hpp"
#include "analysis/speed/speed_result.hpp"
#include "analysis/speed/speed_text.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {

void fuzz_speed_json(std::string_view bytes) {
  const analysis::SpeedComparison comparison = analysis::parse_speed_json(bytes, "fuzz");
  const std::string text = analysis::to_speed_json(comparison);
  require(analysis::to_speed_json(analysis::parse_speed_json(text, "again")) == text,
          "a comparison reads back as itself");
  analysis::speed_as_text(comparison);
  // The gate makes the verdicts again.
  analysis::SpeedComparison judged = comparison;
  analysis::analyse_speed(judged);
  require(judged.cases.size() == comparison.cases.size(), "each case has a verdict");
  analysis::SpeedComparison twice = judged;
  analysis::analyse_speed(twice);
  require(analysis::to_speed_json(twice) == analysis::to_speed_json(judged),
          "judged twice, the same verdicts");
}

}  // namespace lvsa::fuzz
