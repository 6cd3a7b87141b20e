#pragma once
// The folder of a dump: its files, each whole or not there, and dump.json, which says what they
// are.

#include <memory>
#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

class FolderLock;

class DumpFolder {
 public:
  /// Takes a folder that is not there, empty, or holds a dump of the same content: what decides the
  /// files' content, as name and value pairs. Throws Error(kIo) for one that cannot be made or
  /// written, and Error(kValue) for one with other files, or with another dump (naming what
  /// differs). Nothing is written before begin().
  DumpFolder(const std::string& path, const Provenance& content);
  ~DumpFolder();
  DumpFolder(const DumpFolder&) = delete;
  DumpFolder& operator=(const DumpFolder&) = delete;

  /// Path of a file in it.
  std::string file(const std::string& name) const;
  /// Makes the folder and notes in dump.json that a dump is under way.
  void begin();
  void write(const std::string& name, const std::string& bytes);
  /// Notes a file that somebody else has written into file(name).
  void note(const std::string& name) { names_.push_back(name); }
  /// Completes dump.json with the list of files and where they come from.
  void finish(const Provenance& provenance);

 private:
  void write_manifest(bool whole, const Provenance& provenance) const;

  std::string path_;
  Provenance content_;
  std::vector<std::string> names_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace lvsa::analysis
