// An array of zeros that costs nothing until it is touched.
//
// Set-up only: mapped at construction (throws std::bad_alloc), never grows. Large ones ask the
// kernel for huge pages: at ten million connections every access would otherwise miss the TLB too.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace keepline::lb {

/// `bytes` of zeroed memory, at a multiple of 2 MiB when that much.
void* map_zeros(std::size_t bytes);
void unmap_zeros(void* memory, std::size_t bytes);

template <typename T>
class LazyArray {
  static_assert(std::is_trivially_destructible_v<T>, "never destroyed one by one");

 public:
  explicit LazyArray(std::size_t count)
      : memory_(static_cast<T*>(map_zeros(count * sizeof(T))), Unmap{count * sizeof(T)}),
        size_(count) {}

  T& operator[](std::size_t at) { return memory_.get()[at]; }
  const T& operator[](std::size_t at) const { return memory_.get()[at]; }
  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(T* memory) const { unmap_zeros(memory, bytes); }
  };
  std::unique_ptr<T, Unmap> memory_;
  std::size_t size_;
};

}  // namespace keepline::lb
