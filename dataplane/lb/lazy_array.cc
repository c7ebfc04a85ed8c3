#include "dataplane/lb/lazy_array.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace keepline::lb {

namespace {

constexpr std::size_t kHugePage = 2u << 20;

std::size_t mapped_size(std::size_t bytes) {
  return bytes < kHugePage ? bytes + (bytes == 0) : bytes + kHugePage;
}

}  // namespace

// The mapping is a huge page longer than asked for, so that an aligned start lies within it; the
// parts in front of it and behind are given back.
void* map_zeros(std::size_t bytes) {
  const std::size_t length = mapped_size(bytes);
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (bytes < kHugePage) return memory;
  const auto start = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t aligned = (start + kHugePage - 1) & ~(kHugePage - 1);
  if (aligned != start) munmap(memory, aligned - start);
  const std::size_t kept = (bytes + 4095) & ~std::size_t{4095};
  const std::size_t behind = start + length - (aligned + kept);
  if (behind != 0) munmap(reinterpret_cast<void*>(aligned + kept), behind);
  // Without huge pages it is only slower.
  madvise(reinterpret_cast<void*>(aligned), kept, MADV_HUGEPAGE);
  return reinterpret_cast<void*>(aligned);
}

void unmap_zeros(void* memory, std::size_t bytes) {
  munmap(memory, bytes == 0 ? 1 : bytes);
}

}  // namespace keepline::lb
