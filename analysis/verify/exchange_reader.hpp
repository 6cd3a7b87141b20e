#pragma once
// Typed reading of datasets from an exchange file: form first, then the bits, without a detour
// through doubles.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/hdf5.hpp"

namespace lvsa::analysis {

/// What a dataset is, before it is read.
struct DatasetForm {
  std::vector<std::int64_t> shape;
  std::string type;  ///< "uint16", "float32", "int64", ...; "other" for what holds no numbers
};

class ExchangeReader {
 public:
  /// Throws as Hdf5File does; a file that would crash the library is found by its probe.
  explicit ExchangeReader(const std::string& path);
  ~ExchangeReader();
  ExchangeReader(const ExchangeReader&) = delete;
  ExchangeReader& operator=(const ExchangeReader&) = delete;

  const std::string& path() const { return file_.path(); }
  /// Names, attributes, existence.
  const Hdf5File& file() const { return file_; }
  /// Nothing when there is no such dataset.
  std::optional<DatasetForm> form(const std::string& dataset) const;
  /// Each reads all elements into `data`, which has room for them. Throws Error(kIo).
  void read(const std::string& dataset, std::uint16_t* data) const;
  void read(const std::string& dataset, float* data) const;
  void read(const std::string& dataset, double* data) const;
  void read(const std::string& dataset, std::int64_t* data) const;

 private:
  void read_as(const std::string& dataset, std::int64_t memory_type, void* data) const;

  Hdf5File file_;
  std::int64_t handle_ = -1;
};

}  // namespace lvsa::analysis
