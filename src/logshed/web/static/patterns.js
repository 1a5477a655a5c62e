// The page of templates: how often each occurs, when, and a click that searches for its records.

import { api, byId, count, element, failed, key, path, percent, sound, timeElement } from "./base.js";
import * as states from "./explore_state.js";
import { searchBox } from "./search_box.js";
import { label, timeRange } from "./time_range.js";

let state = { ...states.read(), since: new URLSearchParams(location.search).get("since") ?? "7d" };
let change = new URLSearchParams(location.search).get("change") ?? "";
let asking = new AbortController();

const MOST = 300;
const ARROWS = { rising: ["↗", "rising"], falling: ["↘", "falling"], steady: ["→", "steady"] };

// The search that finds a template's records: its constant parts, with anything between them.
export function searchFor(template) {
  const parts = template.split(/<\*>|<[A-Z_]+>|\[[A-Z_]+\]/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (parts.length === 1) return `message=${quoted(template)}`;
  return `message~${quoted(`^${parts.join(".*")}$`)}`;
}
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

function spark(values) {
  const most = Math.max(1, ...values);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${values.length * 5} 24`);
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  values.forEach((value, place) => {
    const height = value ? Math.max(2, (24 * value) / most) : 0;
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, figure] of Object.entries({ x: place * 5, y: 24 - height, width: 4, height, rx: 1 })) bar.setAttribute(name, figure);
    svg.append(bar);
  });
  return svg;
}

function marked(template) {
  return template.split(/(<\*>|<[A-Z_]+>|\[[A-Z_]+\])/).map((part) => (/^[<[]/.test(part) && part.length > 2 ? element("span", { class: "hole", text: part }) : document.createTextNode(sound(part))));
}

function row(one) {
  const q = states.joined(state.q, searchFor(one.template));
  const href = path("/explore", { q, since: state.since, until: state.until });
  const [arrow, meaning] = ARROWS[one.direction] ?? ["", ""];
  return element("tr", {},
    element("td", { class: "number" }, count(one.count)),
    element("td", { class: "number soft", text: percent(100 * one.share) }),
    element("td", { class: "trend", title: meaning }, spark(one.trend), element("span", { class: "visually-hidden", text: meaning }), element("span", { class: "soft", "aria-hidden": "true", text: arrow })),
    element("td", {}, element("span", { class: "mark-of", data: { level: (one.level ?? "").toLowerCase() }, text: (one.level ?? "–").toLowerCase() })),
    element("td", {}, element("a", { href, class: "template mono value", title: sound(one.example) }, ...marked(one.template)),
      element("p", { class: "note value", text: (one.services ?? []).map(sound).join(", ") })),
    element("td", {}, timeElement(one.last_seen)));
}

function table(items) {
  const heads = [["Count", "number"], ["Share", "number"], ["Over time", ""], ["Level", ""], ["Pattern", ""], ["Last", ""]];
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Patterns" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map(([text, kind]) => element("th", { class: kind, scope: "col", text })))),
    element("tbody", {}, ...items.map(row))));
}

function nothing() {
  const all = element("button", { type: "button", class: "main", text: "Look at all times", on: { click: () => again({ since: "all", until: "" }) } });
  return element("div", { class: "empty" },
    element("h2", { text: change ? `Nothing is ${change}` : "No messages" }),
    element("p", { text: change ? "What is written in this time was written before it too." : `No record has a message in: ${label(state.since, state.until)}.` }),
    !change && all);
}

async function load() {
  asking.abort();
  asking = new AbortController();
  box.text = state.q;
  range.show(state);
  for (const tab of document.querySelectorAll("[data-change]")) tab.setAttribute("aria-selected", String(tab.dataset.change === change));
  byId("patterns").replaceChildren(...Array.from({ length: 6 }, () => element("div", { class: "skeleton pattern-skeleton" })));
  byId("said").textContent = "Reading messages…";
  try {
    const asked = { q: state.q, since: state.since, until: state.until, collection: state.collection, change, limit: String(MOST) };
    const found = await api(path("/api/v1/search/patterns", asked), { signal: asking.signal });
    box.right();
    const most = found.total > found.items.length ? `, the ${count(found.items.length)} most frequent are shown` : "";
    byId("said").textContent = `${count(found.total)} patterns in ${count(found.messages)} messages${most}.`;
    byId("patterns").replaceChildren(found.items.length ? table(found.items) : nothing());
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("said").textContent = "";
    byId("patterns").replaceChildren();
    box.wrong(error);
  }
}

function again(more) {
  state = { ...state, ...more };
  const asked = { q: state.q, since: state.since === "7d" ? "" : state.since, until: state.until, collection: state.collection, change };
  history.pushState(null, "", path(location.pathname, asked));
  load();
}

const box = searchBox({
  context: () => ({ since: state.since, until: state.until, collection: state.collection }),
  search: (q) => again({ q }),
});
const range = timeRange((next) => again(next));
for (const tab of document.querySelectorAll("[data-change]")) {
  tab.addEventListener("click", () => { change = tab.dataset.change; again({}); });
}
addEventListener("popstate", () => {
  const asked = new URLSearchParams(location.search);
  state = { ...states.read(), since: asked.get("since") ?? "7d" };
  change = asked.get("change") ?? "";
  load();
});
key("/", "Write a search", () => box.focus());
load().catch(failed);
