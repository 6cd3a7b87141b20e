#pragma once
// Known failures that a team has decided to live with for a while: who, why, where, until when.

#include <string>
#include <string_view>
#include <vector>

#include "analysis/gate/findings.hpp"

namespace lvsa::analysis {

inline constexpr int kWaiversSchema = 1;

struct Waiver {
  std::string reason;
  std::string owner;
  std::string device;   ///< glob of processor and GPU names
  std::string expires;  ///< "YYYY-MM-DD": the last day on which it holds
  std::string cases;    ///< glob of the findings' subjects
  std::string check;    ///< glob of the findings' checks
  bool crash = false;   ///< covers crashes and time-outs, too
  std::string place;    ///< "waivers.json: $.waivers[2]", for messages
};

/// Reads a file of waivers. Throws Error(kJson) of one line that names file and JSON path.
std::vector<Waiver> parse_waivers(std::string_view json, const std::string& file);
std::vector<Waiver> read_waivers(const std::string& path);

/// "YYYY-MM-DD" of a day that there is; such texts compare as the days do.
bool is_date(std::string_view text);
/// Today's date in UTC.
std::string utc_today();

/// Marks the findings that a waiver in force covers, and adds a failure for each waiver that has
/// expired or that covers nothing. Waivers for other devices than `devices` are left aside unless
/// they have expired. Must-pass cases and, unless a waiver says so, crashes are not covered.
void apply_waivers(GateResult& result, const std::vector<Waiver>& waivers,
                   const std::vector<std::string>& devices, const std::string& today);

}  // namespace lvsa::analysis
