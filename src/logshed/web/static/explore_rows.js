// Rows of records by the million: as many elements as the screen shows, their records fetched page by page.

import { byId, element } from "./base.js";

const PAGE = 100;
const TALLEST = 8_000_000;
const KEPT_PAGES = 60;
const HEIGHTS = { normal: 27, dense: 22, wrap: 60 };

// `cells(record)` makes a row's cells, `head()` those above them; `fetchPage({cursor} | {row})` gives
// {items, next}; `open(record, row)` is called when a row is chosen, `seen(record, row, moving)` of the first one seen.
export function virtualRows({ cells, head, fetchPage, open, seen, failed }) {
  const box = byId("rows");
  const header = element("div", { class: "row header", role: "row" });
  const headGroup = element("div", { role: "rowgroup", class: "head-group" }, header);
  const layer = element("div", { class: "layer", role: "rowgroup" });
  const spacer = element("div", { class: "spacer", role: "presentation" });
  box.replaceChildren(headGroup, layer, spacer);
  const pages = new Map();
  const made = new Map();
  let height = HEIGHTS.normal;
  let total = 0;
  let known = false;
  let top = 0;
  let chosen = -1;
  let wanted = -1;
  let generation = 0;
  let drawing = 0;
  let own = false;
  let begun = false; // the first page is on its way

  const view = () => Math.max(0, box.clientHeight - headGroup.offsetHeight);
  const visible = () => Math.max(1, Math.floor(view() / height));
  const tall = () => Math.min(total * height, TALLEST);
  const scaled = () => total * height > TALLEST;
  const most = () => Math.max(0, total - view() / height);

  function size() {
    spacer.style.setProperty("height", `${Math.max(0, tall() - view())}px`);
    layer.style.setProperty("height", `${Math.min(view(), Math.max(height, tall()))}px`);
    layer.style.setProperty("top", `${headGroup.offsetHeight}px`);
    box.style.setProperty("--row", `${height}px`);
    box.setAttribute("aria-rowcount", String(total + 1));
  }

  function scrolled() {
    if (own) { own = false; return; }
    const range = Math.max(1, box.scrollHeight - box.clientHeight);
    top = scaled() ? (box.scrollTop / range) * most() : box.scrollTop / height;
    draw(true);
  }

  // Go to a row; where pixels of the scroll bar stand for many rows, it is set to where it would be.
  function to(next) {
    top = Math.min(Math.max(0, next), most());
    const range = Math.max(0, box.scrollHeight - box.clientHeight);
    const at = scaled() ? (top / Math.max(1, most())) * range : top * height;
    const before = box.scrollTop;
    if (Math.abs(before - at) >= 1) box.scrollTop = at;
    own = box.scrollTop !== before; // then an event tells of it, which is ours
    draw(true);
  }

  function wheel(event) {
    if (!scaled() || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? height : event.deltaMode === 2 ? view() : 1;
    to(top + (event.deltaY * unit) / height);
  }

  function draw(moving = false) {
    cancelAnimationFrame(drawing);
    drawing = requestAnimationFrame(() => render(moving));
  }

  function render(moving) {
    const first = Math.max(0, Math.floor(top) - 2);
    const last = Math.min(total, Math.ceil(top) + visible() + 3);
    for (const [row, one] of made) if (row < first || row >= last) { one.remove(); made.delete(row); }
    for (let row = first; row < last; row += 1) {
      const record = recordAt(row);
      let one = made.get(row);
      if (one && one.record !== record) { one.remove(); one = undefined; }
      if (!one) {
        one = record ? rowOf(record, row) : element("div", { class: "row waiting", role: "row", "aria-rowindex": row + 2 }, element("span", { role: "gridcell" }, element("span", { class: "skeleton" })));
        one.record = record;
        made.set(row, one);
        layer.append(one);
      }
      one.style.setProperty("transform", `translateY(${(row - top) * height}px)`);
    }
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) if (total) load(page);
    seen(recordAt(Math.floor(top)), Math.floor(top), moving);
  }

  function rowOf(record, row) {
    const made = element("div", {
      class: "row", role: "row", "aria-rowindex": row + 2, "aria-selected": String(row === chosen), data: { severity: record.severity ?? "" },
      on: { click: () => { if (!getSelection().toString()) select(row); } },
    }, ...cells(record));
    return made;
  }

  const recordAt = (row) => pages.get(Math.floor(row / PAGE))?.items?.[row % PAGE];

  async function load(page) {
    if (pages.has(page) || page < 0 || (page === 0 && begun)) return;
    const asked = generation;
    pages.set(page, {});
    try {
      const before = pages.get(page - 1);
      const found = await fetchPage(before?.next ? { cursor: before.next } : { row: page * PAGE }, PAGE);
      if (asked !== generation) return;
      put(page, found);
    } catch (error) {
      if (asked !== generation) return;
      pages.delete(page);
      failed(error);
    }
  }

  function put(page, found) {
    if (page === 0) begun = false;
    pages.delete(page);
    pages.set(page, found);
    if (pages.size > KEPT_PAGES) {
      const far = [...pages.keys()].sort((a, b) => Math.abs(b - page) - Math.abs(a - page))[0];
      pages.delete(far);
    }
    const end = page * PAGE + found.items.length;
    if (!known && found.next === null) total = Math.max(total, end);
    if (!known && found.next !== null) total = Math.max(total, end + PAGE);
    if (found.next === null && found.items.length < PAGE && page * PAGE + found.items.length < total) total = Math.max(end, 0);
    size();
    draw();
    openWanted();
  }

  function select(row) {
    chosen = Math.min(Math.max(0, row), total - 1);
    for (const [place, one] of made) one.setAttribute("aria-selected", String(place === chosen));
    if (chosen < top) to(chosen);
    else if (chosen + 1 > top + view() / height) to(chosen + 1 - view() / height);
    const record = recordAt(chosen);
    wanted = record ? -1 : chosen;
    if (record) open(record, chosen);
  }

  // A row that was chosen before its record was there is opened as soon as it is.
  function openWanted() {
    const record = wanted < 0 ? undefined : recordAt(wanted);
    if (!record) return;
    wanted = -1;
    open(record, chosen);
  }

  function keyed(event) {
    const moves = { PageDown: visible() - 1, PageUp: 1 - visible(), ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Home") to(0);
    else if (event.key === "End") to(total);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") select(chosen + moves[event.key]);
    else if (event.key in moves) to(top + moves[event.key]);
    else if (event.key === "Enter" && chosen >= 0) select(chosen);
    else return;
    event.preventDefault();
  }

  box.addEventListener("scroll", scrolled, { passive: true });
  box.addEventListener("wheel", wheel, { passive: false });
  box.addEventListener("keydown", keyed);
  new ResizeObserver(() => { size(); draw(); }).observe(box);

  return {
    get chosen() { return chosen; },
    get total() { return total; },
    recordAt,
    // Forget all; `first` is the first page where it is there already.
    reset(first, { keepChosen = false } = {}) {
      generation += 1;
      begun = !first;
      pages.clear();
      for (const one of made.values()) one.remove();
      made.clear();
      total = 0;
      known = false;
      wanted = -1;
      if (!keepChosen) chosen = -1;
      top = 0;
      own = false;
      box.scrollTop = 0;
      header.replaceChildren(...head());
      if (first) put(0, first);
      size();
      draw();
    },
    // The first page, where it was asked for before any row was shown; the count may have been quicker.
    give(first) { put(0, first); },
    // How many there are in all, once that is counted.
    counted(value) { total = value; known = true; size(); draw(); },
    // Show exactly these records; `added` of them stand before those that were shown.
    hold(items, added) {
      generation += 1;
      begun = false;
      pages.clear();
      for (let page = 0; page * PAGE < items.length; page += 1) pages.set(page, { items: items.slice(page * PAGE, (page + 1) * PAGE), next: null });
      total = items.length;
      known = true;
      if (chosen >= 0) chosen += added;
      size();
      to(top > 0 ? top + added : 0);
    },
    all() { return [...pages.keys()].sort((a, b) => a - b).flatMap((page) => pages.get(page).items ?? []); },
    look(kind) {
      height = HEIGHTS[kind];
      box.dataset.look = kind;
      for (const one of made.values()) one.remove();
      made.clear();
      size();
      to(top);
    },
    redraw() {
      for (const one of made.values()) one.remove();
      made.clear();
      header.replaceChildren(...head());
      size();
      draw();
    },
    to,
    select,
  };
}
