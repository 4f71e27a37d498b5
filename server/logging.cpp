#include "server/logging.hpp"

#include "tidings/text.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace tidings {

namespace {

/// The message as a JSON string.
class json_message : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& x, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string text;
    append_json_string(text, {x.payload.data(), x.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_message>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(log_format x) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (x == log_format::json) {
    formatter->add_flag<json_message>('*');
    formatter->set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","thread":%t,"message":%*})");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %v");
  }
  return formatter;
}

} // namespace

void configure_logging(const log_config& cfg) {
  // One for the life of the process: other threads are logging while it is configured anew.
  static const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("tidings", sink);
    made->flush_on(spdlog::level::info);
    spdlog::set_default_logger(made);
    return made;
  }();
  sink->set_formatter(make_formatter(cfg.format));
  logger->set_level(spdlog::level::from_str(cfg.level));
}

} // namespace tidings
