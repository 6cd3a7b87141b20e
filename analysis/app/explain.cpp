// lvsa-verify explain: every term of the bound of one output element, in numbers; of block maps
// what they have there.

#include "analysis/verify/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/app/apart.hpp"
#include "analysis/app/command.hpp"
#include "analysis/app/explain_print.hpp"
#include "analysis/app/explain_source.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/rule_process.hpp"
#include "analysis/blocks/explain_map.hpp"
#include "analysis/blocks/explain_pair.hpp"
#include "analysis/run/case_time.hpp"
#include "analysis/verify/explain_parts.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::ElementId;
using analysis::Explanation;

struct Options {
  std::string what;
  std::string group;
  std::string outputs;
  std::string at;
  std::string block;
  std::string against;
  std::string kernel;
  std::int64_t keys = 3;
  bool json = false;
  ApartOptions apart;
};

std::array<std::int64_t, 4> parse_four(const char* option, const std::string& text,
                                       const char* due) {
  std::array<std::int64_t, 4> numbers{};
  const char* from = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto result = std::from_chars(from, end, numbers[i]);
    const bool last = i == 3;
    if (result.ec != std::errc() ||
        (last ? result.ptr != end : result.ptr == end || *result.ptr != ',')) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{} {}: four integers {} are due", option, text, due));
    }
    from = result.ptr + 1;
  }
  return numbers;
}

ElementId parse_at(const Options& options) {
  const auto n = parse_four("--at", options.at, "batch,head,row,column");
  return {{n[0], n[2], n[1]}, n[3]};
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

int print(const analysis::Case& c, const analysis::ExplainedPair& pair, const Options& options) {
  if (options.json) {
    print_pair_json(c, pair);
  } else {
    print_pair(c, pair);
  }
  const bool good =
      pair.readings.empty() ||
      pair.readings.front().fits == static_cast<std::int64_t>(pair.query_tokens.size());
  return good ? kAllGood : kCheckFailed;
}

int explain_lists(const ExplainSource& source, const Options& options, Apart& apart) {
  const ElementId at = parse_at(options);
  KernelChoice choice;
  std::optional<analysis::ElementCall> call;
  if (source.left) call = analysis::element_of(*source.left, at);
  if (!options.kernel.empty()) choice = choose_kernel(options.kernel);
  apart.loaded();
  if (choice.kernel != nullptr) call = analysis::call_element(source.c, at, *choice.kernel);
  const Explanation e = explain_element(source.c, at, call, options.keys);
  apart.done();
  return print(e, options);
}

int explain_maps(const ExplainSource& source, const Options& options, Apart& apart) {
  const analysis::MapSubject& subject = *source.maps;
  KernelChoice choice;
  std::optional<analysis::LeftBehind> left = source.left;
  if (!options.kernel.empty()) choice = choose_kernel(options.kernel);
  apart.loaded();
  if (choice.kernel != nullptr && choice.blocks == nullptr) {
    throw Error(ErrorKind::kValue,
                fmt::format("kernel {}: it takes frame lists, no block maps", choice.kernel->name));
  }
  const auto call = [&](const std::vector<std::int64_t>& tokens) {
    if (choice.blocks != nullptr) left = call_maps(subject, *choice.blocks, tokens);
    apart.done();
  };
  if (!options.block.empty()) {
    const auto n = parse_four("--block", options.block, "batch,head,query block,key block");
    const analysis::PairId pair{n[0], n[1], n[2], n[3]};
    call(query_tokens(subject, pair));
    return print(source.c, explain_pair(subject, pair, left), options);
  }
  const ElementId at = parse_at(options);
  check_at(source.c, at);
  call({at.row.token});
  std::optional<analysis::ElementCall> element;
  if (left) element = element_of(*left, at);
  return print(explain_map_element(subject, at, element, options.keys, options.against), options);
}

// The words of a rule, with blanks or as in a case line with ':' for them.
std::string rule_words(std::string text) {
  if (text.empty()) return text;
  std::replace(text.begin(), text.end(), ' ', ':');
  analysis::Case c;
  read_case_words(c, "pattern=" + text);
  return c.pattern;
}

int run(Options options) {
  make_case_rules({options.apart.isolate, options.apart.timeout_s});
  if (options.at.empty() == options.block.empty()) {
    throw Error(ErrorKind::kValue, "explain: one of --at (an element) and --block is due");
  }
  if (!options.against.empty() && options.at.empty()) {
    throw Error(ErrorKind::kValue, "--against: --at is due with it");
  }
  const ExplainSource source = explain_source(options.what, options.group, options.outputs);
  if (!source.maps && !(options.block.empty() && options.against.empty())) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: a case with pattern= is due, this one has frame lists",
                            options.block.empty() ? "--against" : "--block"));
  }
  options.against = rule_words(options.against);
  const auto explain = [&](Apart& apart) {
    return source.maps ? explain_maps(source, options, apart)
                       : explain_lists(source, options, apart);
  };
  const char* built_in = source.maps ? "cpu-blocks" : "cpu";
  return run_apart(options.apart, options.kernel.empty() ? built_in : options.kernel,
                   analysis::default_timeout_s(source.c), explain);
}

}  // namespace

void add_explain_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "explain",
      "Print every term of the bound of one output element, and what a block map has there");
  command
      ->add_option("case", options->what,
                   "The case line, in quotes; a file of lvsa-verify export, whose outputs are "
                   "judged; or a replay file with block maps")
      ->required()
      ->type_name("LINE|FILE");
  command->add_option("--at", options->at, "Batch element, head, row (query token) and column")
      ->type_name("B,H,ROW,COLUMN");
  command
      ->add_option("--block", options->block,
                   "Block maps: a pair of blocks in place of an element; with outputs also which "
                   "mistakes about the pair they fit")
      ->type_name("B,H,QUERY_BLOCK,KEY_BLOCK");
  command
      ->add_option("--against", options->against,
                   "Block maps: hold the row against this rule on the same tensors, as "
                   "sparge:topk=0.5")
      ->type_name("RULE");
  command->add_option("--group", options->group, "The case of the file, as case0003")
      ->type_name("NAME");
  command
      ->add_option("--outputs", options->outputs,
                   "The file that holds out and lse, as check --outputs")
      ->type_name("FILE");
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
      "  lvsa-verify explain 'T=2 P=64 H=2 Hkv=2 D=64 dtype=bf16 pattern=random:block_q=16:"
      "block_k=16:masks=0.3 input=gauss seed=7 ref=21 step=0 rows=0' --block 0,1,3,5 "
      "--kernel cpu-blocks\n"
      "docs/bounds.md derives the terms, docs/bounds_schedule.md those of tier B, which are "
      "printed "
      "where the kernel declares its schedule. Exit code 1 when the kernel's value is outside, or "
      "it "
      "crashed or hung.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
