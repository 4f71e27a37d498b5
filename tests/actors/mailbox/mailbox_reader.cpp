#define CAF_SUITE mailbox_reader

#include "actors/mailbox/mailbox_reader.hpp"

#include "support/fake_store.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

using namespace tidings;

namespace {

struct fixture {
  fixture() {
    for (int i = 0; i < 10; ++i) {
      log_entry x;
      auto& content = x.content.content;
      content.topics = {user_topic("ada")};
      content.data = std::string(1000, 'x');
      content.mail = std::make_shared<const mail>(mail{std::to_string(i), "", priority::normal});
      CAF_REQUIRE(!store.append({&x, 1}, false));
    }
  }

  mailbox_page read(const mailbox_query& x) {
    auto found = mailbox_reader{store}.read_page(x, store.now_ms);
    CAF_REQUIRE(static_cast<bool>(found));
    return std::move(*found);
  }

  fake_store store;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(mailbox_reader_tests, fixture)

CAF_TEST(a page that is full of bytes is followed by another) {
  mailbox_query what;
  what.user = "ada";
  what.order = item_order::oldest;
  what.bytes_max = 3000;
  std::string titles;
  int pages = 0;
  while (true) {
    ++pages;
    auto found = read(what);
    CAF_CHECK(found.text.size() < 6000);
    auto json = nlohmann::json::parse(found.text);
    for (auto& item : json["items"])
      titles += item["title"].get<std::string>();
    if (json["next"].is_null())
      break;
    what.after = json["next"].get<std::string>();
  }
  CAF_CHECK_EQUAL(titles, "0123456789");
  CAF_CHECK(pages > 2);
}

CAF_TEST(what a stream begins with has its bound too) {
  mailbox_query what;
  what.user = "ada";
  what.form = page_form::frames;
  what.bytes_max = 3000;
  auto found = read(what);
  CAF_CHECK(!found.text.empty());
  CAF_CHECK(found.text.size() < 6000);
}

CAF_TEST_FIXTURE_SCOPE_END
()
