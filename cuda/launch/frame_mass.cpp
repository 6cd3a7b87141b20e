#include "cuda/launch/frame_mass.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <exception>

#include "cuda/attention/mass/parameters.hpp"
#include "cuda/launch/hopper_attention.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kRowSumsAt = 128;  // behind the item counter

int groups_of(const lvsa_problem& p) {
  return static_cast<int>(p.frames) + (p.text_tokens > 0 ? 1 : 0);
}

/// The same problem with stand-ins for the tensors that are not read.
lvsa_problem without_values(const lvsa_problem& p) {
  lvsa_problem q = p;
  q.v = p.k;
  q.out = p.q;
  q.out_dtype = p.dtype;
  q.lse = nullptr;
  return q;
}

struct Job {
  mass::Parameters parameters{};
  std::size_t bytes = 0;
  std::size_t partial_at = 0;
};

Verdict prepare(const lvsa_problem* problem, const DeviceFrameLists& lists, Job* job) {
  if (problem == nullptr) return {LVSA_INVALID, "the problem is null"};
  const lvsa_problem p = without_values(*problem);
  Verdict verdict = check_problem(&p, hopper_rules());
  if (verdict.ok()) verdict = check_device(p, 90, 9);
  int blocks = 0;
  if (verdict.ok()) verdict = count_multiprocessors(&blocks);
  if (!verdict.ok()) return verdict;
  mass::Parameters& m = job->parameters;
  std::string message = fill_work(p, hopper::kQueryTile, false, lists, nullptr, &m);
  if (!message.empty()) return {LVSA_UNSUPPORTED, std::move(message)};
  const auto tail = [](std::int64_t n) { return static_cast<int>((n - 1) % mass::kKeyTile + 1); };
  m.frame_tiles = static_cast<int>(ceil_div(p.patches_per_frame, mass::kKeyTile));
  m.frame_tail = tail(p.patches_per_frame);
  m.text_tiles = static_cast<int>(ceil_div(p.text_tokens, mass::kKeyTile));
  m.text_tail = p.text_tokens > 0 ? tail(p.text_tokens) : 0;
  m.groups = groups_of(p);
  const auto groups = static_cast<std::size_t>(m.groups);
  const std::size_t row_sums =
      static_cast<std::size_t>(blocks) * groups * hopper::kQueryTile * sizeof(float);
  job->partial_at = kRowSumsAt + row_sums;
  job->bytes = job->partial_at + static_cast<std::size_t>(m.items.total) * mass::kConsumerWarps *
                                     groups * sizeof(float);
  return {};
}

std::string build_maps(const lvsa_problem& p, mass::Parameters* m) {
  MapBuilder maps(p);
  maps.video(p.q, p.heads, hopper::kQueryTile, &m->query);
  maps.video(p.k, p.kv_heads, mass::kKeyTile, &m->key);
  maps.text(p.q, p.heads, hopper::kQueryTile, &m->text_query);
  maps.text(p.k, p.kv_heads, mass::kKeyTile, &m->text_key);
  return maps.message();
}

Verdict launch(const lvsa_problem& p, mass::Parameters m, float* mass, cudaStream_t stream) {
  const void* function = mass::mass_function(p.dtype, p.head_dim);
  const int shared = p.head_dim == 64 ? mass::shared_bytes<64>() : mass::shared_bytes<128>();
  int blocks = 0;
  Verdict verdict = prepare_launch(function, shared, m.items.total, &blocks);
  if (verdict.ok()) {
    verdict = from_cuda(cudaMemsetAsync(m.next_item, 0, sizeof(int), stream), "cudaMemsetAsync");
  }
  if (!verdict.ok()) return verdict;
  void* arguments[] = {&m};
  verdict = from_cuda(
      cudaLaunchKernel(function, dim3(static_cast<unsigned>(blocks)), dim3(hopper::kThreads),
                       arguments, static_cast<std::size_t>(shared), stream),
      "frame_mass");
  if (!verdict.ok()) return verdict;
  mass::Means means{};
  means.partial = m.partial;
  means.mass = mass;
  means.batch_heads = p.batch * p.heads;
  means.text_items = m.items.text_items;
  means.head_items = m.items.head_items;
  means.text_tiles = static_cast<int>(m.items.text_tiles);
  means.frame_tiles = m.items.full_tiles;
  means.frames = m.frames;
  means.groups = m.groups;
  means.patches = static_cast<float>(m.patches);
  means.text = static_cast<float>(m.text);
  return from_cuda(mass::take_means(means, stream), "take_means");
}

Verdict run(const lvsa_problem* problem, const lvsa_device_lists* lists, float* mass, char* scratch,
            cudaStream_t stream) {
  DeviceFrameLists given;
  if (lists != nullptr) {
    if (lists->offsets == nullptr || lists->list == nullptr) {
      return {LVSA_INVALID, "offsets or list is null"};
    }
    given.offsets = lists->offsets;
    given.offsets_64 = lists->offsets_64 != 0;
    given.list = lists->list;
  }
  Job job;
  Verdict verdict = prepare(problem, given, &job);
  if (!verdict.ok()) return verdict;
  if (mass == nullptr || scratch == nullptr) return {LVSA_INVALID, "mass or scratch is null"};
  if (reinterpret_cast<std::uintptr_t>(scratch) % 128 != 0) {
    return {LVSA_INVALID, "scratch is not aligned to 128 bytes"};
  }
  job.parameters.next_item = reinterpret_cast<int*>(scratch);
  job.parameters.row_sums = reinterpret_cast<float*>(scratch + kRowSumsAt);
  job.parameters.partial = reinterpret_cast<float*>(scratch + job.partial_at);
  const lvsa_problem p = without_values(*problem);
  std::string message = build_maps(p, &job.parameters);
  if (!message.empty()) return {LVSA_FAILED, std::move(message)};
  return launch(p, job.parameters, mass, stream);
}

}  // namespace
}  // namespace lvsa::cuda

extern "C" {

#define LVSA_EXPORT __attribute__((visibility("default")))

LVSA_EXPORT lvsa_status lvsa_frame_mass_scratch_bytes(const lvsa_problem* problem, size_t* bytes,
                                                      char* message, size_t message_size) {
  using lvsa::cuda::tell;
  if (bytes == nullptr) return tell({LVSA_INVALID, "bytes is null"}, message, message_size);
  try {
    lvsa::cuda::Job job;
    const lvsa::cuda::Verdict verdict = lvsa::cuda::prepare(problem, {}, &job);
    if (verdict.ok()) *bytes = job.bytes;
    return tell(verdict, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

LVSA_EXPORT lvsa_status lvsa_frame_mass(const lvsa_problem* problem, const lvsa_device_lists* lists,
                                        float* mass, void* scratch, void* stream, char* message,
                                        size_t message_size) {
  using lvsa::cuda::tell;
  try {
    return tell(lvsa::cuda::run(problem, lists, mass, static_cast<char*>(scratch),
                                static_cast<cudaStream_t>(stream)),
                message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

#undef LVSA_EXPORT

}  // extern "C"
