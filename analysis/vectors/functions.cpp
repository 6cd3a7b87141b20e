#include "analysis/vectors/functions.hpp"

#include <cmath>
#include <map>

#include "analysis/vectors/arguments.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/geometry/detection.hpp"
#include "core/io/printable.hpp"
#include "core/pattern/global_frames.hpp"
#include "core/pattern/index_structures.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "core/pattern/mask_text.hpp"
#include "core/schedule/mask_log.hpp"
#include "core/schedule/step_counter.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

json compute_auto_kfi(const Arguments& args, const Behaviour&) {
  return keyframe_interval({.frames = args.integer("total_frames"),
                            .window_frames = args.integer("window_size"),
                            .n_first_frames = args.integer("n_first_frames"),
                            .reference_frames = args.integer("reference_frames"),
                            .sparsity_scale = args.real("sparsity_scale")});
}

json compute_global_indices(const Arguments& args, const Behaviour&) {
  return global_frames(args.integer("total_frames"), args.integer("n_first_frames"),
                       args.optional_integer("key_frame_interval"), args.integer_or("offset", 0));
}

// The pattern of a function that is handed its global frames instead of their rule.
PatternSpec spec_of_globals(const Arguments& args) {
  PatternSpec spec;
  spec.frames = args.integer("T");
  spec.window_frames = args.integer("W");
  spec.expand_window = args.flag("expand");
  spec.extra_globals = args.integers("global_indices");
  return spec;
}

json get_window_bounds(const Arguments& args, const Behaviour&) {
  const PatternSpec spec = spec_of_globals(args);
  const std::int64_t f = args.integer("f");
  if (spec.frames < 1 || spec.frames > kMaxFrames || f < 0 || f >= spec.frames ||
      spec.window_frames < 0) {
    throw BadCall("0 <= f < T and W >= 0 are due");
  }
  std::vector<std::int32_t> globals;
  join_frames(globals, spec.extra_globals, spec.frames);
  const FrameRange window = WindowRule(spec.frames, std::min(spec.window_frames, spec.frames),
                                       spec.expand_window, globals)(f);
  return {window.lo, window.hi};
}

json compute_boundary_guard_frames(const Arguments& args, const Behaviour&) {
  return boundary_guard_frames(args.integer("total_frames"), args.integer("local_seq"),
                               args.integer("num_patches"), args.integer("world"),
                               args.integer("window_size"));
}

json pairs(const std::vector<BlockCopy>& copies) {
  json list = json::array();
  for (const BlockCopy& copy : copies) list.push_back({copy.source, copy.target});
  return list;
}

json window_context(const RankIndex& index) {
  json context = json::object();
  for (std::size_t i = 0; i < index.local_frames.size(); ++i) {
    json ranges = json::array();
    for (auto j = index.window_offsets[i]; j < index.window_offsets[i + 1]; ++j) {
      const TokenRange range = index.window_tokens[static_cast<std::size_t>(j)];
      ranges.push_back({range.begin, range.end});
    }
    context[std::to_string(index.local_frames[i].frame)] = std::move(ranges);
  }
  return context;
}

json attended_rows(const RankIndex& index) {
  json rows = json::array();
  const auto width = static_cast<std::size_t>(index.attended_width);
  for (std::size_t i = 0; i < index.local_frames.size(); ++i) {
    json row = json::array();
    for (std::size_t c = 0; c < width; ++c) row.push_back(index.attended[i * width + c]);
    rows.push_back(std::move(row));
  }
  return rows;
}

json metadata(const FramePattern& pattern, const RankIndex& index) {
  json frames = json::array();
  for (const LocalFrame& local : index.local_frames) {
    frames.push_back({local.frame, local.tokens.begin, local.tokens.end});
  }
  json windows = json::array();
  for (const FrameRange& window : pattern.windows) windows.push_back({window.lo, window.hi});
  return {{"local_seq", index.local_seq},
          {"global_token_start", index.global_token_start},
          {"global_indices", pattern.globals},
          {"local_frames", std::move(frames)},
          {"window_ctx", window_context(index)},
          {"global_frame_mask", pattern.is_global},
          {"window_bounds", std::move(windows)},
          {"attended_indices", attended_rows(index)},
          {"attended_C", index.attended_width},
          {"fi_indptr", index.blocks.indptr},
          {"fi_indices", index.blocks.indices},
          {"fi_M", index.blocks.query_tokens},
          {"fi_N", index.blocks.key_tokens},
          {"fi_MB", index.blocks.rows},
          {"fi_compact_n", index.blocks.compact_frames},
          {"fi_global_copies", pairs(index.blocks.global_copies)},
          {"fi_local_copies", pairs(index.blocks.local_copies)}};
}

json metadata_build(const Arguments& args, const Behaviour& rules) {
  PatternSpec spec;
  spec.frames = args.integer("total_latent_frames");
  spec.window_frames = args.integer("window_size");
  spec.n_first_frames = args.integer("n_first_frames");
  spec.interval = args.optional_integer("key_frame_interval");
  spec.offset = args.integer_or("keyframe_offset", 0);
  spec.expand_window = args.flag("expand_window");
  spec.extra_globals = args.integers_or_none("boundary_guards");
  if (rules.condition_frames) {
    const auto condition = args.integers_or_none("condition_frames");
    spec.extra_globals.insert(spec.extra_globals.end(), condition.begin(), condition.end());
  }
  const FramePattern pattern = build_frame_pattern(spec);
  return metadata(pattern, build_rank_index(pattern, args.integer("num_patches"),
                                            args.integer("rank"), args.integer("world")));
}

json candidates(const Arguments& args, const Behaviour&) {
  return candidate_patches_per_frame(args.environment());
}

json detect(const Arguments& args, const Behaviour& rules) {
  const auto frames = args.optional_integer("total_frames");
  if (!frames) return {nullptr, nullptr};
  const Detection found =
      detect_geometry(args.integer("seq_len"), *frames, args.environment(), rules);
  if (!found.grid) return {nullptr, nullptr};
  return {found.grid->patches_per_frame, found.grid->text_tokens};
}

// JSON has no NaN and no infinity: they travel as the words that Python writes.
json real_result(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json config_from_env(const Arguments& args, const Behaviour&) {
  const Config config = config_from_environment(args.environment());
  return {{"window_size", config.window_size},
          {"n_first_frames", config.n_first_frames},
          {"key_frame_interval", config.key_frame_interval},
          {"auto_keyframes", config.auto_keyframes},
          {"rotate_keyframes", config.rotate_keyframes},
          {"expand_window", config.expand_window},
          {"backend", config.backend},
          {"vae_temporal_factor", config.vae_temporal_factor},
          {"total_latent_frames",
           config.total_latent_frames ? json(*config.total_latent_frames) : json(nullptr)},
          {"sparsity_scale", real_result(config.sparsity_scale)},
          {"reference_latent_frames", config.reference_latent_frames},
          {"latent_window_size", config.latent_window_size()},
          {"latent_n_first_frames", config.latent_n_first_frames()},
          {"latent_key_frame_interval", config.latent_key_frame_interval()}};
}

// The rows of 1.2 and of 1.3 have two shapes: the former lists [layer, seq_len, step] and takes its
// calls from there, the latter lists the steps alone.
json step_counter(const Arguments& args, const Behaviour& rules) {
  StepCounter counter(args.environment(), rules, args.integer_or("cfg_parallel_world", 1));
  const json& calls = args.raw("calls");
  if (!calls.is_array()) throw BadCall("argument \"calls\" is missing or no list");
  const json& published = args.raw("native_steps");
  if (!published.is_null() && (!published.is_array() || published.size() != calls.size())) {
    throw BadCall("argument \"native_steps\": one entry a call is due, or null");
  }
  json triples = json::array();
  json steps = json::array();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const json& call = calls[i];
    if (!call.is_array() || call.size() < 2 || !call[0].is_number_integer() ||
        !call[1].is_number_integer()) {
      throw BadCall("argument \"calls\": entries [layer, seq_len] are due");
    }
    std::optional<std::int64_t> native;
    if (!published.is_null() && !published[i].is_null()) {
      if (!published[i].is_number_integer()) {
        throw BadCall("argument \"native_steps\": integers or nulls are due");
      }
      native = published[i].get<std::int64_t>();
    }
    const std::int64_t step =
        counter.tick(call[0].get<std::int64_t>(), call[1].get<std::int64_t>(), native);
    triples.push_back({call[0], call[1], step});
    steps.push_back(step);
  }
  const json blocks = counter.n_blocks() ? json(*counter.n_blocks()) : json(nullptr);
  if (rules.takes_published_step) return {{"steps", steps}, {"n_blocks", blocks}};
  return {{"calls", triples}, {"n_blocks", blocks}};
}

json mask_log_should_fire(const Arguments& args, const Behaviour&) {
  return mask_log_due(args.text("spec"), args.integer("step"), args.integer("last"));
}

json print_mask(const Arguments& args, const Behaviour&) {
  return mask_text(build_frame_pattern(spec_of_globals(args)));
}

json condition_frames(const Arguments& args, const Behaviour&) {
  return condition_latent_frames(args.environment());
}

using Function = json (*)(const Arguments&, const Behaviour&);

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table = {
      {"LVSAConfig.from_env", config_from_env},
      {"LVSAMetadata.build", metadata_build},
      {"candidate_patches_per_frame", candidates},
      {"compute_auto_kfi", compute_auto_kfi},
      {"compute_boundary_guard_frames", compute_boundary_guard_frames},
      {"compute_global_indices", compute_global_indices},
      {"condition_latent_frames", condition_frames},
      {"detect_geometry", detect},
      {"get_window_bounds", get_window_bounds},
      {"mask_log_should_fire", mask_log_should_fire},
      {"print_attention_mask_compact", print_mask},
      {"step_counter", step_counter},
  };
  return table;
}

}  // namespace

nlohmann::json call_function(const std::string& name, const json& args, Version version) {
  const auto found = functions().find(name);
  if (found == functions().end()) {
    std::string known;
    for (const std::string& candidate : function_names()) known += " " + candidate;
    throw BadCall(fmt::format("unknown function \"{}\"; known:{}", printable(name), known));
  }
  return found->second(Arguments(args), behaviour(version));
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& [name, function] : functions()) names.push_back(name);
  return names;
}

}  // namespace lvsa::analysis
