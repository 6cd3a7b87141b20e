#pragma once
// What the host side of the Hopper kernels has in common: work items, sizes, tensor maps.

#include <cuda.h>

#include <cstdint>
#include <string>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/attention/hopper/parameters.hpp"
#include "cuda/launch/problem_check.hpp"

namespace lvsa::cuda {

/// The pattern on the device; it may be rewritten between runs, its sizes are not part of a plan.
/// Frame f attends list[offsets[f]] .. list[offsets[f + 1] - 1], ascending, unique, 0 .. T - 1:
/// this is not checked.
struct DeviceFrameLists {
  const void* offsets = nullptr;  ///< [T + 1], int64 or int32
  bool offsets_64 = true;
  const std::int32_t* list = nullptr;
};

/// Bytes of device memory behind fill_work()'s `counters`, a multiple of 128.
std::size_t counter_bytes(const lvsa_problem& problem, int query_tile);

/// Queues their clearing, due before each run.
Verdict clear_counters(const hopper::WorkParameters& work, std::size_t bytes, cudaStream_t stream);

/// Turns the parameters into those of the second run; false: none is due.
bool second_run(hopper::WorkParameters* work);

std::int64_t ceil_div(std::int64_t a, std::int64_t b);

/// Fills all of it for a checked problem, items of `query_tile` rows; `merge`
/// lets frames share the item of their last rows. `counters` is device memory. Returns
/// an empty text, or why the problem is too large.
std::string fill_work(const lvsa_problem& problem, int query_tile, bool merge,
                      const DeviceFrameLists& lists, int* counters, hopper::WorkParameters* work);

/// Tensor maps over the frames or the text of a problem's tensors, boxes of `rows` tokens. Maps are
/// made in turn; the first failure ends it and stands in message().
class MapBuilder {
 public:
  explicit MapBuilder(const lvsa_problem& p) : p_(p) {}

  void video(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows, CUtensorMap* map);
  /// Nothing without text.
  void text(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows, CUtensorMap* map);
  const std::string& message() const { return message_; }

 private:
  void build(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t first_token,
             std::int64_t tokens, std::int64_t frames, std::int64_t rows, CUtensorMap* map);

  const lvsa_problem& p_;
  std::string message_;
};

}  // namespace lvsa::cuda
