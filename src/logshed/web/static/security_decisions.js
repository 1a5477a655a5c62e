// Whom to block: what was decided and holds.
import { api, byId, element, failed, path, toast } from "./base.js";
import { command, dialog, empty, may, time, value } from "./security_parts.js";

const rows = byId("rows");

function rowOf(one) {
  const origin = one.origin === "manual" ? "by hand" : element("a", { href: `/security/incidents/${one.origin}`, text: "incident" });
  return element("tr", {},
    element("td", { class: "name" }, value(one.address, { class: "mono" }), one.simulated && element("span", { class: "badge", data: { kind: "soft" }, text: "only reported" })),
    element("td", {}, value(one.reason)), element("td", {}, origin), element("td", {}, "until ", time(one.until, { exact: true, seconds: false })),
    element("td", { class: "state" }, may("triage") && element("button", { type: "button", text: "Take back", on: { click: () => api(path("/api/v1/decisions", { address: one.address }), { method: "DELETE" }).then(() => { toast("It is taken back."); return load(); }).catch(failed) } })));
}

async function load() {
  const { items } = await api("/api/v1/decisions");
  rows.replaceChildren(...items.map(rowOf));
  byId("table").hidden = !items.length;
  byId("empty").replaceChildren(...(items.length ? [] : [empty("Nobody is to be blocked", element("p", {}, "Decide on an address above, or let incidents decide: ", command('[detect] block_level = "critical"'), " in ", command("logshed.toml"), "."))]));
}

if (may("triage")) {
  const made = dialog("decide", async (said) => {
    await api("/api/v1/decisions", { method: "POST", body: { address: said.address, until: said.until, reason: said.reason, simulated: said.simulated === "on" } });
    toast("It is decided.");
    await load();
  });
  byId("add").addEventListener("click", made.open);
}
load().catch((error) => byId("empty").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message })));
