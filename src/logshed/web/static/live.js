// Lines as they come: a stream of the hot store's newest, of all collections or of one; kept within bounds, paused at will.
import { api, brief, byId, bytes, count, element, failed, key, path, sound, timeElement } from "./base.js";

const MOST_LINES = 2000, MOST_WAITING = 5000, FIRST_LINES = 200;
const FIGURES_MS = 10000, SILENT_MS = 16000, NEAR = 40;
const STATES = { live: "Live", waiting: "Waiting for the hot store", ended: "Ended", paused: "Paused" };
const now = {
  collection: new URLSearchParams(location.search).get("collection") ?? "",
  words: "", paused: false, waiting: [], missed: 0, kept: [], hits: 0, state: "waiting", heard: performance.now(), known: [],
};
let source;

function state(name) {
  now.state = name;
  const told = now.paused ? "paused" : name;
  byId("state").dataset.state = told;
  byId("state").textContent = STATES[told];
}

// ---- Lines ----------------------------------------------------------------------------------------------------------

const wanted = (line) => !now.words || line.toLowerCase().includes(now.words);

// A line with the words that are looked for marked.
function marked(line) {
  const made = element("span", { class: "line" });
  const lower = line.toLowerCase();
  let from = 0;
  for (let at = now.words ? lower.indexOf(now.words) : -1; at >= 0; at = lower.indexOf(now.words, from)) {
    made.append(line.slice(from, at), element("mark", { text: line.slice(at, at + now.words.length) }));
    from = at + now.words.length;
  }
  made.append(line.slice(from));
  return made;
}

function row([at, collection, line]) {
  const time = timeElement(new Date(at * 1000).toISOString(), { milliseconds: true });
  time.textContent = time.textContent.slice(11);
  return element("li", {}, time, now.collection ? null : element("span", { class: "whose", text: sound(collection), title: collection }), marked(sound(line)));
}

// Add lines, and stay at the end if one was there.
function shown(lines) {
  now.kept = [...now.kept, ...lines].slice(-MOST_LINES);
  drawn(lines);
}

function drawn(lines) {
  const list = byId("tail");
  const fresh = lines.filter(([, , line]) => wanted(line)).slice(-MOST_LINES);
  if (!fresh.length) return;
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
  list.querySelector(".none")?.remove();
  list.append(...fresh.map(row));
  while (list.childElementCount > MOST_LINES) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

function taken(told) {
  const lines = [];
  for (const [collection, part] of Object.entries(told.by)) {
    now.hits += part.n;
    for (const [at, line] of part.l) lines.push([at, collection, line]);
  }
  lines.sort((one, other) => one[0] - other[0]);
  if (!now.paused) { shown(lines); return; }
  now.waiting.push(...lines);
  now.missed += Math.max(0, now.waiting.length - MOST_WAITING);
  now.waiting = now.waiting.slice(-MOST_WAITING);
  waits();
}

function waits() {
  const waiting = byId("tail-waits");
  waiting.hidden = !now.paused;
  waiting.textContent = `${count(now.waiting.length)} lines wait${now.missed ? `, ${count(now.missed)} more are gone` : ""}`;
}

function empty() {
  byId("tail").replaceChildren(element("li", { class: "none soft" },
    now.collection ? "Nothing is kept of this collection." : "Nothing came since this page was opened. Choose a collection to see what is kept of it."));
}

function cleared() {
  now.kept = [];
  empty();
}

async function first() {
  cleared();
  if (!now.collection) return;
  const { lines } = await api(path("/api/v1/live/lines", { collection: now.collection, last: FIRST_LINES }));
  shown(lines.map(({ at, line }) => [at, now.collection, line]));
}

// ---- The stream -----------------------------------------------------------------------------------------------------

function listen() {
  source?.close();
  source = new EventSource(path("/api/v1/live/tail", { collection: now.collection }));
  now.heard = performance.now();
  const heard = (call) => ({ data }) => { now.heard = performance.now(); call(JSON.parse(data)); };
  source.addEventListener("hello", heard((told) => state(told.state)));
  source.addEventListener("beat", heard((told) => state(told.state)));
  source.addEventListener("gap", heard(() => byId("tail").append(element("li", { class: "skipped", text: "Some lines are missing here: the connection was cut." }))));
  source.addEventListener("tick", heard((told) => { if (now.state !== "live") state("live"); taken(told); }));
  source.addEventListener("out", () => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`));
  source.addEventListener("error", () => state("waiting"));
}

function eachSecond() {
  byId("tail-rate").textContent = `${count(now.hits)} a second`;
  now.hits = 0;
  if (performance.now() - now.heard > SILENT_MS) { state("waiting"); listen(); }
}

// ---- Collections ----------------------------------------------------------------------------------------------------

function choose(name) {
  now.collection = name;
  now.waiting = [];
  history.replaceState(null, "", path("/live", { collection: name }));
  names();
  first().catch(failed);
  listen();
  figures().catch(failed);
}

function names() {
  const all = [["", now.known.reduce((sum, { hits }) => sum + hits, 0)], ...now.known.map(({ collection, hits }) => [collection, hits])];
  byId("names").replaceChildren(...all.map(([name, hits]) => element("li", {},
    element("button", { type: "button", "aria-pressed": String(name === now.collection), on: { click: () => choose(name) } },
      element("span", { class: "name", text: name ? sound(name) : "All" }), element("span", { class: "hits", text: brief(hits) })))));
}

async function figures() {
  const [store, known] = await Promise.all([api("/api/v1/live"), api("/api/v1/live/collections")]);
  const changed = JSON.stringify(known.collections) !== JSON.stringify(now.known);
  now.known = known.collections;
  if (changed || !byId("names").querySelector("button")) {
    const focus = [...byId("names").querySelectorAll("button")].indexOf(document.activeElement);
    names();
    if (focus >= 0) byId("names").querySelectorAll("button")[focus]?.focus();
  }
  const lines = Object.entries(store.kept).filter(([name]) => !now.collection || name === now.collection);
  byId("tail-kept").textContent = `${count(lines.reduce((sum, [, kept]) => sum + kept, 0))} lines are kept`;
  byId("tail-memory").textContent = store.most_bytes ? `${bytes(store.bytes)} of ${bytes(store.most_bytes)} are taken` : `${bytes(store.bytes)} are taken`;
}

// ---- What people choose ---------------------------------------------------------------------------------------------

function pause() {
  now.paused = !now.paused;
  const button = byId("tail-pause");
  button.setAttribute("aria-pressed", String(now.paused));
  button.lastElementChild.textContent = now.paused ? "Go on" : "Pause";
  if (!now.paused) {
    if (now.missed) byId("tail").append(element("li", { class: "skipped", text: `${count(now.missed)} lines came meanwhile that are not shown.` }));
    shown(now.waiting);
    Object.assign(now, { waiting: [], missed: 0 });
  }
  waits();
  state(now.state);
}

function wrap() {
  const on = byId("tail").toggleAttribute("data-wrap");
  byId("tail-wrap").setAttribute("aria-pressed", String(on));
}

function controls() {
  byId("tail-words").addEventListener("input", ({ target }) => {
    now.words = target.value.trim().toLowerCase();
    empty();
    drawn(now.kept);
  });
  byId("tail-pause").addEventListener("click", pause);
  byId("tail-wrap").addEventListener("click", wrap);
  byId("tail-clear").addEventListener("click", cleared);
  key("/", "Only lines with these words", () => byId("tail-words").focus());
  key("p", "Pause, or go on", pause);
  key("w", "Wrap long lines", wrap);
}

async function begin() {
  const store = await api("/api/v1/live");
  if (!store.answers) {
    byId("without").hidden = false;
    byId("without-why").textContent = store.problem;
    byId("tail-page").hidden = true;
    byId("state").hidden = true;
    for (const one of document.querySelectorAll(".tools input, .tools button")) one.disabled = true;
    return;
  }
  controls();
  choose(now.collection);
  setInterval(eachSecond, 1000);
  setInterval(() => figures().catch(() => state("waiting")), FIGURES_MS);
}

begin().catch(failed);
