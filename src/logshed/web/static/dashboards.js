// A dashboard: its time, its filters, its answers as they become new, and what can be done with a panel.

import { ago, api, ask, byId, element, failed, key, moment, path, sound, timeElement, utc } from "./base.js";
import { badge, column, condition, figure } from "./figures.js";
import { plot } from "./plots.js";
import { bars, heat, table } from "./shapes.js";

const board = JSON.parse(byId("board").dataset.board);
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const QUICK = [
  ["15m", "Last 15 minutes"], ["1h", "Last hour"], ["6h", "Last 6 hours"], ["24h", "Last 24 hours"], ["today", "Today"],
  ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"], ["all", "All time"],
];
const SOON_MS = 1200;
const AT_ONCE = 6;

// ---- What is shown: in the address, and what all dashboards share is remembered too ----------------------------------

const remembered = (name) => { try { return localStorage.getItem(`logshed.${name}`); } catch { return null; } };
const remember = (name, value) => { try { localStorage.setItem(`logshed.${name}`, value); } catch { /* then it holds here */ } };

const state = read();

function read() {
  const given = new URLSearchParams(location.search);
  const [since, until] = given.has("since") ? [given.get("since"), given.get("until") ?? ""] : JSON.parse(remembered("range") ?? "null") ?? [board.window, ""];
  return {
    since, until, back: given.get("back") ?? "", collection: given.get("collection") ?? "",
    filters: given.getAll("q").filter(Boolean), every: Number(remembered("every") ?? 30),
  };
}

function parameters() {
  const found = { since: state.since, until: state.until, collection: state.collection, q: state.filters };
  return state.back ? { ...found, back: state.back } : found;
}

const narrowing = () => state.filters.map((one) => (/\bOR\b/.test(one) && state.filters.length > 1 ? `(${one})` : one)).join(" ");

function changed({ push = true } = {}) {
  const to = path(location.pathname, parameters());
  if (push && to !== location.pathname + location.search) history.pushState(null, "", to);
  remember("range", JSON.stringify([state.since, state.until]));
  dress();
  load({ anew: true });
}

addEventListener("popstate", () => { Object.assign(state, read()); changed({ push: false }); });

// ---- Answers ----------------------------------------------------------------------------------------------------------

const kept = new Map(); // by name: { now, before, tag, tagBefore }
let asking = new AbortController();
let timer = 0;
let round = 0;

function address(name, more = {}) {
  return path(`/api/v1/dashboards/${encodeURIComponent(board.name)}/answers/${name}`, {
    since: state.since, until: state.until, collection: state.collection, timezone: ZONE, q: narrowing(), wait: "false", ...more,
  });
}

async function fetched(url, tag, signal) {
  try {
    const answer = await ask(url, { signal, headers: tag ? { "If-None-Match": tag } : {} });
    return { body: await answer.json(), tag: answer.headers.get("ETag"), fresh: answer.headers.get("Logshed-Fresh") !== "0", made: answer.headers.get("Logshed-Made") };
  } catch (error) {
    if (error.status === 304) return { body: null, tag, fresh: true };
    throw error;
  }
}

// All answers, a few at once; those that were not quite new are asked for again. A panel is drawn when its figures change.
async function load({ anew = false, again = null } = {}) {
  clearTimeout(timer);
  if (anew) {
    asking.abort();
    asking = new AbortController();
    kept.clear();
    byId("notice").replaceChildren();
    document.querySelectorAll("[data-tile], [data-panel]").forEach((one) => one.setAttribute("aria-busy", "true"));
  }
  const mine = ++round;
  const { signal } = asking;
  const waiting = [...(again ?? Object.keys(board.answers))];
  const stale = [];
  async function worker() {
    while (waiting.length && !signal.aborted) {
      const name = waiting.shift();
      try {
        if (!(await one(name, signal, Boolean(again)))) stale.push(name);
      } catch (error) {
        if (error.name === "AbortError") return;
        broken(name, error);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (signal.aborted || mine !== round) return;
  byId("made").replaceChildren("Figures of ", timeElement(new Date().toISOString()));
  document.body.dataset.round = String(mine);
  if (anew || again) emptiness();
  if (stale.length) timer = setTimeout(() => load({ again: stale }), SOON_MS);
  else next();
}

async function one(name, signal, wait) {
  const had = kept.get(name) ?? {};
  const more = wait ? { wait: "true" } : {};
  const compared = state.back && state.since !== "all" && !board.answers[name].window;
  const [now, before] = await Promise.all([
    fetched(address(name, more), had.tag, signal),
    compared ? fetched(address(name, { ...more, back: state.back }), had.tagBefore, signal) : null,
  ]);
  if (signal.aborted) return true;
  const same = had.now && now.body === null && (!compared || before.body === null);
  kept.set(name, { now: now.body ?? had.now, tag: now.tag, before: before?.body ?? had.before ?? null, tagBefore: before?.tag });
  if (!same) draw(name);
  else busy(name, false);
  return now.fresh && (before?.fresh ?? true);
}

function next() {
  if (state.every && !document.hidden) timer = setTimeout(() => load(), state.every * 1000);
}
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && state.every) load();
});

// ---- Tiles and panels -------------------------------------------------------------------------------------------------

const tiles = [...document.querySelectorAll("[data-tile]")];
const panels = [...document.querySelectorAll("[data-panel]")];
const undo = new Map(); // of a drawn chart, by panel
const asTable = new Set();

function busy(name, is) {
  board.tiles.forEach((one, place) => { if (one.answer === name) tiles[place].setAttribute("aria-busy", is); });
  board.panels.forEach((one, place) => { if (one.answer === name) panels[place].setAttribute("aria-busy", is); });
}

function draw(name) {
  const { now, before } = kept.get(name);
  board.tiles.forEach((one, place) => { if (one.answer === name) drawTile(tiles[place], one, now, before); });
  board.panels.forEach((one, place) => { if (one.answer === name) drawPanel(place, now, before); });
  busy(name, false);
}

function broken(name, error) {
  busy(name, false);
  board.tiles.forEach((one, place) => {
    if (one.answer === name) tiles[place].querySelector(".figure").replaceChildren(element("span", { class: "soft", text: "–", title: error.message }));
  });
  board.panels.forEach((one, place) => {
    if (one.answer !== name) return;
    leave(place);
    panels[place].querySelector(".panel-body").replaceChildren(element("p", { class: "failure", text: error.message }));
  });
}

function valueOf(tile, answer) {
  if (!answer || !answer.data[0]?.length) return null;
  const line = answer.data[0].findIndex((_, at) => Object.entries(tile.row).every(([name, value]) => column(answer, name).values[at] === value));
  if (line < 0) return null;
  const value = column(answer, tile.column).values[line];
  const whole = tile.share_of ? column(answer, tile.share_of).values[line] : null;
  return { value: tile.share_of ? (whole ? (value / whole) * 100 : null) : value, unit: tile.share_of ? "percent" : tile.unit, type: column(answer, tile.column).type, line };
}

function drawTile(place, tile, now, before) {
  const found = valueOf(tile, now);
  const counts = ["count", "percent"].includes(tile.share_of ? "percent" : tile.unit);
  const value = found?.value ?? (counts && now ? 0 : null);
  const unit = found?.unit ?? (tile.share_of ? "percent" : tile.unit);
  const shown = found?.type === "time" && value !== null
    ? element("time", { datetime: new Date(value).toISOString(), title: utc(value), text: ago(value) })
    : element("span", { text: figure(value, unit), title: figure(value, unit, { exact: true }) });
  const to = leads(tile);
  place.querySelector(".figure").replaceChildren(to ? element("a", { href: to, "aria-label": `${tile.title}: ${figure(value, unit)}` }, shown) : shown);
  const aside = [];
  if (tile.level && found) aside.push(badge(column(now, tile.level).values[found.line]));
  if (before && found?.type !== "time") aside.push(difference(tile, value, valueOf(tile, before)?.value ?? (counts ? 0 : null), unit));
  if (!tile.reached && state.filters.length) aside.push(element("span", { text: "not narrowed", title: "It is not made of log records alone: the filter does not reach it." }));
  place.querySelector(".aside").replaceChildren(...aside.filter(Boolean));
  place.dataset.value = value === null ? "" : String(value);
}

function difference(tile, value, old, unit) {
  if (value === null || old === null) return null;
  if (value === old) return element("span", { text: "as before" });
  const more = value > old;
  const good = more !== tile.less_is_better;
  const by = unit === "percent" ? `${figure(Math.abs(value - old), "plain").slice(0, 5)} points` : old ? `${Math.round((Math.abs(value - old) / Math.abs(old)) * 1000) / 10} %` : figure(value, unit);
  const kind = tile.less_is_better ? (good ? "good" : "bad") : "soft";
  return element("span", { class: "difference", data: { kind }, title: `before: ${figure(old, unit, { exact: true })}`, text: `${more ? "▲" : "▼"} ${by}` });
}

// Where a tile or a panel leads: a dashboard, another page, or the records in Explore.
function leads(one) {
  const shared = { since: state.since, until: state.until, collection: state.collection };
  if (one.find) return path("/explore", { ...shared, q: [one.find === "*" ? "" : one.find, ...state.filters].filter(Boolean).map((text) => (/\bOR\b/.test(text) && state.filters.length ? `(${text})` : text)).join(" ") });
  if (one.opens.startsWith("/")) return one.opens;
  return one.opens ? path(`/dashboards/${one.opens}`, parameters()) : null;
}

function leave(place) {
  undo.get(place)?.();
  undo.delete(place);
}

function drawPanel(place, answer, before) {
  const panel = board.panels[place];
  const body = panels[place].querySelector(".panel-body");
  leave(place);
  signs(place, answer);
  if (!answer.data[0]?.length) {
    body.replaceChildren(element("p", { class: "nothing", text: `No ${panel.what}${board.answers[panel.answer].window ? "" : " in this time"}${state.filters.length && answer.reached ? " that the filters let through" : ""}.` }));
    return;
  }
  const pick = Object.keys(panel.fields).length ? (field, value) => narrow(condition(field, value)) : null;
  const kind = panel.chart?.kind;
  if (!kind || asTable.has(place) || kind === "timeline" || kind === "waterfall") {
    body.replaceChildren(element("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": `${panel.title} as a table` }, table(answer, panel, { pick })));
  } else if (kind === "heatmap") {
    body.replaceChildren(element("div", { class: "scrolled" }, heat(answer, panel)));
  } else if (["time", "date"].includes(column(answer, panel.chart.x).type)) {
    const field = panel.fields[panel.chart.by];
    undo.set(place, plot(body, answer, panel, { earlier: before, zoom, pick: field ? (value) => pick(field, value) : null }));
  } else if (kind === "line" && column(answer, panel.chart.x).type === "number") {
    body.replaceChildren(element("div", { class: "scrolled" }, bars(answer, { ...panel, sorted: true, chart: { ...panel.chart, kind: "histogram" } }, { earlier: before })));
  } else {
    const [field, other] = [panel.fields[panel.chart.x], panel.fields[panel.chart.by]];
    const click = (value, also) => {
      const wanted = [field ? condition(field, value) : "", other && also !== undefined ? condition(other, also) : ""].filter(Boolean);
      narrow(wanted.join(" "));
    };
    body.replaceChildren(element("div", { class: "scrolled" }, bars(answer, panel, { earlier: before, pick: field || other ? click : null })));
  }
}

function signs(place, answer) {
  const shown = [];
  if (state.filters.length && !answer.reached) {
    shown.push(element("span", { class: "badge", text: "not narrowed", data: { kind: "soft" }, title: "It is not made of log records alone: the filters do not reach it." }));
  }
  if (answer.cut) shown.push(element("span", { class: "badge", text: `first ${answer.data[0].length} of ${answer.rows}`, data: { kind: "soft" } }));
  panels[place].querySelector(".panel-signs").replaceChildren(...shown);
}

// ---- The menu of a panel ----------------------------------------------------------------------------------------------

function menuOf(place) {
  const panel = board.panels[place];
  const asked = board.answers[panel.answer];
  const [since, until] = asked.window ? [asked.window, ""] : [state.since, state.until];
  const shared = { since, until, collection: state.collection, timezone: ZONE, q: panel.reached ? narrowing() : "" };
  const act = (text, call) => element("button", { type: "button", text, on: { click: () => { panels[place].querySelector("details.menu").open = false; Promise.resolve(call()).catch(failed); } } });
  const redraw = () => { const found = kept.get(panel.answer); if (found?.now) drawPanel(place, found.now, found.before); };
  const items = [];
  if (panel.chart) {
    items.push(act(asTable.has(place) ? "Show as a chart" : "Show as a table", () => {
      if (asTable.has(place)) asTable.delete(place); else asTable.add(place);
      panels[place].querySelector(".panel-body").classList.toggle("as-table", asTable.has(place));
      redraw();
    }));
  }
  items.push(act("Full screen", () => panels[place].requestFullscreen().catch(failed)));
  if (panel.opens && leads(panel)) items.push(element("a", { href: leads(panel), text: "More of it" }));
  if (panel.reached) items.push(element("a", { href: path("/explore", { since: state.since, until: state.until, collection: state.collection, q: narrowing() }), text: "Records in Explore" }));
  items.push(element("a", { href: path(`/api/v1/questions/${asked.question}`, { ...shared, ...asked.params, format: "csv" }), download: `${asked.question}.csv`, text: "Save as CSV" }));
  if (board.sql) {
    items.push(act("Its SQL", async () => {
      const { sql } = await api(path(`/api/v1/questions/${asked.question}/sql`, { ...shared, ...asked.params }));
      location.assign(path("/sql", { sql }));
    }));
  }
  items.push(element("p", { class: "note", text: panel.description }));
  return items;
}

panels.forEach((one, place) => {
  const menu = one.querySelector("details.menu");
  menu.addEventListener("toggle", () => { if (menu.open) one.querySelector("[data-menu]").replaceChildren(...menuOf(place)); });
});

// ---- Time, filters, the rest of the head ------------------------------------------------------------------------------

function rangeText() {
  const quick = QUICK.find(([value]) => value === state.since);
  if (quick && !state.until) return quick[1];
  const from = /^\d{4}-/.test(state.since) ? moment(state.since, { seconds: false }) : state.since;
  return state.until ? `${from} – ${moment(state.until, { seconds: false })}` : `Since ${from}`;
}

function choose(since, until = "") {
  Object.assign(state, { since, until });
  byId("range").open = false;
  changed();
}

function zoom(from, to) {
  const at = (value) => new Date(value).toISOString().replace(/\.\d+Z$/, "Z");
  choose(at(from), at(Math.max(to, from + 1000)));
}

function narrow(text) {
  const wanted = text.trim();
  if (!wanted || state.filters.includes(wanted)) return;
  state.filters.push(wanted);
  changed();
}

function dress() {
  byId("range-text").textContent = rangeText();
  byId("printed").textContent = `${rangeText()}, times of ${ZONE}`;
  byId("compare").value = state.back;
  const said = state.back || (state.filters.length && board.tiles.some((one) => !one.reached)) || board.tiles.some((one) => one.level);
  byId("tiles").classList.toggle("asides", Boolean(said));
  byId("compare").disabled = state.since === "all";
  byId("every").value = String(state.every);
  for (const one of byId("range-quick").children) one.setAttribute("aria-pressed", String(one.dataset.since === state.since && !state.until));
  byId("chips").replaceChildren(...state.filters.map((text) => element("li", {}, element("button", {
    type: "button", class: "chip", "aria-label": `Remove the filter ${text}`, title: "Remove this filter",
    on: { click: () => { state.filters = state.filters.filter((other) => other !== text); changed(); } },
  }, element("span", { class: "value", text: sound(text) }), element("span", { "aria-hidden": "true", text: "×" })))));
  for (const link of document.querySelectorAll('.side nav a[href^="/dashboards/"], .side nav a[href="/"], .side nav a[href^="/?"]')) {
    link.href = path(new URL(link.href).pathname, parameters());
  }
}

// Where there is nothing: what there is instead, or how to bring something in.
async function emptiness() {
  const { signal } = asking;
  const any = board.panels.some((one) => kept.get(one.answer)?.now?.data[0]?.length);
  const reached = board.tiles.some((one) => one.question === "overview" || Number(valueOf(one, kept.get(one.answer)?.now)?.value));
  if (any && reached) return;
  if (state.since === "all" && state.filters.length) return;
  let all;
  try { all = (await fetched(path("/api/v1/questions/overview", { since: "all", timezone: ZONE, collection: state.collection }), null, signal)).body; } catch (error) { failed(error); return; }
  if (signal.aborted) return;
  const last = all.data[0].length ? column(all, "last_event").values[0] : null;
  if (last === null) {
    byId("notice").replaceChildren(element("section", { class: "panel empty" }, element("h2", { text: "The lake is empty" }),
      element("p", { text: "Bring logs in, and they appear here by themselves:" }), element("pre", { text: "logshed ingest /var/log\nlogshed receive" })));
  } else if (!any && !state.filters.length) {
    byId("notice").replaceChildren(element("p", { class: "warning" }, `Nothing in this time (${rangeText()}). The newest record is of `, timeElement(new Date(last).toISOString()), ". ",
      element("button", { type: "button", text: "Show the day before it", on: { click: () => zoom(last - 86400000, last + 1000) } }), " ",
      element("button", { type: "button", text: "Show all", on: { click: () => choose("all") } })));
  }
}

byId("range-quick").append(...QUICK.map(([value, text]) => element("button", { type: "button", text, data: { since: value }, on: { click: () => choose(value) } })));
byId("range-zone").textContent = `Times of ${ZONE}.`;
byId("range-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [since, until] = [byId("range-since").value, byId("range-until").value].map((one) => (one ? new Date(one).toISOString().replace(".000Z", "Z") : ""));
  if (since) choose(since, until);
  else byId("range-since").focus();
});
byId("sieve-form").addEventListener("submit", (event) => { event.preventDefault(); narrow(byId("sieve-text").value); byId("sieve-text").value = ""; });
byId("compare").addEventListener("change", (event) => { state.back = event.target.value; changed(); });
byId("every").addEventListener("change", (event) => { state.every = Number(event.target.value); remember("every", event.target.value); clearTimeout(timer); next(); });
byId("refresh").addEventListener("click", () => load());
byId("full").addEventListener("click", full);
byId("print").addEventListener("click", () => print());
function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("main").requestFullscreen().catch(failed);
}
key("r", "Refresh", () => load());
key("f", "Full screen", full);
key("/", "Narrow by a search", () => byId("sieve-text").focus());
key("t", "Choose the time", () => { byId("range").open = true; byId("range-quick").firstElementChild.focus(); });
dress();
load({ anew: true });
