#pragma once
// A diagnosis for people (one screen, the verdict first) and for programs (docs/geometry.md has the
// fields).

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/diagnose/diagnosis.hpp"

namespace lvsa::analysis {

std::string diagnosis_as_text(const Question& question, const Diagnosis& diagnosis);
nlohmann::ordered_json diagnosis_as_json(const Question& question, const Diagnosis& diagnosis);

}  // namespace lvsa::analysis
