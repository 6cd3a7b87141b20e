#include "analysis/gate/waivers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>

#include "analysis/gate/glob.hpp"
#include "analysis/gate/json_reader.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostBytes = 16 << 20;

Waiver read_waiver(const JsonReader& json, const std::string& file) {
  json.require_object({"reason", "owner", "device", "expires", "cases", "check", "crash"});
  Waiver waiver;
  waiver.place = fmt::format("{}: {}", file, json.path());
  waiver.reason = json.required("reason").nonempty_text();
  waiver.owner = json.required("owner").nonempty_text();
  waiver.device = json.required("device").nonempty_text();
  const JsonReader expires = json.required("expires");
  waiver.expires = expires.nonempty_text();
  if (!is_date(waiver.expires)) expires.wrong("a date YYYY-MM-DD");
  waiver.cases = json.required("cases").nonempty_text();
  waiver.check = json.required("check").nonempty_text();
  if (const auto crash = json.member("crash")) waiver.crash = crash->boolean();
  return waiver;
}

bool is_for(const Waiver& waiver, const std::vector<std::string>& devices) {
  if (waiver.device == "*") return true;
  return std::any_of(devices.begin(), devices.end(), [&](const std::string& device) {
    return glob_matches(waiver.device, device);
  });
}

bool covers(const Waiver& waiver, const GateFinding& finding) {
  return finding.weight != Weight::kNote && !finding.must_pass &&
         (!finding.crash || waiver.crash) && glob_matches(waiver.cases, finding.subject) &&
         glob_matches(waiver.check, finding.check);
}

GateFinding complaint(const Waiver& waiver, const char* check, const std::string& what) {
  GateFinding finding;
  finding.area = Area::kWaivers;
  finding.subject = waiver.place;
  finding.check = check;
  finding.what = what;
  finding.must_pass = true;  // no waiver of waivers
  return finding;
}

std::string told(const Waiver& waiver) {
  return fmt::format("{} (owner {}, until {})", waiver.reason, waiver.owner, waiver.expires);
}

}  // namespace

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto part = [&](std::size_t at, std::size_t count) {
    unsigned value = 0;
    const char* end = text.data() + at + count;
    const auto read = std::from_chars(text.data() + at, end, value);
    return read.ec == std::errc() && read.ptr == end ? static_cast<int>(value) : -1;
  };
  const int year = part(0, 4);
  const int month = part(5, 2);
  const int day = part(8, 2);
  if (year < 0 || month < 0 || day < 0) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

std::string utc_today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::vector<Waiver> parse_waivers(std::string_view text, const std::string& file) {
  const nlohmann::ordered_json json = parse_strict_ordered_json(text, file, {8, 1'000'000});
  const JsonReader reader(json, file);
  reader.require_object({"schema", "about", "waivers"});
  if (reader.required("schema").integer(0) != kWaiversSchema) reader.required("schema").wrong("1");
  if (const auto about = reader.member("about")) about->text();
  std::vector<Waiver> waivers;
  for (const JsonReader& element : reader.required("waivers").elements()) {
    waivers.push_back(read_waiver(element, file));
  }
  return waivers;
}

std::vector<Waiver> read_waivers(const std::string& path) {
  return parse_waivers(read_small_file(path, kMostBytes), path);
}

void apply_waivers(GateResult& result, const std::vector<Waiver>& waivers,
                   const std::vector<std::string>& devices, const std::string& today) {
  std::vector<GateFinding> complaints;
  for (const Waiver& waiver : waivers) {
    if (waiver.expires < today) {
      complaints.push_back(
          complaint(waiver, "expired",
                    fmt::format("expired on {} (today is {}); repair it, or have {} renew it: {}",
                                waiver.expires, today, waiver.owner, waiver.reason)));
      continue;
    }
    if (!is_for(waiver, devices)) {
      result.remarks.push_back(
          fmt::format("{}: for device '{}', which this is not", waiver.place, waiver.device));
      continue;
    }
    bool used = false;
    bool crash_left = false;
    for (GateFinding& finding : result.findings) {
      if (covers(waiver, finding)) {
        used = true;
        if (finding.waived.empty()) finding.waived = told(waiver);
      } else if (finding.crash && !finding.must_pass && !waiver.crash) {
        crash_left |= glob_matches(waiver.cases, finding.subject) &&
                      glob_matches(waiver.check, finding.check);
      }
    }
    if (used) continue;
    complaints.push_back(complaint(
        waiver, "unused",
        crash_left
            ? fmt::format("would cover a crash, which needs \"crash\": true: {}", told(waiver))
            : fmt::format("covers nothing that fails, remove it: {}", told(waiver))));
  }
  result.findings.insert(result.findings.end(), complaints.begin(), complaints.end());
  sort_findings(result.findings);
}

}  // namespace lvsa::analysis
