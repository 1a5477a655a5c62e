// A dashboard: its time, its filters, its answers as they become new, and what can be done with a panel.

import { api, ask, byId, element, failed, key, path, sound, timeElement } from "./base.js";
import { boardFigures, valueOf } from "./dashboard_figures.js";
import { QUICK, ZONE, board, leads, narrowing, parameters, rangeText, read, remember, state } from "./dashboard_state.js";
import { column } from "./figures.js";

const SOON_MS = 1200;
const AT_ONCE = 6;
const figures = boardFigures({ zoom, narrow });

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
        figures.broken(name, error);
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
  if (!same) figures.draw(name, kept.get(name));
  else figures.busy(name, false);
  return now.fresh && (before?.fresh ?? true);
}

function next() {
  if (state.every && !document.hidden) timer = setTimeout(() => load(), state.every * 1000);
}
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && state.every) load();
});

// ---- The menu of a panel ----------------------------------------------------------------------------------------------

function menuOf(place) {
  const panel = board.panels[place];
  const asked = board.answers[panel.answer];
  const [since, until] = asked.window ? [asked.window, ""] : [state.since, state.until];
  const shared = { since, until, collection: state.collection, timezone: ZONE, q: panel.reached ? narrowing() : "" };
  const act = (text, call) => element("button", { type: "button", text, on: { click: () => { figures.panels[place].querySelector("details.menu").open = false; Promise.resolve(call()).catch(failed); } } });
  const items = [];
  if (panel.chart) {
    items.push(act(figures.isTable(place) ? "Show as a chart" : "Show as a table", () => figures.turn(place, kept.get(panel.answer))));
  }
  items.push(act("Full screen", () => figures.panels[place].requestFullscreen().catch(failed)));
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

figures.panels.forEach((one, place) => {
  const menu = one.querySelector("details.menu");
  menu.addEventListener("toggle", () => { if (menu.open) one.querySelector("[data-menu]").replaceChildren(...menuOf(place)); });
});

// ---- Time, filters, the rest of the head ------------------------------------------------------------------------------

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
