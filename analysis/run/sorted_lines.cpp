#include "analysis/run/sorted_lines.hpp"

#include <algorithm>
#include <queue>
#include <utility>

namespace lvsa::analysis {
namespace {

// A run of sorted lines, the next of them read ahead.
struct Run {
  std::string line;
  std::int64_t next;  // of the spool
  std::int64_t end;
};

struct ComesLater {
  bool operator()(const Run& a, const Run& b) const { return a.line > b.line; }
};

}  // namespace

void SortedLines::add(std::string_view line) {
  held_.emplace_back(line);
  held_bytes_ += line.size() + sizeof(std::string);
  if (held_bytes_ >= kMostHeld) spool();
}

void SortedLines::spool() {
  std::sort(held_.begin(), held_.end());
  for (const std::string& line : held_) spooled_.add(line);
  ends_.push_back(spooled_.size());
  held_.clear();
  held_bytes_ = 0;
}

void SortedLines::for_each(const std::function<void(std::string_view)>& visit) const {
  std::vector<std::string_view> held(held_.begin(), held_.end());
  std::sort(held.begin(), held.end());
  auto next_held = held.begin();
  std::priority_queue<Run, std::vector<Run>, ComesLater> runs;
  std::int64_t begin = 0;
  for (const std::int64_t end : ends_) {
    runs.push({spooled_.at(begin), begin + 1, end});
    begin = end;
  }
  while (!runs.empty()) {
    Run run = runs.top();
    runs.pop();
    while (next_held != held.end() && *next_held < run.line) visit(*next_held++);
    visit(run.line);
    if (run.next == run.end) continue;
    run.line = spooled_.at(run.next++);
    runs.push(std::move(run));
  }
  while (next_held != held.end()) visit(*next_held++);
}

}  // namespace lvsa::analysis
