import { follow } from "./live.js";

const STATES = {
  unsupported: "This browser has no real-time updates: reload to see what is new",
  connecting: "Connecting...",
  connected: "Connected -- real-time updates active",
  disconnected: "Disconnected -- reconnecting...",
};

const find = (id) => document.getElementById(id);
const dateFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const hoursFormat = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// -- what is shown -----------------------------------------------------------------------------------

const activities = new Map(); // by id
const rows = new Map(); // by id
const deleted = new Set(); // ids: an older event must not bring one back

// The same change comes twice: as the answer to the tab that made it, and as an event to all tabs. It counts once.
function saved(activity) {
  const known = activities.get(activity.id);
  if (deleted.has(activity.id) || (known && known.version >= activity.version)) return;
  activities.set(activity.id, activity);
  show();
  rows.get(activity.id).classList.add("changed");
  announce("Activity updated", activity.title);
}

function removed({ id }) {
  deleted.add(id);
  const known = activities.get(id);
  if (!known) return;
  activities.delete(id);
  show();
  announce("Activity deleted", known.title);
}

function show() {
  const sorted = [...activities.values()].sort((a, b) => b.activity_date.localeCompare(a.activity_date) || b.id - a.id);
  for (const [id, row] of rows) {
    if (activities.has(id)) continue;
    row.remove();
    rows.delete(id);
  }
  const list = find("activities");
  sorted.forEach((activity, place) => {
    const row = rows.get(activity.id) ?? newRow(activity.id);
    fill(row, activity);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  find("empty").hidden = sorted.length > 0;
  find("total-hours").textContent = hoursFormat.format(sorted.reduce((sum, x) => sum + x.duration_hours, 0));
  find("total-activities").textContent = sorted.length;
  find("total-ksbs").textContent = new Set(sorted.flatMap((x) => x.ksbs)).size;
}

function newRow(id) {
  const row = find("row").content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  row.addEventListener("animationend", () => row.classList.remove("changed"));
  row.querySelector(".edit").onclick = () => edit(activities.get(id));
  row.querySelector(".delete").onclick = () => attempt(async () => {
    await ask("DELETE", `/activities/${id}`);
    receive(() => removed({ id }));
  });
  rows.set(id, row);
  return row;
}

function fill(row, activity) {
  if (row.dataset.version === String(activity.version)) return;
  row.dataset.version = activity.version;
  row.querySelector(".title").textContent = activity.title;
  row.querySelector(".hours").textContent = hoursFormat.format(activity.duration_hours);
  const date = row.querySelector("time");
  date.dateTime = activity.activity_date;
  date.textContent = dateFormat.format(new Date(`${activity.activity_date}T12:00`));
  row.querySelector(".codes").replaceChildren(...activity.ksbs.map((code) => {
    const item = document.createElement("li");
    item.textContent = code;
    return item;
  }));
  row.querySelector(".edit").ariaLabel = `Edit ${activity.title}`;
  row.querySelector(".delete").ariaLabel = `Delete ${activity.title}`;
}

let bannerTimer;

function announce(text, title) {
  find("banner-text").textContent = text;
  find("banner-title").textContent = title;
  find("banner").classList.add("shown");
  clearTimeout(bannerTimer);
  bannerTimer = setTimeout(() => find("banner").classList.remove("shown"), 4000);
}

function showState(state) {
  const dot = find("status");
  dot.className = `dot ${state}`;
  dot.title = STATES[state];
  find("status-text").textContent = STATES[state];
}

// -- the whole list, and changes of it ---------------------------------------------------------------

let held = null; // changes that came while the list is fetched: they may be newer than it

function receive(change) {
  if (held) held.push(change);
  else change();
}

async function load() {
  const mine = (held = []);
  const list = await ask("GET", "/activities").catch(complain);
  if (held !== mine) return; // a later call takes over
  held = null;
  if (list) {
    activities.clear();
    for (const activity of list) activities.set(activity.id, activity);
    show();
  } else {
    setTimeout(load, 3000);
  }
  for (const change of mine) change();
}

// -- asking the app ----------------------------------------------------------------------------------

async function ask(method, path, value) {
  const options = { method, body: value && JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  const answer = await fetch(path, options).catch(() => {
    throw new Error("The app cannot be reached.");
  });
  if (answer.status === 401) {
    location.assign("/sign-in");
    return new Promise(() => {}); // this page is being left
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(`Sorry, ${content.error}.`);
  return content;
}

async function attempt(action) {
  try {
    await action();
    find("problem").hidden = true;
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  }
}

function complain(problem) {
  find("problem").textContent = problem.message;
  find("problem").hidden = false;
}

// -- the form: for a new activity, or for one that is edited ------------------------------------------

const form = find("form");
let edited = null;

function edit(activity) {
  edited = activity;
  find("form-title").textContent = activity ? "Edit activity" : "Log an activity";
  find("save").textContent = activity ? "Save changes" : "Log activity";
  find("cancel").hidden = !activity;
  form.elements.title.value = activity?.title ?? "";
  form.elements.date.value = activity?.activity_date ?? today();
  form.elements.hours.value = activity?.duration_hours ?? "1.0";
  form.elements.ksbs.value = activity?.ksbs.join(", ") ?? "";
  if (activity) form.elements.title.focus();
}

function today() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const activity = {
    title: form.elements.title.value,
    activity_date: form.elements.date.value,
    duration_hours: form.elements.hours.valueAsNumber,
    ksbs: form.elements.ksbs.value.split(/[\s,]+/).filter(Boolean),
  };
  const done = await attempt(async () => {
    const path = edited ? `/activities/${edited.id}` : "/activities";
    const result = await ask(edited ? "PUT" : "POST", path, activity);
    receive(() => saved(result));
  });
  if (done) edit(null);
});
find("cancel").addEventListener("click", () => edit(null));

// -- start -------------------------------------------------------------------------------------------

edit(null);
load();
const session = await ask("GET", "/session");
find("user").textContent = session.user;
follow(session.stream, {
  listeners: {
    activity_saved: (activity) => receive(() => saved(activity)),
    activity_deleted: (activity) => receive(() => removed(activity)),
  },
  onState: showState,
  onMissing: load,
  // Whoever is signed out by now is led to the sign-in by `ask`. An app that does not answer is asked again later.
  onRefused: () => ask("GET", "/session").then(() => true, () => true),
});
