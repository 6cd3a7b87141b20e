#include "analysis/verify/device_problem.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "analysis/verify/problem_extent.hpp"

namespace lvsa::analysis {
namespace {

using Address = DeviceMemory::Address;

// Wider than around host tensors: what goes wrong on a device goes wrong by tiles.
constexpr std::size_t kZone = std::size_t{1} << 18;
constexpr std::size_t kAlignment = 256;

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Rooms on the device by the address of what they stand for in host memory, kept for a few calls.
class Rooms {
 public:
  explicit Rooms(DeviceMemory& memory) : memory_(memory) {}

  // Also the end of an old call, where what has not been in use for long goes.
  void begin_call() {
    ++call_;
    constexpr std::int64_t kCallsKept =
        12;  // a call of the kernel is up to three: its queries count
    constexpr std::size_t kBytesKept = std::size_t{1} << 30;
    std::size_t held = 0;
    for (const auto& [key, room] : rooms_) held += room.bytes;
    const std::int64_t kept = held > kBytesKept ? 1 : kCallsKept;
    for (auto at = rooms_.begin(); at != rooms_.end();) {
      if (at->second.last_call + kept < call_) {
        memory_.free(at->second.address);
        at = rooms_.erase(at);
      } else {
        ++at;
      }
    }
  }

  // `part` tells apart what lies at one address, such as q and k of self-made problems.
  Address of(const void* host, std::size_t part, std::size_t bytes) {
    const auto key = std::pair(host, part);
    const auto found = rooms_.find(key);
    if (found != rooms_.end() && found->second.bytes >= bytes) {
      found->second.last_call = call_;
      return found->second.address;
    }
    if (found != rooms_.end()) {
      memory_.free(found->second.address);
      rooms_.erase(found);
    }
    const Room room{memory_.allocate(bytes), bytes, call_};
    rooms_.emplace(key, room);
    return room.address;
  }

 private:
  struct Room {
    Address address = 0;
    std::size_t bytes = 0;
    std::int64_t last_call = 0;
  };
  DeviceMemory& memory_;
  std::map<std::pair<const void*, std::size_t>, Room> rooms_;
  std::int64_t call_ = 0;
};

Rooms& rooms(DeviceMemory& memory) {
  static Rooms* const kept = new Rooms(memory);  // never freed: the driver goes first
  return *kept;
}

}  // namespace

DeviceParts::DeviceParts() : memory_(DeviceMemory::first()) {
  memory_.enter();
  rooms(memory_).begin_call();
}

DeviceProblem::DeviceProblem(const lvsa_problem& host) : problem_(host) {
  lvsa_problem& p = problem_;
  p.memory = LVSA_CUDA;
  add_tensor(p.q, p.heads, p.dtype);
  add_tensor(p.k, p.kv_heads, p.dtype);
  add_tensor(p.v, p.kv_heads, p.dtype);
  add_tensor(p.out, p.heads, p.out_dtype);
  if (p.lse != nullptr) {
    p.lse = static_cast<float*>(parts_.add(p.lse, lse_extent(p)));
  }
  p.q_scale = add_scales(p.q_scale, p.heads);
  p.k_scale = add_scales(p.k_scale, p.kv_heads);
  p.v_scale = add_scales(p.v_scale, p.kv_heads);
}

void* DeviceParts::add(void* host, std::size_t bytes, bool comes_back) {
  const Address room = rooms(memory_).of(host, parts_.size(), rounded_up(bytes) + 2 * kZone);
  parts_.push_back({host, bytes, room + kZone, comes_back});
  return reinterpret_cast<void*>(parts_.back().device);
}

const float* DeviceProblem::add_scales(const float* scales, std::int64_t heads) {
  if (scales == nullptr) return nullptr;
  const auto count = static_cast<std::size_t>(problem_.batch * heads);
  return static_cast<const float*>(
      parts_.add(const_cast<float*>(scales), count * sizeof(float), false));
}

void DeviceProblem::add_tensor(lvsa_tensor& tensor, std::int64_t heads, DType dtype) {
  if (tensor.data == nullptr) return;
  tensor.data = parts_.add(tensor.data, tensor_extent(problem_, tensor, heads, dtype));
}

void DeviceParts::fill_zones(const Part& part) {
  memory_.fill(part.device - kZone, kNanByte, kZone);
  memory_.fill(part.device + part.bytes, kNanByte, rounded_up(part.bytes) - part.bytes + kZone);
}

void* DeviceParts::send(const GuardedBytes& workspace) {
  for (const Part& part : parts_) {
    fill_zones(part);
    memory_.to_device(part.device, part.host, part.bytes);
  }
  if (workspace.size() == 0) return nullptr;
  // Its content is of no interest, so nothing is copied in either direction.
  const Address room =
      rooms(memory_).of(workspace.data(), parts_.size(), rounded_up(workspace.size()) + 2 * kZone);
  parts_.push_back({nullptr, workspace.size(), room + kZone, false});
  fill_zones(parts_.back());
  memory_.fill(room + kZone, workspace.fill(), workspace.size());
  return reinterpret_cast<void*>(room + kZone);
}

void DeviceParts::wait() { memory_.wait(); }

std::int64_t DeviceParts::changed_zones(const Part& part) {
  std::vector<unsigned char> zone(kZone + kAlignment);
  const auto changed = [&](Address from, std::size_t bytes) {
    memory_.to_host(zone.data(), from, bytes);
    const auto end = zone.begin() + static_cast<std::ptrdiff_t>(bytes);
    return static_cast<std::int64_t>(bytes) - std::count(zone.begin(), end, kNanByte);
  };
  return changed(part.device - kZone, kZone) +
         changed(part.device + part.bytes, rounded_up(part.bytes) - part.bytes + kZone);
}

void DeviceParts::fetch() {
  changed_outside_ = 0;
  for (const Part& part : parts_) {
    if (part.comes_back) memory_.to_host(part.host, part.device, part.bytes);
    changed_outside_ += changed_zones(part);
  }
}

}  // namespace lvsa::analysis
