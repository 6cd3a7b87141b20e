#include "analysis/verify/kernel_invoke.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <chrono>
#include <cstring>
#include <functional>

#include "analysis/verify/device_problem.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

// `number`: the status as it came, which may be none.
KernelStatus told(const char* kernel, const char* step, int number, const char* message) {
  if (number == LVSA_OK) return {};
  const bool known = number >= LVSA_OK && number <= LVSA_FAILED;
  std::string line = message;
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  KernelStatus told;
  told.status = known ? static_cast<lvsa_status>(number) : LVSA_FAILED;
  told.text =
      fmt::format("kernel {}: {} returned {} {}{}{}", kernel, step,
                  known ? "status" : "what is no status,", number, line.empty() ? "" : ": ", line);
  return told;
}

// The floating-point environment as it was: a kernel that sets flush-to-zero or a rounding mode for
// itself must not change how it is judged.
class FloatEnvironmentKept {
 public:
  FloatEnvironmentKept() { std::fegetenv(&before_); }
  FloatEnvironmentKept(const FloatEnvironmentKept&) = delete;
  FloatEnvironmentKept& operator=(const FloatEnvironmentKept&) = delete;
  ~FloatEnvironmentKept() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_{};
};

// A C++ exception must not leave a function of the C interface; where one does, it is the kernel's
// failure and not this program's.
template <typename Call>
int guarded(const char* kernel, const char* step, Call call) {
  const FloatEnvironmentKept kept;
  try {
    return static_cast<int>(call());
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kKernel, fmt::format("kernel {}: a C++ exception left its {}: {}",
                                                kernel, step, error.what()));
  } catch (const abi::__forced_unwind&) {  // a thread that is being ended: not to be held up
    throw;
  } catch (...) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {}: a C++ exception left its {}", kernel, step));
  }
}

// The problem as the kernel's queries see it: where its memory is.
lvsa_problem placed(const lvsa_kernel& kernel, const lvsa_problem& problem) {
  return declared_memory(kernel.capabilities) == LVSA_CUDA ? DeviceProblem(problem).problem()
                                                           : problem;
}

KernelStatus run_on_device(const lvsa_kernel& kernel, const lvsa_problem& problem,
                           const GuardedBytes& workspace) {
  DeviceProblem there(problem);
  DeviceParts& parts = there.parts();
  void* const scratch = parts.send(workspace);
  // What is on its way to the device is not the kernel's time; that it is behind on the same stream
  // is what a kernel may count on.
  KernelStatus result = invoke_in_place(kernel, there.problem(), scratch, workspace.size(),
                                        parts.stream(), [&] { parts.wait(); });
  parts.fetch();
  result.changed_outside = parts.changed_outside();
  return result;
}

}  // namespace

KernelStatus call_contained(const char* kernel, const char* step,
                            const std::function<int(char*, std::size_t)>& call) {
  std::array<char, 512> message{};
  const int status = guarded(kernel, step, [&] { return call(message.data(), message.size()); });
  message.back() = '\0';
  return told(kernel, step, status, message.data());
}

KernelStatus run_contained(const char* kernel, const std::function<int(char*, std::size_t)>& run,
                           const std::function<void()>& wait) {
  const auto start = std::chrono::steady_clock::now();
  KernelStatus result = call_contained(kernel, "run", run);
  try {
    if (wait) wait();
  } catch (const DeviceLost& lost) {  // with the kernel's own words, if it has any
    throw DeviceLost(fmt::format("kernel {}: {}{}{}", kernel, lost.what(),
                                 result.text.empty() ? "" : "; ", result.text));
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

KernelStatus invoke_in_place(const lvsa_kernel& kernel, const lvsa_problem& problem,
                             void* workspace, std::size_t bytes, void* stream,
                             const std::function<void()>& wait) {
  return run_contained(
      kernel.name,
      [&](char* message, std::size_t size) {
        return static_cast<int>(kernel.run(&problem, workspace, bytes, stream, message, size));
      },
      wait);
}

KernelStatus workspace_in_place(const lvsa_kernel& kernel, const lvsa_problem& problem,
                                std::size_t& bytes) {
  bytes = 0;
  if (kernel.workspace == nullptr) return {};
  const int status =
      guarded(kernel.name, "workspace query", [&] { return kernel.workspace(&problem, &bytes); });
  return told(kernel.name, "workspace query", status, "");
}

KernelStatus query_workspace(const lvsa_kernel& kernel, const lvsa_problem& problem,
                             std::size_t& bytes) {
  bytes = 0;
  if (kernel.workspace == nullptr) return {};
  return workspace_in_place(kernel, placed(kernel, problem), bytes);
}

GuardedBytes make_workspace(const lvsa_kernel& kernel, std::size_t bytes, unsigned char fill) {
  try {
    return {bytes, fill};
  } catch (const Error&) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {}: asks for a workspace of {} bytes, which is more than "
                            "there is",
                            kernel.name, bytes));
  }
}

KernelStatus invoke_kernel(const lvsa_kernel& kernel, const lvsa_problem& problem,
                           GuardedBytes& workspace) {
  if (declared_memory(kernel.capabilities) == LVSA_CUDA)
    return run_on_device(kernel, problem, workspace);
  return invoke_in_place(kernel, problem, workspace.data(), workspace.size(), nullptr, {});
}

std::optional<lvsa_numerics> query_numerics(const lvsa_kernel& kernel,
                                            const lvsa_problem& problem) {
  if (kernel.numerics == nullptr) return std::nullopt;
  const lvsa_problem at_place = placed(kernel, problem);
  lvsa_numerics numerics{};
  numerics.struct_size = sizeof numerics;
  const int status =
      guarded(kernel.name, "numerics query", [&] { return kernel.numerics(&at_place, &numerics); });
  if (status != LVSA_OK) return std::nullopt;
  // What lies behind the fields that the kernel knows is not its word.
  const std::size_t known = std::min(numerics.struct_size, sizeof numerics);
  std::memset(reinterpret_cast<std::byte*>(&numerics) + known, 0, sizeof numerics - known);
  return numerics;
}

}  // namespace lvsa::analysis
