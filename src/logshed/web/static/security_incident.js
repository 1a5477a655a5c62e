// One incident: why it is one, who did it, when and where, its records, and what people do with it.
import { api, byId, count, element, failed, key, path, sound, toast } from "./base.js";
import { body, dialog, exploreActor, level, may, ruleHref, rules, score, status, time, value } from "./security_parts.js";
import { evidence } from "./security_evidence.js";
import { country, worldMap } from "./security_map.js";
import { timeline } from "./security_timeline.js";

const id = body.incident, base = `/api/v1/incidents/${encodeURIComponent(id)}`;
const FACTS = {
  client_geo_country_iso_code: ["Country", country], client_geo_region: ["Region"], client_geo_locality: ["Town"],
  client_as_name: ["Network of"], client_as_number: ["AS number"], client_network: ["Network"], client_is_internal: ["Internal", () => "yes"],
  client_threat_list: ["On threat lists"], client_risk_level: ["Risk"],
};
const VALUES = {
  service_name: "Services", user_id: "Users", user_agent_original: "User agents", url_path: "Paths", http_request_method: "Methods",
  http_response_status_code: "Status codes", event_name: "Events", host_name: "Hosts",
};
const FIRST = 5; // rules that are shown at first
let incident = null;

// ---- The head -------------------------------------------------------------------------------------------------------

function head(one) {
  byId("actor").replaceChildren(value(one.actor ?? "nobody"));
  document.title = `${sound(one.actor ?? "nobody")} · Incident · Logshed`;
  byId("badges").replaceChildren(level(one.threat_level), status(one),
    element("span", { class: "soft" }, `${(one.actor_type ?? "").replaceAll("_", " ")} in `, value(one.collection)),
    element("span", { class: "soft" }, one.assignee ? element("span", {}, value(one.assignee), " works on it") : "nobody works on it"));
  byId("when").replaceChildren(time(one.timestamp, { exact: true }), " to ", time(one.end_timestamp, { exact: true }),
    element("span", { text: ` · ${count(one.finding_count)} findings · ${count(one.event_count)} records · ` }),
    element("a", { href: exploreActor(one, one.timestamp, one.end_timestamp), text: "records of the actor in Explore" }));
  for (const button of document.querySelectorAll("[data-status]")) button.hidden = button.dataset.status === one.status;
  const mine = byId("mine");
  if (mine) mine.hidden = one.assignee === body.me;
}

// Each rule with its best finding: what makes the score.
function why(one, findings) {
  const best = new Map();
  for (const found of findings) {
    const before = best.get(found.rule_name);
    best.set(found.rule_name, { ...(before && before.score > found.score ? before : found), number: (before?.number ?? 0) + 1, records: (before?.records ?? 0) + found.event_count });
  }
  const ordered = [...best.values()].sort((one_, other) => other.score - one_.score);
  const items = ordered.map((found, number) => element("li", { class: "reason", hidden: number >= FIRST },
    element("div", { class: "reason-head" }, score(found.score, found.level), level(found.level),
      element("a", { href: ruleHref(found.rule_name), text: found.rule_title || found.rule_name }),
      found.confidence === "low" && element("span", { class: "badge", data: { kind: "soft" }, text: "low confidence" }),
      found.technique && element("span", { class: "soft", text: found.technique })),
    element("p", {}, value(found.explanation)),
    found.number > 1 && element("p", { class: "note", text: `${found.number} findings, ${count(found.records)} records` })));
  byId("why").replaceChildren(...[
    element("p", { class: "big-score" }, element("b", { text: Math.round(one.threat_score) }), element("span", { class: "soft", text: " of 100" })),
    element("p", { class: "note", text: best.size > 1 ? "The chance that at least one of these rules is right, each taken by its best finding." : "The score of its finding." }),
    element("ul", { class: "reasons" }, ...items),
    items.length > FIRST && element("button", { type: "button", class: "wide", text: `Show ${items.length - FIRST} more rules`, on: { click: (event) => { for (const item of items) item.hidden = false; event.currentTarget.remove(); } } })].filter(Boolean));
  return ordered.map((found) => found.rule_name);
}

// ---- The actor ------------------------------------------------------------------------------------------------------

function facts(found) {
  const shown = Object.entries(FACTS).filter(([name]) => found.facts[name] !== undefined && found.facts[name] !== false && found.facts[name] !== "");
  const list = shown.flatMap(([name, [title, made]]) => [element("dt", { text: title }),
    element("dd", { class: name === "client_threat_list" || ["high", "critical"].includes(found.facts[name]) ? "alarming" : null }, value(made ? made(found.facts[name]) : found.facts[name]))]);
  for (const [name, title] of Object.entries(VALUES)) {
    if (found.values[name]) list.push(element("dt", { text: title }), element("dd", {}, ...found.values[name].map((text) => value(text, { class: "entry" }))));
  }
  if (found.incidents.length) {
    list.push(element("dt", { text: "Other incidents" }), element("dd", {}, ...found.incidents.map((one) => element("a", { class: "entry", href: `/security/incidents/${one.incident_id}` },
      `${one.threat_level}, ${one.status}, `, time(one.end_timestamp)))));
  }
  const none = !shown.length && found.records ? [element("p", { class: "note" }, "Nothing is known of where the address is: ", element("code", { text: "logshed enrich" }), " adds places, networks and threat lists.")] : [];
  byId("facts").replaceChildren(list.length ? element("dl", { class: "facts" }, ...list) : element("p", { class: "soft", text: "No record names this actor in this time." }), ...none);
  byId("map-panel").hidden = !found.places.length || !body.map;
  byId("said").classList.toggle("half", !byId("map-panel").hidden);
  if (!byId("map-panel").hidden) worldMap(byId("map"), found.places).catch(failed);
}

// ---- What was said and done -----------------------------------------------------------------------------------------

function history(one) {
  const all = [...one.notes.map((note) => ["note", note]), ...one.changes.map((change) => ["change", change])]
    .sort(([, a], [, b]) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  const items = all.map(([kind, entry]) => element("li", { data: { kind } },
    element("p", { class: "note" }, value(entry.author), kind === "change" ? ` set ${entry.status ? "the state to" : "the assignee to"} ` : " wrote, ",
      kind === "change" && element("b", {}, value(entry.status ?? (entry.assignee || "nobody"))), kind === "change" && ", ", time(entry.time)),
    kind === "note" && element("p", { class: "value said", text: sound(entry.text) })));
  byId("history").replaceChildren(...(items.length ? items : [element("li", { class: "soft", text: "Nobody wrote or changed anything yet." })]));
}

function show(one) {
  incident = one;
  head(one);
  history(one);
}

async function change(done, told) {
  show(await api(base, { method: "PATCH", body: done }));
  if (told) toast(told);
}

function work() {
  for (const button of document.querySelectorAll("[data-status]")) {
    button.addEventListener("click", () => change({ status: button.dataset.status }, `The incident is ${button.dataset.status}.`).catch(failed));
  }
  byId("mine").addEventListener("click", () => change({ assignee: body.me }, "It is yours.").catch(failed));
  byId("note-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("note");
    if (field.value.trim()) change({ note: field.value }).then(() => { field.value = ""; }).catch(failed);
  });
  const close = dialog("close", (said) => change({ status: "closed", note: said.note }, "The incident is closed."));
  byId("close-button").addEventListener("click", close.open);
  const mute = dialog("mute", async (said) => {
    if (said.what === "incident") return change({ status: "muted", until: said.until, note: said.note }, "The incident is muted.");
    const actor = said.what === "rule" ? "*" : incident.actor;
    const rule = said.what === "actor" ? "*" : said.rule;
    const name = `${rule} by ${actor} in ${incident.collection}`.slice(0, 120);
    await api("/api/v1/mutes", { method: "POST", body: { name, rule, actor, collection: incident.collection, until: said.day || null, reason: said.note } });
    return toast("Findings like these are kept back from now on.");
  });
  byId("mute-button").addEventListener("click", () => {
    const select = mute.form.elements.rule;
    select.replaceChildren(...incident.rules.split(" ").filter(Boolean).map((name) => element("option", { value: name, text: name })));
    mute.open();
    mute.form.dispatchEvent(new Event("change"));
  });
  mute.form.addEventListener("change", () => {
    const what = new FormData(mute.form).get("what");
    byId("mute-span").hidden = what !== "incident";
    byId("mute-rule").hidden = !["rule", "both"].includes(what);
    byId("mute-day").hidden = what === "incident";
  });
  key("n", "Write a note", () => byId("note").focus());
  key("c", "Close the incident", () => incident?.status !== "closed" && close.open());
  key("m", "Mute", () => byId("mute-button").click());
}

async function load() {
  show(await api(base));
  if (may("triage")) work();
  const records = evidence(base, byId("evidence"));
  const [found, actor] = await Promise.all([api(`${base}/findings`), api(`${base}/actor`)]);
  const order = why(incident, found.items);
  facts(actor);
  timeline(byId("timeline"), found.items, actor, order, (finding) => {
    byId("all-findings").open = true;
    const row = byId("findings").querySelector(`[data-id="${CSS.escape(finding)}"]`);
    for (const one of byId("findings").children) one.removeAttribute("aria-selected");
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "center" });
  });
  byId("findings").replaceChildren(...found.items.map((one) => element("tr", { data: { id: one.finding_id } },
    element("td", {}, time(one.timestamp, { exact: true })), element("td", {}, level(one.level)), element("td", {}, rules([one.rule_name])),
    element("td", { class: "number", text: count(one.event_count) }), element("td", {}, value(one.explanation),
      ...Object.entries(one.attributes).map(([name, text]) => element("div", { class: "note" }, `${name}: `, value(text, { class: "mono" })))))));
  if (incident.finding_count > found.items.length) byId("findings-more").textContent = `The first ${found.items.length} of ${count(incident.finding_count)} are shown.`;
  await records;
}

load().catch((error) => {
  byId("failure").textContent = error.message;
  byId("failure").hidden = false;
});
