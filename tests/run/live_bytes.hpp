#pragma once
// Memory that operator new has given out and not got back, of this test program.

#include <cstdint>

namespace lvsa {

std::int64_t live_bytes();

}  // namespace lvsa
