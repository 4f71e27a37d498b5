// Follows a user's stream with nothing but the browser's own EventSource.
//
// When the connection breaks, the browser comes back by itself, says which event it had last, and gets what it missed. Three
// things are left for the page to do: show how it stands, open the stream anew when the broker refused it, and fetch everything
// anew when the broker says that something is missing.
//
//   url        the stream
//   listeners  { event name: function of the event's data }
//   onState    is told "unsupported", "connecting", "connected" or "disconnected"
//   onMissing  is called when events may be missing: the page has to fetch what it shows
//   onRefused  is called when the broker refused the stream; a promise to go on, or not
export function follow(url, { listeners, onState, onMissing, onRefused }) {
  if (typeof EventSource === "undefined") {
    onState("unsupported");
    return;
  }
  let lastId = "";
  onState("connecting");
  open();

  function open() {
    const from = new URL(url);
    if (lastId) from.searchParams.set("last_event_id", lastId);
    const source = new EventSource(from, { withCredentials: true }); // sends the cookie that says who we are
    let resumes = lastId !== "";

    source.onopen = () => {
      onState("connected");
      if (!resumes) onMissing(); // the stream starts now: whatever happened before is not on it
      resumes = true;
    };
    source.onerror = () => {
      onState("disconnected");
      if (source.readyState === EventSource.CLOSED) openLater();
    };
    source.addEventListener("tidings.gap", (event) => {
      lastId = event.lastEventId;
      onMissing();
    });
    for (const [name, listen] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => {
        lastId = event.lastEventId;
        listen(JSON.parse(event.data));
      });
    }
  }

  async function openLater() {
    await new Promise((done) => setTimeout(done, 1000 + 2000 * Math.random())); // not all pages at the same moment
    if (await onRefused()) open();
  }
}
