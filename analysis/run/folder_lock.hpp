#pragma once
// One run a folder.

#include <string>

namespace lvsa::analysis {

/// Holds a folder for this process, until it is destroyed or the process ends in whatever way.
/// Leaves no file behind. Throws Error(kIo) when another process holds it. On file systems that
/// know no locks nothing is held.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace lvsa::analysis
