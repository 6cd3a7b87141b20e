#pragma once
// Cases in a file of tensors (HDF5, safetensors, a folder of .npy files), for kernels that live in
// Python: one group a case with its inputs and pattern, which a script completes with `out` and
// `lse`. The form is described in docs/exchange.md.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/run_case.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::analysis {

inline constexpr std::int64_t kExchangeSchema = 1;

/// Bytes that the tensors of the cases take in a file, uncompressed; a double, since it may be
/// anything.
double exchange_bytes(const std::vector<Case>& cases);

/// Throws Error(kIo) naming the path when exchange_bytes() and an output of the same size as q do
/// not fit on its disk.
void require_disk(const std::string& path, const std::vector<Case>& cases);

/// The root's attributes, for a file of `cases` cases.
void write_exchange_root(TensorSink& file, std::int64_t cases);

/// "case0000", "case0001", ...
std::string exchange_group(std::int64_t index);

/// Writes one case as a group: inputs, pattern or maps, attributes. Holds the tensors of this case
/// only.
void write_exchange_case(TensorSink& file, const std::string& group, const Case& c);

/// Where `check` finds things: the outputs may stand in a file of their own.
struct ExchangeFiles {
  const TensorSource& cases;    ///< as export wrote it
  const TensorSource& outputs;  ///< out, lse, skipped, kernel and the declared numerics
};

/// The groups of a file, in their order. Throws Error(kIo) when it is no file of this kind, of
/// another schema, or does not hold as many cases as were written.
std::vector<std::string> exchange_groups(const TensorSource& file);

/// Name of the kernel: the root's attribute `kernel` of the file with the outputs, else "file".
std::string exchange_kernel(const TensorSource& outputs);

/// The case of a group. Throws Error(kIo) naming file and group when it has none.
Case exchange_case(const TensorSource& file, const std::string& group);

/// Whether the script has skipped the case; the result says so then.
bool is_skipped(CaseResult& result, const TensorSource& outputs, const std::string& group);

/// Judges one group. What the script left out or got wrong is a failure of the case that names it;
/// so are inputs or a pattern other than the case line gives. A group with an attribute `skipped`
/// is unsupported. Throws Error(kIo) for what cannot be read and for a case line that is none.
CaseResult check_exchange_case(const ExchangeFiles& files, const std::string& group,
                               const RunOptions& options);

}  // namespace lvsa::analysis
