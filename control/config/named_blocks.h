// Blocks that others refer to by name: each name once, and a bounded number of them.
//
// PURE; for the keyword tables.
#pragma once

#include <algorithm>
#include <string>

#include "control/config/schema.h"

namespace keepline::config {

template <typename Items>
bool has_room(Args& a, const Items& items) {
  if (items.size() < kMaxNamedBlocks) return true;
  a.error("more than " + std::to_string(kMaxNamedBlocks) + " blocks of this kind: skipped");
  return false;
}

template <typename Items>
bool has_name(const Items& items, const std::string& name) {
  return std::ranges::any_of(items, [&name](const auto& item) { return item.name == name; });
}

}  // namespace keepline::config
