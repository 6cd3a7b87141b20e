// lvsa-verify replay: a small failing case from a file, run again.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/blocks/block_replay.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/verify/replay_case.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::ReplayCase;
using analysis::ReplayVerdict;

struct ReplayOptions {
  std::string file;
  std::string kernel;
  std::int64_t threads = 0;
  bool json = false;
};

// The tensor, a row a line, where it is small enough to read.
void print_tensor(const char* name, const Tensor& tensor) {
  constexpr std::int64_t kMostElements = 256;
  if (tensor.elements() > kMostElements) return;
  const TensorView view = tensor.view();
  std::vector<double> row(static_cast<std::size_t>(view.shape[3]));
  for (std::int64_t b = 0; b < view.shape[0]; ++b) {
    for (std::int64_t h = 0; h < view.shape[2]; ++h) {
      for (std::int64_t s = 0; s < view.shape[1]; ++s) {
        view.read_row(b, s, h, row.data());
        fmt::print("  {}[batch {}, token {}, head {}] = {:g}\n", name, b, s, h,
                   fmt::join(row, " "));
      }
    }
  }
}

// The different maps of the heads, a query block a line, where they are small enough to read.
void print_maps(const ReplayCase& replay) {
  constexpr std::int64_t kMostBlocks = 64;
  for (std::size_t h = 0; h < replay.maps.size(); ++h) {
    const HeadPattern& head = replay.maps[h];
    const auto before = replay.maps.begin() + static_cast<std::ptrdiff_t>(h);
    if (head.map.rows.blocks() > kMostBlocks) continue;
    if (std::find(replay.maps.begin(), before, head) != before) continue;
    for (std::int64_t r = 0; r < head.map.rows.blocks(); ++r) {
      fmt::print("  head {}, query block {} attends {}\n", h, r, fmt::join(head.map.row(r), " "));
    }
  }
}

void print_replay(const ReplayCase& replay) {
  fmt::print("sizes    {}\nfound in {}\nfailed   {} on {}: {}\n", to_line(replay.c),
             analysis::valid_utf8(replay.found), analysis::valid_utf8(replay.check),
             analysis::valid_utf8(replay.kernel), analysis::valid_utf8(replay.message));
  print_maps(replay);
  if (replay.lists.size() <= 64) {
    for (std::size_t f = 0; f < replay.lists.size(); ++f) {
      fmt::print("  frame {} attends {}\n", f, fmt::join(replay.lists[f], " "));
    }
  }
  print_tensor("q", replay.tensors.q);
  print_tensor("k", replay.tensors.k);
  print_tensor("v", replay.tensors.v);
  std::fflush(stdout);  // the kernel may end this process
}

ReplayVerdict judge(const ReplayCase& replay, const KernelChoice& choice, std::int32_t threads) {
  if (replay.maps.empty()) return analysis::judge_replay(replay, *choice.kernel, threads);
  if (choice.blocks != nullptr) {
    return analysis::judge_block_replay(replay, *choice.blocks, threads);
  }
  throw Error(ErrorKind::kKernel,
              fmt::format("kernel {} does not serve this replay: it takes no block maps",
                          choice.kernel->name));
}

int run_replay(const ReplayOptions& options) {
  ReplayCase replay = analysis::read_replay(options.file);
  const std::string named = options.kernel.empty() ? replay.kernel : options.kernel;
  const KernelChoice choice = choose_kernel(named);
  if (!options.json) print_replay(replay);
  const ReplayVerdict verdict = judge(replay, choice, static_cast<std::int32_t>(options.threads));
  if (options.json) {
    nlohmann::ordered_json json = {{"file", analysis::valid_utf8(options.file)},
                                   {"kernel", analysis::valid_utf8(choice.kernel->name)},
                                   {"case", to_line(replay.c)},
                                   {"check", analysis::valid_utf8(replay.check)},
                                   {"fails", nullptr},
                                   {"message", analysis::valid_utf8(verdict.message)}};
    if (!verdict.check.empty()) json["fails"] = verdict.check;
    fmt::print("{}\n", json.dump());
  } else if (verdict.check.empty()) {
    fmt::print("PASS  {}: {} rows within what is due\n", choice.kernel->name, replay.rows.size());
  } else {
    fmt::print("FAIL  {}: {}: {}\n", choice.kernel->name, verdict.check, verdict.message);
  }
  return verdict.check.empty() ? kAllGood : kCheckFailed;
}

}  // namespace

void add_replay_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = app.add_subcommand("replay",
                                         "Run a small failing case that `kernel` or `shrink` "
                                         "saved: tensors, lists and what is due are "
                                         "in the file");
  command->add_option("file", options->file, "Replay file")->required()->type_name("FILE");
  command
      ->add_option("--kernel", options->kernel,
                   "Kernel: cpu, or a plugin path/to/lib.so[:name] (default: the one that failed)")
      ->type_name("NAME|PATH");
  command->add_option("--threads", options->threads, "Threads of the kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command->add_flag("--json", options->json, "One JSON object instead of text");
  command->footer(
      "Example:\n"
      "  lvsa-verify replay lvsa-report/replay-7.json --kernel ./libmine.so\n"
      "What is due follows from what the kernel that failed declares of its numerics. The kernel "
      "runs in this process: one that crashed crashes it again, for a debugger.");
  command->callback([options, &body] { body = [options] { return run_replay(*options); }; });
}

}  // namespace lvsa::app
