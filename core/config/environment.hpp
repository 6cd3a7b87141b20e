#pragma once
// A set of environment variables: the process's own, a file's, or a recorded case's.

#include <map>
#include <optional>
#include <string>

namespace lvsa {

/// Name to value. A variable that is set to nothing is present with an empty value.
using Environment = std::map<std::string, std::string>;

/// The variables of this process whose names begin with "LVSA_".
Environment process_environment();

/// Reads NAME=value lines; blank lines and lines that begin with '#' are skipped, a leading
/// "export " is allowed, and one pair of matching quotes around the value is taken off. Throws
/// Error(kIo) when the file cannot be read and Error(kValue) with file and line for a line of
/// another form.
Environment environment_from_file(const std::string& path);

/// The value of a variable, or nothing when it is not set.
std::optional<std::string> get(const Environment& environment, const std::string& name);

}  // namespace lvsa
