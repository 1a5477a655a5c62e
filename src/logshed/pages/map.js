// The live map's page: takes the stream of events, counts, and shows. Values of logs only ever become text.
import { Pulses } from "./map_pulses.js";
import { World } from "./map_world.js";
import { colours, theme } from "./map_look.js";
import { Lists, count, nameOf, share, sum } from "./map_lists.js";

const KEPT_TICKS = 600; // to be counted again onto totals that are older than they
const MOST_PLACES = 4000;
const AGAIN_MS = 60000; // totals are read again, since counting along is only nearly right
const SILENT_MS = 16000; // the door says something every five seconds; after this the connection is dead
const SAY_MS = 15000; // what is said to those who listen
const SHADE_MS = 2000, NIGHT_MS = 60000;
const byId = (id) => document.getElementById(id);
const { api = "/api", events = "/events", world: outlines = "/static/world.json", login = "/login" } = document.body.dataset;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const shown = {
  replay: new URLSearchParams(location.search).get("replay") ?? "", collection: "", country: "", paused: false,
  countries: new Map(), places: new Map(), collections: new Map(), total: 0,
  ticks: [], heard: performance.now(), since: new Map(), sinceHits: 0, sinceWhen: performance.now(),
  seconds: new Array(60).fill(0), second: 0, secondWhen: performance.now(),
};
let world, pulses, lists, source, colour;

// ---- Drawing --------------------------------------------------------------------------------------------------------

function drawLand() {
  world.draw(colour, Date.now());
}

function fit() {
  const room = byId("world").getBoundingClientRect();
  const ratio = Math.min(2, devicePixelRatio || 1);
  if (!room.width || !world.fit(room.width, room.height, ratio)) return;
  pulses.fit(room.width, room.height, ratio);
  if (colour) { pulses.dye(colour); drawLand(); }
}

function drawSpark() {
  const canvas = byId("spark");
  const ratio = Math.min(2, devicePixelRatio || 1);
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const most = Math.max(1, ...shown.seconds);
  const step = width / shown.seconds.length;
  shown.seconds.forEach((hits, number) => {
    const tall = hits ? Math.max(2, hits / most * height) : 1;
    context.globalAlpha = 0.35 + 0.65 * (number / shown.seconds.length);
    context.fillStyle = hits ? colour.pulse : colour.soft;
    context.fillRect(number * step, height - tall, Math.max(1, step - 1.5), tall);
  });
}

// ---- Counting -------------------------------------------------------------------------------------------------------

const add = (map, key, hits) => map.set(key, (map.get(key) || 0) + hits);

function pruned(map) {
  if (map.size <= MOST_PLACES) return map;
  return new Map([...map].sort((one, other) => other[1] - one[1]).slice(0, MOST_PLACES / 2));
}

const placeKey = (country, region, city) => JSON.stringify([country, region, city]);

// Count a tick, unless totals that were read have it already: they hold all up to a tick's number.
function counted(tick, read = { countries: 0, places: 0, collections: 0 }) {
  for (const [collection, part] of tick.parts) {
    if (tick.number > read.collections) { shown.total += part.n; add(shown.collections, collection, part.n); }
    if (tick.number > read.countries) {
      for (const [country, hits] of Object.entries(part.c)) if (country) add(shown.countries, country, hits);
    }
    if (tick.number > read.places) {
      for (const [country, region, city, , , hits] of part.p) if (city) add(shown.places, placeKey(country, region, city), hits);
    }
  }
  if (tick.number > read.collections) shown.total += tick.more;
  shown.places = pruned(shown.places);
}

function taken(tick) {
  shown.ticks.push(tick);
  if (shown.ticks.length > KEPT_TICKS) shown.ticks.shift();
  counted(tick);
  const now = performance.now();
  for (const [collection, part] of tick.parts) {
    shown.second += part.n;
    shown.sinceHits += part.n;
    for (const [country, region, city, latitude, longitude, hits] of part.p) {
      const place = longitude === null || latitude === null ? world.points.get(country) : [longitude, latitude];
      if (city || country) add(shown.since, city ? placeKey(country, region, city) : placeKey(country, "", ""), hits);
      if (place && !shown.paused && !document.hidden) pulses.add(...world.at(...place), hits, now);
    }
    if (!shown.paused) for (const [at, line] of part.l) lists.line(at, collection, line);
  }
  shown.second += tick.more;
}

// ---- Totals ---------------------------------------------------------------------------------------------------------

async function asked(path, background = false) {
  const answer = await fetch(path, { headers: { Accept: "application/json", ...(background ? { "X-Logshed-Background": "1" } : {}) } });
  if (answer.status === 401) location.assign(login);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// What is asked for, and of which replay.
function asking(parameters = {}) {
  const named = Object.entries({ ...parameters, replay: shown.replay }).filter(([, value]) => value);
  return new URLSearchParams(named).toString();
}

// Read totals, and count onto them what has happened since they were read.
async function totals(background = false) {
  const chosen = shown.collection;
  const which = asking({ collection: chosen });
  const [countries, places, known] = await Promise.all(
    [`${api}/countries?${which}`, `${api}/locations?${which}&top=100`, `${api}/collections?${asking()}`].map((one) => asked(one, background)));
  if (chosen !== shown.collection) return;
  shown.countries = new Map(countries.countries.map(({ country, hits }) => [country, hits]));
  shown.places = new Map(places.locations.filter(({ city }) => city)
    .map(({ country, region, city, hits }) => [placeKey(country, region, city), hits]));
  shown.collections = new Map(known.collections.map(({ collection, hits }) => [collection, hits]));
  shown.total = chosen ? shown.collections.get(chosen) ?? sum(shown.countries) : known.hits;
  const read = { countries: countries.number, places: places.number, collections: known.number };
  shown.ticks = shown.ticks.filter(({ run }) => run === countries.run);
  for (const tick of shown.ticks) counted(tick, read);
  lists.choices([...known.collections.map(({ collection }) => collection)], chosen);
}

async function newestLines() {
  lists.noLines();
  const name = shown.collection;
  if (!name) return;
  const { lines } = await asked(`${api}/lines?${asking({ collection: name, last: 12 })}`);
  if (name === shown.collection) for (const { at, line } of lines) lists.line(at, name, line);
}

// What cannot be read now is read at the next time; the state says that the door does not answer.
const tried = (reading) => reading().catch((error) => { console.debug(String(error)); state("waiting"); });

// ---- The stream -----------------------------------------------------------------------------------------------------

const STATES = { live: "Live", waiting: "Waiting for events", ended: "Ended", paused: "Paused" };

function state(now) {
  shown.state = now;
  const told = shown.paused ? "paused" : now;
  byId("state").dataset.state = told;
  if (byId("state").textContent !== STATES[told]) byId("state").textContent = STATES[told];
}

function listen() {
  source?.close();
  source = new EventSource(`${events}?${asking({ collection: shown.collection })}`);
  shown.heard = performance.now();
  const heard = (call) => ({ data, lastEventId }) => {
    shown.heard = performance.now();
    call(JSON.parse(data), lastEventId.split("-"));
  };
  source.addEventListener("hello", heard((told) => { state(told.state); tried(totals); }));
  source.addEventListener("beat", heard((told) => state(told.state)));
  source.addEventListener("gap", heard(() => tried(totals)));
  source.addEventListener("out", () => location.assign(login));
  source.addEventListener("tick", heard((told, [run, number]) => {
    if (shown.state !== "live") state("live");
    taken({ run, number: Number(number), parts: Object.entries(told.by), more: told.more });
  }));
  source.addEventListener("error", () => state("waiting"));
}

// A browser gives up where it was refused, and does not see that the other side has vanished.
function watch() {
  if (performance.now() - shown.heard < SILENT_MS) return;
  state("waiting");
  tried(totals).then(listen);
}

// ---- Every second ---------------------------------------------------------------------------------------------------

function figures() {
  byId("rate").textContent = count(shown.seconds.at(-1));
  byId("total").textContent = count(shown.total);
  byId("countries-count").textContent = count(shown.countries.size);
  byId("unplaced").textContent = share(Math.max(0, 1 - sum(shown.countries) / (shown.total || 1)));
}

function refresh() {
  figures();
  drawSpark();
  lists.countries(shown.countries, shown.total, shown.country);
  lists.places(shown.places, shown.country);
  lists.collections(shown.collections, shown.collection);
}

function eachSecond() {
  const now = performance.now();
  shown.seconds.push(Math.round(shown.second * 1000 / (now - shown.secondWhen)));
  shown.seconds.shift();
  Object.assign(shown, { second: 0, secondWhen: now });
  if (!shown.paused && !document.hidden) refresh();
  watch();
}

function say() {
  if (shown.paused || !shown.sinceHits) return;
  const top = [...shown.since].sort((one, other) => other[1] - one[1]).slice(0, 3).map(([key, hits]) => {
    const [country, , city] = JSON.parse(key);
    return `${city ? `${city}, ` : ""}${nameOf(country)} (${count(hits)})`;
  });
  const seconds = Math.round((performance.now() - shown.sinceWhen) / 1000);
  byId("said").textContent = `${count(shown.sinceHits)} requests in the last ${seconds} seconds${top.length ? `, most from ${top.join("; ")}` : ""}.`;
  Object.assign(shown, { since: new Map(), sinceHits: 0, sinceWhen: performance.now() });
}

// ---- What people choose ---------------------------------------------------------------------------------------------

function chooseCollection(name) {
  Object.assign(shown, { collection: name, ticks: [], countries: new Map(), places: new Map(), total: 0 });
  pulses.clear();
  const where = asking({ collection: name });
  history.replaceState(null, "", where ? `?${where}` : location.pathname);
  tried(newestLines);
  listen();
}

function chooseCountry(code) {
  shown.country = world.chosen = shown.country === code ? "" : code;
  drawLand();
  refresh();
}

function tip({ clientX, clientY }) {
  const room = byId("world").getBoundingClientRect();
  const [x, y] = [clientX - room.left, clientY - room.top];
  const code = world.found(x, y);
  byId("tip").hidden = !code;
  if (!code) return;
  byId("tip").textContent = `${nameOf(code)}: ${count(shown.countries.get(code) || 0)}`;
  const width = byId("tip").offsetWidth;
  byId("tip").style.transform = `translate(${Math.min(x + 14, room.width - width - 6)}px, ${Math.max(4, y - 34)}px)`;
}

function controls() {
  byId("collection").addEventListener("change", ({ target }) => chooseCollection(target.value));
  byId("pause").addEventListener("click", () => {
    shown.paused = !shown.paused;
    byId("pause").setAttribute("aria-pressed", String(shown.paused));
    byId("pause").textContent = shown.paused ? "Go on" : "Pause";
    state(shown.state);
    if (!shown.paused) refresh();
  });
  byId("wall").addEventListener("click", () => document.documentElement.requestFullscreen());
  byId("land").addEventListener("pointermove", tip);
  byId("land").addEventListener("pointerleave", () => { byId("tip").hidden = true; });
  byId("land").addEventListener("click", ({ offsetX, offsetY }) => chooseCountry(world.found(offsetX, offsetY)));
  new ResizeObserver(fit).observe(byId("world"));
}

async function begin() {
  const data = await (await fetch(outlines)).json();
  world = new World(byId("land"), data);
  pulses = new Pulses(byId("pulses"), calm.matches);
  calm.addEventListener("change", () => { pulses.calm = calm.matches; });
  lists = new Lists(chooseCountry, chooseCollection);
  fit();
  theme(byId("map-theme"), () => {
    colour = colours();
    pulses.dye(colour);
    drawLand();
  });
  controls();
  refresh();
  chooseCollection(new URLSearchParams(location.search).get("collection") || "");
  setInterval(eachSecond, 1000);
  setTimeout(say, 4000);
  setInterval(say, SAY_MS);
  setInterval(() => { if (!shown.paused && world.count(shown.countries)) drawLand(); }, SHADE_MS);
  setInterval(drawLand, NIGHT_MS);
  setInterval(() => tried(() => totals(true)), AGAIN_MS);
  document.documentElement.dataset.ready = "yes";
}

begin();
