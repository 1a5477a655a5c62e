// The panel of fields: which there are, their most frequent values with numbers and shares, a click filters.

import { api, brief, byId, count, element, path, percent, sound } from "./base.js";

const OPEN_AT_FIRST = ["level", "service", "status", "host", "collection", "method"];
const MOST_OPEN = 5;
const MOST_VALUES_OPEN = 60;
const TOP = 8;
const LATER = new Set(["timestamp_source", "severity_text", "severity_number", "source", "redaction_count", "parse_error", "log_type", "client_risk_level", "client_is_internal"]);
const UNCOUNTED = new Set(["time", "observed_timestamp", "message", "generation", "offset", "item", "batch", "exception_stacktrace"]);

// `context()` gives the parameters of the window, `filter(name, value, out)`, `exists(name, out)` and `column(name)` are
// called with what was clicked, `has(name)` says whether a field is a column.
export function fieldsPanel({ context, filter, exists, column, has, failed }) {
  const list = byId("fields-list");
  const find = byId("fields-filter");
  const open = new Set();
  let touched = false;
  let known = { total: 0, items: [] };
  let asked = null;

  const groups = new Map();

  async function load() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    if (!known.items.length) list.replaceChildren(...Array.from({ length: 8 }, () => element("div", { class: "skeleton" })));
    try {
      known = await api(path("/api/v1/fields", context()), { signal });
      if (!touched) {
        open.clear();
        const likely = OPEN_AT_FIRST.map((name) => known.items.find((one) => one.name === name)).filter((one) => one && one.values > 1 && one.values <= MOST_VALUES_OPEN);
        for (const one of likely.slice(0, MOST_OPEN)) open.add(one.name);
      }
      render();
      await fill([...open].filter((name) => groups.has(name)), signal);
    } catch (error) {
      if (error.name !== "AbortError") { list.replaceChildren(element("p", { class: "note", text: "The fields could not be counted." })); failed(error); }
    }
  }

  async function fill(names, signal) {
    if (!names.length) return;
    const found = await api(path("/api/v1/fields/facets", { ...context(), name: names, top: String(TOP) }), { signal });
    for (const one of found.items) values(one);
  }

  function render() {
    groups.clear();
    const wanted = find.value.trim().toLowerCase();
    const shown = known.items.filter((one) => !wanted || one.name.toLowerCase().includes(wanted) || (one.column ?? "").includes(wanted));
    const rank = (one) => (open.has(one.name) ? 0 : LATER.has(one.name) || UNCOUNTED.has(one.name) ? 2 : 1);
    shown.sort((a, b) => rank(a) - rank(b));
    list.replaceChildren(...shown.map(group));
    if (!shown.length) list.append(element("p", { class: "note", text: known.total ? "No field of this name." : "No records, no fields." }));
  }

  function group(one) {
    const body = element("div", { class: "facet-values" });
    const made = element("details", { class: "facet", data: { name: one.name }, open: open.has(one.name) },
      element("summary", { title: one.meaning || one.column || "" },
        element("span", { class: "value facet-name", text: sound(one.name) }),
        element("span", { class: "soft", text: one.records === known.total ? "" : percent((100 * one.records) / Math.max(1, known.total)) })),
      element("div", { class: "facet-tools" },
        element("button", { type: "button", class: "plain tiny", "aria-pressed": String(has(one.name)), title: "As a column", "aria-label": `${one.name} as a column`, text: "▤", on: { click: (event) => event.currentTarget.setAttribute("aria-pressed", String(column(one.name))) } }),
        element("button", { type: "button", class: "plain tiny", title: "Only records that have it", "aria-label": `Only records with ${one.name}`, text: "∃", on: { click: () => exists(one.name, false) } }),
        element("button", { type: "button", class: "plain tiny", title: "Only records without it", "aria-label": `Only records without ${one.name}`, text: "∄", on: { click: () => exists(one.name, true) } })),
      body);
    made.addEventListener("toggle", () => {
      if (made.open === open.has(one.name)) return;
      touched = true;
      if (made.open) { open.add(one.name); more(one, body); } else open.delete(one.name);
    });
    groups.set(one.name, { one, body });
    if (open.has(one.name)) body.append(...Array.from({ length: 3 }, () => element("div", { class: "skeleton" })));
    return made;
  }

  async function more(one, body) {
    if (UNCOUNTED.has(one.name)) {
      body.replaceChildren(element("p", { class: "note", text: one.meaning || "Its values differ from record to record." }));
      return;
    }
    body.replaceChildren(element("div", { class: "skeleton" }));
    try {
      values(await api(path("/api/v1/fields/values", { ...context(), name: one.name, top: String(TOP) })));
    } catch (error) {
      body.replaceChildren(element("p", { class: "note", text: error.message }));
    }
  }

  function values(found) {
    const kept = groups.get(found.name);
    if (!kept) return;
    const many = kept.one.values > found.values.length ? `${brief(kept.one.values)} values in about ${brief(found.records)} records` : "";
    kept.body.replaceChildren(
      ...found.values.map(({ value, count: number }) => row(found, value, number)),
      many && element("p", { class: "note", text: found.exact ? many : `${many}; others may be as frequent` }),
    );
    if (!found.values.length) kept.body.append(element("p", { class: "note", text: "No values." }));
  }

  function row(found, value, number) {
    const share = (100 * number) / Math.max(1, found.records);
    const bar = element("span", { class: "share", "aria-hidden": "true" });
    bar.style.setProperty("width", `${share}%`);
    const shown = value === "" ? "(empty)" : sound(value);
    return element("div", { class: "facet-row" },
      element("button", {
        type: "button", class: "plain facet-value", title: `${shown}\n${count(number)} records. Click: only these; Alt: not these`,
        on: { click: (event) => filter(found.name, value, event.altKey) },
      }, bar, element("span", { class: "value", text: shown }), element("span", { class: "soft", text: `${brief(number)} · ${percent(share)}` })),
      element("button", { type: "button", class: "plain tiny", "aria-label": `Leave out ${shown}`, title: "Not these", text: "−", on: { click: () => filter(found.name, value, true) } }));
  }

  find.addEventListener("input", () => { render(); fill([...open].filter((name) => groups.has(name))).catch(failed); });
  return { load, get known() { return known; }, redraw: render };
}
