#include "reference/plugin/resolve_backend.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lvsa::reference {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// "a.b.c" and "a.b:c" are the same path.
std::string with_colon(std::string path) {
  if (path.find(':') == std::string::npos) {
    const std::size_t dot = path.rfind('.');
    if (dot != std::string::npos) path[dot] = ':';
  }
  return path;
}

std::string shown(const InstalledPlugin& plugin) {
  return plugin.name.empty() ? plugin.path : plugin.name;
}

// Why it cannot be called; empty where it can.
std::string fault_of(const InstalledPlugin& plugin, PluginPolicy policy) {
  if (!plugin.loads) {
    const std::string cause = plugin.load_error.empty() ? "" : ": " + plugin.load_error;
    return fmt::format("plugin '{}' does not load{}", shown(plugin), cause);
  }
  const bool first = policy == PluginPolicy::kFirst;
  if (first ? plugin.takes_first : plugin.takes_second) return "";
  return fmt::format("plugin '{}' lacks the signature of the {} version", shown(plugin),
                     first ? "first" : "second");
}

Resolution failed(std::string why, std::vector<std::string> warnings = {}) {
  return {Resolution::Kind::kFailed, 0, std::move(why), std::move(warnings)};
}

Resolution take(std::span<const InstalledPlugin> installed, std::size_t place,
                PluginPolicy policy) {
  const std::string fault = fault_of(installed[place], policy);
  if (!fault.empty()) return failed(fault);
  return {Resolution::Kind::kPlugin, place, "", {}};
}

Resolution first_that_loads(std::span<const InstalledPlugin> installed, PluginPolicy policy) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < installed.size(); ++i) {
    if (installed[i].name.empty()) continue;
    const std::string fault = fault_of(installed[i], policy);
    if (fault.empty()) return {Resolution::Kind::kPlugin, i, "", std::move(warnings)};
    warnings.push_back(fault + ", passed over");
  }
  return failed(installed_names(installed) == "none" ? "no plugin is installed"
                                                     : "no installed plugin can be called",
                std::move(warnings));
}

Resolution import_path(const std::string& backend, std::span<const InstalledPlugin> installed,
                       PluginPolicy policy) {
  for (std::size_t i = 0; i < installed.size(); ++i) {
    if (installed[i].path.empty() || with_colon(installed[i].path) != with_colon(backend)) continue;
    return take(installed, i, policy);
  }
  return failed(fmt::format("'{}' cannot be imported", backend));
}

Resolution find_name(const std::string& backend, std::span<const InstalledPlugin> installed,
                     PluginPolicy policy) {
  for (std::size_t i = 0; i < installed.size(); ++i) {
    if (installed[i].name.empty() || lower(installed[i].name) != lower(backend)) continue;
    return take(installed, i, policy);
  }
  return failed(fmt::format("no entry point has the name '{}'", backend));
}

}  // namespace

bool is_class_path(const std::string& backend) {
  if (backend.find(':') != std::string::npos) return true;
  return backend.find('.') != std::string::npos && backend.front() != '.';
}

Resolution resolve_backend(const std::string& backend, std::span<const InstalledPlugin> installed,
                           PluginPolicy policy, const DispatchQuirks& quirks) {
  if (backend == "none" || backend == "dense") return {};
  if (policy == PluginPolicy::kSecond && quirks.second_knows_names_only) {
    return find_name(backend, installed, policy);
  }
  if (backend == "auto") return first_that_loads(installed, policy);
  if (is_class_path(backend)) return import_path(backend, installed, policy);
  return find_name(backend, installed, policy);
}

std::string installed_names(std::span<const InstalledPlugin> installed) {
  std::vector<std::string> names;
  for (const InstalledPlugin& plugin : installed) {
    if (!plugin.name.empty()) names.push_back(plugin.name);
  }
  std::sort(names.begin(), names.end());
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace lvsa::reference
