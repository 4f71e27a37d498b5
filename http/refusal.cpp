#include "http/refusal.hpp"

#include "http/problem.hpp"

namespace tidings::http {

namespace {

class immediate : public exchange {
public:
  explicit immediate(std::function<response(session&, const request&)> make)
    : make_(std::move(make)) {
    // nop
  }

  void begin(session& s, request& x) override {
    s.respond(make_(s, x));
  }

  void on_deadline(session&) override {
    // nop: the answer is out when `begin` returns
  }

private:
  std::function<response(session&, const request&)> make_;
};

} // namespace

std::shared_ptr<exchange> make_answer(std::function<response(session&, const request&)> make) {
  return std::make_shared<immediate>(std::move(make));
}

std::shared_ptr<exchange> make_refusal(failure why) {
  return make_answer([why = std::move(why)](session&, const request&) { return problem(why); });
}

std::shared_ptr<exchange> make_method_refusal(std::string allowed) {
  return make_answer([allowed = std::move(allowed)](session&, const request&) {
    auto x = problem({errc::method_not_allowed, "this path takes " + allowed});
    x.headers.emplace_back("Allow", allowed);
    return x;
  });
}

} // namespace tidings::http
