#include "analysis/sweep/partials.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "analysis/sweep/partials_pass.hpp"
#include "reference/attention/exact_log.hpp"

namespace lvsa::analysis {
namespace {

void require(bool fine, const Sample& sample, const std::string& what) {
  if (!fine) refuse_sample(sample, what);
}

void check_finite(const Sample& sample, const char* name, std::int64_t token,
                  std::span<const double> row) {
  for (std::size_t c = 0; c < row.size(); ++c) {
    require(std::isfinite(row[c]), sample,
            fmt::format("{} holds {} at token {}, element {}: finite values are due", name, row[c],
                        token, c));
  }
}

FramePartials make_room(const Sample& sample, std::span<const std::int64_t> tokens, bool outputs) {
  FramePartials made;
  made.cells = cell_count(sample.grid);
  made.head_dim = sample.q.shape[3];
  made.tokens.assign(tokens.begin(), tokens.end());
  const std::size_t count = tokens.size() * static_cast<std::size_t>(made.cells);
  made.max_score.resize(count);
  made.normaliser.resize(count);
  if (outputs) made.out.resize(count * static_cast<std::size_t>(made.head_dim));
  return made;
}

// [rows up to a multiple of kPartialsRows][D], zeros behind the last.
std::vector<double> read_queries(const Sample& sample, std::span<const std::int64_t> tokens) {
  const auto dim = static_cast<std::size_t>(sample.q.shape[3]);
  const std::size_t rows = (tokens.size() + kPartialsRows - 1) / kPartialsRows * kPartialsRows;
  std::vector<double> queries(rows * dim, 0.0);
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    sample.q.read_row(0, tokens[r], 0, queries.data() + r * dim);
    check_finite(sample, "q", tokens[r], std::span(queries).subspan(r * dim, dim));
  }
  return queries;
}

}  // namespace

void check_sample(const Sample& sample, std::span<const std::int64_t> tokens) {
  const FrameGrid& grid = sample.grid;
  require(grid.frames >= 1 && grid.patches_per_frame >= 1 && grid.text_tokens >= 0, sample,
          fmt::format("grid of {} frames x {} patches + {} text tokens: positive sizes are due",
                      grid.frames, grid.patches_per_frame, grid.text_tokens));
  const std::int64_t dim = sample.q.shape[3];
  const std::pair<const char*, const TensorView*> views[] = {
      {"q", &sample.q}, {"k", &sample.k}, {"v", &sample.v}};
  for (const auto& [name, view] : views) {
    const auto& s = view->shape;
    require(view->data != nullptr && s[0] == 1 && s[1] == grid.seq_len() && s[2] == 1 &&
                s[3] == dim && dim >= 1,
            sample,
            fmt::format("{} has shape [{}, {}, {}, {}]: [1, {}, 1, {}] is due", name, s[0], s[1],
                        s[2], s[3], grid.seq_len(), std::max<std::int64_t>(dim, 1)));
  }
  for (const std::int64_t token : tokens) {
    require(token >= 0 && token < grid.seq_len(), sample,
            fmt::format("query token {}: 0 .. {} are there", token, grid.seq_len() - 1));
  }
}

std::int64_t cell_count(const FrameGrid& grid) {
  return grid.frames + (grid.text_tokens > 0 ? 1 : 0);
}

double FramePartials::lse(std::size_t row, std::int64_t cell) const {
  const std::size_t at = row * static_cast<std::size_t>(cells) + static_cast<std::size_t>(cell);
  return max_score[at] + reference::exact_log(normaliser[at]);
}

std::span<const double> FramePartials::output(std::size_t row, std::int64_t cell) const {
  const std::size_t at = row * static_cast<std::size_t>(cells) + static_cast<std::size_t>(cell);
  const auto dim = static_cast<std::size_t>(head_dim);
  return std::span(out).subspan(at * dim, dim);
}

FramePartials compute_partials(const Sample& sample, std::span<const std::int64_t> tokens,
                               const PartialsOptions& options) {
  check_sample(sample, tokens);
  const PartialsLoops& loops = partials_loops(options.level);
  const std::vector<double> queries = read_queries(sample, tokens);
  FramePartials made = make_room(sample, tokens, options.outputs);
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  // Pieces of one cell's keys and some of the rows: enough for all threads, and each with enough
  // rows to be worth the reading of the keys.
  constexpr std::int64_t kBlock = PartialsPass::kBlockRows;
  const auto rows = static_cast<std::int64_t>(tokens.size());
  const std::int64_t blocks = (rows + kBlock - 1) / kBlock;
  const std::int64_t cuts =
      std::clamp<std::int64_t>(4 * threads / made.cells, 1, std::max<std::int64_t>(blocks, 1));
  const std::int64_t rows_each = (blocks + cuts - 1) / cuts * kBlock;
  const std::int64_t pieces = rows > 0 ? made.cells * cuts : 0;
  std::exception_ptr failure;  // of the first piece that failed, whichever thread was first
  std::int64_t failed = pieces;
#pragma omp parallel num_threads( \
    static_cast <int>(std::min <std::int64_t>(threads, std::max <std::int64_t>(pieces, 1))))
  {
    PartialsPass pass(sample, queries, options.outputs, loops, made);
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < pieces; ++i) {
      try {
        const std::int64_t first = i % cuts * rows_each;
        if (first < rows) pass.run(i / cuts, first, std::min(rows, first + rows_each));
      } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_partials_failure)
        if (i < failed) {
          failed = i;
          failure = std::current_exception();
        }
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
  return made;
}

void stream_partials(const Sample& sample, std::span<const std::int64_t> tokens,
                     const PartialsOptions& options, std::int64_t bytes,
                     const std::function<void(const FramePartials&)>& take) {
  const std::int64_t row_bytes =
      8 * cell_count(sample.grid) * (2 + (options.outputs ? sample.q.shape[3] : 0));
  const auto block = static_cast<std::size_t>(std::max<std::int64_t>(1, bytes / row_bytes));
  for (std::size_t first = 0; first < tokens.size(); first += block) {
    take(compute_partials(sample, tokens.subspan(first, std::min(block, tokens.size() - first)),
                          options));
  }
}

std::vector<double> cell_masses(const FramePartials& partials, std::size_t row) {
  const auto cells = static_cast<std::size_t>(partials.cells);
  const double* const m = partials.max_score.data() + row * cells;
  const double* const l = partials.normaliser.data() + row * cells;
  const double top = *std::max_element(m, m + cells);
  std::vector<double> masses(cells);
  for (std::size_t c = 0; c < cells; ++c) masses[c] = m[c] - top;
  best_partials_loops().exp_array(masses.data(), masses.data(), partials.cells);
  double sum = 0.0;
  for (std::size_t c = 0; c < cells; ++c) sum += masses[c] *= l[c];
  for (double& mass : masses) mass /= sum;
  return masses;
}

}  // namespace lvsa::analysis
