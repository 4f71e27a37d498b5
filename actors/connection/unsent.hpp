#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tidings {

/// What a socket has not taken yet: the rest of something that many streams may be in the middle
/// of, shared by them, and behind it bytes of this stream's own.
class unsent {
public:
  bool empty() const noexcept {
    return shared_.empty() && own_left().empty();
  }

  size_t size() const noexcept {
    return shared_.size() + own_left().size();
  }

  /// In the order in which they go.
  std::array<std::string_view, 2> pieces() const noexcept {
    return {shared_, own_left()};
  }

  void append(std::string_view bytes) {
    own_ += bytes;
  }

  /// Only if nothing is there.
  /// @param of keeps the bytes alive
  void share(std::shared_ptr<const void> of, std::string_view bytes) noexcept {
    of_ = std::move(of);
    shared_ = bytes;
  }

  /// Forgets what the socket took, and gives back the memory with the last of it.
  void drop(size_t taken) {
    auto of_shared = std::min(taken, shared_.size());
    shared_.remove_prefix(of_shared);
    if (shared_.empty())
      of_.reset();
    own_begin_ += taken - of_shared;
    if (own_begin_ == own_.size())
      std::string{}.swap(own_);
    else if (own_begin_ < own_.size() / 2)
      return; // moving the rest each time would cost its square
    else
      own_.erase(0, own_begin_);
    own_begin_ = 0;
  }

private:
  std::string_view own_left() const noexcept {
    return std::string_view{own_}.substr(own_begin_);
  }

  std::shared_ptr<const void> of_;
  std::string_view shared_;
  std::string own_;
  size_t own_begin_ = 0; // what is before it has been sent
};

} // namespace tidings
