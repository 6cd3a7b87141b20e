#include "analysis/run/case_time.hpp"

#include <algorithm>

#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

double default_timeout_s(const Case& c) {
  constexpr double kLeast_s = 60.0;
  constexpr double kWanted = 0.5e9;
  constexpr double kUnwanted = 10e9;
  constexpr double kExact = 0.1e9;
  const double tokens = static_cast<double>(c.grid.seq_len());
  const double rows_in_all = tokens * static_cast<double>(c.heads * c.batch);
  const double checked = c.rows == 0 ? rows_in_all : std::min(rows_in_all, double(c.rows));
  const double row_flops = 4.0 * tokens * static_cast<double>(c.head_dim);
  const double density = token_density(build_frame_pattern(case_pattern_spec(c)), c.grid);
  const double all_flops = row_flops * rows_in_all * density;
  // A wanted token is computed for every head and batch element.
  const double wanted_flops =
      c.only_wanted ? std::min(all_flops, row_flops * checked * double(c.heads * c.batch))
                    : all_flops;
  return kLeast_s + wanted_flops / kWanted + (all_flops - wanted_flops) / kUnwanted +
         checked * row_flops / kExact;
}

}  // namespace lvsa::analysis
