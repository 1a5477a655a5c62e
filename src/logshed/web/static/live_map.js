// The live map inside the web application: what is missing is said, and replays are begun, watched and ended here.
import { api, byId, count, moment } from "./base.js";

const EACH_MS = 1000;
const replay = new URLSearchParams(location.search).get("replay");

// The map's own script is that of the map's own page.
const drawn = () => import(document.body.dataset.map);

async function hotStore() {
  const told = await api("/api/v1/live");
  if (told.answers) return drawn();
  byId("without").hidden = false;
  byId("without-why").textContent = told.problem;
  byId("map-stage").hidden = true;
  byId("pause").disabled = byId("wall").disabled = byId("collection").disabled = true;
  byId("state").hidden = true;
  return null;
}

function told(played) {
  const now = new Date(played.at * 1000).toISOString();
  byId("replay-at").textContent = moment(now);
  byId("replay-told").textContent = played.state === "ended" ? "at its end"
    : `${count(Math.round(played.speed))} times as quick, ${moment(new Date(played.since * 1000))} until ${moment(new Date(played.until * 1000))}`;
  byId("replay-share").value = played.share;
  byId("replay-pause").disabled = played.state === "ended";
}

async function watched() {
  try {
    told(await api(`/api/v1/live/replays/${encodeURIComponent(replay)}`));
    setTimeout(watched, EACH_MS);
  } catch (error) {
    byId("replay-told").textContent = error.status === 404 ? "This replay is over; begin another." : error.message;
    if (error.status !== 404) setTimeout(watched, 5 * EACH_MS);
  }
}

async function paused() {
  const button = byId("replay-pause");
  const stands = button.getAttribute("aria-pressed") !== "true";
  told(await api(`/api/v1/live/replays/${encodeURIComponent(replay)}`, { method: "PATCH", body: { paused: stands } }));
  button.setAttribute("aria-pressed", String(stands));
}

function ask() {
  byId("replay-dialog").showModal();
  byId("replay-since").focus();
}

async function begin(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const chosen = byId("collection").value;
  const body = {
    since: form.get("since"), until: form.get("until") || null, duration: form.get("duration"),
    start: form.get("start") || null, loop: form.has("loop"), collections: chosen ? [chosen] : [],
  };
  try {
    const made = await api("/api/v1/live/replays", { method: "POST", body });
    location.assign(`/live/map?replay=${encodeURIComponent(made.id)}`);
  } catch (error) {
    byId("replay-failure").hidden = false;
    byId("replay-failure").textContent = error.message;
  }
}

async function back() {
  try { await api(`/api/v1/live/replays/${encodeURIComponent(replay)}`, { method: "DELETE" }); } catch { /* it is over */ }
  location.assign("/live/map");
}

byId("replay-open").addEventListener("click", ask);
byId("without-replay").addEventListener("click", ask);
byId("replay-form").addEventListener("submit", begin);
byId("replay-pause").addEventListener("click", paused);
byId("replay-end").addEventListener("click", back);
if (replay) {
  byId("replaying").hidden = false;
  drawn();
  watched();
} else {
  hotStore();
}
