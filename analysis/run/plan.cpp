#include "analysis/run/plan.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "analysis/report/text_format.hpp"
#include "analysis/run/case_list.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostCases = 1'000'000'000;

std::uint64_t parse_hash(const std::string& text) {
  std::uint64_t hash = 0;
  const char* end = text.data() + text.size();
  if (text.size() != 16 || std::from_chars(text.data(), end, hash, 16).ptr != end) {
    throw Error(ErrorKind::kJson, "plan: a hash: 16 hexadecimal digits are due");
  }
  return hash;
}

std::string then_now(const char* what, const std::string& then, const std::string& now) {
  return fmt::format("{}: {} then, {} now", what, then, now);
}

std::string option_difference(const RunPlan& then, const RunPlan& now) {
  const auto value = [](const RunPlan& plan, const std::string& name) {
    for (const auto& [key, text] : plan.options) {
      if (key == name) return text;
    }
    return std::string("not there");
  };
  for (const RunPlan* plan : {&then, &now}) {
    for (const auto& [name, text] : plan->options) {
      const std::string was = value(then, name);
      const std::string is = value(now, name);
      if (was != is) return then_now(name.c_str(), was, is);
    }
  }
  return "";
}

}  // namespace

Shard parse_shard(std::string_view text) {
  Shard shard;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, shard.number);
  const bool has_slash = read.ec == std::errc() && read.ptr != end && *read.ptr == '/';
  if (has_slash) read = std::from_chars(read.ptr + 1, end, shard.of);
  const bool fits = has_slash && read.ec == std::errc() && read.ptr == end && shard.number >= 1 &&
                    shard.number <= shard.of && shard.of <= kMostCases;
  if (!fits) {
    throw Error(ErrorKind::kValue,
                fmt::format("--shard {}: i/n with 1 <= i <= n is due, for example 2/3", text));
  }
  return shard;
}

std::int64_t shard_size(const Shard& shard, std::int64_t cases) {
  return (cases - shard.number + shard.of) / shard.of;
}

std::uint64_t suite_hash(const std::vector<std::string>& case_lines) {
  ByteHash hash;
  for (const std::string& line : case_lines) {
    hash.add(line);
    hash.add("\n");
  }
  return hash.value();
}

std::uint64_t suite_hash(const CaseList& cases) {
  ByteHash hash;
  for (std::int64_t number = 1; number <= cases.size(); ++number) {
    hash.add(cases.line(number));
    hash.add("\n");
  }
  return hash.value();
}

std::string difference(const RunPlan& then, const RunPlan& now, bool any_shard) {
  if (then.tool != now.tool) return then_now("lvsa-verify", then.tool, now.tool);
  if (then.kernel != now.kernel) return then_now("kernel", then.kernel, now.kernel);
  if (then.library != now.library) {
    return then_now("hash of the kernel's library", hash_text(then.library),
                    hash_text(now.library));
  }
  if (then.cases != now.cases) {
    return fmt::format("suite: {} cases then, {} now", then.cases, now.cases);
  }
  if (then.suite_hash != now.suite_hash) {
    return then_now("hash of the suite's case lines", hash_text(then.suite_hash),
                    hash_text(now.suite_hash));
  }
  if (!any_shard && then.shard != now.shard) {
    return then_now("shard", fmt::format("{}/{}", then.shard.number, then.shard.of),
                    fmt::format("{}/{}", now.shard.number, now.shard.of));
  }
  return option_difference(then, now);
}

std::string plan_json(const RunPlan& plan) {
  Json options = Json::object();
  for (const auto& [name, value] : plan.options) options[name] = valid_utf8(value);
  const Json json = {{"tool", plan.tool},
                     {"kernel", valid_utf8(plan.kernel)},
                     {"library_hash", plan.library == 0 ? Json() : Json(hash_text(plan.library))},
                     {"suite", valid_utf8(plan.suite)},
                     {"cases", plan.cases},
                     {"suite_hash", hash_text(plan.suite_hash)},
                     {"shard", fmt::format("{}/{}", plan.shard.number, plan.shard.of)},
                     {"options", options}};
  return json.dump();
}

RunPlan parse_plan_json(const std::string& text) {
  RunPlan plan;
  try {
    const Json json = Json::parse(text);
    plan.tool = json.at("tool").get<std::string>();
    plan.kernel = json.at("kernel").get<std::string>();
    const Json& library = json.at("library_hash");
    plan.library = library.is_null() ? 0 : parse_hash(library.get<std::string>());
    plan.suite = json.at("suite").get<std::string>();
    plan.cases = json.at("cases").get<std::int64_t>();
    plan.suite_hash = parse_hash(json.at("suite_hash").get<std::string>());
    plan.shard = parse_shard(json.at("shard").get<std::string>());
    for (const auto& [name, value] : json.at("options").items()) {
      plan.options.emplace_back(name, value.get<std::string>());
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kJson, fmt::format("plan of the run: {}", error.what()));
  }
  if (plan.cases < 0 || plan.cases > kMostCases) {
    throw Error(ErrorKind::kJson, fmt::format("plan of the run: {} cases", plan.cases));
  }
  return plan;
}

}  // namespace lvsa::analysis
