// Figures of an answer as text: by the units that its columns have.

import { brief, bytes, count, duration, element, moment, percent, sound, timeElement } from "./base.js";

export function column(answer, name) {
  const place = answer.columns.findIndex((one) => one.name === name);
  return place < 0 ? null : { ...answer.columns[place], values: answer.data[place] };
}

// A number as it is shown; `exact` as it is told on hover.
export function figure(value, unit, { exact = false } = {}) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return sound(value);
  if (unit === "bytes") return exact ? `${count(value)} bytes` : bytes(value);
  if (unit === "percent") return percent(value);
  if (unit === "ms") return exact ? `${count(value)} ms` : duration(value);
  if (unit === "seconds") return exact ? `${count(value)} s` : duration(value * 1000);
  if (unit === "plain") return String(value);
  return exact ? count(value) : brief(value);
}

// A label: what a row is called.
export function label(value, type = "text") {
  if (value === null || value === undefined || value === "") return value === "" ? "(empty)" : "(none)";
  if (type === "time") return moment(value, { seconds: false });
  return sound(value);
}

const BAD = new Set(["critical", "high", "error", "fatal", "new", "more"]);
const WARN = new Set(["medium", "warn", "warning"]);
const GOOD = new Set(["low", "fewer", "info", "ok"]);

export function badge(text) {
  const word = String(text).toLowerCase();
  const kind = BAD.has(word) ? "bad" : WARN.has(word) ? "warn" : GOOD.has(word) ? "good" : "soft";
  return element("span", { class: "badge", text: sound(text), data: { kind } });
}

// What a table's cell holds.
export function cell(value, told) {
  if (value === null || value === undefined) return element("span", { class: "soft", text: "–" });
  if (told.type === "time") return timeElement(new Date(value).toISOString(), { seconds: true });
  if (told.unit === "level" && told.type === "text") return badge(value);
  if (told.type === "number") return element("span", { text: figure(value, told.unit), title: figure(value, told.unit, { exact: true }) });
  return element("span", { class: "value", text: sound(value) });
}

// The search that finds what a row's label counts.
export function condition(field, value) {
  if (value === null || value === "unset") return `-${field}:*`;
  const text = String(value);
  if (field === "level" || /^[1-5]xx$/.test(text)) return `${field}:${text}`;
  if (typeof value === "number" || /^[\w.-]+$/.test(text)) return `${field}=${text}`;
  return `${field}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
