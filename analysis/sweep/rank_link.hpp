#pragma once
// The processes of one sweep: messages between rank 0, which gives out the units and writes, and
// the others, which compute.

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace lvsa::analysis {

struct RankMessage {
  int from = 0;
  std::string bytes;
};

/// One thread at a time. Throws Error(kIo) when a message is lost.
class RankLink {
 public:
  virtual ~RankLink() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void send(int to, const std::string& bytes) = 0;
  /// A message that has come.
  virtual std::optional<RankMessage> poll() = 0;
  /// What carries the messages, for provenance.
  virtual std::string description() const = 0;
};

/// Over MPI, from the library liblvsa_mpi.so beside the executable `program`, in ../lib or
/// ../lib/lvsa of its folder. Throws Error(kIo) that says what is missing. Ends MPI when it is
/// destroyed.
std::unique_ptr<RankLink> open_mpi_link(const std::string& program);

}  // namespace lvsa::analysis
