#pragma once
// Requests to a sparse attention dispatcher, read from JSON: configurations, what is installed,
// and the calls that layers make. The form is documented in docs/backend.md.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/plugin/backend_config.hpp"
#include "reference/plugin/plugin_dispatch.hpp"
#include "reference/plugin/resolve_backend.hpp"

namespace lvsa::analysis {

struct BackendRequest {
  std::string name;
  reference::BackendConfig config;
  std::vector<reference::InstalledPlugin> installed;
  std::vector<reference::AttentionCall> calls;
  std::int64_t steps = 40;  ///< denoising steps
};

/// Each throws Error(kJson) of one line that names file, JSON path, value and what is due; an
/// unknown key with the nearest known one.

/// An object; each word KEY=VALUE (params.NAME=VALUE for a parameter) then sets a member. A value
/// that is no JSON is a string. Words are named in messages as they are.
reference::BackendConfig parse_backend_config(std::string_view text, const std::string& file,
                                              std::span<const std::string> words = {});
std::vector<reference::InstalledPlugin> parse_installed_plugins(std::string_view text,
                                                                const std::string& file);
std::vector<reference::AttentionCall> parse_attention_calls(std::string_view text,
                                                            const std::string& file);
/// {"schema": "lvsa-backend/1", "requests": [...]}, with installed, calls and steps of requests
/// that have none of their own.
std::vector<BackendRequest> parse_backend_requests(std::string_view text, const std::string& file);

/// The same sequence of a Wan 2.1 video of 81 frames, and the layer that looks at its prompt.
std::vector<reference::AttentionCall> default_attention_calls();

}  // namespace lvsa::analysis
