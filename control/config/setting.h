// A value that knows whether the file has set it.
//
// PURE. Consumers read the value; only resolving (inheritance, defaults) asks is_set().
#pragma once

#include <utility>

namespace keepline::config {

/// Holds the default until set() or a parent that was set overrules it. Equality compares the
/// resolved values only: how a value came about makes no difference to what runs.
template <typename T>
class Setting {
 public:
  Setting() = default;
  explicit Setting(T fallback) : value_(std::move(fallback)) {}

  const T& value() const { return value_; }
  operator const T&() const { return value_; }  // NOLINT(google-explicit-constructor)
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

  bool is_set() const { return is_set_; }
  /// Written in the file.
  void set(T value) {
    value_ = std::move(value);
    is_set_ = true;
  }
  /// Changes what applies as long as nothing was written.
  void set_default(T value) {
    if (!is_set_) value_ = std::move(value);
  }
  /// Takes the parent's value when only the parent was written.
  void inherit(const Setting& parent) {
    if (!is_set_ && parent.is_set_) *this = parent;
  }
  friend bool operator==(const Setting& a, const Setting& b) { return a.value_ == b.value_; }

 private:
  T value_{};
  bool is_set_ = false;
};

}  // namespace keepline::config
