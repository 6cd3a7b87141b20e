#include "tests/property/pattern_case.hpp"

#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>

#include "reference/pattern/global_frames.hpp"

namespace lvsa::property {

namespace {

using Frames = std::vector<std::int64_t>;

rc::Gen<std::int64_t> range(std::int64_t first, std::int64_t end) {
  return rc::gen::inRange<std::int64_t>(first, end);
}

// Guards as a world has them, or any frames of the video.
Frames any_guards(const reference::MetadataArguments& a) {
  switch (*rc::gen::weightedElement<int>({{2, 0}, {3, 1}, {1, 2}})) {
    case 0:
      return {};
    case 1:
      return reference::sorted(reference::compute_boundary_guard_frames(
          a.total_latent_frames, a.total_latent_frames * a.num_patches / a.world, a.num_patches,
          a.world, a.window_size));
    default:
      return *rc::gen::container<Frames>(range(0, a.total_latent_frames));
  }
}

reference::MetadataArguments any_arguments() {
  reference::MetadataArguments a;
  a.total_latent_frames = *any_frames();
  a.window_size = *any_window();
  a.n_first_frames = *any_n_first();
  a.key_frame_interval = *any_interval();
  a.keyframe_offset =
      *rc::gen::weightedOneOf<std::int64_t>({{3, range(0, 40)}, {1, range(-9, 4000)}});
  a.expand_window = *rc::gen::arbitrary<bool>();
  // The fewest patches that the world divides, and small multiples: ranks then often start inside a
  // frame, and may hold less than one.
  a.world = *rc::gen::weightedOneOf<std::int64_t>(
      {{2, rc::gen::just<std::int64_t>(1)}, {3, range(2, 9)}});
  const std::int64_t unit = a.world / std::gcd(a.world, a.total_latent_frames);
  a.num_patches = unit * *range(1, 5);
  a.rank = *range(0, a.world);
  a.boundary_guards = any_guards(a);
  if (*rc::gen::arbitrary<bool>()) {
    a.condition_frames = *rc::gen::container<Frames>(range(-3, a.total_latent_frames + 4));
  }
  return a;
}

}  // namespace

PatternSpec PatternCase::spec() const {
  PatternSpec spec;
  spec.frames = arguments.total_latent_frames;
  spec.window_frames = arguments.window_size;
  spec.n_first_frames = arguments.n_first_frames;
  spec.interval = arguments.key_frame_interval;
  spec.offset = arguments.keyframe_offset;
  spec.expand_window = arguments.expand_window;
  spec.extra_globals = arguments.condition_frames;
  spec.extra_globals.insert(spec.extra_globals.end(), arguments.boundary_guards.begin(),
                            arguments.boundary_guards.end());
  return spec;
}

reference::FrameSet PatternCase::globals() const {
  reference::FrameSet globals = reference::compute_global_indices(
      frames(), arguments.n_first_frames, arguments.key_frame_interval, arguments.keyframe_offset);
  globals.insert(arguments.boundary_guards.begin(), arguments.boundary_guards.end());
  globals.merge(reference::condition_frames_in_video(arguments.condition_frames, frames()));
  return globals;
}

void showValue(const PatternCase& pattern, std::ostream& stream) {
  const reference::MetadataArguments& a = pattern.arguments;
  nlohmann::ordered_json args = {{"total_latent_frames", a.total_latent_frames},
                                 {"num_patches", a.num_patches},
                                 {"window_size", a.window_size},
                                 {"n_first_frames", a.n_first_frames},
                                 {"key_frame_interval", nullptr},
                                 {"rank", a.rank},
                                 {"world", a.world},
                                 {"expand_window", a.expand_window},
                                 {"keyframe_offset", a.keyframe_offset},
                                 {"boundary_guards", a.boundary_guards},
                                 {"condition_frames", a.condition_frames}};
  if (a.key_frame_interval) args["key_frame_interval"] = *a.key_frame_interval;
  stream << nlohmann::ordered_json{{"fn", "LVSAMetadata.build"}, {"args", args}}.dump();
}

rc::Gen<std::int64_t> any_frames() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{6, range(1, 41)}, {3, range(1, 301)}, {1, range(1, 2001)}});
}

rc::Gen<std::int64_t> any_window() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{6, range(0, 6)}, {2, range(0, 40)}, {1, range(0, 2500)}});
}

rc::Gen<std::int64_t> any_n_first() {
  return rc::gen::weightedOneOf<std::int64_t>(
      {{6, range(0, 5)}, {2, range(0, 50)}, {1, range(0, 2500)}});
}

rc::Gen<std::optional<std::int64_t>> any_interval() {
  return rc::gen::map(rc::gen::weightedOneOf<std::int64_t>(
                          {{1, range(-1, 1)}, {6, range(1, 25)}, {1, range(1, 2500)}}),
                      [](std::int64_t interval) {
                        return interval < 0 ? std::optional<std::int64_t>() : interval;
                      });
}

}  // namespace lvsa::property

namespace rc {

Gen<lvsa::property::PatternCase> Arbitrary<lvsa::property::PatternCase>::arbitrary() {
  return gen::exec([] { return lvsa::property::PatternCase{lvsa::property::any_arguments()}; });
}

}  // namespace rc
