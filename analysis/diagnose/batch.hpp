#pragma once
// Many captured calls of one run at once: what became of each, counted.

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/diagnose/judge.hpp"

namespace lvsa::analysis {

/// Calls with the same length and T.
struct BatchGroup {
  std::int64_t seq_len = 0;
  std::optional<std::int64_t> frames = {};
  std::int64_t calls = 0;
  Verdict verdict = Verdict::kUnknown;
};

struct BatchSummary {
  std::int64_t rows = 0;
  std::array<std::int64_t, 6> by_verdict = {};  ///< indexed by Verdict
  std::int64_t distinct = 0;                    ///< pairs of length and T
  std::vector<BatchGroup> groups;               ///< those with most calls, at most kMostGroups

  static constexpr std::size_t kMostGroups = 1000;
};

/// Judges rows as they come, each distinct pair once.
class Batch {
 public:
  /// `question` gives model, settings and degrees; T where a row has none.
  explicit Batch(const Question& question);

  /// Throws Error(kValue) for a length or T outside its range, naming `where`.
  void add(std::int64_t seq_len, std::optional<std::int64_t> frames, std::string_view where);
  BatchSummary summary() const;

 private:
  struct Slot {
    std::int64_t seq_len = 0;  // 0: empty
    std::int64_t frames = -1;
    std::int64_t calls = 0;
    Verdict verdict = Verdict::kUnknown;
  };
  Slot& find(std::int64_t seq_len, std::int64_t frames);
  void grow();

  Judge judge_;
  std::vector<Slot> slots_;  // open addressing
  std::size_t used_ = 0;
  std::int64_t rows_ = 0;
};

/// Adds the rows of a text: CSV with a header that names seq_len and T (or latent_frames, or frames
/// in video frames), or NDJSON objects with these keys. Other columns are left alone. Throws
/// Error(kValue, kJson) with line and value.
void read_batch_text(std::string_view text, const std::string& where, const Question& question,
                     Batch& batch);

/// Adds the rows of a file: HDF5 (datasets seq_len and T of one length), else text.
void read_batch_file(const std::string& path, const Question& question, Batch& batch);

/// A table with the counts and the ten pairs with most calls of each verdict that is not good.
std::string batch_as_text(const BatchSummary& summary);
nlohmann::ordered_json batch_as_json(const BatchSummary& summary);

}  // namespace lvsa::analysis
