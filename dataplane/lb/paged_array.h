// An immutable array that shares with its copies whatever did not change.
//
// PURE. Copying costs one pointer per page; edit() copies the page that it touches, once between
// two calls of share(). The builder edits, workers read copies.
#pragma once

#include <array>
#include <memory>
#include <vector>

namespace keepline::lb {

template <typename T>
class PagedArray {
 public:
  static constexpr std::size_t kPage = 256;

  /// nullptr beyond the end.
  const T* find(std::size_t at) const {
    return at < size_ ? starts_[at / kPage] + at % kPage : nullptr;
  }

  /// Builder: the element, to be changed before the next share(). Grows as needed.
  T& edit(std::size_t at) {
    const std::size_t page = at / kPage;
    while (pages_.size() <= page) {
      pages_.push_back(std::make_shared<Page>());
      own_.push_back(true);
      starts_.push_back(pages_.back()->data());
    }
    size_ = pages_.size() * kPage;
    if (!own_[page]) {
      pages_[page] = std::make_shared<Page>(*pages_[page]);
      starts_[page] = pages_[page]->data();
      own_[page] = true;
    }
    return (*pages_[page])[at % kPage];
  }

  /// Builder: a copy for readers. From now on no page is changed in place.
  PagedArray share() {
    own_.assign(pages_.size(), false);
    PagedArray copy;
    copy.pages_ = pages_;
    copy.starts_ = starts_;
    copy.size_ = size_;
    return copy;
  }

 private:
  using Page = std::array<T, kPage>;
  std::size_t size_ = 0;
  std::vector<const T*> starts_;  // of the pages: one load less for readers
  std::vector<std::shared_ptr<Page>> pages_;
  std::vector<bool> own_;  // builder: pages that no copy shares yet
};

}  // namespace keepline::lb
