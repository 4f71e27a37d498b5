#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tidings::http {

/// Who has how many streams open, over all I/O threads. Thread-safe.
class stream_census : public std::enable_shared_from_this<stream_census> {
public:
  /// A stream's place in the census; leaves it when it is destroyed.
  class place {
  public:
    place(std::shared_ptr<stream_census> of, std::string key);

    ~place();

    place(const place&) = delete;
    place& operator=(const place&) = delete;

    /// Says which stream it is, as soon as that is known: only then it can make room for another.
    void settle(uint64_t id);

  private:
    friend class stream_census;

    std::shared_ptr<stream_census> of_;
    std::string key_;
    uint64_t id_ = 0; // 0: not known yet
  };

  struct admission {
    std::shared_ptr<place> taken;   ///< nullptr: there are too many
    std::vector<uint64_t> replaced; ///< streams that have to end for it, the oldest first
  };

  /// @param key whose streams are counted together
  /// @param max 0: no bound
  /// @param replace whether the oldest make room, rather than the new one being refused
  admission enter(const std::string& key, uint32_t max, bool replace);

private:
  void leave(const place& x);

  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<place*>> places_; // the oldest first
};

} // namespace tidings::http
