#include "analysis/sweep/partials.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "core/error.hpp"
#include "reference/attention/exact_log.hpp"
#include "reference/attention/oracle_loops.hpp"

namespace lvsa::analysis {
namespace {

void require(bool fine, const Sample& sample, const std::string& what) {
  if (!fine) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}, layer {}, step {}, head {}: {}", sample.id.source, sample.id.layer,
                            sample.id.step, sample.id.head, what));
  }
}

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

void check_finite(const Sample& sample, const char* name, std::int64_t token,
                  std::span<const double> row) {
  for (std::size_t c = 0; c < row.size(); ++c) {
    require(std::isfinite(row[c]), sample,
            fmt::format("{} holds {} at token {}, element {}: finite values are due", name, row[c],
                        token, c));
  }
}

struct CellResult {
  double max_score;
  double normaliser;
};

class Pass {
 public:
  Pass(const Sample& sample, bool outputs)
      : sample_(sample), outputs_(outputs), dim_(static_cast<std::size_t>(sample.q.shape[3])) {
    const auto n = static_cast<std::size_t>(sample.grid.seq_len());
    k_.resize(n * dim_);
    v_.resize(outputs ? n * dim_ : 0);
    for (std::size_t j = 0; j < n; ++j) {
      read(sample.k, "k", j, k_);
      if (outputs) read(sample.v, "v", j, v_);
    }
  }

  void row(FramePartials& to, std::size_t r) const {
    std::vector<double> q(dim_);
    sample_.q.read_row(0, to.tokens[r], 0, q.data());
    check_finite(sample_, "q", to.tokens[r], q);
    const std::int64_t patches = sample_.grid.patches_per_frame;
    for (std::int64_t c = 0; c < to.cells; ++c) {
      const auto begin = static_cast<std::size_t>(c * patches);
      const auto end = static_cast<std::size_t>(c < sample_.grid.frames ? (c + 1) * patches
                                                                        : sample_.grid.seq_len());
      const std::size_t at = r * static_cast<std::size_t>(to.cells) + static_cast<std::size_t>(c);
      cell(q, begin, end, to.max_score[at], to.normaliser[at],
           outputs_ ? to.out.data() + at * dim_ : nullptr);
    }
  }

 private:
  void read(const TensorView& view, const char* name, std::size_t token,
            std::vector<double>& all) const {
    view.read_row(0, static_cast<std::int64_t>(token), 0, all.data() + token * dim_);
    check_finite(sample_, name, static_cast<std::int64_t>(token),
                 std::span(all).subspan(token * dim_, dim_));
  }

  void cell(const std::vector<double>& q, std::size_t begin, std::size_t end, double& m, double& l,
            double* out) const {
    std::vector<double> s(end - begin);
    for (std::size_t j = begin; j < end; ++j) {
      double sum = 0.0;
      for (std::size_t i = 0; i < dim_; ++i) sum += q[i] * k_[j * dim_ + i];
      s[j - begin] = sum * sample_.scale;
    }
    m = *std::max_element(s.begin(), s.end());
    for (double& x : s) x -= m;
    reference::best_oracle_loops().exp_array(s.data(), s.data(),
                                             static_cast<std::int64_t>(s.size()));
    l = 0.0;
    for (const double p : s) l += p;
    if (out == nullptr) return;
    std::fill_n(out, dim_, 0.0);
    for (std::size_t j = begin; j < end; ++j) {
      for (std::size_t i = 0; i < dim_; ++i) out[i] += s[j - begin] * v_[j * dim_ + i];
    }
    for (std::size_t i = 0; i < dim_; ++i) out[i] /= l;
  }

  const Sample& sample_;
  bool outputs_;
  std::size_t dim_;
  std::vector<double> k_;
  std::vector<double> v_;
};

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

}  // namespace

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
  FramePartials made = make_room(sample, tokens, options.outputs);
  const Pass pass(sample, options.outputs);
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
  std::exception_ptr failure;
  const auto rows = static_cast<std::int64_t>(tokens.size());
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::int64_t r = 0; r < rows; ++r) {
    try {
      pass.row(made, static_cast<std::size_t>(r));
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_partials_failure)
      failure = std::current_exception();
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
  reference::best_oracle_loops().exp_array(masses.data(), masses.data(), partials.cells);
  double sum = 0.0;
  for (std::size_t c = 0; c < cells; ++c) sum += masses[c] *= l[c];
  for (double& mass : masses) mass /= sum;
  return masses;
}

}  // namespace lvsa::analysis
