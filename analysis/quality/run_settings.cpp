#include "analysis/quality/run_settings.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

#include "analysis/quality/csv_table.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kDense = "dense";

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string stem(const std::string& path) {
  const std::string name = last_part(path);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

std::map<std::string, std::string> words_by_name(const std::string& text) {
  std::map<std::string, std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const std::size_t equals = word.find('=');
    words[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return words;
}

// The same setting in the same words, those that were given alone: "scale=1.0" is "scale=1".
std::map<std::string, std::string> given_words(const std::string& text, const std::string& where) {
  try {
    const auto full = words_by_name(setting_words(parse_setting(text)));
    std::map<std::string, std::string> given;
    for (const auto& [name, value] : words_by_name(text)) given[name] = full.at(name);
    return given;
  } catch (const Error& error) {
    throw Error(ErrorKind::kValue, fmt::format("{}: {}", where, error.what()));
  }
}

std::string joined(const std::map<std::string, std::string>& words) {
  std::string text;
  for (const auto& [name, value] : words) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

// What one source says, in a form that compares.
struct Claim {
  std::string source;  // for messages
  std::map<std::string, std::string> words;
  bool dense = false;
};

Claim claim_of(const std::string& text, const std::string& source, const std::string& where) {
  Claim claim{source, {}, text == kDense};
  if (!claim.dense) claim.words = given_words(text, where);
  return claim;
}

// Two sources may each leave words out; what both say must be equal.
bool agree(const Claim& a, const Claim& b) {
  if (a.dense != b.dense) return false;
  for (const auto& [name, value] : a.words) {
    const auto other = b.words.find(name);
    if (other != b.words.end() && other->second != value) return false;
  }
  return true;
}

class Catalogue {
 public:
  explicit Catalogue(const std::vector<SweepSetting>& settings) {
    for (const SweepSetting& setting : settings)
      words_.push_back(words_by_name(setting_words(setting)));
  }

  void find(RunSetting& run, const std::map<std::string, std::string>& given) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      bool fits = true;
      for (const auto& [name, value] : given) {
        const auto at = words_[i].find(name);
        fits = fits && at != words_[i].end() && at->second == value;
      }
      if (!fits) continue;
      if (++found == 1) run.setting = i;
    }
    if (found == 1) return;
    run.setting.reset();
    run.reason = found == 0 ? fmt::format("'{}' is no setting of the sweep", run.words)
                            : fmt::format("'{}' fits {} settings of the sweep", run.words, found);
  }

 private:
  std::vector<std::map<std::string, std::string>> words_;
};

// For each run the row of the map that fits best: its path, its last part, a folder.
class MapIndex {
 public:
  MapIndex(const QualityRuns& runs, const SettingMap& map) : map_(map) {
    for (const QualityRun& run : runs.runs) {
      ++named_[last_part(run.name)];
      if (stem(run.name) != last_part(run.name)) ++named_[stem(run.name)];
    }
    for (std::size_t i = 0; i < map.rows.size(); ++i) by_run_[map.rows[i].run] = i;
  }

  const SettingMap::Row* row_of(const std::string& path) {
    if (const auto* row = find(path)) return row;
    for (const std::string& name : {last_part(path), stem(path)}) {
      const auto* row = find(name);
      if (row == nullptr) continue;
      if (named_[name] > 1) {
        throw Error(ErrorKind::kValue,
                    fmt::format("{}: '{}' is the name of {} videos; their paths, or the folders "
                                "they lie in, are due",
                                row->where, printable(name), named_[name]));
      }
      return row;
    }
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
      if (const auto* row = find(path.substr(0, slash))) return row;
      if (const auto* row = find(path.substr(0, slash + 1))) return row;
    }
    return nullptr;
  }

  const std::set<std::size_t>& used() const { return used_; }

 private:
  const SettingMap::Row* find(const std::string& key) {
    const auto at = by_run_.find(key);
    if (at == by_run_.end()) return nullptr;
    used_.insert(at->second);
    return &map_.rows[at->second];
  }

  const SettingMap& map_;
  std::unordered_map<std::string, int> named_;
  std::unordered_map<std::string, std::size_t> by_run_;
  std::set<std::size_t> used_;
};

}  // namespace

SettingMap parse_setting_map(std::string_view text, const std::string& file) {
  const CsvTable table = parse_csv(text, file);
  const auto run = table.column("run"), setting = table.column("setting");
  if (!run || !setting) {
    throw Error(ErrorKind::kValue, file + ": the columns 'run' and 'setting' are due");
  }
  SettingMap map;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::string where = fmt::format("{}: line {}", file, table.lines[i]);
    const SettingMap::Row row{table.rows[i][*run], table.rows[i][*setting], where};
    if (row.run.empty() || row.setting.empty()) {
      throw Error(ErrorKind::kValue, where + ": a run and its setting are due");
    }
    if (!seen.insert(row.run).second) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: run '{}' stands twice", where, printable(row.run)));
    }
    map.rows.push_back(row);
  }
  return map;
}

std::vector<RunSetting> settings_of_runs(const QualityRuns& runs, const SettingMap& map,
                                         const NameRule& rule,
                                         const std::vector<SweepSetting>& settings) {
  const Catalogue catalogue(settings);
  MapIndex index(runs, map);
  std::vector<RunSetting> found;
  for (const QualityRun& run : runs.runs) {
    std::vector<Claim> claims;
    if (!run.setting.empty()) claims.push_back(claim_of(run.setting, "the table", run.where));
    if (const auto* row = index.row_of(run.name)) {
      claims.push_back(claim_of(row->setting, row->where, row->where));
    }
    const std::string in_name = words_in_name(rule, run.name);
    const std::string where = fmt::format("video '{}'", printable(run.name));
    if (!in_name.empty()) claims.push_back(claim_of(in_name, "its name", where));
    Claim all;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (agree(claims[i], claims[k])) continue;
        const auto words = [](const Claim& c) {
          return c.dense ? "dense" : printable(joined(c.words));
        };
        throw Error(ErrorKind::kValue,
                    fmt::format("{}: {} says '{}' and {} says '{}'", where, claims[k].source,
                                words(claims[k]), claims[i].source, words(claims[i])));
      }
      all.dense = claims[i].dense;
      all.words.insert(claims[i].words.begin(), claims[i].words.end());
    }
    RunSetting setting;
    setting.dense = all.dense;
    setting.words = all.dense ? "dense" : joined(all.words);
    if (claims.empty()) {
      setting.reason = "nothing says its setting";
    } else if (!all.dense) {
      catalogue.find(setting, all.words);
    }
    found.push_back(std::move(setting));
  }
  return found;
}

std::vector<std::string> unused_rows(const QualityRuns& runs, const SettingMap& map) {
  MapIndex index(runs, map);
  for (const QualityRun& run : runs.runs) index.row_of(run.name);
  std::vector<std::string> unused;
  for (std::size_t i = 0; i < map.rows.size(); ++i) {
    if (index.used().count(i) == 0) {
      unused.push_back(fmt::format("{} ({})", printable(map.rows[i].run), map.rows[i].where));
    }
  }
  return unused;
}

}  // namespace lvsa::analysis
