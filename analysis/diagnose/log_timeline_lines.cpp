// What each kind of line adds to the timeline.
#include <algorithm>

#include "analysis/diagnose/log_timeline.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

// Where an interval or counts are told, they decide; else it is only known to be engaged.
Engagement engaged_as(const LogRequest& request) {
  if (request.interval) {
    const bool all = request.anchors && request.frames && *request.anchors >= *request.frames;
    return *request.interval == 1 || all ? Engagement::kDense : Engagement::kSparse;
  }
  if (request.attended && request.frames) {
    return *request.attended >= *request.frames ? Engagement::kDense : Engagement::kSparse;
  }
  return Engagement::kEngaged;
}

template <typename T>
void take(std::optional<T>& target, const std::optional<T>& value) {
  if (value) target = value;
}

}  // namespace

void LogTimeline::on_fallback(LogSource& source, const LogLine& line) {
  const auto origin = line.field("origin");
  const auto reason = line.field("reason");
  const auto seq_len = line.integer("seq_len");
  if (!origin || !reason || !seq_len) {
    malformed();
    return;
  }
  const bool delegates = line.text.find("delegat") != std::string_view::npos;
  facts_.newer = facts_.newer || delegates;
  LogRequest& request = request_of(source, std::string(*origin), seq_len);
  if (request.engagement == Engagement::kSilent) {
    request.engagement = Engagement::kFallback;
    request.seq_len = *seq_len;
    request.origin = printable(*origin, 40);
    request.reason = printable(*reason, 40);
    request.delegates = delegates;
  }
  take(request.frames, line.integer("T_lat"));
  take(request.full_seq, line.integer("full_seq"));
  if (const auto known = line.field("known_ppf")) request.candidates = printable(*known, 80);
}

// Positive lines outweigh a fallback of a hook in the same request: it handed over.
void LogTimeline::on_grid(LogSource& source, const LogLine& line) {
  const bool hook = line.kind == LogKind::kEngaged;
  auto seq_len = line.integer(hook ? "seq_len" : "total");
  const auto frames = line.integer("T_lat");
  const auto patches = line.integer("P");
  auto text = line.integer("text");
  if (!text) text = line.integer("text_tokens");
  if (!frames || !patches || *frames < 1 || *patches < 1 || *frames > (1 << 24) ||
      *patches > (1 << 24)) {
    malformed();
    return;
  }
  if (!seq_len) seq_len = *frames * *patches + text.value_or(0);
  std::string origin = "forward_cuda";
  if (hook) {
    const std::size_t open = line.text.find('(');
    const std::size_t close = line.text.find(')', open);
    origin = printable(line.text.substr(open + 1, close - open - 1), 40);
    if (close == std::string_view::npos) origin = "hook";
    // Printed once a generation: a second one is another.
    LogRequest& before = current(source);
    if (before.origins.count(origin) != 0 && before.engagement != Engagement::kFallback) {
      begin(source);
    }
  }
  LogRequest& request = request_of(source, origin, seq_len);
  request.warm_up = false;
  request.seq_len = seq_len;
  request.origin = origin;
  request.frames = frames;
  request.patches = patches;
  take(request.text, text);
  take(request.window, line.integer("W"));
  take(request.anchors, line.integer("|G|"));
  take(request.interval, line.integer("kfi"));
  request.engagement = engaged_as(request);
}

void LogTimeline::on_standalone(LogSource& source, const LogLine& line) {
  facts_.standalone = true;
  LogRequest* request = &current(source);
  if (line.kind == LogKind::kSeqLen && !request->origins.empty()) request = &begin(source);
  take(facts_.reference, line.integer("reference_latent_frames"));
  take(request->frames, line.integer("target_latent_frames"));
  take(request->frames, line.integer("total_lat_frames"));
  take(request->frames, line.integer("T_lat"));
  take(request->interval, line.integer("kfi"));
  take(request->interval, line.integer("key_frame_interval"));
  take(request->anchors, line.integer("global_count"));
  take(request->window, line.integer("window"));
  if (line.kind == LogKind::kSeqLen) {
    take(request->seq_len, line.integer("seq_len"));
    const auto height = line.integer("H_patch");
    const auto width = line.integer("W_patch");
    if (height && width && *height > 0 && *width > 0 && *height < (1 << 20) && *width < (1 << 20)) {
      request->patches = *height * *width;
    }
  }
  if (line.kind == LogKind::kMismatch) {
    request->seq_len = line.integer("seq");
    request->engagement = Engagement::kFallback;
    request->reason = "geometry_mismatch";
    request->origin = "standalone";
    take(request->frames, line.integer("total_num_frames"));
    take(request->patches, line.integer("num_patches"));
  }
  if (line.kind != LogKind::kPattern) return;
  const std::string_view share = line.field("attended_per_frame").value_or("");
  const std::size_t slash = share.find('/');
  LogLine parts;
  parts.fields[0] = {"n", share.substr(0, slash)};
  parts.fields[1] = {"t", slash == std::string_view::npos ? "" : share.substr(slash + 1)};
  parts.field_count = 2;
  take(request->attended, parts.integer("n"));
  take(request->frames, parts.integer("t"));
  if (!request->attended || !request->frames) {
    malformed();
  } else if (request->engagement != Engagement::kFallback) {
    request->origin = "standalone";
    request->engagement = engaged_as(*request);
  }
}

void LogTimeline::on_installed(LogSource& source, const LogLine& line) {
  constexpr std::string_view kHook = "Installed LVSA hook on ";
  if (const std::size_t at = line.text.find(kHook); at != std::string_view::npos) {
    const std::string_view rest = line.text.substr(at + kHook.size());
    if (facts_.installed.size() < kMostUnknown) {
      facts_.installed.insert(printable(rest.substr(0, rest.find_first_of(" (")), 60));
    }
    take(facts_.installed_frames, line.integer("T_lat"));
    return;
  }
  facts_.standalone = true;
  LogRequest& request = current(source);
  take(request.patches, line.integer("num_patches"));
  take(request.frames, line.integer("total_lat_frames"));
  const std::size_t at = line.text.find("installed on ");
  LogLine number;
  const std::string_view rest = line.text.substr(at + 13);
  number.fields[0] = {"n", rest.substr(0, rest.find(' '))};
  number.field_count = 1;
  take(facts_.processor_blocks, number.integer("n"));
}

void LogTimeline::on_calibrated(LogSource& source, const LogLine& line) {
  const auto blocks = line.integer("n_blocks");
  const auto passes = line.integer("cfg_passes");
  if (!blocks && !passes) malformed();
  take(source.n_blocks, blocks);
  take(source.cfg_passes, passes);
}

void LogTimeline::on_mask(LogSource& source, const LogLine& line) {
  const auto step = line.integer("step");
  const auto frames = line.integer("T_lat");
  const auto window = line.integer("W");
  if (!step || *step < 0 || !frames || *frames < 1 || !window) {
    malformed();
    return;
  }
  LogRequest& request = request_of_step(source, *step);
  request.frames = frames;
  request.window = window;
  take(request.anchors, line.integer("|G|"));
  take(request.interval, line.integer("kfi"));
  request.engagement = engaged_as(request);
  mask_ = {facts_.lines, *step, {}};
  mask_frames_ = *frames;
  mask_source_ = source.name;
  mask_rows_left_ = *frames <= kMostMaskFrames ? *frames + 8 : 0;
  if (!facts_.mask) facts_.mask = mask_;
}

void LogTimeline::add_mask_line(std::string_view line) {
  std::int64_t frame = 0;
  std::string_view cells;
  const MaskLine kind = parse_mask_line(line, frame, cells);
  --mask_rows_left_;
  if (kind == MaskLine::kSummary) mask_rows_left_ = 0;
  if (kind != MaskLine::kRow) return;
  if (log_source(line.substr(0, line.find('|'))) != mask_source_) {
    ++mask_rows_left_;  // of another rank, in between
    return;
  }
  const auto due = static_cast<std::int64_t>(mask_.rows.size());
  if (frame != due || static_cast<std::int64_t>(cells.size()) != mask_frames_) return;
  mask_.rows.emplace_back(cells);
  if (due + 1 == mask_frames_) {
    facts_.mask = std::move(mask_);
    mask_ = {};
    mask_rows_left_ = 0;
  }
}

void LogTimeline::on_memory(LogSource& source, const LogLine& line) {
  const auto step = line.integer("step");
  const auto allocated = line.number("alloc");
  if (!step || *step < 0 || !allocated) {
    malformed();
    return;
  }
  request_of_step(source, *step);
  MemorySample sample{facts_.lines, *step, *allocated, line.number("reserved").value_or(0.0),
                      line.number("peak").value_or(0.0)};
  ++source.memory_samples;
  // Every 2^k-th sample, k as the vector overflows.
  std::int64_t stride = 1;
  while (source.memory_samples / stride > static_cast<std::int64_t>(kMostSamples)) stride *= 2;
  if (source.memory.size() >= kMostSamples) {
    for (std::size_t i = 0; 2 * i < source.memory.size(); ++i) {
      source.memory[i] = source.memory[2 * i];
    }
    source.memory.resize(source.memory.size() / 2);
  }
  if (source.memory_samples % stride == 0) source.memory.push_back(sample);
}

void LogTimeline::on_time(LogSource& source, const LogLine& line) {
  const auto step = line.integer("step");
  const auto seconds = line.number("dt");
  if (!step || *step < 0 || !seconds || *seconds < 0.0) {
    malformed();
    return;
  }
  // Printed when the next step begins, like the memory of that one.
  LogRequest& request = request_of_step(source, std::min(*step, INT64_MAX - 2) + 1);
  ++request.timed_steps;
  if (request.step_seconds.size() < kMostSamples) {
    request.step_seconds.push_back(static_cast<float>(*seconds));
  }
}

}  // namespace lvsa::analysis
