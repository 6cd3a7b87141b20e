#pragma once
// What the pages of a log and of a batch of captured calls share.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/diagnose/diagnosis.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// All verdicts, the good ones first.
inline constexpr std::array kAllVerdicts = {Verdict::kSparse,        Verdict::kDenseByDesign,
                                            Verdict::kFallback,      Verdict::kMisread,
                                            Verdict::kMisconfigured, Verdict::kUnknown};

/// From <!DOCTYPE> to the link that skips to `anchor` ("requests": "Skip to the requests").
std::string diagnosis_head(std::string_view title, std::string_view anchor);
/// The verdict's icon; its shape tells as much as its colour.
std::string verdict_icon(Verdict verdict);
/// The verdict in large, with one sentence.
std::string verdict_banner(Verdict verdict, std::string_view sentence);
/// A tile a verdict, indexed by Verdict.
std::string verdict_tiles(const std::array<std::int64_t, 6>& counts);
/// The lines to paste and what they give; empty when there is nothing to say.
std::string fix_html(const Fix& fix);

/// Rows of G, W, X and '.', a frame each. Empty for numbers that make no pattern. All frames are
/// latent frames.
std::vector<std::string> pattern_rows(std::int64_t frames, std::int64_t window,
                                      std::int64_t interval, const Environment& settings);
/// The mask in force, drawn beside its density and `about`; empty without rows.
std::string mask_panel(const std::vector<std::string>& rows, std::string_view about);

std::string provenance_panel(const Provenance& provenance);

}  // namespace lvsa::analysis
