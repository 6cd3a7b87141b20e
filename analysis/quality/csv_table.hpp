#pragma once
// Tables of comma-separated values, as RFC 4180 has them: quoted fields may hold commas, doubled
// quotes and line breaks.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lvsa::analysis {

struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< each as long as columns
  std::vector<std::int64_t> lines;             ///< [rows]: where a row begins, from 1

  std::optional<std::size_t> column(std::string_view name) const;
};

/// `where` begins every message. Lines end with \n or \r\n; empty ones are passed over, and so is a
/// byte order mark. Throws Error(kValue) with the line for a quote that nothing closes or that
/// stands within a field, a row of another length than the header, a column without a name or whose
/// name stands twice, a NUL byte, and a text without a header.
CsvTable parse_csv(std::string_view text, const std::string& where);

/// A field as it is written: with quotes where it needs them.
std::string csv_field(std::string_view text);

}  // namespace lvsa::analysis
