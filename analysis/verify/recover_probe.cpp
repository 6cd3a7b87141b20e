#include "analysis/verify/recover_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kLeastFingerprints = 32;
constexpr std::int64_t kMostClasses = 128;  // of text tokens, of positions: more say little more
constexpr std::int64_t kMostOutputs = std::int64_t{1} << 30;
constexpr std::uint64_t kCodeStream = 211;

// The chunk with which `tokens` need at most `columns` columns.
std::int64_t chunk_for(std::int64_t tokens, std::int64_t columns) {
  return std::max<std::int64_t>(1, (tokens + columns - 1) / columns);
}

Case probe_case(const Case& c) {
  Case probe = c;
  probe.file.clear();
  probe.input = InputKind::kUniform;
  probe.only_wanted = false;
  return probe;
}

void fill_values(Tensor& v, const ProbeCodes& codes, std::int64_t first_column) {
  const TensorView view = v.view();
  const std::size_t width = dtype_bytes(v.dtype());
  std::array<std::array<std::byte, 8>, 3> encoded{};
  for (const int value : {-1, 0, 1}) {
    encode(v.dtype(), value, encoded.at(static_cast<std::size_t>(std::int64_t{value} + 1)).data());
  }
  const std::int64_t columns = codes.columns().count();
#pragma omp parallel for schedule(static)
  for (std::int64_t s = 0; s < view.shape[1]; ++s) {
    for (std::int64_t b = 0; b < view.shape[0]; ++b) {
      for (std::int64_t g = 0; g < view.shape[2]; ++g) {
        std::byte* row =
            v.bytes() + static_cast<std::size_t>(b * view.strides[0] + s * view.strides[1] +
                                                 g * view.strides[2]) *
                            width;
        for (std::int64_t i = 0; i < view.shape[3]; ++i) {
          const std::int64_t column = first_column + i;
          const int value = column < columns ? codes.code(column, b, g, s) : 0;
          const auto& bits = encoded[static_cast<std::size_t>(std::int64_t{value} + 1)];
          std::copy_n(bits.data(), width, row + static_cast<std::size_t>(i) * width);
        }
      }
    }
  }
}

// The factor of V in a batch element's kv head, `at` = batch * kv_heads + head: powers of two,
// which no arithmetic rounds, and another one for each neighbour, so that it is missed where left
// out.
double value_factor(const Case& c, std::int64_t at) {
  if (c.dtype != LVSA_E4M3) return 1.0;
  constexpr std::array kFactors = {2.0, 0.5, 4.0};
  return kFactors.at(static_cast<std::size_t>(at % 3));
}

// Copies the columns of one run to their place.
void collect(const KernelCall& call, const Case& c, std::int64_t first_column, ProbeOutputs& to) {
  const TensorView out = call.out().view();
  const std::int64_t kept = std::min(c.head_dim, to.columns - first_column);
  const std::int64_t tokens = c.grid.seq_len();
#pragma omp parallel
  {
    std::vector<double> row(static_cast<std::size_t>(c.head_dim));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < c.batch * c.heads * tokens; ++r) {
      const std::int64_t batch = r / (c.heads * tokens);
      const std::int64_t head = r / tokens % c.heads;
      out.read_row(batch, r % tokens, head, row.data());
      const double factor = value_factor(c, batch * c.kv_heads + head / (c.heads / c.kv_heads));
      for (std::int64_t i = 0; i < kept; ++i) {
        to.values[static_cast<std::size_t>(r * to.columns + first_column + i)] =
            static_cast<float>(row[static_cast<std::size_t>(i)] / factor);
      }
    }
  }
}

void collect_lse(const KernelCall& call, const Case& c, ProbeOutputs& to) {
  if (!call.has_lse()) return;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t h = 0; h < c.heads; ++h) {
      for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) to.lse.push_back(call.lse(b, s, h));
    }
  }
}

}  // namespace

ProbeColumns plan_columns(const Case& c, std::int64_t max_runs) {
  ProbeColumns columns;
  columns.grid = c.grid;
  columns.batch = c.batch;
  columns.kv_heads = c.kv_heads;
  columns.head_dim = c.head_dim;
  columns.fingerprints = kLeastFingerprints;
  // The fewest columns: one for all the text, one for all positions.
  columns.text_chunk = std::max<std::int64_t>(1, c.grid.text_tokens);
  columns.position_chunk = c.grid.patches_per_frame;
  const std::int64_t least = columns.runs();
  if (least > max_runs) {
    throw Error(ErrorKind::kValue,
                fmt::format("mask recovery: {} columns of T={} need {} runs at D={}; {} are "
                            "allowed: more runs or a larger D",
                            columns.count(), c.grid.frames, least, c.head_dim, max_runs));
  }
  const std::int64_t left = max_runs * c.head_dim - columns.count();
  const std::int64_t for_text = std::min({c.grid.text_tokens, left / 2 + 1, kMostClasses});
  if (for_text > 0) columns.text_chunk = chunk_for(c.grid.text_tokens, for_text);
  const std::int64_t rest = max_runs * c.head_dim - columns.count();
  columns.position_chunk = chunk_for(c.grid.patches_per_frame,
                                     std::min({c.grid.patches_per_frame, rest + 1, kMostClasses}));
  columns.fingerprints += columns.runs() * c.head_dim - columns.count();
  return columns;
}

ProbeCodes::ProbeCodes(const ProbeColumns& columns, std::uint64_t seed) : columns_(columns) {
  const std::int64_t tokens = columns_.grid.seq_len();
  codes_.assign(static_cast<std::size_t>(columns_.fingerprints * tokens), 0);
  for (std::int64_t i = 0; i < columns_.fingerprints; ++i) {
    const std::int64_t patches = columns_.grid.patches_per_frame;
    for (std::int64_t f = 0; f < columns_.grid.frames; ++f) draw(seed, i, f * patches, patches);
    draw(seed, i, columns_.grid.video_tokens(), columns_.grid.text_tokens);
    sums_.push_back(0);
    for (std::int64_t s = 0; s < tokens; ++s) {
      sums_.push_back(sums_.back() + codes_[static_cast<std::size_t>(i * tokens + s)]);
    }
  }
}

// Pairs the tokens at random; a pair is (1, -1), (-1, 1) or, one time in four, (0, 0). Zeros make
// sums of both parities, so that halving all counts does not go unseen.
void ProbeCodes::draw(std::uint64_t seed, std::int64_t index, std::int64_t first,
                      std::int64_t count) {
  const std::int64_t tokens = columns_.grid.seq_len();
  const auto base = static_cast<std::uint64_t>((index * tokens + first) * 2);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), first);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random_bits(seed, kCodeStream, base + i) % i]);
  }
  for (std::size_t i = 0; i + 1 < order.size(); i += 2) {
    const std::uint64_t bits = random_bits(seed, kCodeStream + 1, base + i) >> 32;
    const int value = bits % 4 == 0 ? 0 : (bits % 2 == 0 ? 1 : -1);
    codes_[static_cast<std::size_t>(index * tokens + order[i])] = static_cast<std::int8_t>(value);
    codes_[static_cast<std::size_t>(index * tokens + order[i + 1])] =
        static_cast<std::int8_t>(-value);
  }
}

int ProbeCodes::code(std::int64_t column, std::int64_t batch, std::int64_t kv_head,
                     std::int64_t token) const {
  const ProbeColumns& at = columns_;
  const bool text = token >= at.grid.video_tokens();
  if (column >= at.first_fingerprint()) {
    const std::int64_t index = column - at.first_fingerprint();
    return codes_[static_cast<std::size_t>(index * at.grid.seq_len() + token)];
  }
  if (column >= at.first_kv_head()) return column - at.first_kv_head() == kv_head ? 1 : 0;
  if (column >= at.first_batch()) return column - at.first_batch() == batch ? 1 : 0;
  if (column == at.ones()) return 1;
  if (column >= at.first_position()) {
    const std::int64_t position = token % at.grid.patches_per_frame;
    return !text && column - at.first_position() == position / at.position_chunk ? 1 : 0;
  }
  if (column >= at.first_text()) {
    const std::int64_t place = token - at.grid.video_tokens();
    return text && column - at.first_text() == place / at.text_chunk ? 1 : 0;
  }
  return !text && column == token / at.grid.patches_per_frame ? 1 : 0;
}

ProbeOutputs run_probes(const Case& c, const lvsa_kernel& kernel, const FramePattern& pattern,
                        const ProbeCodes& codes, std::int32_t threads,
                        const std::function<void()>& before_each) {
  const Case probe = probe_case(c);
  ProbeOutputs outputs;
  outputs.columns = codes.columns().count();
  const std::int64_t rows = c.batch * c.heads * c.grid.seq_len();
  if (rows > kMostOutputs / outputs.columns) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("mask recovery: {} query rows with {} columns each; at most {} values "
                            "are kept: fewer tokens, heads or batch elements",
                            rows, outputs.columns, kMostOutputs));
  }
  outputs.values.resize(static_cast<std::size_t>(rows * outputs.columns));
  AttentionTensors tensors = make_inputs(probe);
  for (std::size_t i = 0; i < tensors.v_scale.size(); ++i) {
    tensors.v_scale[i] = static_cast<float>(value_factor(probe, static_cast<std::int64_t>(i)));
  }
  for (std::int64_t run = 0; run < codes.columns().runs(); ++run) {
    fill_values(tensors.v, codes, run * c.head_dim);
    KernelCall call(kernel, probe, tensors, pattern, threads, {});
    if (before_each) before_each();
    call.run();
    collect(call, probe, run * c.head_dim, outputs);
    if (run == 0) {
      collect_lse(call, probe, outputs);
      outputs.numerics = call.numerics();
      outputs.dtype = call.out().dtype();
    }
  }
  return outputs;
}

}  // namespace lvsa::analysis
