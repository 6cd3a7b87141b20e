#include "analysis/sweep/sweep_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "analysis/report/text_format.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostFrames = 4096;

bool same_grid(const FrameGrid& a, const FrameGrid& b) {
  return a.frames == b.frames && a.patches_per_frame == b.patches_per_frame &&
         a.text_tokens == b.text_tokens;
}

std::string grid_text(const FrameGrid& grid) {
  return fmt::format("T={} P={} text={}", grid.frames, grid.patches_per_frame, grid.text_tokens);
}

std::string shard_text(const Shard& shard) { return fmt::format("{}/{}", shard.number, shard.of); }

template <typename Value>
std::string then_now(const char* what, const Value& then, const Value& now) {
  return fmt::format("{}: {} then, {} now", what, then, now);
}

Json id_json(const SampleId& id) {
  return Json::array({valid_utf8(id.source), id.layer, id.step, id.batch, id.head});
}

SampleId parse_id(const Json& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::int64_t>(),
          json.at(2).get<std::int64_t>(), json.at(3).get<std::int64_t>(),
          json.at(4).get<std::int64_t>()};
}

std::string settings_difference(const SweepPlan& then, const SweepPlan& now) {
  if (then.settings == now.settings) return "";
  if (then.settings.size() != now.settings.size()) {
    return then_now("settings", then.settings.size(), now.settings.size());
  }
  const auto [a, b] =
      std::mismatch(then.settings.begin(), then.settings.end(), now.settings.begin());
  return then_now(fmt::format("setting {}", a - then.settings.begin() + 1).c_str(),
                  fmt::format("'{}'", setting_words(*a)), fmt::format("'{}'", setting_words(*b)));
}

// The samples' sources are not compared: the same file may lie elsewhere on another machine.
std::string samples_difference(const SweepPlan& then, const SweepPlan& now) {
  if (then.samples.size() != now.samples.size()) {
    return then_now("samples", then.samples.size(), now.samples.size());
  }
  for (std::size_t i = 0; i < then.samples.size(); ++i) {
    SampleId a = then.samples[i];
    a.source = now.samples[i].source;
    if (!(a == now.samples[i])) {
      return then_now(fmt::format("sample {}", i + 1).c_str(), describe(a),
                      describe(now.samples[i]));
    }
  }
  if (then.excluded.size() != now.excluded.size()) {
    return then_now("excluded samples", then.excluded.size(), now.excluded.size());
  }
  return "";
}

void check_parsed(const SweepPlan& plan) {
  const bool good = plan.grid.frames >= 1 && plan.grid.frames <= kMostFrames &&
                    plan.head_dim >= 1 && plan.rows_per_frame >= 0 && plan.patterns_per_unit >= 1 &&
                    !plan.samples.empty() &&
                    (plan.classes.empty() || plan.classes.size() == plan.samples.size()) &&
                    static_cast<std::int64_t>(plan.settings.size()) <=
                        kMostSweepRows / static_cast<std::int64_t>(plan.samples.size());
  if (!good) throw Error(ErrorKind::kJson, "plan of the sweep: its sizes contradict each other");
  make_frame_grid(plan.grid.frames, plan.grid.patches_per_frame, plan.grid.text_tokens);
}

}  // namespace

std::int64_t default_patterns_per_unit(std::int64_t frames) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 28) / (frames * frames), 256, 16384);
}

SweepPlan plan_of_source(const SampleSource& source, const std::vector<SweepSetting>& settings,
                         std::int64_t rows_per_frame, std::uint64_t row_seed) {
  const auto count = static_cast<std::int64_t>(source.ids().size());
  if (count == 0) {
    throw Error(
        ErrorKind::kValue,
        fmt::format(
            "{}: no sample is left to sweep ({} excluded{})", source.identity(),
            source.excluded().size(),
            source.excluded().empty() ? "" : ", the first: " + source.excluded().front().reason));
  }
  if (static_cast<std::int64_t>(settings.size()) > kMostSweepRows / count) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} settings x {} samples: at most {} results are supported; fewer of "
                            "either are due (--random N, --layers, --heads, --steps)",
                            settings.size(), count, kMostSweepRows));
  }
  SweepPlan plan;
  plan.identity = source.identity();
  plan.grid = source.grid(0);
  for (std::size_t i = 1; i < source.ids().size(); ++i) {
    if (same_grid(source.grid(i), plan.grid)) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("samples of two grids: {} has {}, {} has {}; --layers, --steps or "
                            "--heads choose those of one",
                            describe(source.ids()[0]), grid_text(plan.grid),
                            describe(source.ids()[i]), grid_text(source.grid(i))));
  }
  if (plan.grid.frames > kMostFrames) {
    throw Error(ErrorKind::kValue, fmt::format("T = {} latent frames; at most {} are supported",
                                               plan.grid.frames, kMostFrames));
  }
  plan.head_dim = source.load(0).q.shape[3];
  plan.rows_per_frame = rows_per_frame;
  plan.row_seed = row_seed;
  plan.patterns_per_unit = default_patterns_per_unit(plan.grid.frames);
  plan.settings = settings;
  plan.samples = source.ids();
  plan.classes = sample_classes(source);
  plan.excluded = source.excluded();
  return plan;
}

std::string difference(const SweepPlan& then, const SweepPlan& now, bool any_shard) {
  if (then.tool != now.tool) return then_now("lvsa-verify", then.tool, now.tool);
  if (then.identity != now.identity) return then_now("source", then.identity, now.identity);
  if (!same_grid(then.grid, now.grid)) {
    return then_now("frame grid", grid_text(then.grid), grid_text(now.grid));
  }
  if (then.head_dim != now.head_dim) return then_now("head size", then.head_dim, now.head_dim);
  if (then.rows_per_frame != now.rows_per_frame) {
    return then_now("--rows-per-frame", then.rows_per_frame, now.rows_per_frame);
  }
  if (then.row_seed != now.row_seed) return then_now("--row-seed", then.row_seed, now.row_seed);
  if (then.patterns_per_unit != now.patterns_per_unit) {
    return then_now("--patterns-per-unit", then.patterns_per_unit, now.patterns_per_unit);
  }
  for (const std::string& other : {settings_difference(then, now), samples_difference(then, now)}) {
    if (!other.empty()) return other;
  }
  if (!any_shard && then.shard != now.shard) {
    return then_now("shard", shard_text(then.shard), shard_text(now.shard));
  }
  return "";
}

std::string sweep_plan_json(const SweepPlan& plan) {
  Json json = {{"tool", plan.tool},
               {"identity", valid_utf8(plan.identity)},
               {"frames", plan.grid.frames},
               {"patches_per_frame", plan.grid.patches_per_frame},
               {"text_tokens", plan.grid.text_tokens},
               {"head_dim", plan.head_dim},
               {"rows_per_frame", plan.rows_per_frame},
               {"row_seed", plan.row_seed},
               {"patterns_per_unit", plan.patterns_per_unit},
               {"shard", shard_text(plan.shard)},
               {"settings", Json::array()},
               {"samples", Json::array()},
               {"classes", plan.classes},
               {"excluded", Json::array()}};
  for (const SweepSetting& setting : plan.settings) {
    json["settings"].push_back(setting_words(setting));
  }
  for (const SampleId& id : plan.samples) json["samples"].push_back(id_json(id));
  for (const ExcludedSample& left : plan.excluded) {
    json["excluded"].push_back(Json::array({id_json(left.id), valid_utf8(left.reason)}));
  }
  return json.dump();
}

SweepPlan parse_sweep_plan(const std::string& text) {
  SweepPlan plan;
  try {
    const Json json = Json::parse(text);
    plan.tool = json.at("tool").get<std::string>();
    plan.identity = json.at("identity").get<std::string>();
    plan.grid = {json.at("frames").get<std::int64_t>(),
                 json.at("patches_per_frame").get<std::int64_t>(),
                 json.at("text_tokens").get<std::int64_t>()};
    plan.head_dim = json.at("head_dim").get<std::int64_t>();
    plan.rows_per_frame = json.at("rows_per_frame").get<std::int64_t>();
    plan.row_seed = json.at("row_seed").get<std::uint64_t>();
    plan.patterns_per_unit = json.at("patterns_per_unit").get<std::int64_t>();
    plan.shard = parse_shard(json.at("shard").get<std::string>());
    for (const Json& words : json.at("settings")) {
      plan.settings.push_back(parse_setting(words.get<std::string>()));
    }
    for (const Json& id : json.at("samples")) plan.samples.push_back(parse_id(id));
    plan.classes = json.at("classes").get<std::vector<std::string>>();
    for (const Json& left : json.at("excluded")) {
      plan.excluded.push_back({parse_id(left.at(0)), left.at(1).get<std::string>()});
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kJson, fmt::format("plan of the sweep: {}", error.what()));
  }
  check_parsed(plan);
  return plan;
}

}  // namespace lvsa::analysis
