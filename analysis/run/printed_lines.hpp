#pragma once
// What a process of its own prints: whole lines as they come, and the last words of one that is
// lost.

#include <functional>
#include <string>
#include <string_view>

#include "analysis/run/child_process.hpp"

namespace lvsa::analysis {

class PrintedLines {
 public:
  /// `printed`, if given, gets each line without its end; longer ones are cut at 8 kB.
  explicit PrintedLines(std::function<void(std::string_view)> printed)
      : printed_(std::move(printed)) {}

  /// Takes what has come, without waiting; `all`: the last line, too, though it has no end yet.
  void read(ChildProcess& process, bool all);
  /// The end of what was printed.
  const std::string& tail() const { return tail_; }
  /// "; last words: ..." on one line; empty where nothing was printed.
  std::string last_words() const;

 private:
  std::function<void(std::string_view)> printed_;
  std::string half_line_;
  std::string tail_;
};

/// How a process came to its end, for people: "its process ended with signal 11 (...)", with what
/// the signal alone does not tell.
std::string lost_text(const ProcessEnd& end, const std::string& tail);

}  // namespace lvsa::analysis
