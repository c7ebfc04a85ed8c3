// Which cache lines a worker writes: the compiler reports every store of code that was compiled
// with -fsanitize=thread, and this takes the place of the sanitizer's own library.
//
// Single-threaded: the test turns its workers one after the other and says whose turn it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keepline::sharing {

inline constexpr int kNobody = -1;
inline constexpr int kMostWorkers = 4;

/// Stores from now on are those of this worker, or of nobody.
void turn_of(int worker);
/// Forgets everything.
void reset();
/// Addresses (of lines of 64 bytes) that more than one worker has written.
std::vector<std::uintptr_t> shared_lines();
/// How many lines the worker has written.
std::size_t written_by(int worker);
/// For the compiler's calls.
void note(const volatile void* at, std::size_t size);

}  // namespace keepline::sharing
