#include <algorithm>
#include <array>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/run_case.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

// Rows within a frame (or the text) of `size` tokens where kernels go wrong: the ends, and both
// sides of the borders of tiles of 64 and 128 rows; every other draw is random.
std::int64_t row_within(std::int64_t size, std::int64_t draw, std::uint64_t bits) {
  constexpr std::array<std::int64_t, 8> kFromStart = {0, 63, 64, 127, 128, 255, 256, 191};
  const auto random = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(size));
  switch (draw % 4) {
    case 0:
      return size - 1;
    case 1:
      return std::min(kFromStart[static_cast<std::size_t>((draw / 4) % 8)], size - 1);
    case 2:
      return size / 64 * 64 < size ? size / 64 * 64 : size - 1;  // first row of the last tile
    default:
      return random;
  }
}

std::vector<RowId> all_rows(const Case& c) {
  std::vector<RowId> rows;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h) rows.push_back({b, s, h});
    }
  }
  return rows;
}

}  // namespace

std::vector<RowId> sample_rows(const Case& c) {
  constexpr std::uint64_t kRowStream = 101;
  // Rows of all batch elements and heads; the tensors were made, so it fits in 64 bits.
  if (c.rows == 0 || c.rows >= c.grid.seq_len() * c.batch * c.heads) return all_rows(c);
  // Text rows attend every token, so they cost most: few of them.
  const std::int64_t text_rows =
      c.grid.text_tokens == 0 ? 0 : std::min(std::max<std::int64_t>(2, c.rows / 16), c.rows);
  std::vector<RowId> rows;
  for (std::int64_t i = 0; i < c.rows; ++i) {
    const std::uint64_t bits = random_bits(c.seed, kRowStream, static_cast<std::uint64_t>(i));
    RowId row;
    row.head = i % c.heads;
    row.batch = (i / c.heads) % c.batch;
    if (i < text_rows) {
      row.token = c.grid.video_tokens() + row_within(c.grid.text_tokens, i, bits);
    } else {
      const std::int64_t j = i - text_rows;
      const std::int64_t video_rows = c.rows - text_rows;
      // Spread over all frames when there are fewer rows than frames; the last one always in.
      const std::int64_t frame =
          video_rows >= c.grid.frames
              ? j % c.grid.frames
              : (j * (c.grid.frames - 1)) / std::max<std::int64_t>(1, video_rows - 1);
      row.token =
          frame * c.grid.patches_per_frame + row_within(c.grid.patches_per_frame, j, bits >> 8);
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace lvsa::analysis
