#include "analysis/sweep/row_choice.hpp"

#include <fmt/format.h>

#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

std::int64_t rows_in_frame(const FrameGrid& grid, const RowChoice& choice) {
  if (choice.rows_per_frame < 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} rows a frame: 0 (all) or more are due", choice.rows_per_frame));
  }
  const bool all = choice.rows_per_frame == 0 || choice.rows_per_frame >= grid.patches_per_frame;
  return all ? grid.patches_per_frame : choice.rows_per_frame;
}

std::vector<std::int64_t> choose_rows(const FrameGrid& grid, const RowChoice& choice) {
  const std::int64_t count = rows_in_frame(grid, choice);
  const std::int64_t patches = grid.patches_per_frame;
  std::vector<std::int64_t> tokens;
  tokens.reserve(static_cast<std::size_t>(count * grid.frames));
  for (std::int64_t frame = 0; frame < grid.frames; ++frame) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t begin = i * patches / count;
      const std::int64_t width = (i + 1) * patches / count - begin;
      const std::uint64_t bits = random_bits(choice.seed, static_cast<std::uint64_t>(frame),
                                             static_cast<std::uint64_t>(i));
      const auto place = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(width));
      tokens.push_back(frame * patches + begin + place);
    }
  }
  return tokens;
}

}  // namespace lvsa::analysis
