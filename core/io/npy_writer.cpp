#include "core/io/npy_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/npy_folder.hpp"
#include "core/io/npy_header.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: cannot be written: {}", path, what));
}

}  // namespace

NpyFolderWriter::NpyFolderWriter(const std::string& path)
    : path_(path), index_(std::make_unique<nlohmann::ordered_json>()) {
  std::error_code error;
  if (path.empty()) fail("''", "the name of a folder is due");
  fs::path target = fs::weakly_canonical(fs::absolute(path), error);
  if (!target.has_filename()) target = target.parent_path();
  if (error || !target.has_filename()) fail(path, "the name of a folder is due");
  const bool there = fs::exists(target, error);
  if (there && (!fs::is_directory(target, error) || !fs::is_empty(target, error))) {
    fail(path, "it is there already; a new name or an empty folder is due");
  }
  const fs::path parent = target.parent_path();
  if (!fs::is_directory(parent, error)) {
    fail(path, fmt::format("there is no folder '{}'", parent.string()));
  }
  target_ = target.string();
  const std::string name = target.filename().string().substr(0, 200);
  const std::string aside = (parent / fmt::format(".{}.{}.tmp", name, getpid())).string();
  if (!fs::create_directory(aside, error)) {
    fail(path, error ? error.message() : fmt::format("'{}' is in the way", aside));
  }
  temporary_ = aside;
  *index_ = nlohmann::ordered_json::object();
}

NpyFolderWriter::~NpyFolderWriter() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void NpyFolderWriter::group(const std::string& name) {
  std::error_code error;
  if (!fs::create_directory(fs::path(temporary_) / name, error)) {
    fail(path_ + "/" + name, error ? error.message() : "the name is there already");
  }
}

void NpyFolderWriter::dataset(const std::string& name, ElementType type,
                              const std::vector<std::int64_t>& shape, const void* data) {
  const std::string file = (fs::path(temporary_) / (name + ".npy")).string();
  try {
    AtomicFile out(file);
    out.write(npy_header(type, shape));
    const TensorForm form{shape, type};
    out.write({static_cast<const char*>(data), static_cast<std::size_t>(form.bytes())});
    out.commit(AtomicFile::Sync::kLater);
  } catch (const Error& error) {
    // The name of the hidden folder would only puzzle.
    const std::string what = error.what();
    const std::size_t colon = what.rfind(": ");
    fail(path_ + "/" + name + ".npy", what.substr(colon == std::string::npos ? 0 : colon + 2));
  }
  const DType dtype = element_dtype(type);
  const bool as_bits = dtype == LVSA_BF16 || dtype == LVSA_E4M3 || dtype == LVSA_E5M2;
  if (as_bits) attribute(name, "dtype", std::string(dtype_name(dtype)));
}

void NpyFolderWriter::attribute(const std::string& object, const std::string& name,
                                const std::string& text) {
  (*index_)[object][name] = text;
}

void NpyFolderWriter::attribute(const std::string& object, const std::string& name,
                                std::int64_t value) {
  (*index_)[object][name] = value;
}

void NpyFolderWriter::attribute(const std::string& object, const std::string& name, double value) {
  (*index_)[object][name] = value;
}

void NpyFolderWriter::commit() {
  const std::string text = index_->dump(1, ' ', true, nlohmann::json::error_handler_t::replace);
  write_file_atomically((fs::path(temporary_) / kNpyIndexName).string(), text + "\n");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(path_, std::generic_category().message(errno));
  }
  temporary_.clear();
}

}  // namespace lvsa
