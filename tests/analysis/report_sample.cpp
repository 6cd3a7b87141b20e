#include "report_sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/verify/inputs.hpp"

namespace lvsa::analysis {
namespace {

// 0 .. 1, the same on every machine.
double noise(std::uint64_t stream, std::uint64_t index) {
  return static_cast<double>(random_bits(7, stream, index) >> 11) * 0x1p-53;
}

void fill_pattern(CaseResult& result) {
  const Case& c = result.c;
  const CaseSchedule schedule = case_schedule(c);
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  result.interval = schedule.interval.value_or(0);
  result.offset = schedule.offset;
  result.frames_attended_min = c.grid.frames;
  for (std::int64_t f = 0; f < c.grid.frames; ++f) {
    const auto attended = static_cast<std::int64_t>(pattern.row(f).size());
    result.frames_attended_min = std::min(result.frames_attended_min, attended);
    result.frames_attended_max = std::max(result.frames_attended_max, attended);
  }
  result.density = pattern.frame_density();
}

void fill_check(CaseResult& result, double level) {
  const Case& c = result.c;
  const auto stream = static_cast<std::uint64_t>(c.step + c.grid.frames);
  const auto entries = static_cast<std::size_t>(c.grid.frames + (c.grid.text_tokens > 0 ? 1 : 0));
  for (std::size_t f = 0; f < entries; ++f) {
    const double ratio = level * std::pow(0.15, noise(stream, f));
    result.frame_worst_ratio.push_back(noise(stream + 1, f) < 0.04 ? -1.0 : ratio);
  }
  const auto worst =
      std::max_element(result.frame_worst_ratio.begin(), result.frame_worst_ratio.end());
  result.rows_checked = c.rows;
  OutputCheck& output = result.output;
  output.checked = c.rows * c.head_dim;
  output.worst_ratio = *worst;
  ElementReport& element = output.worst;
  element.frame = worst - result.frame_worst_ratio.begin();
  element.row_in_frame = c.grid.patches_per_frame / 3;
  element.token = element.frame * c.grid.patches_per_frame + element.row_in_frame;
  if (element.frame == c.grid.frames) element.frame = -1;
  element.column = c.head_dim / 2 + 5;
  element.expected = 0.0123456789;
  element.tolerance = {4.1e-5, 6.3e-6, 2.2e-6, 0.0, (4.1e-5 + 6.3e-6 + 2.2e-6) * (1 + 0x1p-6)};
  element.ratio = *worst;
  element.got = element.expected + element.ratio * element.tolerance.total;
  result.lse = output;
  result.lse.checked = c.rows;
  result.lse.worst.tolerance = {0.0, 0.0, 0.0, 0.0, 3.1e-6};
  result.lse.worst.expected = 9.87654321;
  result.lse.worst.ratio = 0.21;
  result.lse.worst.got = 9.87654321 + 0.21 * 3.1e-6;
  result.mean_signal = 0.0118;
  result.mean_tolerance = 5.1e-5;
  result.timings = {0.31, 0.12 + 0.3 * noise(3, stream), 0.92};
  result.useful_gflops = 180.0 + 80.0 * noise(4, stream);
}

void spoil(CaseResult& result) {
  result.status = Status::kFail;
  result.message =
      "output: 1472 of 8192 checked elements outside their bounds; worst at batch 0, frame 17 row "
      "1200, head 0, column 69: got 0.0131, expected 0.0123456789 +- 5.03e-05";
  for (std::size_t f = 14; f < 21; ++f)
    result.frame_worst_ratio[f] = 6.0 - 0.5 * std::fabs(17.0 - static_cast<double>(f));
  result.frame_worst_ratio[17] = 15.02;
  result.output.failed = 1472;
  result.output.worst_ratio = 15.02;
  result.output.worst.frame = 17;
  result.output.worst.token = 17 * 3600 + 1200;
  result.output.worst.ratio = 15.02;
  result.output.worst.got = 0.0131;
}

void blank(CaseResult& result, Status status, const char* message) {
  result.status = status;
  result.message = message;
  result.output = {};
  result.lse = {};
  result.rows_checked = 0;
  std::fill(result.frame_worst_ratio.begin(), result.frame_worst_ratio.end(), -1.0);
  result.timings = {};
  result.useful_gflops = 0.0;
}

CaseResult make_result(const Case& c, double level) {
  CaseResult result;
  result.c = c;
  result.line = to_line(c);
  result.kernel = "cpu";
  result.command = "lvsa-verify kernel --kernel cpu --case '" + result.line + "'";
  fill_pattern(result);
  fill_check(result, level);
  return result;
}

struct ModelRow {
  const char* name;
  std::int64_t reference, patches, text, heads, kv_heads, head_dim;
};
constexpr std::array<ModelRow, 6> kModels = {{{"wan-1.3b", 21, 1560, 0, 1, 1, 128},
                                              {"wan-14b", 21, 3600, 0, 1, 1, 128},
                                              {"wan2.2-5b", 31, 880, 0, 1, 1, 128},
                                              {"hunyuan-1.5", 33, 1560, 1000, 1, 1, 128},
                                              {"cosmos3", 48, 920, 0, 4, 1, 128},
                                              {"cogvideox-5b", 13, 1350, 226, 1, 1, 64}}};

Case model_case(const ModelRow& model, std::int64_t times, std::int64_t step) {
  Case c;
  c.model = model.name;
  c.grid = {model.reference * times, model.patches, model.text};
  c.heads = model.heads;
  c.kv_heads = model.kv_heads;
  c.head_dim = model.head_dim;
  c.reference_frames = model.reference;
  c.step = step;
  c.input = times % 2 == 0 ? InputKind::kIndicator : InputKind::kGauss;
  return c;
}

}  // namespace

CaseResult sample_result(std::int64_t frames) {
  Case c = model_case(kModels[0], 1, 3);
  c.grid.frames = frames;
  return make_result(c, 0.12);
}

std::vector<CaseResult> sample_run() {
  std::vector<CaseResult> results;
  for (const ModelRow& model : kModels) {
    for (const std::int64_t times : {1, 2, 3, 4, 6}) {
      const Case c = model_case(model, times, times * 2 - 1);
      results.push_back(make_result(c, times % 2 == 0 ? 0.28 : 0.06));
    }
  }
  spoil(results[7]);
  results[7].output.unwritten = 0;
  for (const std::size_t weak : {12U, 22U}) {
    results[weak].status = Status::kWeak;
    results[weak].weak_rows = 9;
    results[weak].message =
        "9 of 64 rows have a score error of 2^-8 or more: their bounds mean little";
  }
  blank(results[19], Status::kUnsupported, "the kernel serves no text tokens");
  blank(results[29], Status::kError, "kernel 'cpu': out of memory: workspace of 9.1 GiB refused");
  return results;
}

Provenance sample_provenance() {
  return {{"version", "0.1.0"},
          {"commit", "0123456789ab"},
          {"compiler", "GNU 12.2.0"},
          {"build_type", "Release"},
          {"flags", "-O3 -DNDEBUG"},
          {"cpu", "Example CPU @ 2.80GHz"},
          {"threads", "2"},
          {"vector_extensions", "avx2 fma f16c"},
          {"operating_system", "Debian GNU/Linux 12 (bookworm)"},
          {"libraries", "HDF5 1.10.8, zlib 1.2.13"},
          {"gpu", "none"},
          {"gpu_driver", "none"},
          {"time", "2026-01-02T03:04:05Z"},
          {"command_line", "lvsa-verify kernel --suite default"}};
}

}  // namespace lvsa::analysis
