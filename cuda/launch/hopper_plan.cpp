#include "cuda/launch/hopper_plan.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>

#include "cuda/launch/hopper_attention.hpp"

struct lvsa_hopper_plan {
  lvsa::cuda::HopperPlan plan;
};

namespace {

lvsa_status tell(const lvsa::cuda::HopperResult& result, char* message, std::size_t message_size) {
  if (message != nullptr && message_size > 0) {
    const std::size_t length = std::min(result.message.size(), message_size - 1);
    std::memcpy(message, result.message.data(), length);
    message[length] = '\0';
  }
  return result.status;
}

lvsa::cuda::HopperResult create(const lvsa_problem* problem, const lvsa_device_lists* lists,
                                std::int32_t* scratch, lvsa_hopper_plan** plan) {
  if (problem == nullptr || lists == nullptr || scratch == nullptr) {
    return {LVSA_INVALID, "problem, lists or scratch is null"};
  }
  if (problem->struct_size < sizeof(lvsa_problem)) {
    return {LVSA_INVALID, "struct_size of the problem is too small"};
  }
  if (lists->offsets == nullptr || lists->list == nullptr) {
    return {LVSA_INVALID, "offsets or list is null"};
  }
  lvsa::cuda::DeviceFrameLists device_lists;
  device_lists.offsets = lists->offsets;
  device_lists.offsets_64 = lists->offsets_64 != 0;
  device_lists.list = lists->list;
  auto made = std::make_unique<lvsa_hopper_plan>();
  lvsa::cuda::HopperResult result =
      lvsa::cuda::hopper_plan(*problem, device_lists, scratch, &made->plan);
  if (result.ok()) *plan = made.release();
  return result;
}

}  // namespace

extern "C" {

#define LVSA_EXPORT __attribute__((visibility("default")))

LVSA_EXPORT lvsa_status lvsa_hopper_plan_create(const lvsa_problem* problem,
                                                const lvsa_device_lists* lists, int32_t* scratch,
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
    return tell(lvsa::cuda::hopper_run(plan->plan, static_cast<cudaStream_t>(stream)), message,
                message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

LVSA_EXPORT void lvsa_hopper_plan_destroy(lvsa_hopper_plan* plan) { delete plan; }

#undef LVSA_EXPORT

}  // extern "C"
