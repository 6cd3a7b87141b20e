#include "core/config/behaviour.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa {

const Behaviour& behaviour(Version version) {
  static constexpr Behaviour k12{.smallest_text_wins = false,
                                 .plugin_honours_expand_window = false,
                                 .condition_frames = false,
                                 .takes_published_step = false,
                                 .divides_cfg_passes = false,
                                 .hooks_refuse_any_world = true,
                                 .fallback_names_delegate = false,
                                 .name = "1.2"};
  static constexpr Behaviour k13{.smallest_text_wins = true,
                                 .plugin_honours_expand_window = true,
                                 .condition_frames = true,
                                 .takes_published_step = true,
                                 .divides_cfg_passes = true,
                                 .hooks_refuse_any_world = false,
                                 .fallback_names_delegate = true,
                                 .name = "1.3"};
  return version == Version::k1_2 ? k12 : k13;
}

Version parse_version(std::string_view text) {
  if (text == "1.2") return Version::k1_2;
  if (text == "1.3") return Version::k1_3;
  throw Error(ErrorKind::kValue,
              fmt::format("lvsa: '{}' is no known behaviour; use 1.2 or 1.3", printable(text)));
}

}  // namespace lvsa
