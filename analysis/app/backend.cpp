// lvsa-verify backend: what a sparse attention dispatcher of the plugin RFC does with a
// configuration, under both of its policies.

#include <fmt/format.h>

#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/diagnose/backend_requests.hpp"
#include "analysis/diagnose/backend_table.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"

namespace lvsa::app {
namespace {

using reference::PluginPolicy;

constexpr std::int64_t kLargestFile = 64 << 20;

struct BackendOptions {
  std::string requests;
  std::string config;
  std::vector<std::string> words;
  std::string installed;
  std::string calls;
  std::int64_t steps = 40;
  std::string policy = "both";
  std::string recorded;
  bool published = false;
  bool brief = false;
  bool json = false;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

std::string text_of(const std::string& path) { return read_small_file(path, kLargestFile); }

std::vector<PluginPolicy> policies_of(const BackendOptions& options) {
  if (options.policy == "first") return {PluginPolicy::kFirst};
  if (options.policy == "second") return {PluginPolicy::kSecond};
  if (options.policy == "both") return {PluginPolicy::kFirst, PluginPolicy::kSecond};
  refuse(fmt::format("--policy {}: first, second or both is due", options.policy));
}

// The request that the options spell out.
analysis::BackendRequest request_of(const BackendOptions& options) {
  analysis::BackendRequest request;
  request.config =
      options.config.empty()
          ? analysis::parse_backend_config("{}", "--set", options.words)
          : analysis::parse_backend_config(text_of(options.config), options.config, options.words);
  if (!options.installed.empty()) {
    request.installed =
        analysis::parse_installed_plugins(text_of(options.installed), options.installed);
  }
  request.calls = options.calls.empty()
                      ? analysis::default_attention_calls()
                      : analysis::parse_attention_calls(text_of(options.calls), options.calls);
  if (options.steps < 1 || options.steps > 10000) {
    refuse(fmt::format("--steps {}: an integer from 1 to 10000 is due", options.steps));
  }
  request.steps = options.steps;
  request.name = fmt::format("backend {}, schedule {}, {} steps", request.config.backend,
                             reference::schedule_name(request.config.schedule), request.steps);
  return request;
}

int hold_against(const BackendOptions& options, std::span<const analysis::BackendEntry> table) {
  const std::vector<std::string> differences =
      analysis::backend_differences(table, text_of(options.recorded), options.recorded);
  for (const std::string& line : differences) fmt::print("{}\n", line);
  fmt::print("{}: {} difference{} in {} outcomes\n", options.recorded, differences.size(),
             differences.size() == 1 ? "" : "s", table.size());
  return differences.empty() ? kAllGood : kCheckFailed;
}

int run_backend(const BackendOptions& options) {
  const bool spelled_out = !options.config.empty() || !options.words.empty() ||
                           !options.installed.empty() || !options.calls.empty();
  if (!options.requests.empty() && spelled_out) {
    refuse("--requests with --config, --set, --installed or --calls: the file has its own");
  }
  if (options.brief && options.json) refuse("--brief and --json: one of the two is due");
  const std::vector<analysis::BackendRequest> requests =
      options.requests.empty()
          ? std::vector<analysis::BackendRequest>{request_of(options)}
          : analysis::parse_backend_requests(text_of(options.requests), options.requests);
  const auto table = analysis::make_backend_table(
      requests, policies_of(options), {options.published, options.published, options.published});
  if (!options.recorded.empty()) return hold_against(options, table);
  fmt::print("{}", options.json    ? analysis::backend_table_as_json(table)
                   : options.brief ? analysis::backend_table_in_brief(table)
                                   : analysis::backend_table_as_text(table));
  for (const analysis::BackendEntry& entry : table) {
    if (!entry.as_asked()) return kCheckFailed;
  }
  return kAllGood;
}

void add_options(CLI::App* command, BackendOptions& options) {
  command->add_option("--config", options.config, "Configuration, a JSON object")
      ->type_name("FILE");
  command
      ->add_option("--set", options.words,
                   "Fields of the configuration, as in backend=auto or params.topk=0.3")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--installed", options.installed,
                   "Plugins that are installed, a JSON array (default: none)")
      ->type_name("FILE");
  command
      ->add_option("--calls", options.calls,
                   "Calls that layers make, a JSON array (default: one of self-attention and one "
                   "of cross-attention)")
      ->type_name("FILE");
  command->add_option("--steps", options.steps, "Denoising steps")->capture_default_str();
  command
      ->add_option("--requests", options.requests,
                   "Many requests in one file instead, such as fixtures/backend/standard.json")
      ->type_name("FILE");
  command
      ->add_option("--policy", options.policy,
                   "first: failures end in dense attention and a warning; second: in an error")
      ->capture_default_str()
      ->type_name("first|second|both");
  command->add_flag("--published", options.published,
                    "As the published dispatchers do it where they depart from the RFC");
  command
      ->add_option("--check", options.recorded,
                   "Hold this recorded table of outcomes against what is due, and name the "
                   "differences")
      ->type_name("FILE");
  command->add_flag("--brief", options.brief, "A line a call, the policies side by side");
  command->add_flag("--json", options.json, "As JSON, in the form that --check reads");
}

}  // namespace

void add_backend_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<BackendOptions>();
  CLI::App* command = app.add_subcommand(
      "backend",
      "Show which plugin a sparse attention configuration calls with what, or why attention is "
      "dense or an error, under both policies of the plugin RFC");
  add_options(command, *options);
  command->footer(
      "Examples:\n"
      "  lvsa-verify backend --set backend=auto schedule=conservative --installed plugins.json\n"
      "  lvsa-verify backend --requests fixtures/backend/standard.json --policy second\n"
      "  lvsa-verify backend --requests fixtures/backend/standard.json --check mine.json\n"
      "Exit code 0 when every call does what the configuration asks for (with --check: when the "
      "tables agree), 1 otherwise. See docs/backend.md.");
  command->callback([options, &body] { body = [options] { return run_backend(*options); }; });
}

}  // namespace lvsa::app
