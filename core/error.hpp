#pragma once
// The one error type of the library. A message is one line that names the input, its value and
// what would be right.

#include <stdexcept>
#include <string>
#include <string_view>

namespace lvsa {

/// What went wrong. The kinds that the published Python code raises keep their Python names, so
/// that a replay of recorded cases can compare them.
enum class ErrorKind {
  kValue,         ///< a value outside its domain, or text that is no number: Python's ValueError
  kZeroDivision,  ///< division by a zero setting: Python's ZeroDivisionError
  kType,          ///< a JSON value of the wrong type: Python's TypeError
  kJson,          ///< malformed JSON: Python's JSONDecodeError
  kOverflow,      ///< a size or a conversion out of range: Python's OverflowError
  kIo,            ///< a file that cannot be read or written, or is no valid file of its kind
  kKernel,        ///< a kernel that refuses or fails
};

/// Name of the kind as the recorded vectors spell it ("ValueError", ...); "IoError" and
/// "KernelError" for the two kinds that Python does not have.
std::string_view python_name(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace lvsa
