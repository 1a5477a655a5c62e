// The editor of SQL: line numbers, the tab key, completion of tables, columns and words.

import { byId, element } from "./base.js";

const WORDS = `SELECT FROM WHERE GROUP BY ORDER BY LIMIT HAVING JOIN LEFT JOIN ON USING UNION ALL WITH AS DISTINCT CASE WHEN THEN ELSE END AND OR NOT IN IS NULL LIKE ILIKE BETWEEN DESC ASC QUALIFY OVER PARTITION BY FILTER count( sum( avg( min( max( quantile_cont( date_trunc( time_bucket( to_seconds( to_minutes( coalesce( lower( contains( regexp_matches( now() approx_count_distinct( INTERVAL TIMESTAMPTZ`.split(/ (?=[A-Za-z])/);
const MOST = 12;
const STEP = "  ";

// `tables()` gives the tables with their columns, `run()` runs.
export function sqlEditor({ tables, run }) {
  const area = byId("sql");
  const list = byId("words");
  let offers = [];
  let chosen = -1;
  let word = { begin: 0, end: 0 };

  function number() {
    const lines = area.value.split("\n").length;
    byId("gutter").textContent = Array.from({ length: lines }, (_, line) => line + 1).join("\n");
    byId("gutter").scrollTop = area.scrollTop;
  }

  function close() {
    list.hidden = true;
    offers = [];
    chosen = -1;
    area.removeAttribute("aria-activedescendant");
  }

  function choose(next) {
    chosen = next;
    for (const [place, one] of [...list.children].entries()) one.setAttribute("aria-selected", String(place === chosen));
    area.setAttribute("aria-activedescendant", `word-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function put(text, begin, end) {
    area.focus();
    area.setSelectionRange(begin, end);
    // insertText keeps the browser's own undo; where it is not there, the text is set.
    if (!document.execCommand("insertText", false, text)) area.setRangeText(text, begin, end, "end");
    number();
  }

  function take(place) {
    const offer = offers[place];
    close();
    put(offer.text, word.begin, word.end);
    close();
  }

  function named() {
    const all = tables();
    const used = all.filter((one) => new RegExp(`\\b${one.name.split(".").pop()}\\b`, "i").test(area.value));
    const columns = (used.length ? used : all.filter((one) => one.name === "logs")).flatMap((one) => one.columns.map((column) => ({ text: column.name, detail: `${column.type.toLowerCase()} ${column.meaning}` })));
    return [...columns, ...all.map((one) => ({ text: one.name, detail: "table" })), ...WORDS.map((text) => ({ text, detail: "" }))];
  }

  function complete() {
    const end = area.selectionStart;
    const [text] = /[\w.]*$/.exec(area.value.slice(0, end));
    word = { begin: end - text.length, end };
    if (text.length < 2 || area.selectionEnd !== end) return close();
    const wanted = text.toLowerCase();
    const known = new Set();
    const found = named().filter(({ text: one }) => one.toLowerCase().includes(wanted) && one.toLowerCase() !== wanted && !known.has(one) && known.add(one));
    found.sort((a, b) => Number(!a.text.toLowerCase().startsWith(wanted)) - Number(!b.text.toLowerCase().startsWith(wanted)));
    offers = found.slice(0, MOST);
    chosen = -1;
    list.replaceChildren(...offers.map((offer, place) => element("li", {
      role: "option", id: `word-${place}`, "aria-selected": "false", on: { mousedown: (event) => { event.preventDefault(); take(place); } },
    }, element("span", { class: "offer-text mono", text: offer.text }), element("span", { class: "offer-detail", text: offer.detail }))));
    list.hidden = !offers.length;
    place(text.length);
  }

  // Below the word, as far as a textarea lets one know where that is.
  function place(length) {
    const before = area.value.slice(0, area.selectionStart).split("\n");
    const style = getComputedStyle(area);
    const line = Number.parseFloat(style.lineHeight);
    const sign = Number.parseFloat(style.fontSize) * 0.61;
    const top = before.length * line - area.scrollTop + 10;
    const left = Math.min((before.at(-1).length - length) * sign - area.scrollLeft + 52, Math.max(0, area.clientWidth - 320));
    list.style.setProperty("top", `${Math.min(top, area.clientHeight + 4)}px`);
    list.style.setProperty("left", `${Math.max(0, left)}px`);
  }

  function indent(back) {
    const { selectionStart: begin, selectionEnd: end, value } = area;
    const start = value.lastIndexOf("\n", begin - 1) + 1;
    if (begin === end && !back) return put(STEP, begin, end);
    const lines = value.slice(start, end).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^ {1,2}/, "") : STEP + line)).join("\n");
    put(moved, start, end);
    area.setSelectionRange(start, start + moved.length);
  }

  area.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); close(); run(); return; }
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      choose((chosen + (event.key === "ArrowDown" ? 1 : -1) + offers.length + (chosen < 0 && event.key === "ArrowUp" ? 1 : 0)) % offers.length);
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && chosen >= 0))) {
      event.preventDefault();
      take(Math.max(0, chosen));
    } else if (event.key === "Escape") {
      if (open) { event.stopPropagation(); close(); } else area.blur(); // so that the tab key leads on
    } else if (event.key === "Tab") {
      event.preventDefault();
      indent(event.shiftKey);
    }
  });
  area.addEventListener("input", () => { number(); complete(); });
  area.addEventListener("scroll", number);
  area.addEventListener("blur", close);
  area.addEventListener("click", close);
  return {
    get text() { return area.value; },
    set text(value) { area.value = value; number(); },
    get chosen() { return area.value.slice(area.selectionStart, area.selectionEnd).trim(); },
    insert(text) { put(text, area.selectionStart, area.selectionEnd); },
    focus() { area.focus(); },
  };
}
