#pragma once
// Lines that wait for their turn, in a file rather than in memory.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// Opens a file without a name for reading and writing, in the folder that the environment's TMPDIR
/// names (else /tmp), or in memory where that folder takes none. It goes away with its descriptor.
/// Throws Error(kIo).
int open_nameless_file();

/// A list of lines of any bytes. It keeps 8 bytes of memory a line and the newest kMostHeld bytes;
/// what is older stands in a file without a name, which few lines never need.
class LineSpool {
 public:
  static constexpr std::size_t kMostHeld = std::size_t{1} << 18;

  LineSpool() = default;
  LineSpool(LineSpool&& other) noexcept;
  LineSpool& operator=(LineSpool&& other) noexcept;
  ~LineSpool();

  /// Throws Error(kIo), for example on a full disk; the list is then as it was.
  void add(std::string_view line);
  std::int64_t size() const { return static_cast<std::int64_t>(ends_.size()); }
  /// Line `index`, from 0, which must be there. Throws Error(kIo).
  std::string at(std::int64_t index) const;
  /// Bytes of the lines that are in memory.
  std::size_t held_bytes() const { return held_.size(); }

 private:
  void spill();

  int descriptor_ = -1;            // -1: nothing is in a file yet
  std::int64_t in_file_ = 0;       // bytes
  std::string held_;               // behind those
  std::deque<std::int64_t> ends_;  // of each line, in bytes; no copy of all when it grows
};

}  // namespace lvsa::analysis
