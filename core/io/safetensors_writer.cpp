#include "core/io/safetensors_writer.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/safetensors_header.hpp"

namespace lvsa {

class SafetensorsWriter::Body {
 public:
  explicit Body(const std::string& path) : path_(path), file_(path), data_(path) {
    header_["__metadata__"] = nlohmann::ordered_json::object();
  }

  void attribute(const std::string& object, const std::string& name, const std::string& text) {
    const std::string key = object == "/" || object.empty() ? name : object + "/" + name;
    header_["__metadata__"][key] = text;
  }

  void tensor(const std::string& name, ElementType type, const std::vector<std::int64_t>& shape,
              const void* data) {
    const std::string_view dtype = safetensors_name(type);
    if (dtype.empty() || header_.contains(name)) {
      throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", path_, name,
                                              dtype.empty() ? "safetensors has no such type"
                                                            : "the name is there already"));
    }
    const TensorForm form{shape, type};
    header_[name] = {
        {"dtype", dtype}, {"shape", shape}, {"data_offsets", {at_, at_ + form.bytes()}}};
    data_.write({static_cast<const char*>(data), static_cast<std::size_t>(form.bytes())});
    at_ += form.bytes();
  }

  void commit() {
    std::string text = header_.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    while (text.size() % 8 != 0) text += ' ';  // the data begin aligned
    if (text.size() > static_cast<std::size_t>(kSafetensorsHeaderBytes)) {
      throw Error(ErrorKind::kIo, fmt::format("{}: the header would have {} bytes; safetensors "
                                              "allows {}: fewer cases, or HDF5",
                                              path_, text.size(), kSafetensorsHeaderBytes));
    }
    std::string length;
    for (int shift = 0; shift < 64; shift += 8) {
      length += static_cast<char>((static_cast<std::uint64_t>(text.size()) >> shift) & 0xff);
    }
    file_.write(length);
    file_.write(text);
    data_.copy_to(file_);
    file_.commit();
  }

 private:
  std::string path_;
  AtomicFile file_;
  NamelessFile data_;
  nlohmann::ordered_json header_;
  std::int64_t at_ = 0;
};

SafetensorsWriter::SafetensorsWriter(const std::string& path)
    : body_(std::make_unique<Body>(path)) {}
SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::group(const std::string&) {}  // groups are parts of names

void SafetensorsWriter::dataset(const std::string& name, ElementType type,
                                const std::vector<std::int64_t>& shape, const void* data) {
  body_->tensor(name, type, shape, data);
}

void SafetensorsWriter::attribute(const std::string& object, const std::string& name,
                                  const std::string& text) {
  body_->attribute(object, name, text);
}

void SafetensorsWriter::attribute(const std::string& object, const std::string& name,
                                  std::int64_t value) {
  body_->attribute(object, name, std::to_string(value));
}

void SafetensorsWriter::attribute(const std::string& object, const std::string& name,
                                  double value) {
  body_->attribute(object, name, fmt::format("{}", value));
}

void SafetensorsWriter::commit() { body_->commit(); }

}  // namespace lvsa
