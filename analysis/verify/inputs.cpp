#include "analysis/verify/inputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"

namespace lvsa::analysis {
namespace {

enum Stream : std::uint64_t { kQuery = 0, kKey = 1, kValue = 2, kSlot = 3, kTie = 4, kTarget = 5 };

// Writes one row of floats in the tensor's own type; the element stride of a made tensor is 1.
void store_row(Tensor& tensor, std::int64_t offset, const std::vector<float>& row) {
  const std::size_t width = dtype_bytes(tensor.dtype());
  std::byte* out = tensor.bytes() + static_cast<std::size_t>(offset) * width;
  if (tensor.dtype() == LVSA_BF16) {
    auto* target = reinterpret_cast<std::uint16_t*>(out);
    for (std::size_t i = 0; i < row.size(); ++i) target[i] = float_to_bf16(row[i]);
    return;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    encode(tensor.dtype(), static_cast<double>(row[i]), out + i * width);
  }
}

// Fills a tensor row by row; `make(first, token, row)` gives the row whose first counter is
// `first`.
template <typename Make>
void fill(Tensor& tensor, Make make) {
  const TensorView view = tensor.view();
  const std::int64_t rows = view.shape[0] * view.shape[1];
#pragma omp parallel
  {
    std::vector<float> row(static_cast<std::size_t>(view.shape[3]));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t h = 0; h < view.shape[2]; ++h) {
        const std::int64_t token = r % view.shape[1];
        make(static_cast<std::uint64_t>((r * view.shape[2] + h) * view.shape[3]), token, row);
        store_row(
            tensor,
            (r / view.shape[1]) * view.strides[0] + token * view.strides[1] + h * view.strides[2],
            row);
      }
    }
  }
}

void fill_bell(Tensor& tensor, std::uint64_t seed, Stream stream, float sigma) {
  fill(tensor, [=](std::uint64_t first, std::int64_t, std::vector<float>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = sigma * bell(random_bits(seed, stream, first + i));
    }
  });
}

void fill_indicator(Tensor& tensor, const Case& c) {
  fill(tensor, [&c](std::uint64_t, std::int64_t token, std::vector<float>& row) {
    std::fill(row.begin(), row.end(), 0.0F);
    const auto dim = static_cast<std::int64_t>(row.size());
    row[static_cast<std::size_t>(indicator_class(c.input, c.grid, token, dim))] = 1.0F;
  });
}

// Rows of `level(token)` plus a quarter of a bell: scores then lie near scale * D * the product of
// the two levels.
template <typename Level>
void fill_around(Tensor& tensor, std::uint64_t seed, Stream stream, Level level) {
  fill(tensor, [=](std::uint64_t first, std::int64_t token, std::vector<float>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = level(token) + 0.25F * bell(random_bits(seed, stream, first + i));
    }
  });
}

// Level of q and k at which scale * q.k is about `score`.
float level_for(double score, std::int64_t head_dim) {
  return static_cast<float>(std::sqrt(score / std::sqrt(static_cast<double>(head_dim))));
}

void fill_phantom(AttentionTensors& made, const Case& c) {
  const float level = level_for(110.0, c.head_dim);
  fill_around(made.q, c.seed, kQuery, [=](std::int64_t) { return level; });
  fill_around(made.k, c.seed, kKey, [=](std::int64_t) { return -level; });
  fill_around(made.v, c.seed, kValue, [](std::int64_t) { return 1.0F; });
}

void fill_large(AttentionTensors& made, const Case& c) {
  const float level = level_for(120.0, c.head_dim);
  const auto tokens = static_cast<float>(c.grid.seq_len());
  fill_around(made.q, c.seed, kQuery, [=](std::int64_t) { return level; });
  fill_around(made.k, c.seed, kKey, [=](std::int64_t token) {
    return level * (2.0F * static_cast<float>(token) / tokens - 1.0F);
  });
  fill_bell(made.v, c.seed, kValue, 1.0F);
}

// Keys are copies of a few rows, the same for all heads.
void fill_ties(AttentionTensors& made, const Case& c) {
  constexpr std::uint64_t kRows = 4;
  const auto sigma = static_cast<float>(c.sigma);
  const std::uint64_t seed = c.seed;
  fill_bell(made.q, seed, kQuery, sigma);
  fill(made.k, [=](std::uint64_t, std::int64_t token, std::vector<float>& row) {
    const auto which = random_bits(seed, kSlot, static_cast<std::uint64_t>(token)) % kRows;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = sigma * bell(random_bits(seed, kTie, which * row.size() + i));
    }
  });
  fill_bell(made.v, seed, kValue, 1.0F);
}

// A score of 16 takes nearly all the mass from any number of keys with scores near 0.
void fill_sink(AttentionTensors& made, const Case& c) {
  const float level = level_for(16.0, c.head_dim);
  fill_around(made.q, c.seed, kQuery, [=](std::int64_t) { return level; });
  fill_around(made.k, c.seed, kKey, [=](std::int64_t token) { return token == 0 ? level : 0.0F; });
  fill_bell(made.v, c.seed, kValue, 1.0F);
}

void fill_beacon(AttentionTensors& made, const Case& c) {
  const float level = level_for(12.0, c.head_dim);
  fill_around(made.q, c.seed, kQuery, [=](std::int64_t) { return level; });
  const bool of_sequence = c.input == InputKind::kBeaconBlock;
  const FrameGrid grid = of_sequence ? FrameGrid{1, c.grid.seq_len(), 0} : c.grid;
  fill_around(made.k, c.seed, kKey, [=, &c](std::int64_t token) {
    return is_beacon(grid, c.seed, token) ? level : 0.0F;
  });
  fill_indicator(made.v, c);
}

// Weights of exactly 0 and 1. A frame has a code, two of the D dimensions (one where that is enough
// to tell all frames apart); some of its keys carry it, the others are zero. A query asks for a
// frame: for its own, for the first one, or for any. Codes that agree give a score at least 120
// above all others, the exponential of which is 0 in fp32 and below; equal scores are computed
// alike, so they are equal to the last bit.
class IntegerCodes {
 public:
  explicit IntegerCodes(const Case& c)
      : grid_(c.grid),
        seed_(c.seed),
        half_(c.grid.frames + 1 <= c.head_dim ? 0 : c.head_dim / 2),
        query_level_(level_above(kGap * std::sqrt(static_cast<double>(c.head_dim)) / kKeyLevel)) {}

  void key(std::int64_t token, std::vector<float>& row) const {
    std::fill(row.begin(), row.end(), 0.0F);
    const std::int64_t frame = frame_of(token);
    const std::int64_t first = frame * grid_.patches_per_frame;
    const std::int64_t size = frame < grid_.frames ? grid_.patches_per_frame : grid_.text_tokens;
    // One key of a frame, or four in a row of every third one.
    const std::int64_t marked = frame % 3 == 2 ? std::min<std::int64_t>(4, size) : 1;
    const auto places = static_cast<std::uint64_t>(size - marked + 1);
    const auto start = static_cast<std::int64_t>(
        random_bits(seed_, kSlot, static_cast<std::uint64_t>(frame)) % places);
    const std::int64_t place = token - first - start;
    if (place >= 0 && place < marked) set(row, frame, static_cast<float>(kKeyLevel));
  }

  void query(std::int64_t token, std::vector<float>& row) const {
    std::fill(row.begin(), row.end(), 0.0F);
    const std::uint64_t bits = random_bits(seed_, kTarget, static_cast<std::uint64_t>(token));
    std::int64_t frame = frame_of(token);
    if (bits % 4 == 2) frame = 0;
    if (bits % 4 == 3) {
      frame = static_cast<std::int64_t>((bits >> 8) % static_cast<std::uint64_t>(grid_.frames));
    }
    set(row, frame, query_level_);
  }

 private:
  static constexpr double kGap = 120.0;
  static constexpr double kKeyLevel = 32.0;

  std::int64_t frame_of(std::int64_t token) const {
    return std::min(token / grid_.patches_per_frame, grid_.frames);
  }
  // The next number with four significant bits, which every type holds.
  static float level_above(double level) {
    int exponent = 0;
    const double fraction = std::frexp(level, &exponent);
    return static_cast<float>(std::ldexp(std::ceil(fraction * 16.0) / 16.0, exponent));
  }
  void set(std::vector<float>& row, std::int64_t frame, float level) const {
    const auto dim = static_cast<std::int64_t>(row.size());
    if (half_ == 0) {
      row[static_cast<std::size_t>(frame % dim)] = level;
      return;
    }
    row[static_cast<std::size_t>(frame % half_)] = level;
    row[static_cast<std::size_t>(half_ + frame / half_ % half_)] = level;
  }

  FrameGrid grid_;
  std::uint64_t seed_;
  std::int64_t half_;  // 0: one dimension a frame
  float query_level_;
};

void fill_integers(AttentionTensors& made, const Case& c) {
  const IntegerCodes codes(c);
  fill(made.q, [&](std::uint64_t, std::int64_t token, std::vector<float>& row) {
    codes.query(token, row);
  });
  fill(made.k,
       [&](std::uint64_t, std::int64_t token, std::vector<float>& row) { codes.key(token, row); });
  const std::uint64_t seed = c.seed;
  fill(made.v, [=](std::uint64_t first, std::int64_t, std::vector<float>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<float>(random_bits(seed, kValue, first + i) % 17) - 8.0F;
    }
  });
}

void fill_plain(AttentionTensors& made, const Case& c) {
  const auto sigma = static_cast<float>(c.sigma);
  fill_bell(made.q, c.seed, kQuery, sigma);
  fill_bell(made.k, c.seed, kKey, c.input == InputKind::kUniform ? 0.0F : sigma);
  if (c.input == InputKind::kGauss || c.input == InputKind::kUniform) {
    fill_bell(made.v, c.seed, kValue, 1.0F);
  } else {
    fill_indicator(made.v, c);
  }
}

// The system may promise more memory than there is and end the program when it is touched, so sizes
// are held against the machine's memory before anything is made.
void require_memory(const Case& c) {
  const double element = static_cast<double>(dtype_bytes(c.dtype));
  const double rows = static_cast<double>(c.batch) * static_cast<double>(c.grid.seq_len());
  const double heads = 2.0 * static_cast<double>(c.heads + c.kv_heads);  // q and out, k and v
  const double needed = element * rows * heads * static_cast<double>(c.head_dim);
  const double there =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (needed > there) {
    throw Error(
        ErrorKind::kOverflow,
        fmt::format("case: q, k, v and out of T={} P={} text={} B={} H={} Hkv={} D={} need {:.1f} "
                    "GiB; this machine has {:.1f}: fewer frames, heads or batch elements",
                    c.grid.frames, c.grid.patches_per_frame, c.grid.text_tokens, c.batch, c.heads,
                    c.kv_heads, c.head_dim, needed / 0x1p30, there / 0x1p30));
  }
}

}  // namespace

std::int64_t indicator_class(const FrameGrid& grid, std::int64_t token, std::int64_t head_dim) {
  return std::min(token / grid.patches_per_frame, grid.frames) % head_dim;
}

std::int64_t indicator_class(InputKind kind, const FrameGrid& grid, std::int64_t token,
                             std::int64_t head_dim) {
  if (kind == InputKind::kIndicator) return indicator_class(grid, token, head_dim);
  if (kind == InputKind::kIndicatorTile || kind == InputKind::kIndicatorBlock ||
      kind == InputKind::kBeaconBlock) {
    return token / kInputTile % head_dim;
  }
  if (kind == InputKind::kIndicatorPlace) return token % head_dim;
  if (kind == InputKind::kIndicatorKey) return token % head_dim;
  if (kind != InputKind::kBeacon) return 0;
  const std::int64_t frame = std::min(token / grid.patches_per_frame, grid.frames);
  const std::int64_t tiles = (grid.patches_per_frame + kInputTile - 1) / kInputTile;
  return (frame * tiles + (token - frame * grid.patches_per_frame) / kInputTile) % head_dim;
}

bool is_beacon(const FrameGrid& grid, std::uint64_t seed, std::int64_t token) {
  const std::int64_t frame = std::min(token / grid.patches_per_frame, grid.frames);
  const std::int64_t first = frame * grid.patches_per_frame;
  const std::int64_t size = frame < grid.frames ? grid.patches_per_frame : grid.text_tokens;
  const std::int64_t start = (token - first) / kInputTile * kInputTile;
  const std::int64_t count = std::min(kInputTile, size - start);
  const std::uint64_t bits = random_bits(seed, kSlot, static_cast<std::uint64_t>(first + start));
  std::int64_t slot = bits % 3 == 0 ? 0 : count - 1;
  if (bits % 3 == 2) {
    slot = static_cast<std::int64_t>((bits >> 8) % static_cast<std::uint64_t>(count));
  }
  return token - first - start == slot;
}

namespace {

// Three significant bits, so that a product with an e4m3 is exact in fp32.
std::vector<float> head_scales(const Case& c, std::int64_t heads, std::uint64_t stream) {
  std::vector<float> scales(static_cast<std::size_t>(c.batch * heads));
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const std::uint64_t mixed = (c.seed + 3 * stream + 7 * i + i * i) % 4;
    scales[i] = 0.75F + 0.25F * static_cast<float>(mixed);
  }
  return scales;
}

Tensor times(const Tensor& tensor, const std::vector<float>& scales) {
  const auto [batch, tokens, heads, dim] = tensor.shape();
  const TensorView view = tensor.view();
  const Layout layout = view.strides[1] > view.strides[2] ? Layout::kBSHD : Layout::kBHSD;
  Tensor made(LVSA_F32, tensor.shape(), layout);
  std::vector<double> row(static_cast<std::size_t>(dim));
  auto* out = reinterpret_cast<float*>(made.bytes());
  const auto& strides = made.view().strides;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t s = 0; s < tokens; ++s) {
      for (std::int64_t h = 0; h < heads; ++h) {
        view.read_row(b, s, h, row.data());
        const float scale = scales[static_cast<std::size_t>(b * heads + h)];
        float* to = out + b * strides[0] + s * strides[1] + h * strides[2];
        for (std::size_t i = 0; i < row.size(); ++i) to[i] = static_cast<float>(row[i]) * scale;
      }
    }
  }
  return made;
}

}  // namespace

DType output_dtype(const Case& c) { return c.dtype == LVSA_E4M3 ? LVSA_BF16 : c.dtype; }

AttentionTensors scaled_tensors(const AttentionTensors& tensors) {
  return {times(tensors.q, tensors.q_scale), times(tensors.k, tensors.k_scale),
          times(tensors.v, tensors.v_scale)};
}

AttentionTensors make_inputs(const Case& c) {
  require_memory(c);
  const std::int64_t tokens = c.grid.seq_len();
  AttentionTensors made{Tensor(c.dtype, {c.batch, tokens, c.heads, c.head_dim}, c.layout),
                        Tensor(c.dtype, {c.batch, tokens, c.kv_heads, c.head_dim}, c.layout),
                        Tensor(c.dtype, {c.batch, tokens, c.kv_heads, c.head_dim}, c.layout)};
  switch (c.input) {
    case InputKind::kPhantom:
      fill_phantom(made, c);
      break;
    case InputKind::kLarge:
      fill_large(made, c);
      break;
    case InputKind::kTies:
      fill_ties(made, c);
      break;
    case InputKind::kSink:
      fill_sink(made, c);
      break;
    case InputKind::kBeacon:
    case InputKind::kBeaconBlock:
      fill_beacon(made, c);
      break;
    case InputKind::kIntegers:
      fill_integers(made, c);
      break;
    default:
      fill_plain(made, c);
      break;
  }
  if (c.dtype == LVSA_E4M3) {
    made.q_scale = head_scales(c, c.heads, 0);
    made.k_scale = head_scales(c, c.kv_heads, 1);
    made.v_scale = head_scales(c, c.kv_heads, 2);
  }
  return made;
}

}  // namespace lvsa::analysis
