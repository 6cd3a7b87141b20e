#include "analysis/verify/captured_call.hpp"
#include "analysis/verify/inputs.hpp"

namespace lvsa::analysis {

AttentionTensors case_tensors(const Case& c) {
  return c.file.empty() ? make_inputs(c) : captured_tensors(c);
}

}  // namespace lvsa::analysis
