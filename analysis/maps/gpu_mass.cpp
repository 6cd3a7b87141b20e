#include "analysis/maps/gpu_mass.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"
#include "cuda/launch/frame_mass.h"  // plain C: its types alone are used

namespace lvsa::analysis {
namespace {

// Freed when it goes out of scope.
class DeviceBytes {
 public:
  DeviceBytes(DeviceMemory& memory, std::size_t bytes)
      : memory_(memory), address_(memory.allocate(bytes)) {}
  ~DeviceBytes() {
    try {
      memory_.free(address_);
    } catch (const DeviceLost&) {  // all of the device's memory is gone with it
    }
  }
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;
  DeviceMemory::Address address() const { return address_; }
  void* pointer() const { return reinterpret_cast<void*>(address_); }

 private:
  DeviceMemory& memory_;
  DeviceMemory::Address address_;
};

// [S, D] without gaps, in the tensor's own type.
std::vector<std::byte> dense(const TensorView& view) {
  const auto width = static_cast<std::int64_t>(dtype_bytes(view.dtype));
  const std::int64_t tokens = view.shape[1];
  const std::int64_t dim = view.shape[3];
  std::vector<std::byte> bytes(static_cast<std::size_t>(tokens * dim * width));
  const auto* const from = static_cast<const std::byte*>(view.data);
  std::byte* to = bytes.data();
  for (std::int64_t s = 0; s < tokens; ++s) {
    for (std::int64_t d = 0; d < dim; ++d, to += width) {
      std::memcpy(to, from + (s * view.strides[1] + d * view.strides[3]) * width,
                  static_cast<std::size_t>(width));
    }
  }
  return bytes;
}

lvsa_problem problem_of(const Sample& sample) {
  const std::int64_t dim = sample.q.shape[3];
  lvsa_problem problem{};
  problem.struct_size = sizeof problem;
  problem.batch = 1;
  problem.frames = sample.grid.frames;
  problem.patches_per_frame = sample.grid.patches_per_frame;
  problem.text_tokens = sample.grid.text_tokens;
  problem.heads = 1;
  problem.kv_heads = 1;
  problem.head_dim = dim;
  problem.scale = sample.scale;
  problem.dtype = sample.q.dtype;
  problem.out_dtype = sample.q.dtype;
  problem.memory = LVSA_CUDA;
  for (lvsa_tensor* tensor : {&problem.q, &problem.k, &problem.v, &problem.out}) {
    const std::array<std::int64_t, 4> strides = {sample.grid.seq_len() * dim, dim, dim, 1};
    std::copy(strides.begin(), strides.end(), tensor->strides);
  }
  return problem;
}

}  // namespace

struct GpuFrameMass::Library {
  std::string path;
  void* handle = nullptr;
  DeviceMemory* memory = nullptr;
  decltype(&lvsa_frame_mass_scratch_bytes) scratch_bytes = nullptr;
  decltype(&lvsa_frame_mass) run = nullptr;
  std::array<char, 512> message{};

  explicit Library(const std::string& name) : path(name) {
    // A name without '/' would be looked for where the system keeps its libraries.
    const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
    handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* const why = dlerror();
      fail(why != nullptr ? why : "it cannot be loaded");
    }
    find(scratch_bytes, "lvsa_frame_mass_scratch_bytes");
    find(run, "lvsa_frame_mass");
    memory = &DeviceMemory::first();
    memory->enter();
  }
  // The library stays loaded: the driver's threads may still be in it.

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kKernel, fmt::format("--gpu {}: {}", path, what));
  }

  template <typename Function>
  void find(Function& function, const char* name) {
    void* const found = dlsym(handle, name);
    if (found == nullptr) {
      fail(fmt::format("has no {}: liblvsa_cuda.so with the frame-mass kernel is due", name));
    }
    function = reinterpret_cast<Function>(found);
  }

  void require(lvsa_status status) const {
    if (status != LVSA_OK) fail(fmt::format("status {}: {}", int{status}, message.data()));
  }
};

GpuFrameMass::GpuFrameMass(const std::string& library)
    : library_(std::make_unique<Library>(library)) {}
GpuFrameMass::~GpuFrameMass() = default;

const std::string& GpuFrameMass::device() const { return library_->memory->name(); }

FrameMass GpuFrameMass::measure(const Sample& sample) {
  Library& library = *library_;
  DeviceMemory& memory = *library.memory;
  lvsa_problem problem = problem_of(sample);
  const std::vector<std::byte> q = dense(sample.q);
  const std::vector<std::byte> k = dense(sample.k);
  const DeviceBytes q_there(memory, q.size());
  const DeviceBytes k_there(memory, k.size());
  memory.to_device(q_there.address(), q.data(), q.size());
  memory.to_device(k_there.address(), k.data(), k.size());
  problem.q.data = q_there.pointer();
  problem.k.data = k_there.pointer();
  // Not read, but no kernel is handed a null pointer where a tensor is due.
  problem.v.data = k_there.pointer();
  problem.out.data = q_there.pointer();
  std::size_t scratch_bytes = 0;
  library.require(library.scratch_bytes(&problem, &scratch_bytes, library.message.data(),
                                        library.message.size()));
  const auto groups = static_cast<std::size_t>(key_groups(sample.grid));
  std::vector<float> mass(groups * groups);
  const DeviceBytes scratch(memory, std::max<std::size_t>(scratch_bytes, 1));
  const DeviceBytes mass_there(memory, mass.size() * sizeof(float));
  library.require(library.run(&problem, nullptr, static_cast<float*>(mass_there.pointer()),
                              scratch.pointer(), memory.stream(), library.message.data(),
                              library.message.size()));
  memory.wait();
  memory.to_host(mass.data(), mass_there.address(), mass.size() * sizeof(float));
  FrameMass result{sample.grid, sample.grid.patches_per_frame, {}, {}};
  const auto frames = static_cast<std::size_t>(sample.grid.frames);
  for (std::size_t f = 0; f < frames; ++f) {
    for (std::size_t g = 0; g < groups; ++g) {
      auto& to = g < frames ? result.mass : result.text;
      to.push_back(static_cast<double>(mass[f * groups + g]));
    }
  }
  return result;
}

}  // namespace lvsa::analysis
