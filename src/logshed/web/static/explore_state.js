// What the page shows, as its address has it: a link opens the same, and the back button goes back to it.

const NAMES = ["q", "since", "until", "newest", "collection", "by", "columns", "zone", "wrap", "dense", "oldest", "record", "at"];
const KEPT = { columns: "logshed.explore.columns", wrap: "logshed.explore.wrap", dense: "logshed.explore.dense", zone: "logshed.zone" };
export const DEFAULT = { since: "24h", by: "severity" };

function kept(name) {
  try { return localStorage.getItem(KEPT[name]) ?? ""; } catch { return ""; }
}

function keep(name, value) {
  try { localStorage.setItem(KEPT[name], value); } catch { /* then it holds for this page */ }
}

// The state of an address; what it does not say is as the viewer had it last.
export function read(search = location.search) {
  const asked = new URLSearchParams(search);
  const state = { ...DEFAULT };
  for (const name of NAMES) {
    const value = asked.get(name);
    if (value !== null) state[name] = value;
    else if (name in KEPT) state[name] = kept(name);
    else state[name] ??= "";
  }
  return state;
}

export function address(state) {
  const asked = new URLSearchParams();
  for (const name of NAMES) {
    if (state[name] && state[name] !== DEFAULT[name]) asked.set(name, state[name]);
  }
  const text = asked.toString();
  return text ? `${location.pathname}?${text}` : location.pathname;
}

// Show a state in the address: as a new step of the history, or in the place of the present one.
export function show(state, { replace = false } = {}) {
  for (const name of Object.keys(KEPT)) keep(name, state[name] ?? "");
  const next = address(state);
  if (next === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
}

export const columnsOf = (state) => (state.columns ? state.columns.split(",").filter(Boolean).map(decodeURIComponent) : []);
export const columnsText = (columns) => columns.map(encodeURIComponent).join(",");

const PLAIN = /^[A-Za-z0-9_/@][A-Za-z0-9_/@.+:=%&;$#-]*$/;

// A value as the search language writes it.
export function written(value) {
  const text = String(value);
  if (PLAIN.test(text) && !text.includes("..") && !["AND", "OR", "NOT"].includes(text)) return text;
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

// A search with one more condition, which holds for all of it.
export function joined(q, more) {
  const text = q.trim();
  if (!text || text === "*") return more;
  if (text.split(/\s+/).includes(more)) return text;
  return isLoose(text) ? `(${text}) ${more}` : `${text} ${more}`;
}

// Whether an OR stands outside of brackets and quotes: what is added would belong to its right side alone.
function isLoose(text) {
  let depth = 0;
  for (const [piece] of text.matchAll(/"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g)) {
    if (piece === "(") depth += 1;
    else if (piece === ")") depth -= 1;
    else if (piece === "OR" && depth === 0) return true;
  }
  return false;
}

export const including = (q, name, value) => joined(q, `${name}:${written(value)}`);
export const excluding = (q, name, value) => joined(q, `-${name}:${written(value)}`);
