#pragma once
// One line of a log: what the plugin or the standalone library says in it. The formats are listed
// in docs/logs.md with where they are from.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// What a line says.
enum class LogKind {
  kFallback,    ///< [LVSA-FALLBACK] …
  kGeometry,    ///< [LVSA] Geometry detected: T_lat, P, text
  kEngaged,     ///< [LVSA] engaged (model): …
  kAmbiguous,   ///< [LVSA] WARNING: ambiguous geometry …
  kMismatch,    ///< [LVSA] WARNING geometry mismatch: … (standalone)
  kReference,   ///< [LVSA] reference_latent_frames=… (standalone)
  kPattern,     ///< [LVSA] … attended_per_frame=N/T (standalone)
  kInterval,    ///< [LVSA] …: computed key_frame_interval=…
  kInstalled,   ///< a hook or the processors are in place
  kCalibrated,  ///< the step counter knows its blocks
  kMask,        ///< [LVSA-MASK] step=…, rows of the mask follow
  kMemory,      ///< [LVSA-MEM] …
  kTime,        ///< [LVSA-TIME] …
  kSeqLen,      ///< [seq_len] … (standalone)
  kWarning,     ///< a hook that could not be installed, a backend that is not there
  kNote,        ///< other known text
  kUnknown,     ///< a tag of LVSA with text that is not known
};
inline constexpr std::size_t kLogKinds = static_cast<std::size_t>(LogKind::kUnknown) + 1;

/// "fallback", "geometry", and so on.
std::string_view name(LogKind kind);

struct LogField {
  std::string_view key;
  std::string_view value;
};

/// Views into the text that it was parsed from.
struct LogLine {
  static constexpr std::size_t kMostFields = 24;

  LogKind kind = LogKind::kUnknown;
  std::string_view text;    ///< from the tag on, without colours and blanks at the end
  std::string_view prefix;  ///< what stands before the tag
  std::array<LogField, kMostFields> fields{};
  std::size_t field_count = 0;

  std::optional<std::string_view> field(std::string_view key) const;
  /// An integer of that key; none for anything else, such as a number that was cut off.
  std::optional<std::int64_t> integer(std::string_view key) const;
  /// A number with an optional unit behind it: s and ms in seconds; B, KB to TB and KiB to TiB in
  /// units of 10^9 bytes, where GB counts as it is.
  std::optional<double> number(std::string_view key) const;
};

/// Where the first tag of LVSA stands in a line, or npos. Fast: for lines that have none.
std::size_t find_log_tag(std::string_view line, std::size_t from = 0);

/// Parses the part of a line that begins with the tag at `at` and ends before the next tag (several
/// ranks may have written into one line) or with the line. `complete`: the line has its end; a
/// field that touches the end of one that was cut off is left out.
LogLine parse_log_line(std::string_view line, std::size_t at, bool complete = true);

/// Takes colours and other escape sequences, NUL bytes and bells out of a line, in place.
void strip_escapes(std::string& line);

/// Who wrote a line, from what stands before the tag: "rank 3" for [rank3], rank=3, [default3], a
/// worker's name such as "Worker_TP1 pid=77" for (Worker_TP1 pid=77); empty when it does not say.
std::string log_source(std::string_view prefix);

/// A row of the compact mask, or the line of marks above it, or the summary below it.
enum class MaskLine { kNone, kMarks, kRow, kSummary };
/// `cells` becomes the row's characters (G, W, X or .), `frame` its frame.
MaskLine parse_mask_line(std::string_view line, std::int64_t& frame, std::string_view& cells);

}  // namespace lvsa::analysis
