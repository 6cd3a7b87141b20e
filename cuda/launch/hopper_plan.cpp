#include "cuda/launch/hopper_plan.h"

#include <cstdint>
#include <exception>
#include <memory>

#include "cuda/launch/any_plan.hpp"

struct lvsa_hopper_plan {
  lvsa::cuda::AnyPlan plan;
};

namespace {

using lvsa::cuda::tell;
using lvsa::cuda::Verdict;

Verdict check_sizes(const lvsa_problem* problem) {
  if (problem == nullptr) return {LVSA_INVALID, "the problem is null"};
  return lvsa::cuda::check_problem(problem, lvsa::cuda::rules_of(*problem));
}

Verdict create(const lvsa_problem* problem, const lvsa_device_lists* lists, void* scratch,
               lvsa_hopper_plan** plan) {
  Verdict verdict = check_sizes(problem);
  if (!verdict.ok()) return verdict;
  if (lists == nullptr || scratch == nullptr) return {LVSA_INVALID, "lists or scratch is null"};
  if (lists->offsets == nullptr || lists->list == nullptr) {
    return {LVSA_INVALID, "offsets or list is null"};
  }
  if (reinterpret_cast<std::uintptr_t>(scratch) % 128 != 0) {
    return {LVSA_INVALID, "scratch is not aligned to 128 bytes"};
  }
  lvsa::cuda::DeviceFrameLists device_lists;
  device_lists.offsets = lists->offsets;
  device_lists.offsets_64 = lists->offsets_64 != 0;
  device_lists.list = lists->list;
  auto made = std::make_unique<lvsa_hopper_plan>();
  verdict = lvsa::cuda::make_plan(*problem, device_lists, static_cast<char*>(scratch), &made->plan);
  if (verdict.ok()) *plan = made.release();
  return verdict;
}

}  // namespace

extern "C" {

#define LVSA_EXPORT __attribute__((visibility("default")))

LVSA_EXPORT lvsa_status lvsa_hopper_scratch_bytes(const lvsa_problem* problem, size_t* bytes,
                                                  char* message, size_t message_size) {
  if (bytes == nullptr) return tell({LVSA_INVALID, "bytes is null"}, message, message_size);
  try {
    const Verdict verdict = check_sizes(problem);
    if (verdict.ok()) *bytes = lvsa::cuda::scratch_bytes(*problem);
    return tell(verdict, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

LVSA_EXPORT lvsa_status lvsa_hopper_plan_create(const lvsa_problem* problem,
                                                const lvsa_device_lists* lists, void* scratch,
                                                lvsa_hopper_plan** plan, char* message,
                                                size_t message_size) {
  if (plan == nullptr) return tell({LVSA_INVALID, "plan is null"}, message, message_size);
  *plan = nullptr;
  try {
    return tell(create(problem, lists, scratch, plan), message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

LVSA_EXPORT lvsa_status lvsa_hopper_plan_run(const lvsa_hopper_plan* plan, void* stream,
                                             char* message, size_t message_size) {
  if (plan == nullptr) return tell({LVSA_INVALID, "plan is null"}, message, message_size);
  try {
    return tell(lvsa::cuda::run_plan(plan->plan, static_cast<cudaStream_t>(stream)), message,
                message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

LVSA_EXPORT void lvsa_hopper_plan_destroy(lvsa_hopper_plan* plan) { delete plan; }

#undef LVSA_EXPORT

}  // extern "C"
