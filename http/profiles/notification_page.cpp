#include "http/profiles/notification_sending.hpp"
#include "http/refusal.hpp"

namespace tidings::http {

namespace {

constexpr const char* page = R"html(<!doctype html>
<meta charset="utf-8"><title>Notifications</title>
<h1>Notifications</h1>
<form><input name="title" placeholder="title" required> <input name="message" placeholder="message">
<button>Send to me</button></form>
<p>Stream: <b id="state">connecting</b></p>
<ol id="list"></ol>
<script>
  const state = document.getElementById("state");
  const source = new EventSource("sse/SystemNotification" + location.search);
  source.onopen = () => state.textContent = "open";
  source.onerror = () => state.textContent = ["connecting", "open", "closed"][source.readyState];
  source.addEventListener("SystemNotification", (event) => {
    const { payload, is_recovered } = JSON.parse(event.data);
    const item = document.createElement("li");
    item.textContent = payload.title + ": " + payload.message + (is_recovered ? " (recovered)" : "");
    document.getElementById("list").append(item);
  });
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    fetch("generate_notification" + location.search,
          { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  });
</script>
)html";

} // namespace

std::shared_ptr<exchange> make_notification_page() {
  return make_answer([](session&, const request&) {
    response x;
    x.content_type = "text/html; charset=utf-8";
    x.headers.emplace_back("Content-Security-Policy",
                           "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; "
                           "frame-ancestors 'none'");
    x.body = page;
    return x;
  });
}

} // namespace tidings::http
