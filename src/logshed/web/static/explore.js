// The page that explores logs: a search, its time, bars, fields and records, all of the same moment.

import { api, ask, byId, copy, count, element, failed, key, lines, path } from "./base.js";
import { barsChart, placeOf } from "./explore_bars.js";
import { SUMMARY, cellsOf, headOf } from "./explore_cells.js";
import { groups, listCollections } from "./explore_choices.js";
import { emptyState } from "./explore_empty.js";
import { fieldsPanel } from "./explore_fields.js";
import { liveTail } from "./explore_live.js";
import { recordDetail } from "./explore_record.js";
import { virtualRows } from "./explore_rows.js";
import { savedSearches } from "./explore_saved.js";
import * as states from "./explore_state.js";
import { searchBox } from "./search_box.js";
import { clock, fromInput, timeRange } from "./time_range.js";

let state = states.read();
let frame = null; // the window in moments that stay: since, until, newest
let bars = null;
let turn = 0;
let asking = new AbortController();
let jump = null; // where rows begin that were jumped to

const columns = () => states.columnsOf(state);
const fixed = () => ({ q: state.q, collection: state.collection, since: frame?.since ?? state.since, until: frame?.until ?? state.until, newest: frame?.newest });
const fetched = () => [...new Set([...SUMMARY, ...columns().filter((name) => !name.startsWith("attributes."))])];
const oldest = () => state.oldest === "1";

// ---- Asking ---------------------------------------------------------------------------------------------------------

function pageOf(more, limit) {
  return api(path("/api/v1/records", { ...fixed(), field: fetched(), limit: String(limit), oldest_first: oldest() ? "true" : "", ...more }), { signal: asking.signal });
}

function fetchPage(wanted, limit) {
  if (wanted.cursor) return pageOf({ cursor: wanted.cursor }, limit);
  const place = bars && wanted.row ? placeOf(bars, wanted.row, oldest(), limit) : null;
  if (!place) return pageOf({ skip: String(wanted.row) }, limit);
  return pageOf({ skip: String(place.skip), edge: place.far, ...(oldest() ? { since: later(place.edge, frame.since) } : { until: earlier(place.edge, frame.until) }) }, limit);
}

const earlier = (a, b) => (b && Date.parse(b) < Date.parse(a) ? b : a);
const later = (a, b) => (b && Date.parse(b) > Date.parse(a) ? b : a);

async function load() {
  turn += 1;
  const own = turn;
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  live.stop();
  byId("live").setAttribute("aria-pressed", "false");
  detail.hide();
  box.text = state.q;
  byId("nothing").hidden = true;
  byId("rows").hidden = false;
  byId("total").textContent = "Searching…";
  frame = null;
  bars = null;
  chart.waiting();
  rows.reset(null);
  byId("rows").setAttribute("aria-busy", "true");
  range.show(state);
  try {
    let first = null;
    await firstLook(signal, (part) => {
      if (own !== turn) return;
      box.right();
      if (part.window) { frame = part.window; range.show(state, frame); }
      if (part.bars) showBars(part.bars);
      if (part.records) { first = part.records; rows.give(first); byId("rows").removeAttribute("aria-busy"); }
    });
    if (own !== turn) return;
    if (!first.items.length) nothing();
    if (state.record) reopen(first).catch(failed);
    await Promise.all([panel.load(), listCollections(state.collection)]);
  } catch (error) {
    if (error.name === "AbortError" || own !== turn) return;
    byId("total").textContent = "";
    chart.clear();
    rows.reset({ items: [], next: null });
    byId("rows").removeAttribute("aria-busy");
    byId("rows").hidden = true;
    byId("nothing").hidden = false;
    byId("nothing").replaceChildren(element("h2", { text: error.body?.cause ? "The search has a mistake" : "The search failed" }), element("p", { text: error.body?.cause ? "Correct it above: the place is marked." : error.message }));
    box.wrong(error);
  }
}

// The window, the first records and the bars, told as they come; the page itself has begun with what it was opened for.
async function firstLook(signal, tell) {
  const { begun = "" } = document.body.dataset;
  delete document.body.dataset.begun;
  const asked = { q: state.q, since: state.since, until: state.until, collection: state.collection, newest: state.newest };
  const answer = await ask(path("/api/v1/search/first", { ...asked, by: state.by, field: fetched(), oldest_first: oldest() ? "true" : "", begun }), { signal });
  for await (const part of lines(answer)) {
    if (part.error) throw new Error(part.error);
    tell(part);
  }
}

async function countBars(own, signal) {
  const by = state.by;
  const found = await api(path("/api/v1/search/bars", { ...fixed(), by }), { signal });
  if (own === turn) showBars(found, by);
}

function showBars(found, by = state.by) {
  bars = found;
  chart.show(found, by);
  rows.counted(found.total);
  byId("total").replaceChildren(element("strong", { text: count(found.total) }), found.total === 1 ? " record" : " records");
  byId("export-note").textContent = `${count(found.total)} records, sent as they are read. In CSV, texts that a spreadsheet would run begin with an apostrophe.`;
}

function nothing() {
  byId("rows").hidden = true;
  byId("nothing").hidden = false;
  byId("nothing").replaceChildren(...emptyState(state, frame, change));
}

// ---- Changing what is shown -----------------------------------------------------------------------------------------

function change(more, { replace = false } = {}) {
  state = { ...state, newest: "", record: "", at: "", ...more };
  states.show(state, { replace });
  byId("back-out").hidden = !zooms.length;
  load();
}

const zooms = [];
function zoom(since, until) {
  zooms.push({ since: state.since, until: state.until });
  change({ since, until });
}

function zoomOut() {
  const before = zooms.pop();
  if (before) change(before);
}

const filter = (name, value, out) => change({ q: (out ? states.excluding : states.including)(state.q, name, value) });
const exists = (name, out) => change({ q: states.joined(state.q, `${out ? "-" : ""}${name}:*`) });
const matching = (search, out) => change({ q: states.joined(state.q, out ? `-${/[ (]/.test(search) && !search.startsWith("(") ? `(${search})` : search}`.replace(/^--/, "") : search) });

// Add or take away a column; says whether it is one now.
function column(name) {
  const now = columns();
  const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
  setColumns(next);
  return next.includes(name);
}

function setColumns(next) {
  state = { ...state, columns: states.columnsText(next) };
  states.show(state, { replace: true });
  listColumns();
  rows.redraw();
  if (next.some((name) => !name.startsWith("attributes.") && !SUMMARY.includes(name)) && frame) again();
}

// Fetch the records that are shown once more, with other fields or in another order.
async function again() {
  asking.abort();
  asking = new AbortController();
  try {
    rows.reset(await fetchPage({ row: 0 }, 100), { keepChosen: true });
    if (bars) rows.counted(bars.total);
  } catch (error) { failed(error); }
}

function listColumns() {
  const now = columns();
  const swap = (from, to) => { const next = [...now]; [next[from], next[to]] = [next[to], next[from]]; setColumns(next); };
  byId("columns-list").replaceChildren(...now.map((name, place) => element("li", { class: "row-of" },
    element("span", { class: "value", text: name }),
    element("span", {},
      element("button", { type: "button", class: "plain tiny", "aria-label": `Move ${name} to the left`, disabled: place === 0, text: "←", on: { click: () => swap(place, place - 1) } }),
      element("button", { type: "button", class: "plain tiny", "aria-label": `Move ${name} to the right`, disabled: place === now.length - 1, text: "→", on: { click: () => swap(place, place + 1) } }),
      element("button", { type: "button", class: "plain tiny", "aria-label": `Take ${name} away`, text: "×", on: { click: () => column(name) } })))));
  if (!now.length) byId("columns-list").append(element("li", { class: "note", text: "Records are shown as a line. Choose columns in the panel of fields, or in a record." }));
}

function look() {
  byId("wrap").checked = state.wrap === "1";
  byId("dense").checked = state.dense === "1";
  byId("oldest").checked = oldest();
  byId("rows").setAttribute("aria-label", oldest() ? "Records, oldest first" : "Records, newest first");
  rows.look(state.wrap === "1" ? "wrap" : state.dense === "1" ? "dense" : "normal");
}

function set(more) {
  state = { ...state, ...more };
  states.show(state, { replace: true });
  look();
}

// Where a moment lies in the order of records: what is newer than it is counted.
async function go(moment) {
  if (!frame || !bars) return;
  const beyond = oldest() ? { ...fixed(), until: moment } : { ...fixed(), since: moment };
  if (oldest() ? moment <= frame.since : moment >= frame.until) return rows.to(0);
  const found = await api(path("/api/v1/search/bars", { ...beyond, by: "severity" }));
  rows.to(found.total);
}

// ---- The parts ------------------------------------------------------------------------------------------------------

const box = searchBox({
  context: () => ({ since: frame?.since ?? state.since, until: frame?.until ?? state.until, collection: state.collection }),
  search: (q) => change({ q }, { replace: q === state.q }),
});
const range = timeRange((next) => {
  if ("zone" in next) { set({ zone: next.zone }); range.show(state, frame ?? {}); rows.redraw(); chart.redraw(); return; }
  zooms.length = 0;
  change(next);
});
const chart = barsChart({ zoom, filter: matching });
const detail = recordDetail({
  filter, column, has: (name) => columns().includes(name),
  close: () => { detail.hide(); set({ record: "", at: "" }); byId("panes").removeAttribute("data-detail"); byId("rows").focus(); },
  move: (step) => rows.select(rows.chosen + step),
});
const rows = virtualRows({
  cells: (record) => cellsOf(record, columns()),
  head: () => headOf(columns(), column),
  fetchPage,
  failed,
  open: (record) => {
    live.pause();
    byId("panes").dataset.detail = "";
    state = { ...state, record: record.record_id, at: record.timestamp };
    states.show(state, { replace: true });
    detail.show(record).catch(failed);
  },
  seen: (record, row, moving) => {
    const place = byId("place");
    if (!record || !moving || rows.total < 500) return;
    place.textContent = clock(record.timestamp);
    place.hidden = false;
    clearTimeout(jump);
    jump = setTimeout(() => { place.hidden = true; }, 900);
  },
});
const panel = fieldsPanel({ context: fixed, filter, exists, column, has: (name) => columns().includes(name), failed });
const live = liveTail({
  context: () => ({ q: state.q, collection: state.collection, since: "1h", field: fetched() }),
  begin: () => { byId("nothing").hidden = true; byId("rows").hidden = false; },
  show: (records, added) => rows.hold(records, added),
  failed,
});
savedSearches({
  view: () => Object.fromEntries(new URLSearchParams(states.address({ ...state, record: "", at: "", newest: "" }).split("?")[1] ?? "")),
  open: (view) => change({ ...states.DEFAULT, q: "", until: "", collection: "", ...view }),
  mayShare: "share" in byId("saved").dataset,
});

async function reopen(first) {
  const row = first.items.findIndex((one) => one.record_id === state.record);
  if (row >= 0) return rows.select(row);
  byId("panes").dataset.detail = "";
  await detail.show({ record_id: state.record, timestamp: state.at });
}

function toggleLive() {
  const on = !live.on;
  byId("live").setAttribute("aria-pressed", String(on));
  if (on) live.start(oldest() ? [] : rows.all().slice(0, 200));
  else load();
}

function drawer(open) {
  byId("panes").toggleAttribute("data-fields", open);
  byId("fields-open").setAttribute("aria-expanded", String(open));
  (open ? byId("fields-filter") : byId("fields-open")).focus();
}

async function exact() {
  if (!frame) return;
  const link = new URL(states.address({ ...state, since: frame.since, until: frame.until, newest: frame.newest }), location.href);
  await copy(link.href);
}

function exporting(event) {
  const { format } = event.target.closest("a").dataset;
  const names = columns();
  event.target.closest("a").href = path("/api/v1/export", { ...fixed(), format, field: names.length ? ["time", "level", ...names] : [], oldest_first: oldest() ? "true" : "" });
  byId("export").open = false;
}

byId("collection").addEventListener("change", () => change({ collection: byId("collection").value }));
byId("by").addEventListener("change", () => {
  state = { ...state, by: byId("by").value };
  states.show(state);
  chart.waiting();
  countBars(turn, asking.signal).catch(failed);
});
byId("wrap").addEventListener("change", () => set({ wrap: byId("wrap").checked ? "1" : "", dense: "" }));
byId("dense").addEventListener("change", () => set({ dense: byId("dense").checked ? "1" : "", wrap: "" }));
byId("oldest").addEventListener("change", () => { set({ oldest: byId("oldest").checked ? "1" : "" }); again(); });
byId("go").addEventListener("submit", (event) => { event.preventDefault(); byId("view").open = false; const at = fromInput(byId("go-time").value); if (at) go(at).catch(failed); });
byId("live").addEventListener("click", toggleLive);
byId("link").addEventListener("click", () => exact().catch(failed));
byId("back-out").addEventListener("click", zoomOut);
byId("fields-open").addEventListener("click", () => drawer(!byId("panes").hasAttribute("data-fields")));
byId("fields-close").addEventListener("click", () => drawer(false));
for (const one of byId("export").querySelectorAll("a")) { one.href = "#"; one.addEventListener("click", exporting); }
addEventListener("popstate", () => { state = states.read(); zooms.pop(); byId("back-out").hidden = !zooms.length; look(); listColumns(); byId("by").value = state.by; load(); });

key("/", "Write a search", () => box.focus());
key("j", "The record below", () => rows.select(rows.chosen + 1));
key("k", "The record above", () => rows.select(rows.chosen - 1));
key("Enter", "Open the record", (event) => (event.target.closest("button, a, summary, select") ? false : rows.select(Math.max(0, rows.chosen))));
key("Escape", "Close the record", () => (detail.open ? byId("detail").querySelector("[aria-label=Close]").click() : false));
key("l", "Live, and back", toggleLive);
key("f", "Fields", () => drawer(!byId("panes").hasAttribute("data-fields")));
key("z", "Zoom out", zoomOut);

range.show(state);
look();
listColumns();
groups(state.by).catch(failed);
load();
