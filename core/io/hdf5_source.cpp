#include "core/io/hdf5_source.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "core/io/hdf5_handle.hpp"
#include "core/io/printable.hpp"

namespace lvsa {
namespace {

using hdf5::Handle;

ElementType integer_type(std::size_t bytes, bool is_signed) {
  switch (bytes) {
    case 1:
      return is_signed ? ElementType::kI8 : ElementType::kU8;
    case 2:
      return is_signed ? ElementType::kI16 : ElementType::kU16;
    case 4:
      return is_signed ? ElementType::kI32 : ElementType::kU32;
    case 8:
      return is_signed ? ElementType::kI64 : ElementType::kU64;
    default:
      return ElementType::kOther;
  }
}

// By the widths of exponent and significand: two bytes alone may be float16 or bfloat16.
ElementType float_type(hid_t type) {
  std::size_t sign = 0;
  std::size_t exponent_at = 0;
  std::size_t exponent = 0;
  std::size_t significand_at = 0;
  std::size_t significand = 0;
  if (H5Tget_fields(type, &sign, &exponent_at, &exponent, &significand_at, &significand) < 0) {
    return ElementType::kOther;
  }
  const auto is = [&](std::size_t bytes, std::size_t e, std::size_t m) {
    return H5Tget_size(type) == bytes && exponent == e && significand == m;
  };
  if (is(2, 5, 10)) return ElementType::kF16;
  if (is(2, 8, 7)) return ElementType::kBF16;
  if (is(4, 8, 23)) return ElementType::kF32;
  if (is(8, 11, 52)) return ElementType::kF64;
  return ElementType::kOther;
}

ElementType stored_type(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return float_type(type);
    case H5T_INTEGER:
      return integer_type(H5Tget_size(type), H5Tget_sign(type) == H5T_SGN_2);
    default:
      return ElementType::kOther;
  }
}

// No compression of HDF5 makes data smaller than this, so a dataset that claims more has nothing
// behind the claim, and nobody shall make room for it.
void check_claim(const Hdf5File& file, const std::string& tensor, const TensorForm& form) {
  constexpr std::int64_t kMostDeflate = 1100;
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file.path(), error));
  const auto bytes = checked_bytes(form.shape, std::max<std::size_t>(1, element_bytes(form.type)));
  if (bytes && (error || *bytes / kMostDeflate <= size)) return;
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: says that it holds {} bytes, in a file of {}",
                                          file.path(), printable(tensor),
                                          bytes ? std::to_string(*bytes) : "2^63 or more", size));
}

}  // namespace

std::vector<std::string> Hdf5Source::members(const std::string& group) const {
  // A dataset has no members; that is no error here, as it is none in the other formats.
  const Handle object(H5Oopen(file_.handle(), group.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.valid() || H5Iget_type(object.get()) != H5I_GROUP) return {};
  return file_.members(group);
}

std::optional<TensorForm> Hdf5Source::form(const std::string& tensor) const {
  if (!file_.has(tensor)) return std::nullopt;
  const Handle object(H5Oopen(file_.handle(), tensor.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.valid() || H5Iget_type(object.get()) != H5I_DATASET) return std::nullopt;
  const Handle space(H5Dget_space(object.get()), H5Sclose);
  const Handle type(H5Dget_type(object.get()), H5Tclose);
  if (!space.valid() || !type.valid()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: its type or shape cannot be read",
                                            file_.path(), printable(tensor)));
  }
  const int rank = std::max(0, H5Sget_simple_extent_ndims(space.get()));
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  TensorForm form{{dims.begin(), dims.end()}, stored_type(type.get())};
  const bool bits = form.type == ElementType::kU8 || form.type == ElementType::kU16;
  if (bits) {
    if (const auto dtype = file_.text_attribute(tensor, "dtype")) {
      form.type = type_of_bits(form.type, *dtype);
    }
  }
  check_claim(file_, tensor, form);
  return form;
}

void Hdf5Source::read_bits(const std::string& tensor, void* data) const {
  const Handle dataset(H5Dopen2(file_.handle(), tensor.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle type(dataset.valid() ? H5Dget_type(dataset.get()) : -1, H5Tclose);
  const Handle memory(type.valid() ? H5Tcopy(type.get()) : -1, H5Tclose);
  // The file's own type in this machine's byte order: a copy, no rounding.
  const bool good = memory.valid() && stored_type(memory.get()) != ElementType::kOther &&
                    H5Tset_order(memory.get(), H5T_ORDER_LE) >= 0 &&
                    H5Dread(dataset.get(), memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
  if (!good) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: cannot be read: no numbers, or the file is "
                                            "damaged or cut off",
                                            file_.path(), printable(tensor)));
  }
}

}  // namespace lvsa
