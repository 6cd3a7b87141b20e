#pragma once
// What lvsa-verify explain is asked about: a case line, a case of an exchange file with the outputs
// that a script left there, or the maps and tensors of a replay file.

#include <optional>
#include <string>

#include "analysis/blocks/map_subject.hpp"
#include "analysis/verify/case.hpp"

namespace lvsa::app {

struct ExplainSource {
  analysis::Case c;
  std::optional<analysis::MapSubject> maps;  ///< of a case with pattern=
  std::optional<analysis::LeftBehind> left;  ///< by a script, where its file has outputs
};

/// `what`: a case line, or the path of a file; `group` and `outputs` as `check` has them, empty
/// where they are not given. Throws Error(kValue) for what is neither and for options that do not
/// go together, and what the readers of the files throw.
ExplainSource explain_source(const std::string& what, const std::string& group,
                             const std::string& outputs);

}  // namespace lvsa::app
