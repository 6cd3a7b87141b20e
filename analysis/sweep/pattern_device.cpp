#include "analysis/sweep/pattern_device.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <sstream>
#include <utility>
#include <vector>

#include "analysis/speed/device_room.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "cuda/launch/block_plan.h"  // plain C, as the other: their types alone are used
#include "cuda/launch/sparge_attention.h"

namespace lvsa::analysis {
namespace {

// Numbers of the rule for one head; its pointers look at `numbers`.
struct Settings {
  std::array<double, 4> numbers{};
  lvsa_sparge_settings c{};
};

// Words of the rule; false where the device has no such rule.
bool read_settings(const std::string& text, std::int64_t head, Settings& settings) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  if (all.empty() || all.front() != "sparge") return false;
  const RuleWords words(rule_info("sparge"), {all.begin() + 1, all.end()});
  if (words.flag("causal")) return false;
  const bool by_cdf = words.text("cdfthreshd") != "none";
  const auto number = [&](std::string_view name, double low, double high) {
    return value_of_head(words.numbers(name, low, high), head, name);
  };
  auto& [topk, cdf, sim, skip] = settings.numbers;
  (by_cdf ? cdf : topk) = number(by_cdf ? "cdfthreshd" : "topk", 0.0, 1.0);
  sim = by_cdf ? 0.6 : -0.1;
  if (words.text("simthreshd1") != "auto") sim = number("simthreshd1", -1.0, 1.0);
  skip = number("pvthreshd", 0.0, 50.0);
  lvsa_sparge_settings& c = settings.c;
  c = {};
  c.struct_size = sizeof c;
  c.topk = &topk;
  c.topk_count = by_cdf ? 0 : 1;
  c.cdfthreshd = &cdf;
  c.cdfthreshd_count = by_cdf ? 1 : 0;
  c.simthreshd1 = &sim;
  c.simthreshd1_count = 1;
  c.pvthreshd = &skip;
  c.pvthreshd_count = 1;
  c.attention_sink = words.flag("attention_sink") ? 1 : 0;
  c.smooth_k = words.flag("smooth_k") ? 1 : 0;
  c.partial_kept = words.flag("partial_kept") ? 1 : 0;
  c.round_p = words.flag("round_p") ? 1 : 0;
  return true;
}

}  // namespace

struct DevicePrediction::Parts {
  std::string path;
  decltype(&lvsa_sparge_predict_scratch_bytes) scratch_bytes = nullptr;
  decltype(&lvsa_sparge_predict) predict = nullptr;
  std::array<char, 512> message{};
  lvsa_block_problem problem{};
  Settings settings;
  std::vector<std::unique_ptr<DeviceRoom>> rooms;
  lvsa_sparge_map map{};
  void* scratch = nullptr;

  explicit Parts(const DeviceLibrary& library) : path(library.path()) {
    library.find(scratch_bytes, "lvsa_sparge_predict_scratch_bytes");
    library.find(predict, "lvsa_sparge_predict");
  }

  void* room(std::int64_t bytes) {
    rooms.push_back(std::make_unique<DeviceRoom>(static_cast<std::size_t>(bytes)));
    return rooms.back()->address();
  }

  bool prepare(const lvsa_block_problem& given, const std::string& words, std::int64_t head) {
    if (scratch_bytes == nullptr || predict == nullptr) return false;
    if (!read_settings(words, head, settings)) return false;
    problem = given;
    std::size_t bytes = 0;
    if (scratch_bytes(&problem, &settings.c, &bytes, message.data(), message.size()) != LVSA_OK) {
      return false;
    }
    rooms.clear();
    const std::int64_t rows = problem.batch * problem.heads * problem.row_blocks;
    const auto width = static_cast<std::int64_t>(sizeof(std::int32_t));
    map = {};
    map.row_count = static_cast<std::int32_t*>(room(rows * width));
    map.indices = static_cast<std::int32_t*>(room(rows * problem.column_blocks * width));
    scratch = room(static_cast<std::int64_t>(bytes));
    return true;
  }

  double seconds(std::int64_t calls) {
    DeviceMemory& memory = DeviceMemory::first();
    const double start = wall_s();
    for (std::int64_t i = 0; i < calls; ++i) {
      const lvsa_status status = predict(&problem, &settings.c, &map, scratch, memory.stream(),
                                         message.data(), message.size());
      if (status != LVSA_OK) {
        throw Error(ErrorKind::kKernel, fmt::format("{}: lvsa_sparge_predict: status {}: {}", path,
                                                    int{status}, message.data()));
      }
    }
    memory.wait();
    return wall_s() - start;
  }
};

DevicePrediction::DevicePrediction(const DeviceLibrary& library)
    : parts_(std::make_unique<Parts>(library)) {}
DevicePrediction::~DevicePrediction() = default;

bool DevicePrediction::prepare(const lvsa_block_problem& problem, const std::string& words,
                               std::int64_t head) {
  return parts_->prepare(problem, words, head);
}

double DevicePrediction::seconds(std::int64_t calls) { return parts_->seconds(calls); }

DeviceLibrary::DeviceLibrary(const std::string& path) : path_(path) {
  // A name without '/' would be looked for where the system keeps its libraries.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ != nullptr) return;
  const char* const why = dlerror();
  throw Error(ErrorKind::kKernel,
              fmt::format("{}: {}", path, why != nullptr ? why : "it cannot be loaded"));
}

void* DeviceLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

struct DevicePlan::Parts {
  decltype(&lvsa_block_plan_scratch_bytes) scratch_bytes = nullptr;
  decltype(&lvsa_block_plan_create) create = nullptr;
  decltype(&lvsa_block_plan_run) run = nullptr;
  decltype(&lvsa_block_plan_destroy) destroy = nullptr;
  std::unique_ptr<DeviceRoom> scratch;
  lvsa_block_plan* plan = nullptr;

  template <typename Call>
  static void require(const Call& call) {
    const KernelStatus status = call_contained(
        "cuda-blocks", "plan",
        [&](char* message, std::size_t size) { return static_cast<int>(call(message, size)); });
    if (status.status != LVSA_OK) throw KernelFailed(status);
  }
};

DevicePlan::DevicePlan(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

DevicePlan::~DevicePlan() { parts_->destroy(parts_->plan); }

std::unique_ptr<DevicePlan> DevicePlan::make(const DeviceLibrary& library,
                                             const lvsa_block_problem& problem) {
  auto parts = std::make_unique<Parts>();
  Parts& p = *parts;
  library.find(p.scratch_bytes, "lvsa_block_plan_scratch_bytes");
  library.find(p.create, "lvsa_block_plan_create");
  library.find(p.run, "lvsa_block_plan_run");
  library.find(p.destroy, "lvsa_block_plan_destroy");
  if (p.scratch_bytes == nullptr || p.create == nullptr || p.run == nullptr ||
      p.destroy == nullptr) {
    return nullptr;
  }
  std::size_t bytes = 0;
  Parts::require([&](char* message, std::size_t size) {
    return p.scratch_bytes(&problem, &bytes, message, size);
  });
  p.scratch = std::make_unique<DeviceRoom>(bytes);
  Parts::require([&](char* message, std::size_t size) {
    return p.create(&problem, p.scratch->address(), DeviceMemory::first().stream(), &p.plan,
                    message, size);
  });
  return std::unique_ptr<DevicePlan>(new DevicePlan(std::move(parts)));
}

void DevicePlan::run() {
  const Parts& p = *parts_;
  Parts::require([&](char* message, std::size_t size) {
    return p.run(p.plan, DeviceMemory::first().stream(), message, size);
  });
}

}  // namespace lvsa::analysis
