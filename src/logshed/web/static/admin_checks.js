// Long checks: begun here or by another administrator, watched while they run, ended, and read when they are done.
import { ago, api, byId, duration, element, failed, path, sound } from "./base.js";
import { REPORTS } from "./admin_reports.js";
import { badge, cell, empty, filled, table } from "./tables.js";

const POLL_MS = 700;
const OPEN = new Set(["waiting", "running", "ending"]);
const WORDS = { waiting: "waits for its turn", running: "runs", ending: "is being ended", ended: "was ended", failed: "failed", done: "is done" };
const KINDS = { done: "good", failed: "bad", ended: "warn" };
const address = (id) => `/api/v1/admin/checks/${encodeURIComponent(id)}`;
const page = (check) => `/admin/checks/${encodeURIComponent(check.id)}`;
const took = ({ begun, ended }) => duration((ended ? new Date(ended) : new Date()) - new Date(begun));
const asked = (check) => Object.entries(check.asked).filter(([, value]) => value !== null).map(([name, value]) => `${name} ${value}`).join(", ");

function running(check) {
  const { place, done, total } = check.progress;
  const end = element("button", { type: "button", text: "End it", disabled: check.state === "ending", on: { click: async () => {
    end.disabled = true;
    await api(address(check.id), { method: "DELETE" }).catch(failed);
  } } });
  return element("section", { class: "panel", data: { state: check.state } },
    element("p", { role: "status" }, `The check ${WORDS[check.state]}, for ${took(check)}; ${sound(check.by)} began it. `, element("a", { href: page(check), text: "Link to it" })),
    element("progress", { max: total || 1, value: total ? done : null, "aria-label": "How far it is" }),
    element("p", { class: "soft value", text: place ? sound(place) : total ? `${done} of ${total}` : "It begins." }), end);
}

function over(check) {
  if (check.state === "failed") return element("p", { class: "failure", role: "alert", text: sound(check.detail) });
  if (check.state === "ended") return empty("The check was ended", element("p", { text: "Nothing is known of what it had not read. Begin it anew if you need it." }));
  return element("div", { class: "sections" }, REPORTS[check.kind](check.result),
    element("p", { class: "note" }, `Begun ${ago(check.begun)} by ${sound(check.by)}, took ${took(check)}. `, element("a", { href: page(check), text: "Link to this result" }), ", kept until the server is started anew."));
}

// Show a check until it is over.
async function watch(box, id) {
  for (;;) {
    const check = await api(address(id));
    if (!OPEN.has(check.state)) { box.replaceChildren(over(check)); return; }
    box.replaceChildren(running(check));
    await new Promise((done) => { setTimeout(done, POLL_MS); });
    if (!box.isConnected) return;
  }
}

const told = (error, box) => box.replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }));

async function earlier(box, kind) {
  const { items } = await api(path("/api/v1/admin/checks", { kind }));
  const open = items.find(({ state }) => OPEN.has(state));
  const past = items.filter(({ state }) => !OPEN.has(state));
  if (past.length) box.replaceChildren(element("details", {}, element("summary", { text: `Checks of before (${past.length})` }), listed(past)));
  return open;
}

function listed(items) {
  return table([
    { title: "Begun", key: "begun", kind: "ago", href: page }, { title: "By", key: "by" }, { title: "Asked", value: asked },
    { title: "State", made: (row) => badge(row.ok === false ? "bad" : KINDS[row.state] ?? "soft", row.ok === false ? "found something" : row.state) },
    { title: "Took", made: (row) => cell("text", took(row)) },
  ], items);
}

// A form that begins checks of a kind; what runs already is shown, and those of before are linked.
export function checking(kind, form, body) {
  const [box, before] = [byId(kind), byId(`${kind}-before`)];
  const follow = (id) => watch(box, id).catch((error) => told(error, box)).then(() => earlier(before, kind)).catch(failed);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const check = await api(`/api/v1/admin/${kind}`, { method: "POST", body: body(new FormData(form)) });
      box.replaceChildren(running(check));
      follow(check.id);
    } catch (error) { told(error, box); }
  });
  earlier(before, kind).then((open) => { if (open) follow(open.id); }).catch(failed);
}

// The page of one check.
export function one() {
  const box = byId("check");
  return filled(box, () => api(address(box.dataset.check)), (check) => {
    byId("check-asked").textContent = [check.kind, asked(check)].filter(Boolean).join(": ");
    const shown = element("div", {});
    watch(shown, check.id).catch((error) => told(error, shown));
    return shown;
  });
}
