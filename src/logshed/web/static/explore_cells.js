// What a row shows: the time, and the columns that were chosen, or a line made of what records mostly are.

import { bytes, duration, element, sound, utc } from "./base.js";
import { clock } from "./time_range.js";

export const SUMMARY = [
  "timestamp", "level", "service", "host", "body", "event", "outcome", "exception", "exception_message", "client", "user", "method",
  "path", "query", "status", "size", "duration", "trace", "parse_error", "attributes",
];
const LONGEST = 600;
const SHORT = {
  http_response_status_code: "status", service_name: "service", body: "message", url_path: "path", url_query: "query", url_domain: "domain",
  client_address: "client", http_request_method: "method", user_agent_original: "agent", http_referrer: "referrer", user_id: "user",
  session_id: "session", host_name: "host", http_response_body_size: "size", duration_ms: "duration", scope_name: "logger",
  exception_type: "exception", client_geo_country_iso_code: "country", trace_id: "trace", span_id: "span", k8s_pod_name: "pod",
  k8s_namespace_name: "namespace", log_file_path: "file", process_pid: "pid", thread_name: "thread", event_name: "event",
  event_outcome: "outcome", deployment_environment_name: "env", log_format: "format", timestamp: "time",
};
const LONG = Object.fromEntries(Object.entries(SHORT).map(([column, short]) => [short, column]));

// The name of a record's key in a search, and the key under which a record has a field of a search.
export const searchName = (column) => SHORT[column] ?? column;
export function keyOf(name) {
  if (name.startsWith("attributes.")) return name.slice(11).replace(/^"(.*)"$/, (_, text) => text.replaceAll('\\"', '"').replaceAll("\\\\", "\\"));
  return LONG[name] ?? name.replaceAll(".", "_");
}
export const attributeName = (key) => (/^[A-Za-z][A-Za-z0-9_.-]*$/.test(key) ? `attributes.${key}` : `attributes."${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);

// A field's value in a record, as it was fetched with all fields or with chosen ones.
export function valueOf(record, name) {
  const key = keyOf(name);
  const value = record[key];
  return value === undefined && name.startsWith("attributes.") ? record.attributes?.[key] : value;
}

export function textOf(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

function timeCell(record) {
  return element("span", { role: "gridcell", class: "cell time" },
    element("time", { datetime: record.timestamp, title: utc(record.timestamp) }, element("span", { class: "day", text: `${clock(record.timestamp).slice(0, 10)} ` }), clock(record.timestamp, { milliseconds: true, day: false })));
}

function levelCell(record) {
  const shown = record.level ?? (record.http_response_status_code ? String(record.http_response_status_code) : "–");
  return element("span", { role: "gridcell", class: "cell level" }, element("span", { class: "mark-of", text: shown }));
}

const piece = (kind, text) => element("span", { class: kind, text });

// The line: who wrote it, what was asked for, what it says, what went wrong.
function summaryOf(record) {
  const parts = [];
  const who = [record.service_name, record.host_name].filter(Boolean).join("@");
  if (who) parts.push(piece("who-of", who));
  if (record.http_request_method || record.url_path) {
    const target = (record.url_path ?? "") + (record.url_query ? `?${record.url_query}` : "");
    parts.push(piece("soft", [record.client_address, record.user_id].filter(Boolean).join(" ")));
    parts.push(piece("strong", `${record.http_request_method ?? ""} ${target}`.trim()));
    if (record.http_response_status_code) parts.push(piece("status", record.http_response_status_code));
    if (record.http_response_body_size) parts.push(piece("soft", bytes(record.http_response_body_size)));
    if (record.duration_ms) parts.push(piece("soft", duration(record.duration_ms)));
  }
  if (record.body) parts.push(piece("said", record.body));
  if (record.exception_type) parts.push(piece("wrong-of", `${record.exception_type}${record.exception_message ? `: ${record.exception_message}` : ""}`));
  if (record.raw) parts.push(piece("said", record.raw));
  if (record.parse_error) parts.push(piece("wrong-of", `not parsed: ${record.parse_error}`));
  if (!parts.some((one) => one.className !== "who-of")) {
    const rest = [record.event_name, record.event_outcome, record.user_id, record.client_address].filter(Boolean);
    rest.push(...Object.entries(record.attributes ?? {}).map(([key, value]) => `${key}=${value}`));
    parts.push(piece("said", rest.join(" ") || "–"));
  }
  for (const one of parts) one.textContent = sound(one.textContent.slice(0, LONGEST)).replace(/\s*\n\s*/g, " ⏎ ");
  return parts.filter((one) => one.textContent).flatMap((one, number) => (number ? [" ", one] : [one]));
}

const NUMBERS = new Set(["status", "size", "duration", "pid"]);

export function cellsOf(record, columns) {
  const cells = [timeCell(record), levelCell(record)];
  if (!columns.length) return [...cells, element("span", { role: "gridcell", class: "cell line value mono" }, ...summaryOf(record))];
  for (const name of columns) {
    const text = sound(textOf(valueOf(record, name)).slice(0, LONGEST)).replace(/\s*\n\s*/g, " ⏎ ");
    cells.push(element("span", { role: "gridcell", class: `cell field-cell value mono${NUMBERS.has(name) ? " number" : ""}${name === "message" ? " wide" : ""}`, title: text.length > 30 ? text : null, text: text || "–" }));
  }
  return cells;
}

export function headOf(columns, drop) {
  const cells = [element("span", { role: "columnheader", class: "cell time", text: "Time" }), element("span", { role: "columnheader", class: "cell level", text: "Level" })];
  if (!columns.length) return [...cells, element("span", { role: "columnheader", class: "cell line", text: "Record" })];
  for (const name of columns) {
    cells.push(element("span", { role: "columnheader", class: `cell field-cell${NUMBERS.has(name) ? " number" : ""}${name === "message" ? " wide" : ""}` },
      element("span", { class: "value", text: sound(name) }),
      element("button", { type: "button", class: "plain tiny", "aria-label": `Take the column ${name} away`, text: "×", on: { click: (event) => { event.stopPropagation(); drop(name); } } })));
  }
  return cells;
}

