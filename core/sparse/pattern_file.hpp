#pragma once
// Patterns in files: HDF5, safetensors or a folder of .npy files; the form is
// docs/patterns/file.md.

#include <memory>
#include <string>
#include <vector>

#include "core/blocks/head_pattern.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa {

/// The groups that hold a pattern (a tensor `indptr`), "/" for the root, in natural order.
std::vector<std::string> pattern_groups(const TensorSource& file);

/// The patterns of a group: one, or one for each head where `indptr` has two dimensions. Throws
/// Error(kIo, kValue) that names file, group, head, row and column of the first thing that is
/// wrong; what it returns has passed check_head_pattern().
std::vector<HeadPattern> read_patterns(const TensorSource& file, const std::string& group);

/// Writes one pattern into a group that is there ("/": the root). `words` says where it comes from.
void write_pattern(TensorSink& sink, const std::string& group, const HeadPattern& pattern,
                   const std::string& words);

}  // namespace lvsa
