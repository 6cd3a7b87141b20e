#pragma once
// One block problem with its memory, and a brute-force answer in fp64 over visible_tokens().

#include <cstdint>
#include <string>
#include <vector>

#include "core/blocks/block_problem.hpp"
#include "core/tensor/tensor.hpp"

namespace block_test {

struct Shape {
  std::int64_t batch = 1;
  std::int64_t queries = 100;
  std::int64_t keys = 100;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t dim = 16;
  lvsa_dtype dtype = LVSA_F32;
  lvsa_dtype out_dtype = LVSA_F32;
  lvsa_dtype p_dtype = LVSA_DTYPE_NONE;
  lvsa::Layout layout = lvsa::Layout::kBSHD;
  double scale = 0.25;
  double spread = 1.0;  ///< of the inputs
  std::int32_t threads = 2;
};

class Case {
 public:
  /// Random inputs. `patterns`: one for each head, or [batch][heads].
  Case(const Shape& shape, std::vector<lvsa::HeadPattern> patterns, unsigned seed = 1);

  lvsa_block_problem problem();
  /// Runs with a workspace of the size asked for; expects LVSA_OK and an untouched zone behind it.
  void run(const lvsa_block_kernel& kernel);
  const lvsa::HeadPattern& pattern(std::int64_t batch, std::int64_t head) const;
  double lse(std::int64_t b, std::int64_t s, std::int64_t h) const;

  Shape shape;
  std::vector<lvsa::HeadPattern> patterns;
  lvsa::BlockProblem arrays;
  lvsa::Tensor q, k, v, out;
  std::vector<float> lses;           ///< [batch, queries, heads]
  std::vector<std::int64_t> wanted;  ///< empty: all
};

/// Compares all rows with sums over visible_tokens() in fp64; empty, or what is wrong first. The
/// tolerance is that of fp32 sums (of P rounded to p_dtype and of the output type, too). No skip.
std::string compare(const Case& c);

/// A random pattern over these blocks: kept blocks by chance, now and then element masks, an empty
/// row or an order.
lvsa::HeadPattern random_pattern(std::uint64_t seed, const lvsa::BlockAxis& rows,
                                 const lvsa::BlockAxis& columns, bool masks, bool order);

/// Kernels of all levels that this machine has.
std::vector<const lvsa_block_kernel*> all_levels();

/// Bits of out and lse.
std::vector<std::uint8_t> result_bits(const Case& c);

}  // namespace block_test
