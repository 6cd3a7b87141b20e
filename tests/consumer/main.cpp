// Uses the installed libraries, one function of each, with the include lines of the project itself.

#include <cstdio>
#include <string>

#include "analysis/vectors/functions.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/mask_text.hpp"
#include "core/version.hpp"
#include "reference/pattern/window.hpp"

int main() {
  lvsa::PatternSpec spec;
  spec.frames = 11;
  spec.window_frames = 2;
  spec.n_first_frames = 1;
  const lvsa::FramePattern pattern = lvsa::build_frame_pattern(spec);
  std::fputs(lvsa::mask_text(pattern).c_str(), stdout);

  const lvsa::reference::WindowBounds window = lvsa::reference::adaptive_window(10, 2, 11);
  const bool window_keeps_its_width = window.lo == 6 && window.hi == 10;
  const bool functions_have_names = !lvsa::analysis::function_names().empty();

  std::printf("lvsa %s, kernel interface %u\n", std::string(lvsa::kVersion).c_str(),
              LVSA_KERNEL_ABI_VERSION);
  return pattern.frames() == 11 && window_keeps_its_width && functions_have_names ? 0 : 1;
}
