#pragma once
// What a log tells, put in order: warm-up, requests and their steps, for each rank apart. Memory is
// bounded whatever the length of the log.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/diagnose/log_line.hpp"

namespace lvsa::analysis {

/// What the lines say of one request.
enum class Engagement {
  kSilent,    ///< no line says
  kSparse,    ///< engaged, keyframe interval above 1
  kDense,     ///< engaged, every frame attended
  kEngaged,   ///< engaged, the interval is not told
  kFallback,  ///< dense attention instead
};
/// "silent", "sparse", "dense", "engaged", "fallback".
std::string_view name(Engagement engagement);

/// The compact mask of one step, as the log has it.
struct LoggedMask {
  std::int64_t line = 0;
  std::int64_t step = 0;
  std::vector<std::string> rows;  ///< G, W, X or . a frame; empty: only the header line was there
};

/// A warm-up run, or a request.
struct LogRequest {
  bool warm_up = false;
  std::int64_t first_line = 0;
  std::int64_t last_line = 0;
  Engagement engagement = Engagement::kSilent;
  bool inherited = false;  ///< from an earlier request of this length: such lines are printed once
  std::optional<std::int64_t> seq_len;
  std::optional<std::int64_t> frames;   ///< T
  std::optional<std::int64_t> patches;  ///< P
  std::optional<std::int64_t> text;
  std::optional<std::int64_t> window;    ///< W, latent frames
  std::optional<std::int64_t> anchors;   ///< |G|
  std::optional<std::int64_t> interval;  ///< latent frames
  std::optional<std::int64_t> attended;  ///< frames a frame attends (standalone)
  std::optional<std::int64_t> full_seq;  ///< of all ranks, as a fallback line has it
  std::string origin;                    ///< of the fallback or of the engagement
  std::string reason;                    ///< of the fallback
  std::string candidates;                ///< for P, as the fallback line lists them
  bool delegates = false;                ///< the hook hands over to the layer's own attention
  std::int64_t first_step = -1;
  std::int64_t last_step = -1;
  std::int64_t timed_steps = 0;
  std::vector<float> step_seconds;              ///< the first kMostSamples
  std::map<std::string, std::int64_t> origins;  ///< sequence length that each one reported
};

struct MemorySample {
  std::int64_t line = 0;
  std::int64_t step = 0;
  double allocated_gb = 0.0;
  double reserved_gb = 0.0;
  double peak_gb = 0.0;
};

/// What one rank wrote.
struct LogSource {
  std::string name;  ///< empty: lines that do not say who wrote them
  std::vector<LogRequest> requests;
  std::int64_t requests_left_out = 0;
  std::vector<MemorySample> memory;  ///< thinned out evenly when there are too many
  std::int64_t memory_samples = 0;
  std::optional<std::int64_t> n_blocks;
  std::optional<std::int64_t> cfg_passes;
  std::int64_t first_line = 0;
};

/// A line worth showing: all but steps, which are summed up.
struct LogEvent {
  std::int64_t line = 0;
  LogKind kind = LogKind::kUnknown;
  std::string source;
  std::string text;  ///< printable, cut to 200 characters
};

struct LogFacts {
  std::vector<LogSource> sources;
  std::vector<LogEvent> first_events;  ///< up to kMostEvents
  std::deque<LogEvent> last_events;    ///< up to kMostEvents, after the first ones
  std::int64_t events = 0;
  std::array<std::int64_t, kLogKinds> lines_of{};
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
  std::int64_t malformed = 0;  ///< a known text without the numbers that belong to it
  std::int64_t first_malformed = 0;
  std::int64_t cut_lines = 0;       ///< longer than what is kept of a line
  bool cut_off = false;             ///< the last line has no end
  std::string damage;               ///< why reading ended early, if it did
  std::set<std::string> unknown;    ///< the first kMostUnknown tagged texts that are not known
  std::set<std::string> installed;  ///< classes that hooks were installed on
  std::optional<std::int64_t> installed_frames;  ///< T of the hook
  std::optional<std::int64_t> reference;         ///< standalone
  std::optional<std::int64_t> processor_blocks;  ///< standalone: blocks with the processor
  std::optional<LoggedMask> mask;                ///< the last one that was printed whole
  bool standalone = false;                       ///< lines that only the standalone library prints
  bool newer = false;                            ///< texts that only 1.3 prints

  std::int64_t known_lines() const;  ///< all tagged ones but the unknown
};

class LogTimeline {
 public:
  static constexpr std::size_t kMostSources = 128;
  static constexpr std::size_t kMostRequests = 1000;
  static constexpr std::size_t kMostSamples = 4096;
  static constexpr std::size_t kMostEvents = 200;
  static constexpr std::size_t kMostUnknown = 16;
  static constexpr std::int64_t kMostMaskFrames = 1024;

  /// One line without its end. `complete`: false for a last line that has none.
  void add_line(std::string_view line, bool complete = true);
  /// For the scanner: lines and bytes without a tag are counted in bulk.
  void count(std::int64_t lines, std::int64_t bytes);
  void note_cut_line() { ++facts_.cut_lines; }
  void note_damage(const std::string& what) { facts_.damage = what; }
  /// Whether lines without a tag matter now: rows of a mask may follow.
  bool wants_every_line() const { return mask_rows_left_ > 0; }

  /// As it stands, for what shows a log while it grows.
  const LogFacts& raw_facts() const { return facts_; }
  /// With warm-ups told apart and engagement handed down. The timeline can be fed further.
  LogFacts facts() const;

 private:
  void add_tagged(const LogLine& line, bool complete);
  void add_mask_line(std::string_view line);
  LogSource& source_of(const LogLine& line);
  LogRequest& begin(LogSource& source);
  LogRequest& current(LogSource& source);
  LogRequest& request_of(LogSource& source, const std::string& origin,
                         std::optional<std::int64_t> seq_len);
  LogRequest& request_of_step(LogSource& source, std::int64_t step);
  void on_fallback(LogSource& source, const LogLine& line);
  void on_grid(LogSource& source, const LogLine& line);
  void on_standalone(LogSource& source, const LogLine& line);
  void on_installed(LogSource& source, const LogLine& line);
  void on_calibrated(LogSource& source, const LogLine& line);
  void on_mask(LogSource& source, const LogLine& line);
  void on_memory(LogSource& source, const LogLine& line);
  void on_time(LogSource& source, const LogLine& line);
  void keep_event(const LogLine& line, const std::string& source);
  void malformed();

  LogFacts facts_;
  std::map<std::string, std::size_t, std::less<>> source_at_;
  std::string clean_;  // the line without escapes
  std::int64_t mask_rows_left_ = 0;
  LoggedMask mask_;
  std::int64_t mask_frames_ = 0;
  std::string mask_source_;
};

/// Lengths of the dummy runs of vLLM-Omni: 4096 (64 x 64), and 1024.
bool is_warm_up_length(std::int64_t seq_len);

}  // namespace lvsa::analysis
