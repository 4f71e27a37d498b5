#define CAF_SUITE small_files

#include "storage/files.hpp"
#include "storage/identity_file.hpp"
#include "storage/schema.hpp"
#include "storage/store_fixture.hpp"
#include "storage/watermark_file.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage;
using namespace tidings::storage::testing;

namespace {

identity make_identity() {
  identity x{{}, 1, true};
  for (uint8_t i = 0; i < 16; ++i)
    x.node.bytes[i] = static_cast<uint8_t>(17 * i);
  return x;
}

watermark make_watermark() {
  return {{220'000'000, 7}, lsn{12}, 0xffff'ffff'ffff'ffff, 220'000'001, 1'800'000'000'000};
}

} // namespace

CAF_TEST(the identity is text with a checksum) {
  auto text = to_text(make_identity());
  CAF_CHECK_EQUAL(text.substr(0, text.rfind("check ")),
                  "tidings store\nschema 1\nnode 00112233445566778899aabbccddeeff\ncomplete 1\n");
  auto x = parse_identity(text);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK(*x == make_identity());
}

CAF_TEST(the watermark is text with a checksum) {
  auto text = to_text(make_watermark());
  CAF_CHECK_EQUAL(text.substr(0, text.rfind("check ")),
                  "tidings watermark 1\nposition 12\nincarnation 220000000\nsequence 7\n"
                  "chain 18446744073709551615\nrun 220000001\nwall-ms 1800000000000\n");
  auto x = parse_watermark(text);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK(*x == make_watermark());
}

CAF_TEST(no changed byte goes unnoticed) {
  for (auto& text : {to_text(make_identity()), to_text(make_watermark())}) {
    for (size_t i = 0; i < text.size(); ++i) {
      auto changed = text;
      changed[i] ^= 1;
      CAF_CHECK(!parse_identity(changed));
      CAF_CHECK(!parse_watermark(changed));
      CAF_CHECK(!parse_identity(text.substr(0, i)));
      CAF_CHECK(!parse_watermark(text.substr(0, i)));
    }
    CAF_CHECK(!parse_watermark(text + "\n"));
  }
}

CAF_TEST(of a newer identity only the schema is read) {
  auto x = make_identity();
  x.schema = schema_version + 5;
  auto parsed = parse_identity(to_text(x));
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK_EQUAL(parsed->schema, schema_version + 5);
}

CAF_TEST(files are replaced as a whole) {
  temporary_directory here;
  auto path = (here.path() / "file").string();
  CAF_CHECK(!read_small_file(path)->has_value());
  CAF_CHECK(!replace_file(path, "one"));
  CAF_CHECK(!replace_file(path, "two"));
  CAF_CHECK_EQUAL(std::string{**read_small_file(path)}, "two");
  CAF_CHECK(!fs::exists(path + ".new"));
  CAF_CHECK(replace_file((here.path() / "none/file").string(), "x").has_value());
  CAF_CHECK(!replace_file(path, std::string(65 * 1024, 'x')));
  CAF_CHECK(!read_small_file(path));
}
