#include "identity/strict_json.hpp"

#include <set>
#include <vector>

namespace tidings {

namespace {

/// Looks at the structure only.
class structure_checker : public nlohmann::json_sax<nlohmann::json> {
public:
  const char* problem = nullptr;

  bool null() override {
    return is_inside();
  }

  bool boolean(bool) override {
    return is_inside();
  }

  bool number_integer(number_integer_t) override {
    return is_inside();
  }

  bool number_unsigned(number_unsigned_t) override {
    return is_inside();
  }

  bool number_float(number_float_t, const string_t&) override {
    return is_inside();
  }

  bool string(string_t&) override {
    return is_inside();
  }

  bool binary(binary_t&) override {
    return is_inside();
  }

  bool start_object(size_t) override {
    names_.emplace_back();
    return is_shallow();
  }

  bool key(string_t& name) override {
    return names_.back().insert(name).second || refuse("names a member twice");
  }

  bool end_object() override {
    names_.pop_back();
    return true;
  }

  bool start_array(size_t) override {
    if (!is_inside())
      return false;
    names_.emplace_back();
    return is_shallow();
  }

  bool end_array() override {
    names_.pop_back();
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("is not JSON");
  }

private:
  bool is_inside() {
    return !names_.empty() || refuse("is not a JSON object");
  }

  bool is_shallow() {
    return names_.size() <= json_depth_max || refuse("is nested too deeply");
  }

  bool refuse(const char* why) {
    if (problem == nullptr)
      problem = why;
    return false;
  }

  std::vector<std::set<std::string>> names_; // of the objects around; empty for an array
};

} // namespace

result<nlohmann::json> parse_strict_object(std::string_view text, errc code,
                                           std::string_view what) {
  auto refuse = [&](const char* why) { return failure{code, std::string{what} + ' ' + why}; };
  if (text.find('\0') != text.npos) // the end of the text, for the parser
    return refuse("is not JSON");
  if (text.starts_with("\xef\xbb\xbf")) // a byte order mark, which the parser would pass over
    return refuse("is not JSON");
  structure_checker checker;
  if (!nlohmann::json::sax_parse(text, &checker))
    return refuse(checker.problem != nullptr ? checker.problem : "is not JSON");
  auto x = nlohmann::json::parse(text, nullptr, false);
  if (!x.is_object())
    return refuse("is not a JSON object");
  return x;
}

} // namespace tidings
