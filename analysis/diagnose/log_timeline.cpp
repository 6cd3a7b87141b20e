#include "analysis/diagnose/log_timeline.hpp"

#include <algorithm>
#include <numeric>

#include "core/io/printable.hpp"

namespace lvsa::analysis {
std::string_view name(Engagement engagement) {
  switch (engagement) {
    case Engagement::kSparse:
      return "sparse";
    case Engagement::kDense:
      return "dense";
    case Engagement::kEngaged:
      return "engaged";
    case Engagement::kFallback:
      return "fallback";
    case Engagement::kSilent:
      break;
  }
  return "silent";
}

bool is_warm_up_length(std::int64_t seq_len) { return seq_len == 4096 || seq_len == 1024; }

std::int64_t LogFacts::known_lines() const {
  return std::accumulate(lines_of.begin(), lines_of.end(), std::int64_t{0}) -
         lines_of[static_cast<std::size_t>(LogKind::kUnknown)];
}

void LogTimeline::count(std::int64_t lines, std::int64_t bytes) {
  facts_.lines += lines;
  facts_.bytes += bytes;
}

void LogTimeline::add_line(std::string_view line, bool complete) {
  std::size_t tag = find_log_tag(line);
  if (tag == std::string_view::npos && mask_rows_left_ == 0) return;
  if (line.find_first_of(std::string_view("\x1b\0\a\b", 4)) != std::string_view::npos) {
    clean_.assign(line);
    strip_escapes(clean_);
    line = clean_;
    tag = find_log_tag(line);
  }
  if (tag == std::string_view::npos) {
    add_mask_line(line);
    return;
  }
  for (; tag != std::string_view::npos; tag = find_log_tag(line, tag + 1)) {
    add_tagged(parse_log_line(line, tag, complete), complete);
  }
}

LogSource& LogTimeline::source_of(const LogLine& line) {
  std::string source = log_source(line.prefix);
  const bool full = facts_.sources.size() >= kMostSources;
  const auto found = source_at_.find(source);
  if (found != source_at_.end()) return facts_.sources[found->second];
  if (full) return facts_.sources.back();
  source_at_.emplace(source, facts_.sources.size());
  facts_.sources.emplace_back();
  facts_.sources.back().name = std::move(source);
  facts_.sources.back().first_line = facts_.lines;
  return facts_.sources.back();
}

void LogTimeline::add_tagged(const LogLine& line, bool complete) {
  ++facts_.lines_of[static_cast<std::size_t>(line.kind)];
  facts_.cut_off = facts_.cut_off || !complete;
  if (line.kind == LogKind::kUnknown) {
    if (facts_.unknown.size() < kMostUnknown) facts_.unknown.insert(printable(line.text, 80));
    return;
  }
  LogSource& source = source_of(line);
  switch (line.kind) {
    case LogKind::kFallback:
      on_fallback(source, line);
      break;
    case LogKind::kGeometry:
    case LogKind::kEngaged:
      on_grid(source, line);
      break;
    case LogKind::kAmbiguous:
      facts_.newer = true;
      break;
    case LogKind::kMismatch:
    case LogKind::kReference:
    case LogKind::kPattern:
    case LogKind::kInterval:
    case LogKind::kSeqLen:
      on_standalone(source, line);
      break;
    case LogKind::kInstalled:
      on_installed(source, line);
      break;
    case LogKind::kCalibrated:
      on_calibrated(source, line);
      break;
    case LogKind::kMask:
      on_mask(source, line);
      break;
    case LogKind::kMemory:
      on_memory(source, line);
      break;
    case LogKind::kTime:
      on_time(source, line);
      break;
    case LogKind::kWarning:
    case LogKind::kNote:
    case LogKind::kUnknown:
      break;
  }
  keep_event(line, source.name);
}

void LogTimeline::keep_event(const LogLine& line, const std::string& source) {
  if (line.kind == LogKind::kMemory || line.kind == LogKind::kTime || line.kind == LogKind::kMask) {
    return;
  }
  ++facts_.events;
  LogEvent event{facts_.lines, line.kind, source, printable(line.text, 200)};
  if (facts_.first_events.size() < kMostEvents) {
    facts_.first_events.push_back(std::move(event));
    return;
  }
  facts_.last_events.push_back(std::move(event));
  if (facts_.last_events.size() > kMostEvents) facts_.last_events.pop_front();
}

void LogTimeline::malformed() {
  ++facts_.malformed;
  if (facts_.first_malformed == 0) facts_.first_malformed = facts_.lines;
}

LogRequest& LogTimeline::begin(LogSource& source) {
  if (source.requests.size() >= kMostRequests) {
    // The last one stands for all that follow.
    ++source.requests_left_out;
    LogRequest fresh;
    fresh.first_line = facts_.lines;
    source.requests.back() = std::move(fresh);
  } else {
    source.requests.emplace_back();
    source.requests.back().first_line = facts_.lines;
  }
  return source.requests.back();
}

LogRequest& LogTimeline::current(LogSource& source) {
  LogRequest& request = source.requests.empty() ? begin(source) : source.requests.back();
  request.last_line = facts_.lines;
  return request;
}

// The request that a line of this origin and length belongs to: the one under way, unless that has
// a length of its own from the same origin, or is a warm-up.
LogRequest& LogTimeline::request_of(LogSource& source, const std::string& origin,
                                    std::optional<std::int64_t> seq_len) {
  LogRequest* request = &current(source);
  const bool dummy = seq_len && is_warm_up_length(*seq_len);
  const auto seen = request->origins.find(origin);
  const bool other = seen != request->origins.end() && seq_len && seen->second != *seq_len;
  const bool stepped = request->last_step > 0 && !request->origins.empty();
  if (other || stepped || (!request->origins.empty() && dummy != request->warm_up)) {
    request = &begin(source);
  }
  request->warm_up = dummy;
  request->last_line = facts_.lines;
  if (seq_len) request->origins[origin] = *seq_len;
  return *request;
}

// Steps go up; one before the last one begins another request, and none belongs to a warm-up.
LogRequest& LogTimeline::request_of_step(LogSource& source, std::int64_t step) {
  LogRequest* request = &current(source);
  // Ranks that do not say who they are may be a step apart.
  const std::int64_t slack = source.name.empty() ? 1 : 0;
  if (step < request->last_step - slack || request->warm_up) request = &begin(source);
  if (request->first_step < 0) request->first_step = step;
  request->last_step = std::max(request->last_step, step);
  request->last_line = facts_.lines;
  return *request;
}

LogFacts LogTimeline::facts() const {
  LogFacts facts = facts_;
  for (LogSource& source : facts.sources) {
    std::map<std::int64_t, const LogRequest*> of_length;
    const LogRequest* last = nullptr;
    for (std::size_t i = 0; i < source.requests.size(); ++i) {
      LogRequest& request = source.requests[i];
      // A first fallback at a length far below the next one's, before any step: a dummy run.
      if (i == 0 && request.engagement == Engagement::kFallback && request.last_step < 0 &&
          source.requests.size() > 1 && request.seq_len && source.requests[1].seq_len &&
          *request.seq_len < *source.requests[1].seq_len / 2) {
        request.warm_up = true;
      }
      if (request.warm_up) continue;
      if (request.engagement == Engagement::kSilent) {
        const auto same = request.seq_len ? of_length.find(*request.seq_len) : of_length.end();
        const LogRequest* from = same != of_length.end() ? same->second
                                 : request.seq_len       ? nullptr
                                                         : last;
        if (from != nullptr) {
          const LogRequest own = request;
          request = *from;
          request.inherited = true;
          request.first_line = own.first_line;
          request.last_line = own.last_line;
          request.first_step = own.first_step;
          request.last_step = own.last_step;
          request.timed_steps = own.timed_steps;
          request.step_seconds = own.step_seconds;
        }
      }
      if (request.engagement == Engagement::kSilent) continue;
      if (request.seq_len) of_length[*request.seq_len] = &request;
      last = &request;
    }
  }
  return facts;
}

}  // namespace lvsa::analysis
