// A trace as a waterfall: spans below each other as they call each other, each with its records.

import { api, byId, count, duration, element, path, sound, timeElement } from "./base.js";
import { lineOf } from "./explore_record.js";

const id = byId("trace").dataset.id;
const near = new URLSearchParams(location.search).get("near");
const DAY = 86_400_000;
const COLOURS = 7;

function around(time) {
  const at = Date.parse(time);
  return Number.isNaN(at) ? {} : { since: new Date(at - DAY).toISOString(), until: new Date(at + DAY).toISOString() };
}

async function found() {
  const address = `/api/v1/traces/${encodeURIComponent(id)}`;
  try {
    return await api(path(address, around(near)));
  } catch (error) {
    if (error.status !== 404 || !near) throw error;
    return api(address); // it may be older than the record that led here says
  }
}

function line(one, trace, colours) {
  const first = one.records[0];
  const service = first.service_name ?? "";
  const bar = element("span", { class: "span-bar" });
  const whole = Math.max(trace.length, 0.001);
  bar.style.setProperty("left", `${(100 * one.start) / whole}%`);
  bar.style.setProperty("width", `max(3px, ${(100 * one.length) / whole}%)`);
  bar.style.setProperty("background", `var(${colours.get(service) ?? "--s8"})`);
  const name = element("span", { class: "span-name value", text: sound([service, lineOf({ ...first, service_name: undefined, level: undefined })].filter(Boolean).join(" · ")) });
  name.style.setProperty("padding-left", `${Math.min(one.depth, 12) * 14}px`);
  const wrong = one.records.some((record) => ["error", "fatal"].includes(record.severity));
  const records = one.records.map((record) => element("li", {},
    timeElement(record.timestamp, { milliseconds: true }), " ",
    element("a", { class: "mono value", href: path("/explore", { q: `trace:${id}`, since: new Date(Date.parse(record.timestamp) - 3_600_000).toISOString(), until: new Date(Date.parse(record.timestamp) + 3_600_000).toISOString(), record: record.record_id, at: record.timestamp }), text: sound(lineOf(record)) })));
  return element("details", { class: `span-line${wrong ? " wrong" : ""}`, data: { depth: one.depth } },
    element("summary", {}, name, element("span", { class: "span-track" }, bar),
      element("span", { class: "span-took", text: one.length ? duration(one.length) : "" })),
    element("ol", { class: "around" }, ...records));
}

function show(trace) {
  const colours = new Map(trace.services.map((service, place) => [service, `--s${(place % COLOURS) + 1}`]));
  byId("services").replaceChildren(...trace.services.map((service) => {
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    dot.style.setProperty("background", `var(${colours.get(service)})`);
    return element("li", { class: "chip" }, dot, element("span", { class: "value", text: sound(service) }));
  }));
  byId("said").replaceChildren(`${count(trace.records)} ${trace.records === 1 ? "record" : "records"} in ${count(trace.lines.length)} ${trace.lines.length === 1 ? "span" : "spans"}, ${duration(trace.length)} from `, timeElement(trace.begin, { milliseconds: true }), trace.more ? "; there are more records, which are not shown." : ".");
  byId("tools").replaceChildren(element("a", { class: "button", href: path("/explore", { q: `trace:${id}`, since: "all" }), text: "Its records in Explore" }));
  byId("waterfall").replaceChildren(element("div", { class: "panel waterfall" }, ...trace.lines.map((one) => line(one, trace, colours))));
}

found().then(show, (error) => {
  byId("said").textContent = "";
  byId("waterfall").replaceChildren(element("div", { class: "empty" },
    element("h2", { text: error.status === 404 ? "No records of this trace" : "The trace could not be read" }),
    element("p", { text: error.status === 404 ? "None that you may see has this trace id; it may have been deleted by age." : error.message }),
    element("p", {}, element("a", { href: "/explore", text: "Search" }))));
});
