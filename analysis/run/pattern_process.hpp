#pragma once
// A rule of a shared library in a process of its own, so that one which crashes or hangs ends in
// one line (docs/runs.md). The process and who asks it say to each other
//     request BYTES      and the request itself behind the line
//     ready TENSORS HEAD STEP    it is loaded; what the rule declares, each 0 or 1
//     pattern BYTES      and the pattern itself
//     refused KIND TEXT  an error of the rule, with the number of its ErrorKind

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/worker.hpp"
#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

struct PatternProcessSettings {
  /// Command line of a process that calls serve_patterns(), given the rule's words.
  std::function<std::vector<std::string>(const std::string&)> argv;
  double timeout_s = 0.0;                         ///< longest silence; 0: pattern_timeout_s()
  std::function<void(std::string_view)> printed;  ///< gets the lines that the rule prints
};

/// Seconds that a slow but sane rule may take: a minute, and the time of one matrix product q k^T
/// at 0.5e9 operations a second where it gets tensors.
double pattern_timeout_s(const PatternInput& input);

/// Whether the words name a rule of a shared library. Throws Error(kValue) for words of no rule.
bool is_foreign_rule(const std::string& words);

/// A rule whose make() runs in that process. It throws what the rule throws, and Error(kKernel)
/// "WORDS: CRASH: ..." or "WORDS: TIMEOUT: ..." naming layer, step and head where the process is
/// lost; the next call starts another one. Throws the same when it cannot be loaded.
std::unique_ptr<PatternRule> make_rule_apart(const std::string& words,
                                             const PatternProcessSettings& settings);

/// The process's side: answers requests with the rule of these words until the channel closes, then
/// returns the exit code.
int serve_patterns(const WorkerSetUp& set_up, const std::string& words);

}  // namespace lvsa::analysis
