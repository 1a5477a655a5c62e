// The list of incidents: filtered, the worst first, several changed at once.
import { api, byId, count, duration, element, failed, path, toast } from "./base.js";
import { body, command, detection, dialog, empty, filters, level, may, rules, score, skeletons, status, time, value, walk } from "./security_parts.js";

const COLUMNS = 8, LIMIT = 50;
const DEFAULTS = { status: "open", since: "all", order: "worst" };
const rows = byId("rows"), chosen = new Set();
let next = null, asking = null;

function asked(said) {
  return { ...said, status: said.status === "any" ? "" : said.status, limit: LIMIT };
}

function lasted(one) {
  const ms = new Date(one.end_timestamp) - new Date(one.timestamp);
  return ms >= 1000 && element("span", { class: "soft", text: `for ${duration(ms)}` });
}

// Long names, such as those of a cloud's roles, differ at their ends.
const middleOut = (name) => (name.length > 40 ? `${name.slice(0, 12)}…${name.slice(-26)}` : name);

function rowOf(one) {
  const box = may("triage") && element("input", { type: "checkbox", "aria-label": `Choose ${one.actor ?? "it"}`, on: { change: (event) => pick(one.incident_id, event.target.checked) } });
  const href = `/security/incidents/${one.incident_id}`;
  return element("tr", { data: { id: one.incident_id } },
    element("td", { class: "pick" }, box),
    element("td", { class: "how" }, score(one.threat_score, one.threat_level), level(one.threat_level)),
    element("td", { class: "by" }, element("a", { href, class: "actor", title: one.actor }, value(middleOut(one.actor ?? "nobody"))), element("span", { class: "soft", text: `${(one.actor_type ?? "").replaceAll("_", " ")} in ` }), value(one.collection)),
    element("td", { class: "which" }, rules(one.rules.split(" ").filter(Boolean), 2)),
    element("td", { class: "number", data: { label: "findings" }, text: count(one.finding_count) }),
    element("td", { class: "number", data: { label: "records" }, text: count(one.event_count) }),
    element("td", { class: "when" }, time(one.end_timestamp), lasted(one)),
    element("td", { class: "state" }, status(one), one.assignee && value(one.assignee, { class: "soft" }), one.note_count > 0 && element("span", { class: "soft", text: `${one.note_count} notes` })));
}

function filled(one) {
  const row = rowOf(one);
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, input, button, .pick")) location.assign(`/security/incidents/${one.incident_id}`);
  });
  return row;
}

function nothing(said) {
  const plain = Object.entries(said).every(([name, text]) => text === (DEFAULTS[name] ?? ""));
  if (!plain) {
    return empty("No incident fits", element("p", {}, "Look at a longer time or another state: ", element("a", { href: "/security?status=any", text: "show all incidents" }), "."));
  }
  return empty("No open incident",
    element("p", {}, "Findings about one actor become an incident. ", command("logshed detect"), " looks through what is new", may("detect") ? ", and so does the button above." : "."),
    element("p", {}, element("a", { href: "/security?status=any", text: "Incidents that are closed or muted" }), " · ", element("a", { href: "/security/rules", text: "What is looked for" })));
}

async function load(said, cursor = null) {
  asking?.abort();
  const own = asking = new AbortController();
  byId("more").disabled = true;
  if (!cursor) { chosen.clear(); pick(); }
  try {
    const page = await api(path("/api/v1/incidents", { ...asked(said), cursor }), { signal: own.signal });
    const made = page.items.map(filled);
    if (cursor) rows.append(...made);
    else rows.replaceChildren(...made);
    next = page.next;
    byId("more").hidden = next === null;
    byId("empty").replaceChildren(...(rows.children.length ? [] : [nothing(said)]));
    byId("table").hidden = !rows.children.length;
  } catch (error) {
    if (error.name === "AbortError") return;
    rows.replaceChildren();
    byId("table").hidden = true;
    byId("empty").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }));
  } finally { byId("more").disabled = false; }
}

async function counts() {
  const found = await api(path("/api/v1/incidents/counts", { since: "all" }));
  for (const tile of document.querySelectorAll("[data-threat]")) {
    const sum = found.items.filter((one) => one.status === "open" && one.threat_level === tile.dataset.threat).reduce((all, one) => all + one.incidents, 0);
    tile.querySelector(".figure").textContent = count(sum);
  }
}

// ---- Several at once ------------------------------------------------------------------------------------------------

function pick(id, on) {
  if (!may("triage")) return;
  if (id) chosen[on ? "add" : "delete"](id);
  byId("bulk").hidden = !chosen.size;
  byId("chosen").textContent = `${chosen.size} chosen`;
  for (const row of rows.querySelectorAll("tr[data-id]")) {
    const box = row.querySelector("input");
    if (box) box.checked = chosen.has(row.dataset.id);
  }
}

async function change(done) {
  const changed = await api("/api/v1/incidents", { method: "PATCH", body: { ids: [...chosen], ...done } });
  toast(`${changed.items.length} changed.`);
  form.show();
  counts().catch(failed);
}

const form = filters(byId("filters"), (said) => load(said), DEFAULTS);
rows.replaceChildren(...skeletons(COLUMNS));
load(form.read());
counts().catch(failed);
byId("more").addEventListener("click", () => load(form.read(), next));
for (const tile of document.querySelectorAll("[data-threat]")) {
  tile.addEventListener("click", () => {
    const own = byId("filters").elements.threat;
    form.set("threat", own.value === tile.dataset.threat ? "" : tile.dataset.threat);
  });
}
walk(rows, (row) => location.assign(`/security/incidents/${row.dataset.id}`),
  may("triage") ? { x: ["Choose the row", (row) => pick(row.dataset.id, !chosen.has(row.dataset.id))] } : {});
if (may("triage")) {
  const mute = dialog("mute", (said) => change({ status: "muted", until: said.until, note: said.note }));
  byId("bulk-mute").addEventListener("click", mute.open);
  for (const button of document.querySelectorAll("[data-status]")) {
    button.addEventListener("click", () => change({ status: button.dataset.status }).catch(failed));
  }
  byId("bulk-mine").addEventListener("click", () => change({ assignee: body.me }).catch(failed));
}
detection(() => { form.show(); counts().catch(failed); });
