// lvsa-verify explain: every term of the bound of one output element, in numbers.

#include "analysis/verify/explain.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "analysis/app/apart.hpp"
#include "analysis/app/command.hpp"
#include "analysis/app/explain_print.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/run/case_time.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::ElementId;
using analysis::Explanation;

struct Options {
  std::string line;
  std::string at;
  std::string kernel;
  std::int64_t keys = 3;
  bool json = false;
  ApartOptions apart;
};

ElementId parse_at(const std::string& text) {
  std::int64_t numbers[4] = {};
  const char* from = text.data();
  const char* const end = text.data() + text.size();
  for (int i = 0; i < 4; ++i) {
    const auto result = std::from_chars(from, end, numbers[i]);
    const bool last = i == 3;
    if (result.ec != std::errc() ||
        (last ? result.ptr != end : result.ptr == end || *result.ptr != ',')) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--at {}: four integers batch,head,row,column are due", text));
    }
    from = result.ptr + 1;
  }
  return {{numbers[0], numbers[2], numbers[1]}, numbers[3]};
}

// Returns the exit code.
int print(const Explanation& e, const Options& options) {
  if (options.json) {
    print_json(e);
  } else {
    print_text(e);
  }
  bool inside = (!e.got || e.accepted.contains(*e.got)) &&
                (!e.lse_got || e.lse_accepted.contains(*e.lse_got));
  if (e.schedule && e.schedule->sound) {
    inside = inside && (!e.got || e.schedule->accepted.contains(*e.got)) &&
             (!e.lse_got || e.schedule->lse_accepted.contains(*e.lse_got));
  }
  return inside ? kAllGood : kCheckFailed;
}

int run(const Options& options) {
  const analysis::Case c = analysis::parse_case(options.line);
  if (!c.pattern.empty()) {
    throw Error(
        ErrorKind::kValue,
        "explain: a case with pattern= has block maps, not frame lists; `kernel` judges it");
  }
  const ElementId at = parse_at(options.at);
  const auto explain = [&](Apart& apart) {
    KernelChoice choice;
    if (!options.kernel.empty()) choice = choose_kernel(options.kernel);
    apart.loaded();
    const Explanation e = explain_element(c, at, choice.kernel, options.keys);
    apart.done();
    return print(e, options);
  };
  return run_apart(options.apart, options.kernel.empty() ? "cpu" : options.kernel,
                   analysis::default_timeout_s(c), explain);
}

}  // namespace

void add_explain_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explain", "Print every term of the bound of one output element");
  command->add_option("case", options->line, "The case line, in quotes")
      ->required()
      ->type_name("LINE");
  command->add_option("--at", options->at, "Batch element, head, row (query token) and column")
      ->required()
      ->type_name("B,H,ROW,COLUMN");
  command
      ->add_option(
          "--kernel", options->kernel,
          "Judge this kernel's value there, by what it declares: cpu, or path/to/lib.so[:name]; "
          "without it nothing is known and the worst case counts")
      ->type_name("NAME|PATH");
  command->add_option("--keys", options->keys, "Keys that are listed for each term")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  command->add_flag("--json", options->json, "One JSON object");
  add_apart_options(command, options->apart);
  command->footer(
      "Example:\n"
      "  lvsa-verify explain 'T=13 P=65 H=2 Hkv=1 D=64 dtype=bf16 ref=5 step=1 input=gauss seed=7 "
      "rows=0' --at 0,1,204,5 --kernel cpu\n"
      "docs/bounds.md derives the terms, docs/bounds_schedule.md those of tier B, which are "
      "printed "
      "where the kernel declares its schedule. Exit code 1 when the kernel's value is outside, or "
      "it "
      "crashed or hung.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
