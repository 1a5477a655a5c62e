// Looking after the lake: each page of the area uses its part of this.
import { api, byId, bytes, count, element, failed, key, path, sound } from "./base.js";
import { checking, one as check } from "./admin_checks.js";
import { panel, told } from "./admin_reports.js";
import { queries } from "./admin_queries.js";
import { badge, cell, empty, filled, listed, table, tiles } from "./tables.js";

const WAIT_MS = 250;
const days = (number) => (number === null ? "for ever" : `${count(number)} ${number === 1 ? "day" : "days"}`);

// ---- Policies -------------------------------------------------------------------------------------------------------

const treatment = (one) => `${one.action} ${one.in_place}`.trim();

function policy(found) {
  const rules = table([
    { title: "Rule", key: "rule", kind: "code" }, { title: "Class", key: "class" },
    { title: "Does", made: (row) => badge(row.action === "keep" ? "warn" : "good", row.action) },
    { title: "In its place", key: "in_place", kind: "code" }, { title: "What it finds", key: "title", kind: "words" },
  ], found.rules);
  const columns = Object.entries(found.columns).map(([name, one]) => ({ name, does: treatment(one) }));
  const overrides = found.overrides.map((one) => ({ ...one, does: Object.entries(one.differs).map(([name, other]) => `${name}: ${treatment(other)}`).join("; ") || "the same" }));
  return element("div", { class: "sections" }, element("p", { class: "lead", text: found.covers }), rules,
    columns.length ? table([{ title: "Column", key: "name", kind: "code" }, { title: "Does", key: "does" }], columns) : "",
    overrides.length ? table([{ title: "Collection", key: "collection" }, { title: "Source", key: "source" }, { title: "Differs in", key: "does" }], overrides) : "",
    found.allowed ? element("p", {}, "Stays in any case: ", element("code", { class: "value", text: found.allowed })) : "");
}

function showPolicy(name) {
  byId("policy-panel").hidden = false;
  byId("policy-name").textContent = name;
  filled(byId("policy"), () => api(`/api/v1/admin/policies/${encodeURIComponent(name)}`), policy)
    .then(() => byId("policy-panel").scrollIntoView({ block: "nearest" }));
}

function compared({ items }) {
  if (!items.length) return empty("They treat everything alike");
  return table([
    { title: "What", key: "what" }, { title: "Name", key: "name", kind: "code" },
    { title: byId("compare-first").value, value: (row) => treatment(row.first) },
    { title: byId("compare-second").value, value: (row) => treatment(row.second) },
  ], items);
}

function policies() {
  filled(byId("policies"), () => api("/api/v1/admin/policies"), ({ items }) => {
    for (const list of [byId("compare-first"), byId("compare-second")]) list.append(...items.map(({ name }) => new Option(name)));
    byId("compare-second").selectedIndex = items.length - 1;
    return table([
      { title: "Policy", made: (row) => element("button", { type: "button", class: "plain", text: row.name, on: { click: () => showPolicy(row.name) } }) },
      { title: "State", made: (row) => (row.set ? badge("good", "in use") : cell("text", null)) },
      { title: "Rules on", key: "rules", kind: "count" }, { title: "What it is for", key: "title", kind: "words" },
    ], items);
  });
  byId("compare-form").addEventListener("submit", (event) => {
    event.preventDefault();
    filled(byId("compared"), () => api(path("/api/v1/admin/policies/compare", { first: byId("compare-first").value, second: byId("compare-second").value })), compared);
  });
}

// ---- Redaction ------------------------------------------------------------------------------------------------------

function redaction() {
  checking("redaction", byId("redaction-form"), (form) => ({ share: Number(form.get("share")), policy: form.get("policy") || null }));
  filled(byId("redacted"), () => api(path("/api/v1/collections", { limit: 1000 })), ({ items }) => (items.length ? table([
    { title: "Collection", key: "collection", href: (row) => `/collections/${encodeURIComponent(row.collection)}` },
    { title: "Records", key: "records", kind: "count" }, { title: "Spans replaced", key: "redacted", kind: "count" },
    { title: "In 100 records", value: (row) => (row.records ? Math.round(row.redacted / row.records * 10000) / 100 : 0), kind: "count" },
  ], items) : empty("There are no records yet")));
}

// ---- Retention ------------------------------------------------------------------------------------------------------

function retention() {
  const own = (row) => Object.entries(row.collections).map(([name, number]) => `${name}: ${days(number)}`);
  filled(byId("retention"), () => api("/api/v1/admin/retention"), ({ enabled, items }) => element("div", {},
    enabled ? "" : element("p", { class: "warning", text: "Nothing is taken away: retain is off in the settings." }),
    table([
      { title: "Layer", key: "layer" }, { title: "Kept", value: (row) => days(row.days) },
      { title: "Other spans", value: own, kind: "list" }, { title: "Setting", key: "why", kind: "code" },
    ], items)));
  byId("due-look").addEventListener("click", () => filled(byId("due"), () => api("/api/v1/admin/retention/due"), ({ items }) => table([
    { title: "Table", key: "table" }, { title: "Rows", key: "rows", kind: "count" }, { title: "Files touched", key: "files", kind: "count" },
    { title: "Bytes of them", key: "bytes", kind: "bytes" }, { title: "By", key: "setting", kind: "code" },
    { title: "Note", value: (row) => row.error || (row.first ? "the first rows of it that go by age" : null) },
  ], items)));
}

// ---- The trail ------------------------------------------------------------------------------------------------------

const TRAIL = [
  { title: "When", key: "timestamp", kind: "time" }, { title: "Who", key: "actor" }, { title: "Did", key: "verb" },
  { title: "To", key: "target" }, { title: "Outcome", made: told("outcome") },
  { title: "Collection", value: (row) => (row.collection === "*" ? null : row.collection) },
  { title: "More", key: "details", kind: "code" }, { title: "No.", key: "sequence", kind: "count" },
];

function trail() {
  let wait;
  const load = () => {
    const form = new FormData(byId("trail-form"));
    listed(byId("trail"), "/api/v1/admin/trail", Object.fromEntries(form), TRAIL,
      () => empty("No entry", element("p", { text: "Nothing of that kind was done in this time." })));
  };
  byId("trail-form").addEventListener("submit", (event) => event.preventDefault());
  byId("trail-form").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(load, WAIT_MS); });
  key("/", "Find who did it", () => byId("trail-actor").focus());
  filled(byId("chain"), () => api("/api/v1/admin/trail/chain"), ({ whole, breaks }) => (whole ? badge("good", "chain is whole")
    : element("span", {}, badge("bad", "chain is broken"), ` ${breaks.map(sound).join(" ")}`)), 1);
  load();
}

// ---- Cost -----------------------------------------------------------------------------------------------------------

const CLOUD = { title: "Cloud", key: "cloud" };
const MONTH = { title: "A month", key: "month", kind: "money" };
const COSTS = [
  ["Storage", "storage", [CLOUD, { title: "Layer", key: "layer" }, { title: "Days", key: "days", kind: "count" }, { title: "GB", key: "gb", kind: "count" }, MONTH]],
  ["Requests", "requests", [CLOUD, { title: "Writes", key: "writes", kind: "count" }, { title: "Reads", key: "reads", kind: "count" }, MONTH]],
  ["Machines, while they work", "compute", [{ title: "Engine", key: "engine" }, { title: "Machine", key: "machine" }, { title: "Processor s a GB", key: "cpu_s_per_gb", kind: "count" }, { title: "Hours", key: "processor_hours", kind: "count" }, MONTH, { title: "Spot", key: "spot", kind: "money" }]],
  ["Collections", "collections", [CLOUD, { title: "Collection", key: "collection" }, { title: "Records a day", key: "events_per_day", kind: "count" }, { title: "GB", key: "gb", kind: "count" }, MONTH]],
  ["What if", "what_if", [CLOUD, { title: "If", key: "if" }, { title: "GB", key: "gb", kind: "count" }, MONTH, { title: "More", key: "more", kind: "money" }]],
  ["Prices", "sources", [{ title: "Name", key: "name" }, { title: "Date", key: "date" }, { title: "Source", key: "source" }]],
];

function costs(found) {
  const figures = tiles([
    ["Records a day", count(Math.round(found.events_per_day))], ["Raw logs a day", bytes(found.raw_bytes_per_day)],
    ["Measured over", days(found.measured_days)], ["Currency", found.currency],
  ]);
  return element("div", { class: "sections" }, figures, ...COSTS.filter(([, name]) => found[name]?.length).map(([title, name, columns]) => panel(title, table(columns, found[name]))));
}

function cost() {
  const load = () => filled(byId("cost"), () => api(path("/api/v1/admin/cost", Object.fromEntries(new FormData(byId("cost-form"))))), costs);
  byId("cost-form").addEventListener("submit", (event) => { event.preventDefault(); load(); });
  load();
}

// ---- Health, runs, compliance ---------------------------------------------------------------------------------------

const CHECKS = [{ title: "State", made: told("state") }, { title: "What was found", key: "text", kind: "words" }];

function checks({ items }) {
  const [fine, others] = [items.filter(({ state }) => state === "ok"), items.filter(({ state }) => state !== "ok")];
  others.sort((one, other) => one.state.localeCompare(other.state));
  return element("div", {}, others.length ? table(CHECKS, others) : element("p", {}, badge("good", "nothing is missing or misset")),
    element("details", {}, element("summary", { text: `${count(fine.length)} things are in order` }), table(CHECKS, fine)));
}

function health() {
  filled(byId("tables"), () => api("/api/v1/admin/lake"), ({ items }) => table([
    { title: "Table", key: "table", kind: "code" }, { title: "Rows", key: "rows", kind: "count" }, { title: "Files", key: "files", kind: "count" },
    { title: "Small", key: "small", kind: "count" }, { title: "Bytes", key: "bytes", kind: "bytes" }, { title: "Snapshots", key: "snapshots", kind: "count" },
    { title: "Changed", key: "changed", kind: "ago" }, { title: "Kept by", key: "kept", kind: "code" },
  ], items));
  checking("integrity", byId("integrity-form"), () => undefined);
  filled(byId("checks"), () => api("/api/v1/admin/health"), checks);
}

function schedules() {
  filled(byId("schedules"), () => api("/api/v1/admin/schedules"), ({ items }) => (items.length ? table([
    { title: "Name", key: "name" }, { title: "Runs", key: "run", kind: "code" }, { title: "When", key: "cron", kind: "code" }, { title: "Zone", key: "timezone" },
    { title: "Next", key: "next", kind: "time" }, { title: "Last", key: "last", kind: "time" }, { title: "Outcome", made: told("outcome") }, { title: "Took", key: "seconds", kind: "seconds" },
  ], items) : empty("Nothing runs by the clock", element("p", {}, "Write into ", element("code", { text: "logshed.toml" }), ", and start ", element("code", { text: "logshed schedule" }), ":"),
    element("pre", { class: "sample", text: '[[schedule]]\nname = "nightly"\ncron = "15 3 * * *"\nrun = "maintain"' }))));
}

async function compliance() {
  checking("compliance", byId("compliance-form"), (form) => ({ regime: form.get("regime"), share: Number(form.get("share")) }));
  const { items } = await api("/api/v1/admin/regimes");
  byId("regimes").append(...items.map(({ name, title }) => new Option(title, name)));
  byId("compliance-ask").disabled = false;
}

const PARTS = { policies, redaction, retention, trail, cost, checks: health, schedules, compliance, check, queries };
for (const [id, begin] of Object.entries(PARTS)) if (byId(id)) Promise.resolve(begin()).catch(failed);
