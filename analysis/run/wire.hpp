#pragma once
// What a run and its worker processes say to each other: one message a line, a word and what
// belongs to it. The run sends
//     case NUMBER LINE           judge this case
// and the worker answers
//     kernel DEVICE NAME         it is loaded; DEVICE is 1 when it wants device memory
//     part TEXT                  what comes now
//     share NUMBER               how much of the case is done, 0 .. 1
//     result KEEP JSON           the result; KEEP is what becomes of the process (enum Keep)
//     refused KIND MESSAGE       bad input, with the number of its ErrorKind: ends the run
//     broken MESSAGE             an error of this program: ends the run
// A message never holds a line break; the line ends it.

#include <optional>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// What a process is good for after a case.
enum class Keep {
  kAsAny = 0,   ///< no better than a new one
  kWorth = 1,   ///< it took long to start
  kSpoilt = 2,  ///< it cannot judge anything more
};

struct Message {
  std::string word;
  std::string first;  ///< up to the first blank, for messages of two parts
  std::string rest;
};

/// The line with its line break; control characters in `text` become blanks.
std::string wire_line(std::string_view word, std::string_view text);
/// Takes the first whole line off the front of `buffer`; none when there is none yet.
std::optional<std::string> take_line(std::string& buffer);
/// Cuts a line into word, first and rest: "case 7 T=1 P=1" is "case", "7", "T=1 P=1".
Message parse_message(const std::string& line);
/// What the message "refused KIND TEXT" stands for.
[[noreturn]] void throw_refusal(const Message& message);
/// `text` on one line: control characters become blanks.
std::string one_line(std::string_view text);

}  // namespace lvsa::analysis
