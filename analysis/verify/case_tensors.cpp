#include <fmt/format.h>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

AttentionTensors case_tensors(const Case& c) {
  if (c.file.empty()) return make_inputs(c);
  const std::size_t mark = c.file.rfind('#');
  if (mark == std::string::npos) {
    throw Error(ErrorKind::kValue, fmt::format("case: file={}: path#group is due", c.file));
  }
  const RecordedAttention recorded =
      read_recorded(Hdf5File(c.file.substr(0, mark)), c.file.substr(mark + 1));
  const Case due = recorded.as_case(c.step, c.dtype);
  if (due.grid.seq_len() != c.grid.seq_len() || due.batch != c.batch || due.heads != c.heads ||
      due.kv_heads != c.kv_heads || due.head_dim != c.head_dim || due.layout != c.layout) {
    throw Error(ErrorKind::kValue,
                fmt::format("case: the sizes do not fit {}, which has: {}", c.file, to_line(due)));
  }
  return recorded.tensors(c.dtype);
}

}  // namespace lvsa::analysis
