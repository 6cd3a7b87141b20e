#pragma once
// Which model a log is of, and which reference length its intervals speak of.

#include <optional>
#include <string>

#include "analysis/diagnose/log_verdict.hpp"
#include "core/config/config.hpp"

namespace lvsa::analysis {

struct ModelGuess {
  std::optional<ModelPreset> model;
  std::string reason;
};

/// From the class that a hook was installed on, the origin of a line, the number of blocks and P;
/// nothing where more than one reference length would be left.
ModelGuess guess_model(const LogFacts& facts);

/// The reference length, of those of all presets, that gives the request's interval with the
/// settings; the model's own first. Nothing where the interval is not told, is not automatic, or no
/// preset's length gives it.
std::optional<std::int64_t> implied_reference(const LogRequest& request, const Config& config,
                                              const ModelPreset& model);

/// "HunyuanVideo 1.5" and so on: the models of a reference length, joined by " and ".
std::string models_of_reference(std::int64_t reference);

}  // namespace lvsa::analysis
