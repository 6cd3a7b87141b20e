// lvsa-verify eval: the pattern functions as a service of lines.

#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/vectors/arguments.hpp"
#include "analysis/vectors/functions.hpp"
#include "analysis/vectors/python_json.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using nlohmann::json;

struct EvalOptions {
  std::string version = "1.3";
  bool list = false;
  bool json_lines = false;
};

// One request to one answer. A published function that raises answers with the name of its
// exception, as the recorded cases have it; the sentence that goes with it is for stderr.
json answer(const std::string& line, Version version, std::string& remark) {
  json request;
  try {
    request = analysis::parse_python_json(line);
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
  try {
    if (!request.is_object() || !request.contains("fn") || !request["fn"].is_string()) {
      throw analysis::BadCall("a request {\"fn\": \"name\", \"args\": {...}} is due");
    }
    if (request.contains("lvsa")) {
      if (!request["lvsa"].is_string())
        throw analysis::BadCall("\"lvsa\": \"1.2\" or \"1.3\" is due");
      version = parse_version(request["lvsa"].get<std::string>());
    }
    return {{"out", analysis::call_function(request["fn"].get<std::string>(),
                                            request.value("args", json::object()), version)}};
  } catch (const analysis::BadCall& error) {
    return {{"error", error.what()}};
  } catch (const Error& error) {
    remark = error.what();
    return {{"error", std::string(python_name(error.kind()))}};
  }
}

int run_eval(const EvalOptions& options) {
  if (options.list) {
    for (const std::string& name : analysis::function_names()) fmt::print("{}\n", name);
    return kAllGood;
  }
  const Version version = parse_version(options.version);
  std::string line;
  for (std::int64_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string remark;
    const json reply = answer(line, version, remark);
    if (!remark.empty()) fmt::print(stderr, "lvsa-verify eval: line {}: {}\n", number, remark);
    fmt::print("{}\n", reply.dump(-1, ' ', false, json::error_handler_t::replace));
    // A caller that waits for its answer must get it, even through a pipe.
    std::fflush(stdout);
  }
  return kAllGood;
}

}  // namespace

void add_eval_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* command = app.add_subcommand(
      "eval", "Answer calls of the pattern functions, one JSON request a line on standard input");
  command
      ->add_option("--lvsa", options->version, "Behaviour of requests that do not say (\"lvsa\")")
      ->capture_default_str()
      ->type_name("1.2|1.3");
  command->add_flag("--list", options->list, "Print the names of the functions and stop");
  command->add_flag("--json", options->json_lines,
                    "Accepted for uniformity: the answers are JSON anyway");
  command->footer(
      "Example:\n  echo '{\"fn\": \"compute_auto_kfi\", \"args\": {\"total_frames\": 41, "
      "\"window_size\": 3, \"n_first_frames\": 1, \"reference_frames\": 21, "
      "\"sparsity_scale\": 1.0}}' | lvsa-verify eval\n"
      "Answers {\"out\": ...} or {\"error\": ...}, a line for each request.");
  command->callback([options, &body] { body = [options] { return run_eval(*options); }; });
}

}  // namespace lvsa::app
