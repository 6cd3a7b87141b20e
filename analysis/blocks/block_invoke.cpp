#include "analysis/blocks/block_invoke.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include "analysis/blocks/device_block_problem.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {

lvsa_kernel table_of(const lvsa_block_kernel& kernel) {
  const lvsa_block_capabilities& can = kernel.capabilities;
  lvsa_kernel table{};
  table.abi_version = LVSA_KERNEL_ABI_VERSION;
  table.struct_size = sizeof table;
  table.name = kernel.name;
  table.description = kernel.description;
  lvsa_capabilities& same = table.capabilities;
  same.struct_size = sizeof same;
  same.dtypes = can.dtypes;
  same.p_dtypes = can.p_dtypes;
  std::memcpy(&same.memory, &can.memory, sizeof same.memory);  // may hold no value of the type
  same.head_dim_min = can.head_dim_min;
  same.head_dim_max = can.head_dim_max;
  same.head_dim_multiple = can.head_dim_multiple;
  same.grouped_heads = can.grouped_heads;
  same.text = 1;
  same.batch = can.batch;
  same.any_strides = can.any_strides;
  same.lse = can.lse;
  return table;
}

lvsa_block_problem with_maps(const lvsa_problem& p, const BlockMaps& maps) {
  lvsa_block_problem mapped{};
  mapped.struct_size = sizeof mapped;
  maps.arrays().fill(mapped);
  mapped.kv_heads = p.kv_heads;
  mapped.head_dim = p.head_dim;
  mapped.scale = p.scale;
  mapped.dtype = p.dtype;
  mapped.out_dtype = p.out_dtype;
  mapped.memory = p.memory;
  mapped.p_dtype = p.p_dtype;
  mapped.threads = p.threads;
  mapped.q = p.q;
  mapped.k = p.k;
  mapped.v = p.v;
  mapped.out = p.out;
  mapped.lse = p.lse;
  std::copy_n(std::begin(p.lse_strides), 3, std::begin(mapped.lse_strides));
  mapped.wanted_tokens = p.wanted_tokens;
  mapped.wanted_count = p.wanted_count;
  return mapped;
}

namespace {

bool wants_device(const lvsa_block_kernel& kernel) {
  return declared_memory(table_of(kernel).capabilities) == LVSA_CUDA;
}

// The problem as the kernel's queries see it: where its memory is.
lvsa_block_problem placed(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem) {
  return wants_device(kernel) ? DeviceBlockProblem(problem).problem() : problem;
}

KernelStatus run_in_place(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem,
                          void* workspace, std::size_t bytes, void* stream,
                          const std::function<void()>& wait) {
  return run_contained(
      kernel.name,
      [&](char* message, std::size_t size) {
        return static_cast<int>(kernel.run(&problem, workspace, bytes, stream, message, size));
      },
      wait);
}

}  // namespace

KernelStatus block_workspace(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem,
                             std::size_t& bytes) {
  bytes = 0;
  if (kernel.workspace == nullptr) return {};
  const lvsa_block_problem at_place = placed(kernel, problem);
  return call_contained(kernel.name, "workspace query", [&](char*, std::size_t) {
    return static_cast<int>(kernel.workspace(&at_place, &bytes));
  });
}

KernelStatus invoke_block_kernel(const lvsa_block_kernel& kernel, const lvsa_block_problem& problem,
                                 GuardedBytes& workspace) {
  if (!wants_device(kernel)) {
    return run_in_place(kernel, problem, workspace.data(), workspace.size(), nullptr, {});
  }
  DeviceBlockProblem there(problem);
  DeviceParts& parts = there.parts();
  void* const scratch = parts.send(workspace);
  KernelStatus result = run_in_place(kernel, there.problem(), scratch, workspace.size(),
                                     parts.stream(), [&] { parts.wait(); });
  parts.fetch();
  result.changed_outside = parts.changed_outside();
  return result;
}

std::optional<lvsa_numerics> block_numerics(const lvsa_block_kernel& kernel,
                                            const lvsa_block_problem& problem) {
  if (kernel.numerics == nullptr) return std::nullopt;
  const lvsa_block_problem at_place = placed(kernel, problem);
  lvsa_numerics numerics{};
  numerics.struct_size = sizeof numerics;
  const KernelStatus told = call_contained(kernel.name, "numerics query", [&](char*, std::size_t) {
    return static_cast<int>(kernel.numerics(&at_place, &numerics));
  });
  if (told.status != LVSA_OK) return std::nullopt;
  // What lies behind the fields that the kernel knows is not its word.
  const std::size_t known = std::min(numerics.struct_size, sizeof numerics);
  std::memset(reinterpret_cast<std::byte*>(&numerics) + known, 0, sizeof numerics - known);
  return numerics;
}

}  // namespace lvsa::analysis
