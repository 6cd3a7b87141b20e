#pragma once
// Where the recorded vectors lie.

#include <string>

namespace lvsa::app {

/// The folder asked for, else the first that holds attention_vectors.h5 of: fixtures/ in the
/// current folder, ../fixtures and ../share/lvsa/fixtures beside the executable. Throws Error(kIo)
/// naming the places when none does.
std::string fixtures_folder(const std::string& asked_for);

}  // namespace lvsa::app
