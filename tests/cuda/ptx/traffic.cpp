#include "traffic.h"

#include <algorithm>
#include <set>

#include "warp.h"

namespace emulated::ptx {
namespace {

constexpr uint64_t kSector = 32, kWord = 4, kBanks = 32;

struct Counted {
  bool on = false;
  std::map<std::string, Traffic> kernels;
};
Counted& counted() {
  static auto* const counted = new Counted;
  return *counted;
}

/// The units of `unit` bytes that the lanes' bytes lie in.
std::set<uint64_t> units(uint32_t lanes, const uint64_t (&addresses)[kLanes], size_t bytes, uint64_t unit) {
  std::set<uint64_t> found;
  for_lanes(lanes, [&](int lane) {
    for (uint64_t i = addresses[lane] / unit; i <= (addresses[lane] + bytes - 1) / unit; ++i) found.insert(i);
  });
  return found;
}

}  // namespace

void count_traffic() {
  counted().on = true;
  counted().kernels.clear();
}
const std::map<std::string, Traffic>& traffic() { return counted().kernels; }
Traffic* begin_traffic(const std::string& kernel) {
  if (!counted().on) return nullptr;
  Traffic& traffic = counted().kernels[kernel];
  ++traffic.launches;
  return &traffic;
}

void add_sectors(Traffic& traffic, uint32_t lanes, const uint64_t (&addresses)[kLanes], size_t bytes) {
  const uint64_t n_bytes =
      std::min<uint64_t>(bytes, kWord) * units(lanes, addresses, bytes, std::min<uint64_t>(bytes, kWord)).size();
  traffic.sectors += static_cast<int64_t>(units(lanes, addresses, bytes, kSector).size());
  traffic.least_sectors += static_cast<int64_t>((n_bytes + kSector - 1) / kSector);
}

/// Of 16 bytes a lane eight lanes have a turn together, of 8 sixteen. A turn lasts as long as one bank has different
/// words.
void add_waves(Traffic& traffic, uint32_t lanes, const uint64_t (&addresses)[kLanes], size_t bytes) {
  const int n_together = bytes >= 16 ? 8 : bytes >= 8 ? 16 : 32;
  for (int first = 0; first < kLanes; first += n_together) {
    const uint32_t together = lanes & (n_together == 32 ? ~uint32_t{0} : ((uint32_t{1} << n_together) - 1) << first);
    int64_t of_bank[kBanks] = {};
    for (const uint64_t word : units(together, addresses, bytes, kWord)) ++of_bank[word % kBanks];
    traffic.waves += *std::max_element(of_bank, of_bank + kBanks);
    traffic.least_waves += together != 0;
  }
}

}  // namespace emulated::ptx
