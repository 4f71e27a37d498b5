#include "http/refusal.hpp"

#include "http/problem.hpp"

namespace tidings::http {

namespace {

class immediate : public exchange {
public:
  using maker = std::function<response(session&, const request&)>;

  immediate(maker make, bool wants_body) : make_(std::move(make)), wants_body_(wants_body) {
    // nop
  }

  bool wants_body() const override {
    return wants_body_;
  }

  void begin(session& s, request& x) override {
    s.respond(make_(s, x));
  }

  void on_deadline(session&) override {
    // nop: the answer is out when `begin` returns
  }

private:
  maker make_;
  bool wants_body_;
};

std::shared_ptr<exchange> refuse(immediate::maker make) {
  return std::make_shared<immediate>(std::move(make), false);
}

} // namespace

std::shared_ptr<exchange> make_answer(std::function<response(session&, const request&)> make) {
  return std::make_shared<immediate>(std::move(make), true);
}

std::shared_ptr<exchange> make_refusal(failure why) {
  return refuse([why = std::move(why)](session&, const request&) { return problem(why); });
}

std::shared_ptr<exchange> make_method_refusal(std::string allowed) {
  return refuse([allowed = std::move(allowed)](session&, const request&) {
    auto x = problem({errc::method_not_allowed, "this path takes " + allowed});
    x.headers.emplace_back("Allow", allowed);
    return x;
  });
}

} // namespace tidings::http
