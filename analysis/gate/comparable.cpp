// What must be the same for a comparison to mean something.
#include <fmt/format.h>

#include <set>
#include <string>

#include "analysis/gate/compare.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::kValue, what); }

std::string file_part(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void require_same_version(const char* part, const Provenance& then, const Provenance& now,
                          const Evidence& baseline, const Evidence& candidate) {
  const std::string was = provenance_value(then, "version");
  const std::string is = provenance_value(now, "version");
  if (was == is) return;
  refuse(
      fmt::format("{}: its {} results are of lvsa-verify {}, those of {} of {}, and verdicts may "
                  "differ for that alone; store the baseline anew, or say --across-versions",
                  baseline.name, part, was.empty() ? "(not told)" : was, candidate.name,
                  is.empty() ? "(not told)" : is));
}

void require_whole(const ConformanceEvidence& evidence) {
  const Shard& shard = evidence.plan.shard;
  if (shard.of == 1) return;
  refuse(fmt::format("{}: is shard {}/{} of a run; lvsa-verify merge makes the whole report",
                     evidence.source, shard.number, shard.of));
}

std::string option_value(const RunPlan& plan, const std::string& name) {
  for (const auto& [key, value] : plan.options) {
    if (key == name) return value;
  }
  return "(not given)";
}

void require_same_options(const ConformanceEvidence& then, const ConformanceEvidence& now) {
  std::set<std::string> names;
  for (const auto& plan : {&then.plan, &now.plan}) {
    for (const auto& [name, value] : plan->options) names.insert(name);
  }
  for (const std::string& name : names) {
    const std::string was = option_value(then.plan, name);
    const std::string is = option_value(now.plan, name);
    if (was == is) continue;
    refuse(fmt::format("{}: was judged with {} {}, {} with {}; run it with the same option",
                       now.source, name, is, then.source, was));
  }
}

void require_same_suite(const ConformanceEvidence& then, const ConformanceEvidence& now,
                        const Tolerated& tolerated) {
  const std::string was = file_part(then.plan.suite);
  const std::string is = file_part(now.plan.suite);
  if (was != is && !tolerated.suites) {
    refuse(
        fmt::format("{}: is of suite '{}', the baseline {} of '{}'; run that suite, or say "
                    "--across-suites to compare the cases that both have",
                    now.source, is, then.source, was));
  }
  const RecordsByLine lines(then.cases);
  bool common = false;  // nearly always the first one is
  for (std::size_t i = 0; i < now.cases.size() && !common; ++i) {
    common = lines.holds(now.cases.at(i).line);
  }
  if (!common && !then.cases.empty()) {
    refuse(fmt::format("{}: has no case in common with the baseline {}: another suite", now.source,
                       then.source));
  }
}

void require_same_tensors(const SweepEvidence& then, const SweepEvidence& now,
                          const Tolerated& tolerated) {
  if (then.grid != now.grid || then.rows_per_frame != now.rows_per_frame) {
    refuse(fmt::format("{}: is of {} with {} rows a frame, the baseline {} of {} with {}",
                       now.source, now.grid, now.rows_per_frame, then.source, then.grid,
                       then.rows_per_frame));
  }
  if (then.identity != now.identity && !tolerated.suites) {
    refuse(
        fmt::format("{}: is of other tensors ({}) than the baseline {} ({}); say "
                    "--across-suites to compare nevertheless",
                    now.source, now.identity, then.source, then.identity));
  }
}

void require_same_device(const SpeedEvidence& then, const SpeedEvidence& now,
                         const Tolerated& tolerated) {
  if (then.device == now.device || tolerated.devices) return;
  refuse(
      fmt::format("{}: was measured on '{}', the baseline {} on '{}'; measure on that device, "
                  "or say --across-devices",
                  now.source, now.device, then.source, then.device));
}

// Two files of one candidate: the kernel that was measured must be the one that was judged.
void require_same_kernel(const Evidence& candidate) {
  if (!candidate.conformance || !candidate.speed) return;
  const std::uint64_t judged = candidate.conformance->plan.library;
  const std::string& measured = candidate.speed->library_b;
  if (judged == 0 || measured.empty() || hash_text(judged) == measured) return;
  refuse(
      fmt::format("{}: measured a library with the hash {} ({}), {} judged one with {}; build "
                  "once, then judge and measure that",
                  candidate.speed->source, measured, candidate.speed->kernel_b,
                  candidate.conformance->source, hash_text(judged)));
}

void require_common_part(const Evidence& baseline, const Evidence& candidate) {
  const bool common = (baseline.conformance && candidate.conformance) ||
                      (baseline.patterns && candidate.patterns) ||
                      (baseline.sweep && candidate.sweep) || (baseline.speed && candidate.speed);
  if (common) return;
  refuse(fmt::format("{}: has results of no kind that {} has: nothing to compare", candidate.name,
                     baseline.name));
}

}  // namespace

void require_comparable(const Evidence& baseline, const Evidence& candidate,
                        const Tolerated& tolerated) {
  require_common_part(baseline, candidate);
  require_same_kernel(candidate);
  const auto versions = [&](const char* part, const auto& then, const auto& now) {
    if (then && now && !tolerated.versions) {
      require_same_version(part, then->provenance, now->provenance, baseline, candidate);
    }
  };
  versions("conformance", baseline.conformance, candidate.conformance);
  versions("pattern", baseline.patterns, candidate.patterns);
  versions("sweep", baseline.sweep, candidate.sweep);
  versions("speed", baseline.speed, candidate.speed);
  if (baseline.conformance) require_whole(*baseline.conformance);
  if (candidate.conformance) require_whole(*candidate.conformance);
  if (baseline.conformance && candidate.conformance) {
    require_same_options(*baseline.conformance, *candidate.conformance);
    require_same_suite(*baseline.conformance, *candidate.conformance, tolerated);
  }
  if (baseline.sweep && candidate.sweep) {
    require_same_tensors(*baseline.sweep, *candidate.sweep, tolerated);
  }
  if (baseline.speed && candidate.speed) {
    require_same_device(*baseline.speed, *candidate.speed, tolerated);
  }
}

}  // namespace lvsa::analysis
