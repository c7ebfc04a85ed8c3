#include "tests/sharing/recorder.h"

#include <pthread.h>

#include <array>
#include <unordered_set>

namespace keepline::sharing {

namespace {

int turn = kNobody;
std::array<std::unordered_set<std::uintptr_t>, kMostWorkers> written;

struct Stack {
  Stack() {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    void* start = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &start, &size);
    pthread_attr_destroy(&attributes);
    low = reinterpret_cast<std::uintptr_t>(start);
    high = low + size;
  }
  std::uintptr_t low;
  std::uintptr_t high;
};

}  // namespace

void turn_of(int worker) {
  turn = worker;
}

void reset() {
  for (auto& lines : written) lines.clear();
}

std::size_t written_by(int worker) {
  return written[static_cast<std::size_t>(worker)].size();
}

std::vector<std::uintptr_t> shared_lines() {
  std::vector<std::uintptr_t> result;
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const std::uintptr_t line : written[i]) {
      for (std::size_t j = i + 1; j < written.size(); ++j) {
        if (written[j].count(line) != 0) result.push_back(line * 64);
      }
    }
  }
  return result;
}

void note(const volatile void* at, std::size_t size) {
  static const Stack stack;
  if (turn == kNobody) return;
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  // All workers are turned on one stack here; in the daemon each has its own.
  if (address >= stack.low && address < stack.high) return;
  for (std::uintptr_t line = address / 64; line <= (address + size - 1) / 64; ++line) {
    written[static_cast<std::size_t>(turn)].insert(line);
  }
}

}  // namespace keepline::sharing

// What the compiler calls. Reads and function entries are of no interest.
#define KEEPLINE_NOTHING(name, ...) \
  extern "C" void name(__VA_ARGS__) {}
#define KEEPLINE_STORE(name, size)     \
  extern "C" void name(void* at) {     \
    keepline::sharing::note(at, size); \
  }
#define KEEPLINE_ATOMIC(bits, T)                                                                   \
  extern "C" T __tsan_atomic##bits##_load(const volatile T* at, int) {                             \
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                  \
  }                                                                                                \
  extern "C" void __tsan_atomic##bits##_store(volatile T* at, T value, int) {                      \
    keepline::sharing::note(at, sizeof(T));                                                        \
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                 \
  }                                                                                                \
  extern "C" T __tsan_atomic##bits##_exchange(volatile T* at, T value, int) {                      \
    keepline::sharing::note(at, sizeof(T));                                                        \
    return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                       \
  }                                                                                                \
  extern "C" T __tsan_atomic##bits##_fetch_add(volatile T* at, T value, int) {                     \
    keepline::sharing::note(at, sizeof(T));                                                        \
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);                                        \
  }                                                                                                \
  extern "C" T __tsan_atomic##bits##_fetch_sub(volatile T* at, T value, int) {                     \
    keepline::sharing::note(at, sizeof(T));                                                        \
    return __atomic_fetch_sub(at, value, __ATOMIC_SEQ_CST);                                        \
  }                                                                                                \
  extern "C" int __tsan_atomic##bits##_compare_exchange_strong(volatile T* at, T* expected,        \
                                                               T value, int, int) {                \
    keepline::sharing::note(at, sizeof(T));                                                        \
    return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST,               \
                                       __ATOMIC_SEQ_CST);                                          \
  }                                                                                                \
  extern "C" int __tsan_atomic##bits##_compare_exchange_weak(volatile T* at, T* expected, T value, \
                                                             int, int) {                           \
    keepline::sharing::note(at, sizeof(T));                                                        \
    return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST,               \
                                       __ATOMIC_SEQ_CST);                                          \
  }

KEEPLINE_NOTHING(__tsan_init)
KEEPLINE_NOTHING(__tsan_func_entry, void*)
KEEPLINE_NOTHING(__tsan_func_exit)
KEEPLINE_NOTHING(__tsan_vptr_read, void*)
KEEPLINE_NOTHING(__tsan_read1, void*)
KEEPLINE_NOTHING(__tsan_read2, void*)
KEEPLINE_NOTHING(__tsan_read4, void*)
KEEPLINE_NOTHING(__tsan_read8, void*)
KEEPLINE_NOTHING(__tsan_read16, void*)
KEEPLINE_NOTHING(__tsan_unaligned_read2, void*)
KEEPLINE_NOTHING(__tsan_unaligned_read4, void*)
KEEPLINE_NOTHING(__tsan_unaligned_read8, void*)
KEEPLINE_NOTHING(__tsan_unaligned_read16, void*)
KEEPLINE_NOTHING(__tsan_read_range, void*, std::size_t)
KEEPLINE_NOTHING(__tsan_atomic_thread_fence, int)
KEEPLINE_NOTHING(__tsan_atomic_signal_fence, int)
KEEPLINE_STORE(__tsan_write1, 1)
KEEPLINE_STORE(__tsan_write2, 2)
KEEPLINE_STORE(__tsan_write4, 4)
KEEPLINE_STORE(__tsan_write8, 8)
KEEPLINE_STORE(__tsan_write16, 16)
KEEPLINE_STORE(__tsan_unaligned_write2, 2)
KEEPLINE_STORE(__tsan_unaligned_write4, 4)
KEEPLINE_STORE(__tsan_unaligned_write8, 8)
KEEPLINE_STORE(__tsan_unaligned_write16, 16)
extern "C" void __tsan_vptr_update(void** at, void*) {
  keepline::sharing::note(at, sizeof(void*));
}
extern "C" void __tsan_write_range(void* at, std::size_t size) {
  if (size != 0) keepline::sharing::note(at, size);
}
KEEPLINE_ATOMIC(8, std::uint8_t)
KEEPLINE_ATOMIC(16, std::uint16_t)
KEEPLINE_ATOMIC(32, std::uint32_t)
KEEPLINE_ATOMIC(64, std::uint64_t)
