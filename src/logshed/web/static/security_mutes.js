// What nobody wants to be told of: mutes of people and of the settings, and incidents that are silent for some time.
import { api, byId, element, failed, path, toast } from "./base.js";
import { command, dialog, empty, may, time, value } from "./security_parts.js";

const rows = byId("rows"), silent = byId("silent");

function rowOf(one) {
  const end = one.origin === "people" && may("triage")
    ? element("button", { type: "button", text: "End it", on: { click: () => api(`/api/v1/mutes/${encodeURIComponent(one.name)}`, { method: "DELETE" }).then(() => { toast("The mute is ended."); return load(); }).catch(failed) } })
    : element("span", { class: "soft", text: one.origin === "settings" ? "in logshed.toml" : "" });
  const until = one.over ? element("span", { class: "badge", data: { kind: "soft" }, text: `over since ${one.until}` }) : element("span", { text: one.until ? `until ${one.until}` : "for ever" });
  return element("tr", { data: { id: one.name } },
    element("td", { class: "name" }, value(one.name), one.reason && value(one.reason, { class: "soft" })),
    element("td", { data: { label: "rule" } }, value(one.rule, { class: "mono" })), element("td", { data: { label: "actor" } }, value(one.actor, { class: "mono" })),
    element("td", { data: { label: "in" } }, value(one.collection, { class: "mono" })), element("td", {}, until), element("td", { class: "state" }, end));
}

function incidentOf(one) {
  return element("tr", {}, element("td", {}, element("a", { href: `/security/incidents/${one.incident_id}` }, value(one.actor ?? "nobody"))), element("td", {}, value(one.collection)),
    element("td", {}, "until ", time(one.muted_until, { exact: true, seconds: false })));
}

async function load() {
  const [mutes, incidents] = await Promise.all([api("/api/v1/mutes"), api(path("/api/v1/incidents", { status: "muted", since: "all", limit: 200 }))]);
  rows.replaceChildren(...mutes.items.map(rowOf));
  byId("table").hidden = !mutes.items.length;
  byId("hidden").textContent = mutes.hidden ? `${mutes.hidden} more are about collections that you do not see, or about all.` : "";
  byId("empty").replaceChildren(...(mutes.items.length ? [] : [empty("Nothing is muted", element("p", {}, "A mute keeps back what is found from then on: it is counted, and not kept. Settings may hold some too: ", command("[[suppress]]"), "."))]));
  silent.replaceChildren(...incidents.items.map(incidentOf));
  byId("silent-panel").hidden = !incidents.items.length;
}

if (may("triage")) {
  const made = dialog("mute", async (said) => {
    await api("/api/v1/mutes", { method: "POST", body: { ...said, until: said.until || null, rule: said.rule || "*", actor: said.actor || "*", collection: said.collection || "*" } });
    toast("Findings like these are kept back from now on.");
    await load();
  });
  byId("add").addEventListener("click", made.open);
}
load().catch((error) => byId("empty").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message })));
