#pragma once
// The diagnosis of a log as text and as JSON.

#include <string>

#include "analysis/diagnose/log_verdict.hpp"

namespace lvsa::analysis {

/// One line of the timeline, without its newline: for a log that is followed as well.
std::string event_line(const LogEvent& event);
/// "12 time, 3 memory" of the kinds of lines that there are.
std::string kinds_text(const LogFacts& facts);
/// "2.41 s a step" or the like, "" without times.
std::string step_time_text(const LogVerdict& verdict, std::size_t source, std::size_t request);

/// Several lines, each ended by a newline.
std::string log_as_text(const LogFacts& facts, const LogVerdict& verdict, const std::string& path);
/// One JSON object, indented, with a newline at the end.
std::string log_as_json(const LogFacts& facts, const LogVerdict& verdict, const std::string& path);

}  // namespace lvsa::analysis
