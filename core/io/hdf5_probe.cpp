#include "core/io/hdf5_probe.hpp"

#include <fmt/format.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr unsigned kMostSeconds = 60;
// Larger files are data in bulk: reading them twice would cost more than it tells.
constexpr std::uintmax_t kSmallFile = std::uintmax_t{64} << 20;
constexpr hssize_t kMostElements = hssize_t{1} << 26;

// Reads as text or numbers what can be read as such; the values do not matter.
void read_attribute(hid_t attribute) {
  const hid_t type = H5Aget_type(attribute);
  const hid_t space = H5Aget_space(attribute);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (H5Tis_variable_str(type) > 0 && count == 1) {
    char* text = nullptr;
    const hid_t memory = H5Tcopy(type);
    if (H5Aread(attribute, memory, &text) >= 0 && text != nullptr) H5free_memory(text);
    H5Tclose(memory);
  } else if (count > 0 && count < kMostElements) {
    std::vector<char> buffer(static_cast<std::size_t>(count) * H5Tget_size(type));
    H5Aread(attribute, type, buffer.data());
  }
  H5Sclose(space);
  H5Tclose(type);
}

herr_t visit_attribute(hid_t object, const char* name, const H5A_info_t*, void*) {
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute >= 0) {
    read_attribute(attribute);
    H5Aclose(attribute);
  }
  return 0;
}

void read_dataset(hid_t dataset) {
  const hid_t space = H5Dget_space(dataset);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count > 0 && count < kMostElements) {
    std::vector<double> values(static_cast<std::size_t>(count));
    H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  H5Sclose(space);
}

herr_t visit_object(hid_t root, const char* name, const H5O_info_t*, void* reads_data) {
  const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
  if (object < 0) return 0;
  hsize_t at = 0;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, visit_attribute, nullptr);
  if (reads_data != nullptr && H5Iget_type(object) == H5I_DATASET) read_dataset(object);
  H5Oclose(object);
  return 0;
}

// The child's life: it ends here whatever happens, and leaves no core file.
[[noreturn]] void walk(const std::string& path, bool reads_data) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // Handlers of the process that forked must not take what the library does here for their own.
  for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    std::signal(number, SIG_DFL);
  }
  alarm(kMostSeconds);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  char yes = 1;
  if (file >= 0) {
    H5Ovisit_by_name1(file, "/", H5_INDEX_NAME, H5_ITER_INC, visit_object,
                      reads_data ? &yes : nullptr, H5P_DEFAULT);
  }
  _exit(0);
}

}  // namespace

void probe_hdf5_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  const bool reads_data = !error && bytes <= kSmallFile;
  const pid_t child = fork();
  if (child < 0) return;  // no process to spare: the file is read unprobed
  if (child == 0) walk(path, reads_data);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) {  // an exit code comes from a sanitizer that found an error
    throw Error(ErrorKind::kIo,
                fmt::format("{}: the HDF5 file is damaged: reading it crashes or hangs "
                            "the HDF5 library ({} {})",
                            path, WIFSIGNALED(status) ? "signal" : "exit code",
                            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
  }
}

}  // namespace lvsa
