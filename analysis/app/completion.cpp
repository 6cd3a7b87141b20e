#include "analysis/app/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace lvsa::app {
namespace {

// "--out", "-h", ...: what an option answers to; empty for a positional one or a hidden one.
std::vector<std::string> option_names(const CLI::Option& option) {
  std::vector<std::string> names;
  if (option.get_group().empty()) return names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() != 0; }

// The values of an option that takes one of a list: its type reads "TEXT:{auto,all,none}".
std::vector<std::string> listed_values(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find(":{");
  const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> values =
      CLI::detail::split(type.substr(open + 2, close - open - 2), ',');
  for (std::string& value : values) value = value.substr(0, value.find("->"));
  return values;
}

std::vector<std::string> subcommand_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> all_option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (std::string& name : option_names(*option)) names.push_back(std::move(name));
  return names;
}

// The first sentence of a text in single quotes.
std::string single_quoted(const std::string& text, const std::string& escaped_quote) {
  std::string out = "'";
  for (const char c : text.substr(0, text.find_first_of(";\n"))) {
    if (c == '\'') {
      out += escaped_quote;
    } else {
      out += c;
    }
  }
  return out + "'";
}

// A function's name for a program's.
std::string identifier(std::string name) {
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

std::string bash_command_case(const CLI::App& command) {
  std::string text = fmt::format("    {})\n      options='{}'\n      case $before in\n",
                                 command.get_name(), fmt::join(all_option_names(command), " "));
  for (const CLI::Option* option : command.get_options()) {
    const auto names = option_names(*option);
    const auto values = listed_values(*option);
    if (names.empty() || values.empty()) continue;
    text += fmt::format("        {}) values='{}' ;;\n", fmt::join(names, " | "),
                        fmt::join(values, " "));
  }
  return text + "      esac\n      ;;\n";
}

// "[text]:value:(a b)" for zsh's _arguments; ':' and brackets mean something there.
std::string zsh_option(const CLI::Option& option, const std::string& name) {
  std::string text = option.get_description();
  text = text.substr(0, text.find_first_of(";\n"));
  std::string plain;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') plain += '\\';
    if (c == '\'') {
      plain += "'\\''";
    } else {
      plain += c;
    }
  }
  std::string spec = fmt::format("'*{}[{}]", name, plain);
  if (takes_value(option)) {
    const auto values = listed_values(option);
    spec += values.empty() ? std::string(":value:_files")
                           : fmt::format(":value:({})", fmt::join(values, " "));
  }
  return spec + "'";
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  const std::string name = program.get_name();
  std::string text = fmt::format(
      "# bash completion for {0}\n"
      "_{1}() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options='' "
      "values=''\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{2} {3}' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n",
      name, identifier(name), fmt::join(subcommand_names(program), " "),
      fmt::join(all_option_names(program), " "));
  for (const CLI::App* command : program.get_subcommands({})) text += bash_command_case(*command);
  text += fmt::format(
      "  esac\n"
      "  if [[ $values ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
      "  elif [[ $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _{1} {0}\n",
      name, identifier(name));
  return text;
}

std::string zsh_completion(const CLI::App& program) {
  const std::string name = program.get_name();
  std::string text = fmt::format(
      "#compdef {0}\n_{1}() {{\n  if ((CURRENT == 2)); then\n    local -a "
      "commands=(\n",
      name, identifier(name));
  for (const CLI::App* command : program.get_subcommands({})) {
    std::string what = command->get_name() + ":" + command->get_description();
    text += fmt::format("      {}\n", single_quoted(what, "'\\''"));
  }
  text += "    )\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n";
  for (const CLI::App* command : program.get_subcommands({})) {
    text += fmt::format("    {})\n      shift words; ((CURRENT--))\n      _arguments",
                        command->get_name());
    for (const CLI::Option* option : command->get_options())
      for (const std::string& option_name : option_names(*option))
        text += " \\\n        " + zsh_option(*option, option_name);
    text += " \\\n        '*:file:_files'\n      ;;\n";
  }
  return text + fmt::format("  esac\n}}\n_{} \"$@\"\n", identifier(name));
}

std::string fish_completion(const CLI::App& program) {
  const std::string name = program.get_name();
  std::string text = fmt::format("# fish completion for {}\n", name);
  for (const CLI::App* command : program.get_subcommands({}))
    text += fmt::format("complete -c {} -f -n __fish_use_subcommand -a {} -d {}\n", name,
                        command->get_name(), single_quoted(command->get_description(), "\\'"));
  for (const CLI::App* command : program.get_subcommands({})) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& option_name : option_names(*option)) {
        const bool is_long = option_name.starts_with("--");
        const auto values = listed_values(*option);
        text += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' {} {} -d {}", name,
                            command->get_name(), is_long ? "-l" : "-s",
                            option_name.substr(is_long ? 2 : 1),
                            single_quoted(option->get_description(), "\\'"));
        if (takes_value(*option)) text += " -r";
        if (!values.empty()) text += fmt::format(" -f -a '{}'", fmt::join(values, " "));
        text += "\n";
      }
    }
  }
  return text;
}

}  // namespace lvsa::app
