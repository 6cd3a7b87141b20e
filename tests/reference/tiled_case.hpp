#pragma once
// One problem for the tiled kernel with its memory, and a brute-force answer in fp64 that shares no
// code with the library.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace tiled_test {

enum class Order { kTokensFirst, kHeadsFirst };  // [B, S, H, D] or [B, H, S, D]

struct Shape {
  std::int64_t batch = 1;
  std::int64_t frames = 5;
  std::int64_t patches = 7;
  std::int64_t text = 0;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t dim = 16;
  lvsa_dtype dtype = LVSA_F32;
  lvsa_dtype out_dtype = LVSA_F32;
  lvsa_dtype p_dtype = LVSA_DTYPE_NONE;
  Order order = Order::kTokensFirst;
  std::int64_t element_stride = 1;
  std::int64_t row_gap = 0;  // elements between rows that belong to nobody
  double scale = 0.0;        // 0: 1 / sqrt(dim)
  double spread = 1.0;       // of the inputs
  std::int32_t threads = 2;
};

/// Values with a layout; what lies between the elements is `kGap` and must stay so.
class Tensor {
 public:
  Tensor() = default;
  Tensor(std::int64_t batch, std::int64_t tokens, std::int64_t heads, const Shape& shape,
         lvsa_dtype dtype);

  double get(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const;
  void set(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d, double value);
  lvsa_tensor view();
  /// True where an element that belongs to nobody has changed.
  bool gaps_touched() const;
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  lvsa_dtype dtype() const { return dtype_; }

 private:
  std::int64_t index(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const;

  lvsa_dtype dtype_ = LVSA_F32;
  std::int64_t sizes_[4] = {};
  std::int64_t strides_[4] = {};
  std::vector<std::uint8_t> bytes_;
};

/// Rounds to the type and back; independent of the library's conversions.
double round_to(lvsa_dtype dtype, double value);

class Case {
 public:
  /// Random inputs; frame f attends 0 and f-1 .. f+1, unless lists are set afterwards.
  explicit Case(const Shape& shape, std::uint32_t seed = 1);

  std::int64_t tokens() const { return shape.frames * shape.patches + shape.text; }
  lvsa_problem problem();
  /// Runs with a workspace of the size asked for; expects LVSA_OK.
  void run(const lvsa_kernel& kernel);
  /// Calls `visit` with each key that query `token` attends, ascending.
  void for_each_key(std::int64_t token, const std::function<void(std::int64_t)>& visit) const;

  Shape shape;
  std::vector<std::vector<std::int32_t>> lists;
  Tensor q, k, v, out;
  std::vector<float> lse;  // [batch, tokens, heads]

 private:
  std::vector<std::int64_t> offsets_;
  std::vector<std::int32_t> flat_;
};

/// Compares with fp64 by the tier A bound of the kernel's own declaration; returns an empty text,
/// or what was wrong first. `worst`, when given, receives the largest error over bound of an fp32
/// out.
std::string compare(Case& c, const lvsa_kernel& kernel, double* worst = nullptr);

/// Kernels of all levels that this machine has.
std::vector<const lvsa_kernel*> all_levels();

}  // namespace tiled_test
