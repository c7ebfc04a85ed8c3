// A Loader over a map of paths to texts, for tests and the fuzzer.
//
// Bound: none of its own; patterns know `*` and `?` only, within one folder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/loader.h"

namespace keepline::config {

class MemoryLoader : public Loader {
 public:
  MemoryLoader() = default;
  explicit MemoryLoader(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  void add(const std::string& path, std::string text) { files_[path] = std::move(text); }
  /// Found by glob(), but not readable.
  void add_unreadable(const std::string& path) { unreadable_[path] = true; }

  tl::expected<std::string, std::string> read(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return tl::unexpected(std::string("No such file or directory"));
    return found->second;
  }
  std::vector<std::string> glob(const std::string& pattern,
                                const std::string& relative_to) override {
    const std::string full =
        pattern.starts_with('/') || relative_to.empty() ? pattern : relative_to + '/' + pattern;
    std::vector<std::string> paths;
    for (const auto& [path, text] : files_) {
      if (matches(full, path)) paths.push_back(path);
    }
    for (const auto& [path, flag] : unreadable_) {
      if (matches(full, path)) paths.push_back(path);
    }
    return paths;
  }

 private:
  // One star at a time is remembered, so this is at worst quadratic.
  static bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
      if (p < pattern.size() && (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/'))) {
        ++p;
        ++t;
      } else if (p < pattern.size() && pattern[p] == '*') {
        star = p++;
        resume = t;
      } else if (star != std::string_view::npos && text[resume] != '/') {
        p = star + 1;
        t = ++resume;
      } else {
        return false;
      }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
  }

  std::map<std::string, std::string> files_;
  std::map<std::string, bool> unreadable_;
};

}  // namespace keepline::config
