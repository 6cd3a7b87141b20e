#include "analysis/verify/exchange_reader.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::string type_name(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    default:
      return "other";
  }
}

}  // namespace

ExchangeReader::ExchangeReader(const std::string& path) : file_(path) {
  handle_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (handle_ < 0) throw Error(ErrorKind::kIo, fmt::format("{}: cannot be opened", path));
}

ExchangeReader::~ExchangeReader() {
  if (handle_ >= 0) H5Fclose(handle_);
}

std::optional<DatasetForm> ExchangeReader::form(const std::string& name) const {
  if (!file_.has(name)) return std::nullopt;
  const hid_t dataset = H5Dopen2(handle_, name.c_str(), H5P_DEFAULT);
  if (dataset < 0) throw Error(ErrorKind::kIo, fmt::format("{}: {}: is no dataset", path(), name));
  const hid_t space = H5Dget_space(dataset);
  const hid_t type = H5Dget_type(dataset);
  const int rank = std::max(0, H5Sget_simple_extent_ndims(space));
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  DatasetForm form{{dims.begin(), dims.end()}, type_name(type)};
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
  return form;
}

void ExchangeReader::read_as(const std::string& name, std::int64_t memory_type, void* data) const {
  const hid_t dataset = H5Dopen2(handle_, name.c_str(), H5P_DEFAULT);
  const bool good =
      dataset >= 0 && H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
  if (dataset >= 0) H5Dclose(dataset);
  if (!good) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: cannot be read: the file is damaged or cut "
                                            "off",
                                            path(), name));
  }
}

void ExchangeReader::read(const std::string& dataset, std::uint16_t* data) const {
  read_as(dataset, H5T_NATIVE_UINT16, data);
}
void ExchangeReader::read(const std::string& dataset, float* data) const {
  read_as(dataset, H5T_NATIVE_FLOAT, data);
}
void ExchangeReader::read(const std::string& dataset, double* data) const {
  read_as(dataset, H5T_NATIVE_DOUBLE, data);
}
void ExchangeReader::read(const std::string& dataset, std::int64_t* data) const {
  read_as(dataset, H5T_NATIVE_INT64, data);
}

}  // namespace lvsa::analysis
