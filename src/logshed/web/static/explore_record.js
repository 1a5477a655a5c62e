// One record: all of its fields with their filters, its raw line, what is around it, its JSON.

import { api, byId, copy, element, path, sound, timeElement } from "./base.js";
import { attributeName, searchName, textOf } from "./explore_cells.js";
import { clock } from "./time_range.js";

const HIDDEN = new Set(["record_id", "severity"]);
const LAST = ["observed_timestamp", "timestamp_source", "source", "generation", "offset", "item", "batch", "log_format", "redaction_count"];
const NOT_FILTERED = new Set(["timestamp", "observed_timestamp", "body", "exception_stacktrace", "generation", "offset", "item", "batch"]);
const AROUND = 15;

// `filter(name, value, out)`, `column(name)`, `has(name)` as in the panel of fields; `close()` when it was closed; `move(step)`.
export function recordDetail({ filter, column, has, close, move }) {
  const box = byId("detail");
  let shown = null;
  let tab = "fields";

  function entries(record) {
    const rank = ([name]) => (LAST.includes(name) ? 1 + LAST.indexOf(name) : 0);
    const own = Object.entries(record).filter(([name]) => !HIDDEN.has(name) && name !== "attributes").sort((a, b) => rank(a) - rank(b));
    const place = own.findIndex(([name]) => LAST.includes(name));
    const attributes = Object.entries(record.attributes ?? {}).map(([key, value]) => [attributeName(key), value]);
    return [...own.slice(0, place).map(([name, value]) => [searchName(name), value, name]), ...attributes.map(([name, value]) => [name, value, name]),
      ...own.slice(place).map(([name, value]) => [searchName(name), value, name])];
  }

  function buttons(name, value, column_) {
    const text = textOf(value);
    const one = (label, sign, call, more = {}) => element("button", { type: "button", class: "plain tiny", title: label, "aria-label": `${label}: ${name}`, text: sign, on: { click: call }, ...more });
    const parts = [];
    if (!NOT_FILTERED.has(column_) && value !== null) {
      parts.push(one("Only records with this value", "+", () => filter(name, text, false)), one("Not records with this value", "−", () => filter(name, text, true)));
    }
    const copying = one("Copy the value", null, () => copy(text));
    copying.append(byId("icon-copy").content.cloneNode(true));
    parts.push(one("As a column", "▤", (event) => event.currentTarget.setAttribute("aria-pressed", String(column(name))), { "aria-pressed": String(has(name)) }));
    parts.push(copying);
    return parts;
  }

  function fieldRows() {
    return element("table", { class: "detail-fields" }, element("tbody", {}, ...entries(shown.record).map(([name, value, column_]) => element("tr", {},
      element("th", { scope: "row", class: "value", title: column_, text: sound(name) }),
      element("td", { class: "mono value" }, value === null ? "–" : column_.endsWith("timestamp") ? timeElement(value, { milliseconds: true }) : element("span", { class: "value pre", text: sound(textOf(value)) })),
      element("td", { class: "detail-tools" }, ...buttons(name, value, column_))))));
  }

  function raw() {
    if (!shown.raw) return element("p", { class: "note", text: "The raw line is no longer kept; its fields are." });
    return element("div", {}, element("pre", { class: "raw value", tabindex: "0", text: sound(shown.raw) }),
      element("button", { type: "button", text: "Copy the line", on: { click: () => copy(shown.raw) } }));
  }

  function json() {
    const text = JSON.stringify(shown.record, null, 2);
    return element("div", {}, element("pre", { class: "raw value", tabindex: "0", text: sound(text) }),
      element("button", { type: "button", text: "Copy the JSON", on: { click: () => copy(text) } }));
  }

  async function around(place) {
    place.replaceChildren(element("div", { class: "skeleton" }));
    try {
      const { record_id: id, timestamp: time } = shown.record;
      const found = await api(path(`/api/v1/records/${encodeURIComponent(id)}/around`, { time, count: String(AROUND) }));
      place.replaceChildren(
        element("p", { class: "note value", text: `As ${sound(shown.record.source)} has them.` }),
        element("ol", { class: "around" }, ...found.items.map((one) => element("li", { class: one.match ? "match" : "", "aria-current": one.match ? "true" : null },
          element("time", { datetime: one.timestamp, text: clock(one.timestamp, { milliseconds: true }) }), " ",
          element("span", { class: "mono value", text: sound(lineOf(one)) })))),
      );
      place.querySelector(".match")?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      place.replaceChildren(element("p", { class: "failure", text: error.message }));
    }
  }

  function render() {
    const tabs = [["fields", "Fields"], ["raw", "Raw line"], ["around", "Around"], ["json", "JSON"]];
    const body = element("div", { class: "detail-body", tabindex: "0", role: "tabpanel", "aria-label": tab });
    const { record } = shown;
    box.replaceChildren(
      element("div", { class: "detail-head" },
        element("h2", {}, timeElement(record.timestamp, { milliseconds: true })),
        element("div", { class: "tools" },
          record.trace_id && element("a", { class: "button", href: `/trace/${encodeURIComponent(record.trace_id)}?near=${encodeURIComponent(record.timestamp)}`, text: "Trace" }),
          element("button", { type: "button", class: "plain icon-button", "aria-label": "The record above", text: "↑", on: { click: () => move(-1) } }),
          element("button", { type: "button", class: "plain icon-button", "aria-label": "The record below", text: "↓", on: { click: () => move(1) } }),
          element("button", { type: "button", class: "plain icon-button", "aria-label": "Close", text: "×", on: { click: close } }))),
      element("div", { class: "tabs", role: "tablist", "aria-label": "The record as" }, ...tabs.map(([name, label]) => element("button", {
        type: "button", role: "tab", "aria-selected": String(name === tab), text: label, on: { click: () => { tab = name; render(); } },
      }))),
      body,
    );
    if (tab === "around") around(body);
    else body.append({ fields: fieldRows, raw, json }[tab]());
  }

  let turn = 0;
  return {
    get open() { return !box.hidden; },
    async show(record) {
      box.hidden = false;
      turn += 1;
      const own = turn;
      shown = { record, raw: null };
      if (tab === "fields") render();
      const found = await api(path(`/api/v1/records/${encodeURIComponent(record.record_id)}`, { time: record.timestamp }));
      if (own !== turn) return;
      shown = found;
      render();
    },
    hide() { turn += 1; box.hidden = true; box.replaceChildren(); },
  };
}

// A record as one line of text.
export function lineOf(record) {
  const request = [record.client_address, record.user_id, record.http_request_method, record.url_path && record.url_path + (record.url_query ? `?${record.url_query}` : ""), record.http_response_status_code];
  const parts = [record.level?.toUpperCase(), record.service_name, ...(record.url_path || record.http_request_method ? request : []), record.body, record.exception_type, record.exception_message];
  const text = parts.filter((one) => one !== undefined && one !== null && one !== "").join(" ");
  return (text || Object.entries(record.attributes ?? {}).map(([key, value]) => `${key}=${value}`).join(" ") || "–").replace(/\s*\n\s*/g, " ⏎ ");
}
