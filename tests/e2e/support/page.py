"""A page that shows what its EventSource fires, from an origin that is not the broker's."""

import http.server
import threading

PAGE = """<!doctype html>
<meta charset="utf-8"><title>Tidings in a browser</title>
<style>body { font: 15px sans-serif; margin: 2em } li { white-space: pre-wrap }</style>
<h1>Events of <code id="url"></code></h1>
<p>State: <b id="state">…</b>, opened <b id="opened">0</b> times</p>
<ol id="list"></ol>
<script>
  // Unmodified EventSource; everything below only shows what it fires.
  const url = new URLSearchParams(location.search).get("url");
  window.seen = [];
  window.opened = 0;
  document.getElementById("url").textContent = url;
  const source = window.source = new EventSource(url);
  function show(event) {
    window.seen.push({ type: event.type, data: event.data, id: event.lastEventId });
    const item = document.createElement("li");
    item.textContent = event.type + ": " + event.data.slice(0, 120);
    document.getElementById("list").append(item);
  }
  source.onmessage = show;
  for (const name of ["paid", "tidings.ready", "tidings.gap", "tidings.closing"])
    source.addEventListener(name, show);
  source.onopen = () => { document.getElementById("opened").textContent = ++window.opened; state(); };
  source.onerror = () => state();
  function state() {
    document.getElementById("state").textContent = ["connecting", "open", "closed"][source.readyState];
  }
</script>
"""


class PageServer:
    """Serves the page from an origin that is not the broker's."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = PAGE.encode()
                self.send_response(200 if self.path.startswith("/page") else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
