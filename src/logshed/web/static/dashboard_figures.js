// The tiles and panels of a dashboard, drawn from their answers.

import { ago, element, path, utc } from "./base.js";
import { board, leads, state } from "./dashboard_state.js";
import { badge, column, condition, figure } from "./figures.js";
import { plot } from "./plots.js";
import { bars, heat, table } from "./shapes.js";

// What a tile tells of an answer; null where that has no row for it.
export function valueOf(tile, answer) {
  if (!answer || !answer.data[0]?.length) return null;
  const line = answer.data[0].findIndex((_, at) => Object.entries(tile.row).every(([name, value]) => column(answer, name).values[at] === value));
  if (line < 0) return null;
  const value = column(answer, tile.column).values[line];
  const whole = tile.share_of ? column(answer, tile.share_of).values[line] : null;
  return { value: tile.share_of ? (whole ? (value / whole) * 100 : null) : value, unit: tile.share_of ? "percent" : tile.unit, type: column(answer, tile.column).type, line };
}

function difference(tile, value, old, unit) {
  if (value === null || old === null) return null;
  if (value === old) return element("span", { text: "as before" });
  const more = value > old;
  const good = more !== tile.less_is_better;
  const by = unit === "percent" ? `${figure(Math.abs(value - old), "plain").slice(0, 5)} points` : old ? `${Math.round((Math.abs(value - old) / Math.abs(old)) * 1000) / 10} %` : figure(value, unit);
  const kind = tile.less_is_better ? (good ? "good" : "bad") : "soft";
  return element("span", { class: "difference", data: { kind }, title: `before: ${figure(old, unit, { exact: true })}`, text: `${more ? "▲" : "▼"} ${by}` });
}

// Draws into the page. Dragging over a chart calls zoom with two moments, a click on a value calls narrow with a search.
export function boardFigures({ zoom, narrow }) {
  const tiles = [...document.querySelectorAll("[data-tile]")];
  const panels = [...document.querySelectorAll("[data-panel]")];
  const undo = new Map(); // of a drawn chart, by panel
  const asTable = new Set();

  function busy(name, is) {
    board.tiles.forEach((one, place) => { if (one.answer === name) tiles[place].setAttribute("aria-busy", is); });
    board.panels.forEach((one, place) => { if (one.answer === name) panels[place].setAttribute("aria-busy", is); });
  }

  function draw(name, { now, before }) {
    board.tiles.forEach((one, place) => { if (one.answer === name) drawTile(tiles[place], one, now, before); });
    board.panels.forEach((one, place) => { if (one.answer === name) drawPanel(place, now, before); });
    busy(name, false);
  }

  function broken(name, error) {
    busy(name, false);
    board.tiles.forEach((one, place) => {
      if (one.answer === name) tiles[place].querySelector(".figure").replaceChildren(element("span", { class: "soft", text: "–", title: error.message }));
    });
    board.panels.forEach((one, place) => {
      if (one.answer !== name) return;
      leave(place);
      panels[place].querySelector(".panel-body").replaceChildren(element("p", { class: "failure", text: error.message }));
    });
  }

  function drawTile(place, tile, now, before) {
    const found = valueOf(tile, now);
    const counts = ["count", "percent"].includes(tile.share_of ? "percent" : tile.unit);
    const value = found?.value ?? (counts && now ? 0 : null);
    const unit = found?.unit ?? (tile.share_of ? "percent" : tile.unit);
    const shown = found?.type === "time" && value !== null
      ? element("time", { datetime: new Date(value).toISOString(), title: utc(value), text: ago(value) })
      : element("span", { text: figure(value, unit), title: figure(value, unit, { exact: true }) });
    const to = leads(tile);
    place.querySelector(".figure").replaceChildren(to ? element("a", { href: to, "aria-label": `${tile.title}: ${figure(value, unit)}` }, shown) : shown);
    const aside = [];
    if (tile.level && found) aside.push(badge(column(now, tile.level).values[found.line]));
    if (before && found?.type !== "time") aside.push(difference(tile, value, valueOf(tile, before)?.value ?? (counts ? 0 : null), unit));
    if (!tile.reached && state.filters.length) aside.push(element("span", { text: "not narrowed", title: "It is not made of log records alone: the filter does not reach it." }));
    place.querySelector(".aside").replaceChildren(...aside.filter(Boolean));
    place.dataset.value = value === null ? "" : String(value);
  }

  function leave(place) {
    undo.get(place)?.();
    undo.delete(place);
  }

  function drawPanel(place, answer, before) {
    const panel = board.panels[place];
    const body = panels[place].querySelector(".panel-body");
    leave(place);
    signs(place, answer);
    if (!answer.data[0]?.length) {
      body.replaceChildren(element("p", { class: "nothing", text: `No ${panel.what}${board.answers[panel.answer].window ? "" : " in this time"}${state.filters.length && answer.reached ? " that the filters let through" : ""}.` }));
      return;
    }
    const pick = Object.keys(panel.fields).length ? (field, value) => narrow(condition(field, value)) : null;
    const kind = panel.chart?.kind;
    if (!kind || asTable.has(place) || kind === "timeline" || kind === "waterfall") {
      body.replaceChildren(element("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": `${panel.title} as a table` }, table(answer, panel, { pick })));
    } else if (kind === "heatmap") {
      body.replaceChildren(element("div", { class: "scrolled" }, heat(answer, panel)));
    } else if (["time", "date"].includes(column(answer, panel.chart.x).type)) {
      const field = panel.fields[panel.chart.by];
      undo.set(place, plot(body, answer, panel, { earlier: before, zoom, pick: field ? (value) => pick(field, value) : null }));
    } else if (kind === "line" && column(answer, panel.chart.x).type === "number") {
      body.replaceChildren(element("div", { class: "scrolled" }, bars(answer, { ...panel, sorted: true, chart: { ...panel.chart, kind: "histogram" } }, { earlier: before })));
    } else {
      const [field, other] = [panel.fields[panel.chart.x], panel.fields[panel.chart.by]];
      const click = (value, also) => {
        const wanted = [field ? condition(field, value) : "", other && also !== undefined ? condition(other, also) : ""].filter(Boolean);
        narrow(wanted.join(" "));
      };
      body.replaceChildren(element("div", { class: "scrolled" }, bars(answer, panel, { earlier: before, pick: field || other ? click : null })));
    }
  }

  function signs(place, answer) {
    const shown = [];
    if (state.filters.length && !answer.reached) {
      shown.push(element("span", { class: "badge", text: "not narrowed", data: { kind: "soft" }, title: "It is not made of log records alone: the filters do not reach it." }));
    }
    if (answer.cut) shown.push(element("span", { class: "badge", text: `first ${answer.data[0].length} of ${answer.rows}`, data: { kind: "soft" } }));
    panels[place].querySelector(".panel-signs").replaceChildren(...shown);
  }

  // From a chart to its table, and back.
  function turn(place, answers) {
    if (asTable.has(place)) asTable.delete(place); else asTable.add(place);
    panels[place].querySelector(".panel-body").classList.toggle("as-table", asTable.has(place));
    if (answers?.now) drawPanel(place, answers.now, answers.before);
  }

  return { panels, draw, broken, busy, turn, isTable: (place) => asTable.has(place) };
}
