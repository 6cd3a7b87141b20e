#include "analysis/app/fixtures.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "core/error.hpp"

namespace lvsa::app {

std::string fixtures_folder(const std::string& asked_for) {
  namespace fs = std::filesystem;
  if (!asked_for.empty()) {
    if (!fs::is_directory(asked_for)) {
      throw Error(ErrorKind::kIo, fmt::format("--fixtures {}: is no folder", asked_for));
    }
    return asked_for;
  }
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::array places = {fs::path("fixtures"), executable / ".." / "fixtures",
                             executable / ".." / "share" / "lvsa" / "fixtures"};
  for (const fs::path& place : places) {
    if (fs::exists(place / "attention_vectors.h5", ignored)) {
      return fs::proximate(place, ignored).string();
    }
  }
  throw Error(ErrorKind::kIo,
              fmt::format("attention_vectors.h5 is in none of {}, {}, {}: give its folder "
                          "with --fixtures",
                          places[0].string(), places[1].string(), places[2].string()));
}

}  // namespace lvsa::app
