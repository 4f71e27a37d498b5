#include "http/json_scan.hpp"

#include <nlohmann/json.hpp>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace tidings::http {

namespace {

using nlohmann::json;

/// Walks over the text and tells how far the lexer has read.
class tracked_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  tracked_iterator(const char* at, const char** seen) : at_(at), seen_(seen) {
    // nop
  }

  reference operator*() const noexcept {
    return *at_;
  }

  tracked_iterator& operator++() noexcept {
    *seen_ = ++at_;
    return *this;
  }

  tracked_iterator operator++(int) noexcept {
    auto x = *this;
    ++*this;
    return x;
  }

  bool operator==(const tracked_iterator& x) const noexcept {
    return at_ == x.at_;
  }

  bool operator!=(const tracked_iterator& x) const noexcept {
    return at_ != x.at_;
  }

private:
  const char* at_;
  const char** seen_;
};

/// Checks everything, keeps the items of the outermost object or array only: nested values are
/// known by where they stand, and never built.
class scanner {
public:
  scanner(std::string_view text, size_t depth_max, bool keep)
    : text_(text), at_(text.data()), depth_max_(depth_max), keep_(keep) {
    if (keep_)
      items_.reserve(8);
  }

  status run() {
    if (std::memchr(text_.data(), 0, text_.size()))
      return failure{errc::invalid_json, "the JSON holds a NUL byte"}; // the lexer would stop there
    auto end = text_.data() + text_.size();
    auto ok =
      json::sax_parse(tracked_iterator{text_.data(), &at_}, tracked_iterator{end, &at_}, this);
    if (ok)
      return std::nullopt;
    if (why_.empty())
      why_ = "the text is not valid JSON";
    return failure{errc::invalid_json, std::move(why_)};
  }

  json_kind kind() const noexcept {
    return kind_;
  }

  std::vector<json_item>& items() noexcept {
    return items_;
  }

  // -- what the parser calls
  // -----------------------------------------------------------------------

  bool null() {
    return scalar(json_kind::null);
  }

  bool boolean(bool) {
    return scalar(json_kind::boolean);
  }

  bool number_integer(int64_t) {
    return scalar(json_kind::number);
  }

  bool number_unsigned(uint64_t) {
    return scalar(json_kind::number);
  }

  bool number_float(double, const std::string&) {
    return scalar(json_kind::number);
  }

  bool string(std::string& x) {
    scalar(json_kind::string);
    if (keep_ && depth_ == 1)
      items_.back().text = x;
    return true;
  }

  bool binary(json::binary_t&) {
    return false;
  }

  bool start_object(size_t) {
    if (!enter(json_kind::object))
      return false;
    first_names_.push_back(names_.size());
    return true;
  }

  bool key(std::string& x) {
    names_.push_back(XXH3_64bits(x.data(), x.size()));
    if (keep_ && depth_ == 1) {
      name_ = x;
      value_from_ = at_;
    }
    return true;
  }

  bool end_object() {
    auto from = names_.begin() + static_cast<ptrdiff_t>(first_names_.back());
    first_names_.pop_back();
    std::sort(from, names_.end());
    if (std::adjacent_find(from, names_.end()) != names_.end()) {
      why_ = "an object holds a name twice";
      return false;
    }
    names_.erase(from, names_.end());
    leave();
    return true;
  }

  bool start_array(size_t) {
    return enter(json_kind::array);
  }

  bool end_array() {
    leave();
    return true;
  }

  template <class Error>
  bool parse_error(size_t position, const std::string&, const Error& x) {
    if (!why_.empty())
      return false;
    if (x.id == 406)
      why_ = "a number is too large";
    else if (static_cast<size_t>(at_ - text_.data()) == text_.size() && position > text_.size())
      why_ = "the JSON ends too early";
    else
      why_ = "the text is not valid JSON near byte " + std::to_string(position);
    return false;
  }

private:
  bool scalar(json_kind x) {
    if (depth_ == 0)
      kind_ = x;
    else if (keep_ && depth_ == 1)
      keep(x, x == json_kind::number ? at_ - 1 : at_); // a number ends where something else begins
    return true;
  }

  bool enter(json_kind x) {
    if (depth_ == depth_max_) {
      why_ = "the JSON is nested more than " + std::to_string(json_depth_max) + " levels deep";
      return false;
    }
    if (depth_ == 0) {
      kind_ = x;
      value_from_ = at_;
    } else if (depth_ == 1) {
      inner_kind_ = x;
    }
    ++depth_;
    return true;
  }

  void leave() {
    if (--depth_ == 1 && keep_)
      keep(inner_kind_, at_);
  }

  void keep(json_kind x, const char* end) {
    auto begin = std::find_if(value_from_, end, [](char c) {
      return c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ':' && c != ',';
    });
    auto& item = items_.emplace_back();
    item.name = name_;
    item.kind = x;
    item.source = {begin, static_cast<size_t>(end - begin)};
    value_from_ = end;
  }

  std::string_view text_;
  const char* at_; // one past what the lexer has read
  size_t depth_max_;
  bool keep_;
  size_t depth_ = 0;
  json_kind kind_ = json_kind::null;
  json_kind inner_kind_ = json_kind::null;
  std::vector<uint64_t> names_; // hashes of the names in all open objects
  std::vector<size_t> first_names_;
  std::string name_;
  const char* value_from_ = nullptr;
  std::vector<json_item> items_;
  std::string why_;
};

} // namespace

result<std::vector<json_item>> scan_object(std::string_view json) {
  scanner x{json, json_depth_max, true};
  if (auto why = x.run())
    return *why;
  if (x.kind() != json_kind::object)
    return failure{errc::invalid_json, "a JSON object is expected"};
  return std::move(x.items());
}

result<std::vector<json_item>> scan_array(std::string_view json) {
  scanner x{json, json_depth_max + 1, true};
  if (auto why = x.run())
    return *why;
  if (x.kind() != json_kind::array)
    return failure{errc::invalid_json, "a JSON array is expected"};
  return std::move(x.items());
}

status check_json(std::string_view json) {
  return scanner{json, json_depth_max, false}.run();
}

void append_compact(std::string& out, std::string_view json) {
  auto plain = json.begin(); // begin of what is not yet appended
  auto in_string = false;
  for (auto i = json.begin(); i != json.end(); ++i) {
    if (in_string) {
      if (*i == '\\')
        ++i;
      else if (*i == '"')
        in_string = false;
    } else if (*i == '"') {
      in_string = true;
    } else if (*i == ' ' || *i == '\n' || *i == '\r' || *i == '\t') {
      out.append(plain, i);
      plain = i + 1;
    }
  }
  out.append(plain, json.end());
}

} // namespace tidings::http
