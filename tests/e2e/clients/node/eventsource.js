// Shows what the package `eventsource` gets from a stream: eventsource.js URL TOKEN TYPE...
import { EventSource } from "eventsource";

const [url, token, ...types] = process.argv.slice(2);
const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
for (const type of ["message", ...types]) {
  source.addEventListener(type, (event) => {
    console.log(JSON.stringify({ type: event.type, data: event.data, id: event.lastEventId }));
  });
}
source.onerror = (event) => {
  console.error("error:", event.code ?? "", event.message ?? "");
  if (source.readyState === EventSource.CLOSED) process.exit(1);
};
