// `lvsa-verify manual`: manual pages and shell completion, from the options that --help shows.

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/completion.hpp"
#include "analysis/app/manual_page.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/version.hpp"

namespace lvsa::app {
namespace {

struct ManualOptions {
  std::string command;
  std::string completion;
  std::string out;
};

std::string version_text() { return fmt::format("lvsa {}", kVersion); }

// Everything that an installation has, below a folder as share/ is: man/man1 and the places where
// bash, zsh and fish look.
void write_all(const CLI::App& program, const std::filesystem::path& folder) {
  const std::string name = program.get_name();
  const auto write = [&](const std::filesystem::path& place, const std::string& text) {
    std::error_code failure;
    std::filesystem::create_directories((folder / place).parent_path(), failure);
    if (failure)
      throw Error(ErrorKind::kIo, fmt::format("{}: {}", (folder / place).parent_path().string(),
                                              failure.message()));
    write_file_atomically((folder / place).string(), text);
  };
  const std::filesystem::path pages = "man/man1";
  write(pages / manual_file(program, nullptr), manual_page(program, nullptr, version_text()));
  for (const CLI::App* command : program.get_subcommands({}))
    write(pages / manual_file(program, command), manual_page(program, command, version_text()));
  write("bash-completion/completions/" + name, bash_completion(program));
  write("zsh/site-functions/_" + name, zsh_completion(program));
  write("fish/vendor_completions.d/" + name + ".fish", fish_completion(program));
}

const CLI::App* find_command(const CLI::App& program, const std::string& name) {
  if (name.empty()) return nullptr;
  for (const CLI::App* command : program.get_subcommands({}))
    if (command->get_name() == name) return command;
  throw Error(ErrorKind::kValue,
              fmt::format("--page {}: there is no such subcommand (see lvsa-verify --help)", name));
}

int run_manual(const CLI::App& program, const ManualOptions& options) {
  if (!options.out.empty()) {
    write_all(program, options.out);
  } else if (options.completion == "bash") {
    fmt::print("{}", bash_completion(program));
  } else if (options.completion == "zsh") {
    fmt::print("{}", zsh_completion(program));
  } else if (options.completion == "fish") {
    fmt::print("{}", fish_completion(program));
  } else {
    fmt::print("{}", manual_page(program, find_command(program, options.command), version_text()));
  }
  return kAllGood;
}

}  // namespace

void add_manual_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<ManualOptions>();
  CLI::App* command =
      app.add_subcommand("manual", "Print a manual page or a shell's completion script");
  CLI::Option* page =
      command
          ->add_option("--page", options->command, "Of this subcommand; none: lvsa-verify itself")
          ->type_name("SUBCOMMAND");
  CLI::Option* completion =
      command->add_option("--completion", options->completion, "Script for this shell instead")
          ->check(CLI::IsMember({"bash", "zsh", "fish"}))
          ->excludes(page);
  command
      ->add_option("--out", options->out,
                   "Write all pages and scripts below this folder, as they lie below share/")
      ->type_name("DIR")
      ->excludes(page)
      ->excludes(completion);
  command->footer(
      "Examples:\n"
      "  lvsa-verify manual --page kernel | man -l -\n"
      "  source <(lvsa-verify manual --completion bash)\n"
      "  lvsa-verify manual --out ~/.local/share");
  const CLI::App* program = &app;
  command->callback([options, program, &body] {
    body = [options, program] { return run_manual(*program, *options); };
  });
}

}  // namespace lvsa::app
