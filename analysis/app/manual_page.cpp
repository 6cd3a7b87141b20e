#include "analysis/app/manual_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string_view>

namespace lvsa::app {
namespace {

// Text of the help as man(7) takes it: backslashes, hyphens that people copy, and lines that would
// be requests.
std::string plain(std::string_view text) {
  std::string out;
  bool line_starts = true;
  for (const char c : text) {
    if (line_starts && (c == '.' || c == '\'')) out += "\\&";
    line_starts = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// A macro's argument in quotes.
std::string macro_argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : plain(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return out + "\"";
}

// With a full stop at the end.
std::string sentence(std::string text) {
  if (!text.empty() && std::string_view(".:!?").find(text.back()) == std::string_view::npos)
    text += '.';
  return text;
}

// In the order of the alphabet: a set of pointers has none.
std::string names_of(const std::set<CLI::Option*>& options) {
  std::set<std::string> names;
  for (const CLI::Option* option : options) names.insert(option->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string option_page(const CLI::Option& option) {
  std::string head =
      fmt::format("\\fB{}\\fR", plain(option.get_name(option.get_positional(), true)));
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() != 0 && !type.empty())
    head += fmt::format(" \\fI{}\\fR", plain(type));
  std::string text = fmt::format(".TP\n{}\n{}", head, plain(sentence(option.get_description())));
  if (!option.get_default_str().empty())
    text += fmt::format("\nDefault: {}.", plain(option.get_default_str()));
  if (option.get_required()) text += "\nMust be given.";
  if (!option.get_needs().empty())
    text += fmt::format("\nOnly with {}.", plain(names_of(option.get_needs())));
  if (!option.get_excludes().empty())
    text += fmt::format("\nNot with {}.", plain(names_of(option.get_excludes())));
  text += "\n";
  return text;
}

// The footer: examples and notes, in lines as they stand.
std::string verbatim_section(const char* title, const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
  while (!rest.empty() && rest.front() == '\n') rest.remove_prefix(1);
  return rest.empty() ? "" : fmt::format(".SH {}\n.nf\n{}\n.fi\n", title, plain(rest));
}

std::string usage(const CLI::App& program, const CLI::App* command) {
  if (command == nullptr)
    return fmt::format("\\fB{}\\fR COMMAND [OPTIONS]", plain(program.get_name()));
  std::string line =
      fmt::format("\\fB{} {}\\fR [OPTIONS]", plain(program.get_name()), plain(command->get_name()));
  for (const CLI::Option* option : command->get_options())
    if (option->get_positional())
      line += option->get_required() ? " " + plain(option->get_name(true))
                                     : fmt::format(" [{}]", plain(option->get_name(true)));
  return line;
}

std::string options_section(const CLI::App& app) {
  std::string text = ".SH OPTIONS\n";
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) text += option_page(*option);  // a hidden one has no group
  return text;
}

std::string commands_section(const CLI::App& program) {
  std::string text = ".SH COMMANDS\n";
  for (const CLI::App* command : program.get_subcommands({}))
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", plain(command->get_name()),
                        plain(command->get_description()));
  return text;
}

std::string see_also(const CLI::App& program, const CLI::App* command) {
  const std::string name = plain(program.get_name());
  if (command != nullptr) return fmt::format(".SH SEE ALSO\n\\fB{}\\fR(1)\n", name);
  std::string text = ".SH SEE ALSO\n";
  std::string before;
  for (const CLI::App* other : program.get_subcommands({})) {
    text += fmt::format("{}\\fB{}\\-{}\\fR(1)", before, name, plain(other->get_name()));
    before = ",\n";
  }
  return text + "\n";
}

}  // namespace

std::string manual_file(const CLI::App& program, const CLI::App* command) {
  return command == nullptr ? program.get_name() + ".1"
                            : fmt::format("{}-{}.1", program.get_name(), command->get_name());
}

std::string manual_page(const CLI::App& program, const CLI::App* command,
                        const std::string& version) {
  const CLI::App& app = command == nullptr ? program : *command;
  std::string name = manual_file(program, command);
  name.resize(name.size() - 2);
  const std::string description = app.get_description();
  const std::string first = description.substr(0, description.find('\n'));
  std::string upper = name;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');

  std::string page = fmt::format(".TH {} 1 \"\" {} {}\n", macro_argument(upper),
                                 macro_argument(version), macro_argument("LVSA toolkit"));
  page += fmt::format(".SH NAME\n{} \\- {}\n", plain(name), plain(first));
  page += fmt::format(".SH SYNOPSIS\n{}\n", usage(program, command));
  page += fmt::format(".SH DESCRIPTION\n{}\n", plain(description));
  if (command == nullptr) page += commands_section(program);
  page += options_section(app);
  page += verbatim_section("EXAMPLES AND NOTES", app.get_footer());
  if (command != nullptr)
    page += fmt::format(".SH EXIT STATUS\n{}\n",
                        plain("0 all good, 1 a check failed, 2 bad usage or input, 70 internal "
                              "error; what else a command returns stands above."));
  return page + see_also(program, command);
}

}  // namespace lvsa::app
