#include "analysis/app/rule_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "analysis/blocks/block_case.hpp"
#include "analysis/run/pattern_process.hpp"

namespace lvsa::app {

void add_rule_process_options(CLI::App* command, RuleProcessOptions& options,
                              const std::string& what) {
  command
      ->add_option("--isolate", options.isolate,
                   "process: " + what +
                       " runs in a process of its own, so that a crash or a hang ends in one "
                       "line; none: in this process (for debuggers)")
      ->capture_default_str()
      ->check(CLI::IsMember({"process", "none"}));
  command
      ->add_option("--timeout", options.timeout_s,
                   "Seconds without a sign of life after which " + what +
                       " counts as hung; 0: by the size of the tensors, a minute at the least")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("SECONDS");
}

RuleMaker rule_maker(const RuleProcessOptions& options) {
  analysis::PatternProcessSettings settings;
  settings.timeout_s = options.timeout_s;
  settings.argv = [](const std::string& words) -> std::vector<std::string> {
    return {"/proc/self/exe", "pattern", words, "--as-worker", analysis::to_text({getpid(), 0})};
  };
  settings.printed = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  const bool together = options.isolate == "none";
  return [settings, together](const std::string& words) {
    return together || !analysis::is_foreign_rule(words)
               ? make_rule(words)
               : analysis::make_rule_apart(words, settings);
  };
}

void make_case_rules(const RuleProcessOptions& options) {
  analysis::set_case_rules(rule_maker(options));
}

}  // namespace lvsa::app
