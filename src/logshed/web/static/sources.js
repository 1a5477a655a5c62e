// Sources: what arrives, rejects, a line explained, gaps, the ledger. Each page of the area uses its part of this.
import { api, byId, count, element, failed, key, path, percent, sound, toast } from "./base.js";
import { receivers } from "./sources_receivers.js";
import { badge, cell, empty, filled, listed, table, tiles } from "./tables.js";

const WAIT_MS = 250;
const HOUR_S = 3600;
const quoted = (value) => `"${value.replace(/[\\"]/g, "\\$&")}"`;
const explore = (field, value) => `/explore?${new URLSearchParams({ q: `${field}:${quoted(value)}`, since: "all" })}`;
const collection = { title: "Collection", key: "collection", href: (row) => `/collections/${encodeURIComponent(row.collection)}` };
const source = { title: "Source", key: "source", href: (row) => explore("source", row.source) };
const silent = (row) => (Date.now() - new Date(row.arrived).getTime()) / 1000;

function nothing(title, told) {
  return () => empty(title, element("p", { text: told }));
}

// ---- What arrives ---------------------------------------------------------------------------------------------------

// Whether a source still sends, told by words too: colour alone tells nothing.
function state(row) {
  if (row.last_hour) return badge("good", "arriving");
  return silent(row) < 24 * HOUR_S ? badge("warn", "quiet") : badge("soft", "silent");
}

function share(row) {
  const part = row.records ? row.rejected / row.records : 0;
  const shown = element("span", { text: percent(part * 100) });
  return row.rejected ? element("a", { href: "/sources/rejects" }, part > 0.01 ? badge("warn", percent(part * 100)) : shown) : shown;
}

const ARRIVING = [
  source, collection,
  { title: "State", made: state },
  { title: "Read last", key: "arrived", kind: "ago" },
  { title: "Newest record", key: "last", kind: "time" },
  { title: "In the last hour", key: "last_hour", kind: "brief" },
  { title: "Comes late by", key: "late_s", kind: "seconds", says: "From happening to reading, the median of the last day" },
  { title: "Records", key: "records", kind: "brief" },
  { title: "Not parsed", made: share },
  { title: "Formats", key: "formats", kind: "list" },
];

function arriving() {
  let wait;
  const load = () => {
    const form = new FormData(byId("sources-form"));
    listed(byId("sources"), "/api/v1/sources", { q: form.get("q"), since: form.get("since") }, ARRIVING,
      form.get("q") ? nothing("No source has that in its name", "Other words, or a longer time, may find it.")
        : nothing("Nothing was read in this time", "Choose a longer time, or bring logs in: logshed ingest, logshed receive, logshed collect."));
  };
  byId("sources-form").addEventListener("submit", (event) => event.preventDefault());
  byId("sources-form").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(load, WAIT_MS); });
  key("/", "Find a source", () => byId("sources-words").focus());
  load();
}

// ---- Rejects --------------------------------------------------------------------------------------------------------

function reject(row) {
  const lines = row.samples.map((one) => element("code", { class: "sample", text: sound(one) }));
  const told = new URLSearchParams({ text: row.samples[0] ?? "" });
  return element("section", { class: "panel" },
    element("div", { class: "panel-head" }, element("h2", { class: "value", text: sound(row.reason) }), badge("warn", `${count(row.records)} records`)),
    element("p", { class: "soft value" }, "From ", element("a", { href: explore("source", row.source), text: sound(row.source) }), " in ",
      element("a", { href: `/collections/${encodeURIComponent(row.collection)}`, text: sound(row.collection) }),
      row.format ? `, read as ${row.format}` : ", of no format", "; the last ", cell("ago", row.last), "."),
    element("div", { class: "samples" }, ...lines),
    element("p", {}, element("a", { href: `/sources/explain#${told}`, text: "Explain the newest" })));
}

function rejects() {
  filled(byId("rejects"), () => api(path("/api/v1/sources/rejects", { limit: 100 })), ({ items }) => (items.length
    ? element("div", { class: "sections" }, ...items.map(reject))
    : empty("Every line was parsed", element("p", { text: "Nothing that rests in the lake was rejected." }))));
}

// ---- A line explained -----------------------------------------------------------------------------------------------

function pairs(values) {
  return Object.entries(values).flatMap(([name, value]) => [element("dt", { text: sound(name) }), element("dd", { text: sound(value) })]);
}

function record({ fields, attributes }, number) {
  const { text, ...columns } = fields;
  return element("section", { class: "panel" }, element("h3", { text: `Record ${number + 1}` }),
    element("code", { class: "sample", text: sound(text ?? "") }),
    element("dl", { class: "fields" }, ...pairs(columns), ...pairs(Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`attributes.${name}`, value])))));
}

function others(found) {
  if (!found.others.length) return element("p", { class: "soft", text: "No other format takes a line of it." });
  return table([
    { title: "Format", made: (row) => element("button", { type: "button", class: "plain", text: row.format, on: { click: () => tryAs(row.format) } }) },
    { title: "What it is", key: "title", kind: "words" }, { title: "Takes", key: "share", kind: "percent" },
  ], found.others);
}

function explained(found) {
  const head = element("section", { class: "panel" },
    element("div", { class: "panel-head" }, element("h2", { text: found.winner ?? "No format takes this" }),
      badge(found.winner ? "good" : "warn", found.winner ? `takes ${percent(found.share * 100)}` : "not parsed")),
    element("p", { class: "value", text: found.title }), element("p", { class: "soft value", text: `${found.why}.` }),
    found.tie.length ? element("p", { text: `As good: ${found.tie.join(", ")}.` }) : null,
    found.redacted ? element("p", { text: `Redaction replaces ${found.redacted === 1 ? "a span" : `${count(found.redacted)} spans`} before anything rests.` }) : null,
    found.trouble ? element("p", { class: "warning", text: found.trouble }) : null,
    found.format ? element("p", { class: "note" }, "In a command: ", element("code", { text: `--format ${found.format}` })) : element("p", { class: "note" }, "Write a format of your own from sample lines: ", element("code", { text: "logshed formats new app.log -o app.toml" })));
  const left = found.unmatched.length ? element("section", { class: "panel" }, element("h2", { text: "Lines that it does not take" }),
    element("div", { class: "samples" }, ...found.unmatched.map((line) => element("code", { class: "sample", text: sound(line) })))) : null;
  const rest = element("section", { class: "panel" }, element("h2", { text: "Other formats" }), others(found));
  return element("div", { class: "sections" }, head, ...found.records.map(record), ...(left ? [left] : []), rest);
}

function explainNow() {
  const form = new FormData(byId("explain-form"));
  return filled(byId("explained"), () => api("/api/v1/formats/explain", {
    method: "POST", body: { text: form.get("text"), format: form.get("format").trim() || "auto" },
  }), explained);
}

function tryAs(format) {
  byId("explain-format").value = format;
  explainNow();
}

async function explaining() {
  byId("explain-form").addEventListener("submit", (event) => { event.preventDefault(); explainNow(); });
  const given = new URLSearchParams(location.hash.slice(1)).get("text");
  if (given) { byId("explain-text").value = given; explainNow(); }
  const { items } = await api(path("/api/v1/formats", { limit: 1000 }));
  byId("explain-formats").append(...items.map(({ name, title }) => element("option", { value: name, text: title })));
}

// ---- Gaps and the ledger --------------------------------------------------------------------------------------------

const GAPS = [
  source, collection,
  { title: "Longest silence", key: "longest_gap_s", kind: "seconds" },
  { title: "From", key: "gap_from", kind: "time" }, { title: "To", key: "gap_to", kind: "time" },
  { title: "Last record", key: "last_record", kind: "time" }, { title: "Silent for", key: "silent_s", kind: "seconds" },
  { title: "Records", key: "records", kind: "brief" },
];

function gaps() {
  const load = () => listed(byId("gaps"), "/api/v1/sources/gaps", { since: byId("gaps-since").value }, GAPS,
    nothing("There is no record of this time", "Choose a longer time."));
  byId("gaps-form").addEventListener("change", load);
  load();
}

const COUNTS = [["read", "Read"], ["stored", "Stored"], ["rejected", "Rejected"], ["dropped", "Dropped"], ["cut", "Cut bytes"]];

function ledger() {
  filled(byId("ledger"), () => api("/api/v1/sources/ledger"), (found) => element("div", { class: "sections" },
    tiles([["Sources", count(found.sources)], ...COUNTS.slice(0, 4).map(([name, title]) => [`Lines ${title.toLowerCase()}`, count(found.total[name])])]),
    table([{ title: "Source", key: "source" }, ...COUNTS.slice(0, 4).map(([name, title]) => ({ title, key: name, kind: "count" })),
      { title: "Files", key: "files", kind: "count" }, { title: "Last commit", key: "committed", kind: "time" }], found.by_source)));
}

const CANARIES = [
  { title: "Run", key: "run", kind: "code" }, { title: "To", key: "to" }, { title: "Begun", key: "begun", kind: "time" },
  { title: "State", made: (row) => (row.missing ? badge("bad", `${count(row.missing)} missing`) : badge(row.ended ? "good" : "soft", row.ended ? "all there" : "runs")) },
  { title: "Sent", key: "sent", kind: "count" }, { title: "Acknowledged", key: "acknowledged", kind: "count" },
  { title: "In the lake", key: "stored", kind: "count" }, { title: "Twice", key: "twice", kind: "count" },
];

function canaries() {
  filled(byId("canaries"), () => api("/api/v1/sources/canaries"), ({ items }) => (items.length ? table(CANARIES, items)
    : element("p", { class: "soft" }, "None was sent from this machine. ", element("code", { text: "logshed canary --to otlp+http://127.0.0.1:4318" }), " sends numbered lines through a door and looks for each of them.")));
}

// ---- Running systems ------------------------------------------------------------------------------------------------

const LEVELS = { ERROR: "bad", WARNING: "warn", INFO: "soft", DEBUG: "soft" };
const entries = (rows) => table([
  { title: "Time", key: "timestamp", kind: "time" },
  { title: "Level", made: (row) => badge(LEVELS[row.level] ?? "soft", row.level) },
  { title: "Message", key: "message", kind: "words" },
], rows);

function problems(found) {
  return Object.entries(found.failed ?? {}).map(([name, told]) => element("p", { class: "warning value", text: `${name}: ${told}` }));
}

async function lines(name) {
  byId("running-log").hidden = false;
  byId("running-name").textContent = name;
  byId("running-log").scrollIntoView({ block: "nearest" });
  await filled(byId("running-lines"), () => api(path("/api/v1/collect/logs", { container: name, hours: byId("running-hours").value })),
    ({ containers }) => (containers[name]?.length ? entries(containers[name]) : empty("It wrote nothing in this time")));
}

function running() {
  const load = () => {
    filled(byId("containers"), () => api("/api/v1/collect/containers"), (found) => element("div", {}, ...problems(found), found.items.length ? table([
      { title: "Container", made: (row) => element("button", { type: "button", class: "plain", text: row.container, on: { click: () => lines(row.container).catch(failed) } }) },
      { title: "State", made: (row) => badge(row.state === "running" ? "good" : "soft", row.state) },
      { title: "Since", key: "status" }, { title: "Image", key: "image" }, { title: "Host", key: "host" }, { title: "Ports", key: "ports" },
    ], found.items) : empty("There is no container")));
    filled(byId("running-errors"), () => api(path("/api/v1/collect/errors", { hours: byId("running-hours").value })), (found) => {
      const names = Object.keys(found.containers);
      if (!names.length) return empty("No container wrote an error in this time");
      return element("div", { class: "sections" }, ...names.map((name) => element("div", {}, element("h3", { class: "value", text: `${name}: ${count(found.containers[name].length)}` }), entries(found.containers[name].slice(-20).reverse()))));
    });
  };
  byId("running-form").addEventListener("change", load);
  byId("running-again").addEventListener("click", () => { load(); toast("Asked again."); });
  load();
}

const PARTS = { receivers, sources: arriving, rejects, explained: explaining, gaps, ledger, canaries, containers: running };
for (const [id, begin] of Object.entries(PARTS)) if (byId(id)) Promise.resolve(begin()).catch(failed);
