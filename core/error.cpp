#include "core/error.hpp"

namespace lvsa {

std::string_view python_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kValue:
      return "ValueError";
    case ErrorKind::kZeroDivision:
      return "ZeroDivisionError";
    case ErrorKind::kType:
      return "TypeError";
    case ErrorKind::kJson:
      return "JSONDecodeError";
    case ErrorKind::kOverflow:
      return "OverflowError";
    case ErrorKind::kIo:
      return "IoError";
    case ErrorKind::kKernel:
      return "KernelError";
  }
  return "Error";
}

}  // namespace lvsa
