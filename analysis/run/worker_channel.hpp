#pragma once
// What every worker process does first, whatever its work is, and how it is heard.

#include <string>
#include <string_view>

#include "analysis/run/worker.hpp"

namespace lvsa::analysis {

/// Ends with its parent, keeps to its memory, leaves no core files, prints whole lines.
void set_up_worker_process(const WorkerSetUp& set_up);

/// The worker's end of ChildProcess::kChannel, under a number that the kernel's own files do not
/// come near, closed on exec: numbers just above the standard ones are what a mistaken close()
/// hits. To be made once, after set_up_worker_process().
class WorkerChannel {
 public:
  WorkerChannel();
  /// The next line; false at the end.
  bool next(std::string& line);
  /// A channel that cannot be written to any more ends the process: nobody would hear of the rest.
  void send(std::string_view word, std::string_view text) const;
  /// So many bytes behind a line; false at the end.
  bool next_bytes(std::size_t count, std::string& bytes);
  void send_bytes(std::string_view bytes) const;

 private:
  bool read_more();

  int descriptor_;
  std::string buffer_;
};

}  // namespace lvsa::analysis
