#define CAF_SUITE gap

#include "tidings/gap.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

namespace {

using namespace tidings;
using nlohmann::json;

CAF_TEST(a gap names reason topics and both ends) {
  cursor to{1, {2, 3}};
  gap x{gap_reason::evicted, {"orders", "say \"hi\""}, "c1.AQ", to};
  CAF_CHECK_EQUAL(to_json(x), "{\"reason\":\"evicted\",\"topics\":[\"orders\",\"say \\\"hi\\\"\"],"
                              "\"from\":\"c1.AQ\",\"to\":\""
                                + to.to_string() + "\"}");
}

CAF_TEST(an unknown start is null and unknown topics are an empty list) {
  auto x = json::parse(to_json({gap_reason::unknown_cursor, {}, "", {}}));
  CAF_CHECK(x.at("from").is_null());
  CAF_CHECK(x.at("topics") == json::array());
  CAF_CHECK_EQUAL(x.at("reason").get<std::string>(), "unknown_cursor");
  CAF_CHECK_EQUAL(x.at("to").get<std::string>(), cursor{}.to_string());
}

CAF_TEST(every reason has its name) {
  CAF_CHECK_EQUAL(to_string(gap_reason::expired), std::string{"expired"});
  CAF_CHECK_EQUAL(to_string(gap_reason::evicted), std::string{"evicted"});
  CAF_CHECK_EQUAL(to_string(gap_reason::lagged), std::string{"lagged"});
  CAF_CHECK_EQUAL(to_string(gap_reason::lost), std::string{"lost"});
  CAF_CHECK_EQUAL(to_string(gap_reason::unknown_cursor), std::string{"unknown_cursor"});
}

} // namespace
