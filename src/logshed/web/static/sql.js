// The page of SQL: runs a statement, shows its rows as they come, its plan, its chart; keeps what was run.

import { api, ask, byId, copy, count, element, failed, key, sound, timeElement, toast } from "./base.js";
import { virtualRows } from "./explore_rows.js";
import { draw } from "./sql_chart.js";
import { sqlEditor } from "./sql_editor.js";

const MOST_ROWS = 100_000;
const MOST_KEPT = 50;
const STORE = "logshed.sql.history";
const PAGE = 100;
const FIRST = "SELECT service_name, severity_text, count(*) AS records\nFROM logs\nGROUP BY ALL\nORDER BY records DESC\nLIMIT 50";

let tables = [];
let columns = [];
let rows = [];
let running = null;
let job = "";
let tab = "rows";

// ---- Rows -----------------------------------------------------------------------------------------------------------

const shownAs = (value, type) => {
  if (value === null) return "–";
  if (typeof value === "object") return JSON.stringify(value);
  return type === "time" ? String(value).replace("T", " ").replace("Z", "") : String(value);
};

const table = virtualRows({
  cells: (record) => record.values.map((value, place) => element("span", {
    role: "gridcell", class: `cell field-cell value mono ${columns[place].type}${value === null ? " soft" : ""}`, title: shownAs(value, columns[place].type).slice(0, 500),
    text: sound(shownAs(value, columns[place].type).slice(0, 300)).replaceAll("\n", " ⏎ "),
  })),
  head: () => columns.map((column) => element("span", { role: "columnheader", class: `cell field-cell ${column.type}`, title: column.type, text: sound(column.name) })),
  fetchPage: async ({ row }) => ({ items: rows.slice(row, row + PAGE).map((values) => ({ values })), next: null }),
  open: () => {},
  seen: () => {},
  failed,
});

function widths() {
  const sample = rows.slice(0, 200);
  columns.forEach((column, place) => {
    const longest = Math.max(column.name.length + 2, ...sample.map((values) => Math.min(shownAs(values[place], column.type).length, 60)));
    byId("rows").style.setProperty(`--c${place}`, `${Math.min(420, Math.max(60, longest * 7.6 + 14))}px`);
  });
}

function show() {
  byId("nothing").hidden = tab !== "rows" || columns.length > 0;
  byId("rows").hidden = tab !== "rows" || !columns.length;
  byId("chart").hidden = tab !== "chart";
  byId("plan-text").hidden = tab !== "plan";
  for (const name of ["rows", "chart", "plan"]) byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
  if (tab === "chart") draw(byId("chart"), columns, rows);
}

// ---- Running --------------------------------------------------------------------------------------------------------

const statement = () => (editor.chosen || editor.text).trim().replace(/;\s*$/, "");

async function* linesOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield parts;
  }
  if (rest) yield [rest];
}

function busy(on) {
  byId("run-sql").disabled = on;
  byId("cancel").disabled = !on;
}

async function run() {
  const sql = statement();
  if (!sql || running) return;
  running = new AbortController();
  job = "";
  const begun = performance.now();
  busy(true);
  byId("mistake").hidden = true;
  byId("said").textContent = "Running…";
  const ticking = setInterval(() => { byId("said").textContent = `Running for ${((performance.now() - begun) / 1000).toFixed(1)} s · ${count(rows.length)} rows`; }, 300);
  [columns, rows] = [[], []];
  try {
    const answer = await ask("/api/v1/sql?format=rows", { method: "POST", body: { sql }, signal: running.signal });
    job = answer.headers.get("X-Query-Id") ?? "";
    const end = await read(answer);
    clearInterval(ticking);
    told(end, performance.now() - begun);
    keep(sql, rows.length);
  } catch (error) {
    clearInterval(ticking);
    byId("said").textContent = error.name === "AbortError" ? `Ended after ${count(rows.length)} rows.` : "";
    if (error.name !== "AbortError") wrong(error.message);
  } finally {
    clearInterval(ticking);
    running = null;
    busy(false);
    table.counted(rows.length);
    show();
  }
}

async function read(answer) {
  let end = {};
  for await (const lines of linesOf(answer)) {
    const begun = rows.length;
    for (const text of lines) {
      if (!text) continue;
      const one = JSON.parse(text);
      if (Array.isArray(one)) rows.push(one);
      else if (one.columns) { columns = one.columns; if (tab === "plan") tab = "rows"; }
      else end = one;
    }
    if (begun === 0) { widths(); table.reset({ items: rows.slice(0, PAGE).map((values) => ({ values })), next: null }); show(); }
    table.counted(rows.length);
    if (rows.length >= MOST_ROWS) { await answer.body.cancel().catch(() => {}); running.abort(); return { cut: true, rows: rows.length }; }
  }
  return end;
}

function told(end, took) {
  const time = took < 1000 ? `${Math.round(took)} ms` : `${(took / 1000).toFixed(2)} s`;
  const more = end.cut ? `; the first ${count(MOST_ROWS)}, an export has all` : "";
  byId("said").textContent = `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"} in ${time}${more}`;
  if (end.error) wrong(end.error);
}

function wrong(text) {
  byId("mistake").textContent = sound(text).replaceAll("␊", "\n");
  byId("mistake").hidden = false;
}

async function cancel() {
  if (job) await api(`/api/v1/queries/${job}`, { method: "DELETE" }).catch(() => {}); // it may have ended just now
  running?.abort();
}

async function plan() {
  const sql = statement();
  if (!sql) return;
  byId("mistake").hidden = true;
  try {
    const found = await api("/api/v1/sql/plan", { method: "POST", body: { sql } });
    byId("plan-text").textContent = found.plan;
    tab = "plan";
    show();
  } catch (error) { wrong(error.message); }
}

async function exported(format) {
  byId("export").open = false;
  const sql = statement();
  if (!sql) return;
  try {
    toast("The file is being made.");
    const answer = await ask(`/api/v1/sql?format=${format}`, { method: "POST", body: { sql } });
    const link = element("a", { href: URL.createObjectURL(await answer.blob()), download: `result.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) { failed(error); }
}

// ---- What was run, and the tables -----------------------------------------------------------------------------------

function history() {
  try { return JSON.parse(localStorage.getItem(STORE) ?? "[]"); } catch { return []; }
}

function keep(sql, found) {
  const all = [{ sql, rows: found, at: new Date().toISOString() }, ...history().filter((one) => one.sql !== sql)].slice(0, MOST_KEPT);
  try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { /* then it is not kept */ }
}

function listHistory() {
  const all = history();
  const items = all.map((one) => element("li", {}, element("button", { type: "button", on: { click: () => { byId("history").open = false; editor.text = one.sql; editor.focus(); } } },
    element("span", { class: "history-sql mono", text: one.sql }), element("span", { class: "note" }, timeElement(one.at, { ago: true }), ` · ${count(one.rows)} rows`))));
  byId("history-pop").replaceChildren(all.length ? element("ul", {}, ...items) : element("p", { class: "note", text: "What is run here is kept in this browser." }));
}

function listTables() {
  const wanted = byId("schema-filter").value.trim().toLowerCase();
  const found = tables.map((one) => ({ ...one, columns: one.columns.filter((column) => !wanted || one.name.includes(wanted) || column.name.toLowerCase().includes(wanted)) })).filter((one) => one.columns.length);
  byId("schema-list").replaceChildren(...found.map((one) => element("details", { class: "facet", open: Boolean(wanted) || one.name === "logs" },
    element("summary", {}, element("span", { class: "facet-name value", text: one.name }), element("span", { class: "soft", text: one.columns.length })),
    element("ul", { class: "schema-columns" }, ...one.columns.map((column) => element("li", {}, element("button", { type: "button", class: "plain", title: column.meaning || null, on: { click: () => editor.insert(column.name) } },
      element("span", { class: "value", text: column.name }), element("span", { class: "soft", text: column.type.toLowerCase().replace("timestamp with time zone", "timestamptz") }))))))));
  if (!found.length) byId("schema-list").append(element("p", { class: "note", text: "No table or column of this name." }));
}

const editor = sqlEditor({ tables: () => tables, run });
editor.text = new URLSearchParams(location.search).get("sql") ?? history()[0]?.sql ?? FIRST;
byId("run-sql").addEventListener("click", run);
byId("cancel").addEventListener("click", cancel);
byId("plan").addEventListener("click", plan);
byId("history").addEventListener("toggle", () => byId("history").open && listHistory());
byId("schema-filter").addEventListener("input", listTables);
byId("schema-open").addEventListener("click", () => byId("schema-open").setAttribute("aria-expanded", String(byId("sql-panes").toggleAttribute("data-schema"))));
for (const one of byId("export").querySelectorAll("[data-format]")) one.addEventListener("click", () => exported(one.dataset.format));
for (const name of ["rows", "chart", "plan"]) byId(`tab-${name}`).addEventListener("click", () => { tab = name; show(); });
key("/", "Write SQL", () => editor.focus());
key("c", "Copy the row", () => {
  const values = rows[table.chosen];
  if (values) copy(values.map((value) => (value === null ? "" : shownAs(value))).join("\t"));
});
key("j", "The row below", () => table.select(table.chosen + 1));
key("k", "The row above", () => table.select(table.chosen - 1));
key("Escape", "Cancel what runs", () => (running ? cancel() : false));
show();
api("/api/v1/sql/tables").then((found) => { tables = found.items; listTables(); }, failed);
