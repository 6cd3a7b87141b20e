#pragma once
// Signals that a failing write() sends.

#include <csignal>
#include <string>
#include <string_view>

namespace lvsa {

/// write() beyond the file size limit and into a closed pipe sends a signal that would end the
/// process with work left undone. While one of these lives, the calling thread gets the error code
/// alone.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked();
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;
  ~WriteSignalsBlocked();

 private:
  sigset_t signals_;
  sigset_t before_;
};

/// Writes all bytes where the descriptor stands. Throws Error(kIo): "`path`: cannot be written:
/// reason".
void write_all(int descriptor, std::string_view bytes, const std::string& path);

}  // namespace lvsa
