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

enum Stream : std::uint64_t { kQuery = 0, kKey = 1, kValue = 2 };

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

void fill_indicator(Tensor& tensor, const FrameGrid& grid) {
  fill(tensor, [&grid](std::uint64_t, std::int64_t token, std::vector<float>& row) {
    std::fill(row.begin(), row.end(), 0.0F);
    const auto dim = static_cast<std::int64_t>(row.size());
    row[static_cast<std::size_t>(indicator_class(grid, token, dim))] = 1.0F;
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

AttentionTensors make_inputs(const Case& c) {
  require_memory(c);
  const std::int64_t tokens = c.grid.seq_len();
  AttentionTensors made{Tensor(c.dtype, {c.batch, tokens, c.heads, c.head_dim}, c.layout),
                        Tensor(c.dtype, {c.batch, tokens, c.kv_heads, c.head_dim}, c.layout),
                        Tensor(c.dtype, {c.batch, tokens, c.kv_heads, c.head_dim}, c.layout)};
  if (c.input == InputKind::kPhantom) {
    fill_phantom(made, c);
    return made;
  }
  if (c.input == InputKind::kLarge) {
    fill_large(made, c);
    return made;
  }
  const auto sigma = static_cast<float>(c.sigma);
  fill_bell(made.q, c.seed, kQuery, sigma);
  fill_bell(made.k, c.seed, kKey, c.input == InputKind::kUniform ? 0.0F : sigma);
  if (c.input == InputKind::kIndicator) {
    fill_indicator(made.v, c.grid);
  } else {
    fill_bell(made.v, c.seed, kValue, 1.0F);
  }
  return made;
}

}  // namespace lvsa::analysis
