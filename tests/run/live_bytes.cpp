// Counts what operator new has given out and not got back, so that a test can say how much a
// container keeps; the process's size tells too little of that.

#include "live_bytes.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::int64_t> live{0};

void* try_allocate(std::size_t size) noexcept {
  void* place = std::malloc(size);
  if (place != nullptr) live += static_cast<std::int64_t>(malloc_usable_size(place));
  return place;
}

void* allocate(std::size_t size) {
  void* place = try_allocate(size);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}

void release(void* place) {
  if (place != nullptr) live -= static_cast<std::int64_t>(malloc_usable_size(place));
  std::free(place);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
// Sanitizers hold each form against its own delete, so none may be left to them.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return try_allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return try_allocate(size);
}
void operator delete(void* place) noexcept { release(place); }
void operator delete[](void* place) noexcept { release(place); }
void operator delete(void* place, std::size_t /*size*/) noexcept { release(place); }
void operator delete[](void* place, std::size_t /*size*/) noexcept { release(place); }

namespace lvsa {

std::int64_t live_bytes() { return live; }

}  // namespace lvsa
