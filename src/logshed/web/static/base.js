// What all pages share: elements, questions to the API, times, figures, keys, the theme. Values of logs become text only.

export const byId = (id) => document.getElementById(id);

// An element; `text` sets its text, `on` its listeners, `data` its data attributes, everything else is an attribute.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key === "on") for (const [event, call] of Object.entries(value)) made.addEventListener(event, call);
    else if (key === "data") Object.assign(made.dataset, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// ---- What is asked of the server ------------------------------------------------------------------------------------

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
  }
}

// What a page asks while nobody touches it keeps no session from being idle.
const UNTOUCHED_MS = 60_000;
let touched = Date.now();
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

// A response of the API, or a Problem. `body` is sent as JSON.
export async function ask(path, { method = "GET", body, signal, headers = {} } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (method !== "GET") sent["X-CSRF-Token"] = csrf();
  if (Date.now() - touched > UNTOUCHED_MS) sent["X-Logshed-Background"] = "1";
  const answer = await fetch(path, {
    method, signal, headers: sent, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (!answer.ok) {
    let told = {};
    try { told = await answer.json(); } catch { /* a proxy's own page: its status says enough */ }
    throw new Problem(answer.status, told);
  }
  return answer;
}

export async function api(path, options) {
  const answer = await ask(path, options);
  return answer.status === 204 ? null : answer.json();
}

// The lines of JSON of a response, each as soon as it is there.
export async function* lines(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const found = (rest + value).split("\n");
    rest = found.pop();
    for (const line of found) if (line) yield JSON.parse(line);
  }
}

// The path with parameters; those that are null, undefined or empty are left out.
export function path(base, parameters = {}) {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") asked.append(key, one);
    }
  }
  const text = asked.toString();
  return text ? `${base}?${text}` : base;
}

export function toast(text, kind = "") {
  const made = element("p", { class: "toast", text, data: kind ? { kind } : {} });
  byId("toasts").append(made);
  setTimeout(() => made.remove(), kind === "bad" ? 9000 : 4000);
}

export function failed(error) {
  if (error.name === "AbortError") return;
  toast(error.message, "bad");
}

// ---- Times and figures ----------------------------------------------------------------------------------------------

const two = (value) => String(value).padStart(2, "0");

// A moment in the viewer's zone: 2026-11-26 14:03:07.123.
export function moment(value, { milliseconds = false, seconds = true } = {}) {
  const at = value instanceof Date ? value : new Date(value);
  if (Number.isNaN(at.getTime())) return String(value);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  let time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (seconds) time += `:${two(at.getSeconds())}`;
  if (milliseconds) time += `.${String(at.getMilliseconds()).padStart(3, "0")}`;
  return `${day} ${time}`;
}

export function utc(value) {
  const at = value instanceof Date ? value : new Date(value);
  return Number.isNaN(at.getTime()) ? String(value) : `${at.toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

export function ago(value) {
  const seconds = (Date.now() - new Date(value).getTime()) / 1000;
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (Math.abs(seconds) >= 2 * size) return `${Math.round(seconds / size)} ${unit} ago`;
  }
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

// <time> in the viewer's zone, with UTC on hover.
export function timeElement(value, options = {}) {
  return element("time", { datetime: value, title: utc(value), text: options.ago ? ago(value) : moment(value, options) });
}

// Server-rendered <time datetime="…"> elements, put into the viewer's zone.
export function localTimes(root = document) {
  for (const one of root.querySelectorAll("time[datetime]:not([data-done])")) {
    one.title = utc(one.dateTime);
    one.textContent = one.hasAttribute("data-ago") ? ago(one.dateTime) : moment(one.dateTime);
    one.dataset.done = "";
  }
}

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
export const count = (value) => plain.format(value);
export const brief = (value) => (Math.abs(value) < 10000 ? plain : short).format(value).replace("K", "k");
export const percent = (value) => `${three.format(value)} %`;
function scaled(value, step, units) {
  let place = 0;
  while (Math.abs(value) >= step && place < units.length - 1) { value /= step; place += 1; }
  return `${three.format(value)} ${units[place]}`;
}
export const bytes = (value) => scaled(value, 1000, ["B", "kB", "MB", "GB", "TB", "PB"]);
export function duration(ms) {
  if (Math.abs(ms) < 1000) return `${three.format(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${three.format(seconds)} s`;
  if (seconds < 7200) return `${three.format(seconds / 60)} min`;
  return seconds < 172800 ? `${three.format(seconds / 3600)} h` : `${three.format(seconds / 86400)} d`;
}

// Text of a log as it may be shown: what would steer a terminal or turn the writing round is made visible.
const SIGNS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
export const sound = (text) => String(text).replace(SIGNS, (sign) => {
  const code = sign.codePointAt(0);
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `␣${code.toString(16)}`;
});

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast("The browser does not let this page copy: it has to be served by HTTPS or on this machine.", "bad");
  }
}

// ---- Keys -----------------------------------------------------------------------------------------------------------

const keys = new Map();
const shown = [];

// A key of this page: `key` as KeyboardEvent has it, what it does in words, what is called.
export function key(name, meaning, call) {
  keys.set(name, call);
  shown.push([name, meaning]);
}

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const call = keys.get(event.key);
  if (call && call(event) !== false) event.preventDefault();
});

function showKeys() {
  byId("keys-list").replaceChildren(...shown.flatMap(([name, meaning]) => [
    element("dt", {}, element("kbd", { text: name })), element("dd", { text: meaning }),
  ]));
  byId("keys-dialog").showModal();
}

// ---- The frame ------------------------------------------------------------------------------------------------------

const THEMES = ["system", "light", "dark"];

function theme() {
  const now = document.documentElement.dataset.theme ?? "system";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try { localStorage.setItem("logshed.theme", next); } catch { /* then it holds for this page */ }
  byId("theme").setAttribute("aria-label", `Theme: ${next === "system" ? "as the system" : next}`);
  toast(`Theme: ${next === "system" ? "as the system" : next}`);
  document.dispatchEvent(new CustomEvent("logshed:theme"));
}

function menu() {
  const open = byId("side").toggleAttribute("data-open");
  byId("menu").setAttribute("aria-expanded", open);
}

byId("theme")?.addEventListener("click", theme);
byId("menu")?.addEventListener("click", menu);
byId("keys")?.addEventListener("click", showKeys);
for (const close of document.querySelectorAll("dialog [data-close]")) {
  close.addEventListener("click", () => close.closest("dialog").close());
}
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.menu[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
key("?", "These keys", showKeys);
localTimes();
