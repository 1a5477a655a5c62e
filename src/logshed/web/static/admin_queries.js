// What runs on the server, for whom, since when, to be ended; and what took long of late.
import { api, byId, element, failed, sound, toast } from "./base.js";
import { badge, cell, empty, filled, table } from "./tables.js";

const POLL_MS = 1500;
const OUTCOMES = { done: "good", ended: "warn", failed: "bad" };
const MOST = 300;

// A statement: its beginning, and all of it on demand.
function statement({ what }) {
  if (what.length <= MOST) return cell("code", what);
  return element("details", {}, element("summary", {}, element("code", { class: "value", text: sound(what.slice(0, MOST)) }), " …"), cell("code", what));
}

function progress({ progress: share }) {
  return share === null ? cell("text", null) : element("progress", { max: 1, value: share, "aria-label": "How much of it is done" });
}

function end(row, again) {
  const button = element("button", { type: "button", text: row.ending ? "is ending" : "End", disabled: row.ending, "aria-label": `End the question of ${row.person}`, on: { click: async () => {
    button.disabled = true;
    await api(`/api/v1/queries/${encodeURIComponent(row.id)}`, { method: "DELETE" }).then(() => toast("It was told to end.")).catch(failed);
    again();
  } } });
  return button;
}

const COMMON = [
  { title: "Who", key: "person" }, { title: "Asks", made: statement }, { title: "Since", key: "begun", kind: "time" },
  { title: "Takes", key: "seconds", kind: "seconds" }, { title: "Rows given", key: "rows", kind: "count" }, { title: "Files read", key: "files", kind: "count" },
];

function now({ items }, again) {
  if (!items.length) return empty("Nothing runs", element("p", { text: "Questions, exports, checks and assistants are here while they run." }));
  return table([...COMMON, { title: "Done", made: progress }, { title: "", made: (row) => end(row, again) }], items);
}

function past({ items }) {
  if (!items.length) return element("p", { class: "soft", text: "Nothing took a second or more since the server was started." });
  return table([...COMMON, { title: "Outcome", made: (row) => badge(OUTCOMES[row.outcome] ?? "soft", row.outcome) }], items);
}

// An open statement, or a button that somebody is about to press, is not taken from under their hands.
const held = (box) => box.querySelector("details[open]") || box.contains(document.activeElement);

export async function queries() {
  const [running, over] = [byId("queries"), byId("queries-over")];
  const look = async ({ anyhow = false } = {}) => {
    const [runs, ended] = await Promise.all([api("/api/v1/queries"), api("/api/v1/queries/over")]);
    if (anyhow || !held(running)) running.replaceChildren(now(runs, () => look({ anyhow: true }).catch(failed)));
    if (anyhow || !held(over)) over.replaceChildren(past(ended));
  };
  await filled(running, () => look({ anyhow: true }).then(() => running.firstElementChild), (shown) => shown);
  let told = false;
  for (;;) {
    await new Promise((done) => { setTimeout(done, POLL_MS); });
    if (document.hidden) continue;
    try { await look(); told = false; } catch (error) { if (!told) failed(error); told = true; }
  }
}
