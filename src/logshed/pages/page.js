// Draws a report's page from the JSON inside it: figures, charts, tables; chooses days, sorts, exports, drills down.
// Values of logs only ever become text: textContent and canvas, never markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { meta } = data;
  const byId = (id) => document.getElementById(id);
  const SHOWN_ROWS = 100; // rows of a table that are drawn at once; a button draws the rest
  const BARS = 15; // bars of a chart; the table has the rest
  const SERIES = 8; // lines of a chart, which are as many as there are colours
  const SLICES = 7; // slices of a pie; the rest are one more
  const FILLED = 6000; // points of a line up to which times without rows are drawn
  const chosen = { from: "", to: "" }; // days, or empty for the whole window
  const drawn = []; // panels, each with redraw()

  // ---- Elements -------------------------------------------------------------------------------------------------

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") made.textContent = value;
      else if (key === "on") for (const [event, call] of Object.entries(value)) made.addEventListener(event, call);
      else if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter(Boolean));
    return made;
  }

  // ---- Figures as people read them ------------------------------------------------------------------------------

  const plainNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
  const shortNumber = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const oneDigit = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const twoDigits = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: meta.zone, year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });

  function clockParts(ms) {
    const parts = {};
    for (const { type, value } of clock.formatToParts(ms)) parts[type] = value;
    return parts;
  }

  function moment(ms, seconds = true) {
    const at = clockParts(ms);
    const time = seconds && at.second !== "00" ? `${at.hour}:${at.minute}:${at.second}` : `${at.hour}:${at.minute}`;
    return `${at.year}-${at.month}-${at.day} ${time}`;
  }

  // The moment's clock time in the report's zone as if it were UTC: time axes know nothing of zones.
  function wallClock(ms) {
    const at = clockParts(ms);
    return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second);
  }

  function scaled(value, step, units) {
    let place = 0;
    while (Math.abs(value) >= step && place < units.length - 1) { value /= step; place += 1; }
    return `${oneDigit.format(value)} ${units[place]}`;
  }

  function duration(ms) {
    if (Math.abs(ms) < 1000) return `${oneDigit.format(ms)} ms`;
    const seconds = ms / 1000;
    if (seconds < 120) return `${oneDigit.format(seconds)} s`;
    if (seconds < 7200) return `${oneDigit.format(seconds / 60)} min`;
    return seconds < 172800 ? `${oneDigit.format(seconds / 3600)} h` : `${oneDigit.format(seconds / 86400)} d`;
  }

  const SHORT = {
    count: (value) => (Math.abs(value) < 10000 ? plainNumber : shortNumber).format(value).replace("K", "k"),
    bytes: (value) => scaled(value, 1000, ["B", "kB", "MB", "GB", "TB", "PB"]),
    percent: (value) => `${(Math.abs(value) < 10 ? twoDigits : oneDigit).format(value)} %`,
    ms: duration,
    seconds: (value) => duration(value * 1000),
    ratio: (value) => oneDigit.format(value),
    plain: (value) => String(value),
  };

  // Short where room is scarce: tiles, axes, labels.
  function short(value, unit) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return String(value);
    return (SHORT[unit] || SHORT.count)(value);
  }

  // Exact, for tables and tooltips.
  function exact(value, column) {
    if (value === null || value === undefined) return "–";
    if (column.type === "time") return moment(value);
    if (column.type === "bool") return value ? "yes" : "no";
    if (typeof value !== "number") return String(value);
    if (column.unit === "plain") return String(value);
    if (column.unit === "percent") return `${plainNumber.format(value)} %`;
    if (column.unit === "ms" || column.unit === "seconds") return SHORT[column.unit](value);
    return plainNumber.format(value);
  }

  // ---- Answers and the choice of days ---------------------------------------------------------------------------

  const isChosen = () => Boolean(chosen.from || chosen.to);
  const place = (answer, name) => answer.columns.findIndex((column) => column.name === name);

  function rowsOf(answer) {
    if (!answer.rows) {
      const count = answer.data.length ? answer.data[0].length : 0;
      answer.rows = Array.from({ length: count }, (_, row) => answer.data.map((column) => column[row]));
    }
    return answer.rows;
  }

  // The moments between which the chosen days lie; meta.days has those with records, each with its beginning.
  function bounds() {
    const from = meta.days.find(([day]) => !chosen.from || day >= chosen.from);
    const after = meta.days.find(([day]) => chosen.to && day > chosen.to);
    return [from ? from[1] : Infinity, after ? after[1] : Infinity];
  }

  function inDays(answer, name) {
    const at = place(answer, name);
    if (answer.columns[at].type === "time") {
      const [begin, end] = bounds();
      return (row) => row[at] !== null && row[at] >= begin && row[at] < end;
    }
    return (row) => (!chosen.from || row[at] >= chosen.from) && (!chosen.to || row[at] <= chosen.to);
  }

  function compare(one, other) {
    if (one === other) return 0;
    if (one === null || one === undefined) return 1;
    if (other === null || other === undefined) return -1;
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one) < String(other) ? -1 : 1;
  }

  // Adds up the rows of the chosen days by what they are of; gives rows with the columns of the panel.
  function added(panel, answer) {
    const { by_day: source } = panel;
    const daily = data.answers[source.answer];
    const inside = inDays(daily, source.day);
    const columns = answer.columns.map((column) => {
      const name = source.columns[column.name] || column.name;
      return { column, at: source.shares[column.name] ? -1 : place(daily, name) };
    });
    const labels = panel.chart ? [panel.chart.x, panel.chart.by] : [];
    const adds = ({ column, at }) => at >= 0 && column.type === "number" && !labels.includes(column.name);
    const isKey = (one) => one.at >= 0 && !adds(one);
    const groups = new Map();
    for (const row of rowsOf(daily)) {
      if (!inside(row)) continue;
      const key = JSON.stringify(columns.filter(isKey).map(({ at }) => row[at]));
      let sums = groups.get(key);
      if (!sums) {
        sums = columns.map((one) => (isKey(one) ? row[one.at] : one.at < 0 ? null : 0));
        groups.set(key, sums);
      }
      columns.forEach((one, to) => {
        if (adds(one)) sums[to] = sums[to] === null || row[one.at] === null ? null : sums[to] + row[one.at];
      });
    }
    const rows = [...groups.values()];
    shares(panel, answer, daily, inside, columns, rows);
    return rows;
  }

  function shares(panel, answer, daily, inside, columns, rows) {
    for (const [share, of] of Object.entries(panel.by_day.shares)) {
      const to = place(answer, share), from = place(answer, of), at = columns[from].at;
      let total = rows.reduce((sum, row) => sum + (row[from] || 0), 0);
      if (daily.rest) total += daily.rest.filter(inside).reduce((sum, row) => sum + (row[at] || 0), 0);
      for (const row of rows) row[to] = total ? Math.round((row[from] * 10000) / total) / 100 : null;
    }
  }

  // The rows of a panel for the chosen days, and whether they are for these or for the whole window.
  function shown(panel) {
    const answer = data.answers[panel.answer];
    if (!isChosen()) return { rows: rowsOf(answer), whole: false };
    if (panel.time) return { rows: rowsOf(answer).filter(inDays(answer, panel.time)), whole: false };
    if (!panel.by_day) return { rows: rowsOf(answer), whole: true };
    let rows = added(panel, answer);
    if (panel.chart) {
      const x = place(answer, panel.chart.x), y = place(answer, panel.chart.y);
      rows = rows.filter((row) => row[y] !== 0 || answer.columns[x].type === "number");
      const by = panel.chart.by ? place(answer, panel.chart.by) : x;
      const ordered = answer.columns[x].type === "number" && panel.chart.kind === "line";
      rows.sort((one, other) => (ordered ? 0 : compare(other[y], one[y])) || compare(one[x], other[x]) || compare(one[by], other[by]));
    } else {
      const order = rowsOf(answer).map((row) => String(row[0]));
      rows.sort((one, other) => order.indexOf(String(one[0])) - order.indexOf(String(other[0])));
    }
    if (panel.limit) rows = rows.slice(0, panel.limit);
    return { rows, whole: false, missing: missing(panel, rows) };
  }

  // What was left out of the figures by day may belong into the list: how much of it there could be.
  function missing(panel, rows) {
    const daily = data.answers[panel.by_day.answer];
    if (!daily.cut) return 0;
    const inside = inDays({ columns: [{ name: "day", type: "date" }] }, "day");
    const most = daily.cut.filter(inside).reduce((sum, [, cut]) => sum + cut, 0);
    const y = place(data.answers[panel.answer], panel.chart.y);
    const last = panel.limit && rows.length >= panel.limit ? rows[rows.length - 1][y] : 0;
    return most > last ? most : 0;
  }

  // ---- Tiles ----------------------------------------------------------------------------------------------------

  function tileFigure(tile) {
    const answer = data.answers[tile.answer];
    const matches = (from, names) => (row) =>
      Object.entries(tile.row).every(([key, value]) => row[place(from, names[key] || key)] === value);
    if (isChosen() && tile.by_day) {
      const daily = data.answers[tile.by_day.answer], names = tile.by_day.columns;
      const rows = rowsOf(daily).filter(inDays(daily, tile.by_day.day)).filter(matches(daily, names));
      const sum = (name) => rows.reduce((total, row) => total + row[place(daily, names[name] || name)], 0);
      return { value: sum(tile.column), of: tile.share_of ? sum(tile.share_of) : null, whole: false };
    }
    const row = rowsOf(answer).find(matches(answer, {}));
    const value = (name) => (row ? row[place(answer, name)] : null);
    return { value: value(tile.column), of: tile.share_of ? value(tile.share_of) : null, whole: isChosen() };
  }

  function drawTiles() {
    const box = byId("tiles");
    box.hidden = !data.tiles.length;
    box.replaceChildren(...data.tiles.map((tile) => {
      const answer = data.answers[tile.answer];
      const column = answer.columns[place(answer, tile.column)];
      const { value, of, whole } = tileFigure(tile);
      const share = tile.share_of && of ? Math.round((value * 10000) / of) / 100 : null;
      const text = tile.share_of ? short(share, "percent") : short(value, column.unit);
      const full = tile.share_of && of ? `${exact(value, column)} of ${exact(of, column)}` : exact(value, column);
      const row = tile.level ? rowsOf(answer).find((one) => Object.entries(tile.row).every(([key, wanted]) => one[place(answer, key)] === wanted)) : null;
      const aside = element("p", { class: "aside" });
      if (row) aside.append(badge(row[place(answer, tile.level)], answer.columns[place(answer, tile.level)].label));
      else if (full !== text && value !== null) aside.append(full);
      if (whole) aside.append(" whole window");
      return element("div", { class: "tile" },
        element("h2", { text: tile.title }), element("p", { class: "figure", text, title: full, "data-value": tile.share_of ? share : value }), aside);
    }));
  }

  // ---- Tables ---------------------------------------------------------------------------------------------------

  const GRAVE = {
    critical: "bad", high: "bad", fatal: "bad", error: "bad", severe: "bad", failure: "bad", emerg: "bad", alert: "bad", new: "bad", more: "bad",
    medium: "warn", warn: "warn", warning: "warn", low: "good", fewer: "good", success: "good",
  };

  function badge(value, label) {
    return element("span", { class: "badge", "data-grave": GRAVE[String(value).toLowerCase()], text: label && /risk/i.test(label) ? `${value} risk` : value });
  }

  function cell(value, column, press) {
    if (value === null || value === undefined) return element("td", { class: column.type === "number" ? "number none" : "none", text: "–" });
    const text = exact(value, column);
    if (press) return element("td", { class: column.type }, element("button", { type: "button", text, title: `Show what is behind ${text}`, on: { click: press } }));
    if (column.unit === "level" && typeof value === "string") return element("td", {}, badge(value));
    return element("td", { class: column.type === "time" || column.type === "date" ? "moment" : column.type, text });
  }

  // A table that sorts and exports. options: caption, columns (names), file, press(row) for the cell named at.
  function table(answer, rows, options) {
    const names = options.columns && options.columns.length ? options.columns : answer.columns.map((column) => column.name).filter((name) => name !== options.hide);
    const places = names.map((name) => place(answer, name));
    const state = { by: -1, down: false, most: SHOWN_ROWS };
    const head = element("tr"), body = element("tbody"), count = element("span");
    const more = element("button", { type: "button", class: "quiet", on: { click: () => { state.most = Infinity; fill(); } } });
    const save = element("button", { type: "button", class: "quiet csv", text: "Download CSV", on: { click: () => download(answer, places, sorted(), options.file) } });
    places.forEach((at, number) => {
      const column = answer.columns[at];
      head.append(element("th", { scope: "col", class: column.type, "aria-sort": "none", title: column.meaning },
        element("button", { type: "button", text: column.label, on: { click: () => sort(number) } }), element("span", { class: "paper", text: column.label })));
    });
    function sorted() {
      if (state.by < 0) return rows;
      const at = places[state.by], sign = state.down ? -1 : 1;
      const known = rows.filter((row) => row[at] !== null), unknown = rows.filter((row) => row[at] === null);
      return [...known.sort((one, other) => sign * compare(one[at], other[at])), ...unknown];
    }
    function sort(number) {
      const numeric = answer.columns[places[number]].type !== "text";
      state.down = state.by === number ? !state.down : numeric;
      state.by = number;
      [...head.children].forEach((one, at) => one.setAttribute("aria-sort", at !== number ? "none" : state.down ? "descending" : "ascending"));
      fill();
    }
    function fill() {
      body.replaceChildren(...sorted().slice(0, state.most).map((row) => element("tr", {}, ...places.map((at) =>
        cell(row[at], answer.columns[at], options.press && answer.columns[at].name === options.at ? options.press(row[at]) : null)))));
      more.hidden = rows.length <= state.most;
      more.textContent = `Show all ${plainNumber.format(rows.length)} rows`;
      count.textContent = rows.length === 1 ? "1 row" : `${plainNumber.format(rows.length)} rows`;
    }
    fill();
    const made = element("table", {}, element("caption", { class: "skip", text: options.caption }), element("thead", {}, head), body);
    return element("div", {},
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": options.caption }, made),
      element("div", { class: "tools" }, count, more, save));
  }

  // Spreadsheets run cells that begin like formulas: those get an apostrophe in front.
  function csvCell(value) {
    let text = String(value);
    if (/^[=+@\t\r-]/.test(text) && !/^-?[\d.]+(e[+-]?\d+)?$/i.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function download(answer, places, rows, file) {
    const told = (value, column) => value === null || value === undefined ? "" : column.type === "time" ? new Date(value).toISOString() : value;
    const lines = [places.map((at) => csvCell(answer.columns[at].name)), ...rows.map((row) => places.map((at) => csvCell(told(row[at], answer.columns[at]))))];
    const url = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
    element("a", { href: url, download: `${file}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // ---- Charts ---------------------------------------------------------------------------------------------------

  // Colours that are told apart by people with a colour deficiency too, 3:1 against the card, in light and dark.
  const COLOURS = {
    light: ["#2f6fd0", "#c7501a", "#16836f", "#8a4fb8", "#a87400", "#c2366b", "#3f7d2a", "#5b6778"],
    dark: ["#6ea8ff", "#ff9d66", "#4cc9b0", "#c39bf0", "#e5b94e", "#f28bb0", "#93d07c", "#a9b5c4"],
  };
  const probe = element("span", { hidden: "" });
  document.body.append(probe);

  function look() {
    const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
    const dark = colour("back") !== "rgb(245, 246, 248)" && colour("back") !== "rgb(255, 255, 255)";
    return { dark, colours: COLOURS[dark ? "dark" : "light"], text: colour("text"), soft: colour("soft"), line: colour("line"), card: colour("card"), accent: colour("accent") };
  }

  // Cut in the middle: paths and names of classes tell most at their ends.
  function clipped(text, most) {
    if (text.length <= most) return text;
    const head = Math.ceil((most - 1) * .4);
    return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
  }

  function label(value, column) {
    return value === null ? `no ${column.label.toLowerCase()}` : exact(value, column) || "(empty)";
  }

  function base(style) {
    return {
      animation: false, color: style.colours, backgroundColor: "transparent",
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: style.text },
      aria: { enabled: false }, // the region has a name, and its table says the rest
      tooltip: { renderMode: "richText", confine: true, backgroundColor: style.card, borderColor: style.line, textStyle: { color: style.text, fontSize: 12 } },
      legend: { show: false, type: "scroll", left: 0, top: 0, itemWidth: 14, itemHeight: 9, icon: "roundRect", textStyle: { color: style.soft, fontSize: 12 }, formatter: (name) => clipped(name, 28), pageTextStyle: { color: style.soft }, pageIconColor: style.accent },
      grid: { left: 4, right: 20, top: 12, bottom: 4, containLabel: true },
    };
  }

  const axis = (style, more) => ({
    axisLine: { lineStyle: { color: style.line } }, axisTick: { show: false }, axisLabel: { color: style.soft, fontSize: 12, hideOverlap: true },
    splitLine: { lineStyle: { color: style.line, type: [3, 4] } }, ...more,
  });

  // Columns of a chart and what the parts of it need to know.
  function frame(panel, rows) {
    const answer = data.answers[panel.answer];
    const at = { x: place(answer, panel.chart.x), y: place(answer, panel.chart.y), by: panel.chart.by ? place(answer, panel.chart.by) : -1 };
    const column = { x: answer.columns[at.x], y: answer.columns[at.y], by: at.by < 0 ? null : answer.columns[at.by] };
    return { answer, rows, at, column, style: look(), narrow: innerWidth < 700, wide: panel.width === "full", sorted: panel.sorted };
  }

  function seriesOf({ rows, at, column }) {
    if (at.by < 0) return [[column.y.label, rows]];
    const found = new Map();
    for (const row of rows) {
      const name = label(row[at.by], column.by);
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(row);
    }
    const told = [...found].filter(([, of]) => of.some((row) => row[at.y] !== null));
    return told.sort(([one], [other]) => compare(one, other)).slice(0, SERIES);
  }

  // What the rows' bars are called: their label, and where two share it another text of the row behind it.
  function barNames(it, rows) {
    const names = rows.map((row) => label(row[it.at.x], it.column.x));
    if (new Set(names).size === names.length) return names;
    const other = it.answer.columns.findIndex((column, at) => column.type === "text" && at !== it.at.x);
    return other < 0 ? names : names.map((name, at) => `${name} · ${label(rows[at][other], it.answer.columns[other])}`);
  }

  // A bar for each row, the longest first; with a third column a bar for each label, its parts stacked.
  function horizontalBars(it) {
    const stacked = it.at.by >= 0, ofRow = (row) => label(row[it.at.x], it.column.x);
    const sums = new Map();
    if (stacked) for (const row of it.rows) sums.set(ofRow(row), (sums.get(ofRow(row)) || 0) + (row[it.at.y] || 0));
    const size = (row) => (stacked ? sums.get(ofRow(row)) : row[it.at.y] || 0);
    const ordered = it.sorted ? [...it.rows].sort((one, other) => size(other) - size(one)) : [...it.rows];
    const rows = ordered.slice(0, stacked ? ordered.length : BARS);
    const labels = stacked ? [...new Set(rows.map(ofRow))].slice(0, BARS) : barNames(it, rows);
    if (!stacked) it.bars = rows;
    const series = (stacked ? seriesOf(it) : [[it.column.y.label, rows]]).map(([name, part]) => {
      const values = new Map();
      for (const row of part) values.set(ofRow(row), (values.get(ofRow(row)) || 0) + (row[it.at.y] || 0));
      return { name, type: "bar", stack: stacked ? "all" : undefined, barMaxWidth: 18, itemStyle: { borderRadius: stacked ? 0 : [0, 4, 4, 0] },
        data: stacked ? labels.map((one) => values.get(one) ?? null) : rows.map((row) => row[it.at.y]),
        label: { show: !stacked, position: "right", color: it.style.soft, fontSize: 12, formatter: ({ value }) => short(value, it.column.y.unit) } };
    });
    const room = it.narrow ? 16 : it.wide ? 64 : 32;
    return { height: Math.max(120, labels.length * 28 + 24 + (stacked ? 28 : 0)), option: { ...base(it.style),
      grid: { left: 4, right: 56, top: stacked ? 34 : 4, bottom: 4, containLabel: true },
      legend: { ...base(it.style).legend, show: stacked },
      tooltip: { ...base(it.style).tooltip, formatter: (part) => `${labels[part.dataIndex]}\n${part.seriesName}: ${exact(part.value, it.column.y)}` },
      xAxis: axis(it.style, { type: "value", max: stacked ? null : "dataMax", axisLabel: { show: false }, axisLine: { show: false }, splitLine: { show: false } }),
      yAxis: axis(it.style, { type: "category", inverse: true, data: labels.map((_, at) => at), axisLabel: { color: it.style.text, fontSize: 12, interval: 0, formatter: (at) => clipped(labels[at], room) } }),
      series } };
  }

  // Times without rows are 0 where rows are counted, and a gap where they are measured.
  function filled(points, step, empty) {
    if (!step || points.length < 2) return points;
    const known = new Map(points), begin = points[0][0], end = points[points.length - 1][0];
    if ((end - begin) / step > FILLED) return points;
    const all = [];
    for (let at = begin; at <= end; at += step) all.push([at, known.has(at) ? known.get(at) : empty]);
    return all.length >= points.length ? all : points;
  }

  const DAY = 86400000;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");

  function overTime(it, kind) {
    const time = it.column.x.type === "date" ? (value) => Date.parse(`${value}T00:00:00Z`) : wallClock;
    const empty = ["count", "bytes"].includes(it.column.y.unit) ? 0 : null;
    const named = seriesOf(it).map(([name, rows]) => [name, rows.map((row) => [time(row[it.at.x]), row[it.at.y]]).sort((one, other) => one[0] - other[0])]);
    const times = [...new Set(named.flatMap(([, points]) => points.map(([at]) => at)))].sort((one, other) => one - other);
    const step = times.slice(1).reduce((least, at, before) => Math.min(least, at - times[before]), Infinity);
    const daily = it.column.x.type === "date" || (Number.isFinite(step) && step % DAY === 0);
    const all = filled(times.map((at) => [at, at]), daily ? DAY : step, null).map(([at]) => at);
    const line = kind === "line" && all.length > 1;
    const series = named.map(([name, points]) => {
      const known = new Map(points);
      const values = all.map((at) => [daily ? String(at) : at, known.has(at) ? known.get(at) : empty]);
      return line
        ? { name, type: "line", data: values, showSymbol: all.length < 40, symbolSize: 5, lineStyle: { width: 2 }, areaStyle: it.at.by < 0 ? { opacity: .1 } : undefined, sampling: "lttb" }
        : { name, type: "bar", stack: it.at.by < 0 ? undefined : "all", data: values, barMaxWidth: 28, itemStyle: { borderRadius: it.at.by < 0 ? [3, 3, 0, 0] : 0 } };
    });
    const years = all.length > 1 && all[all.length - 1] - all[0] > 300 * DAY;
    const day = (ms) => { const at = new Date(Number(ms)); return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}${years ? ` ${at.getUTCFullYear()}` : ""}`; };
    const told = (ms) => { const at = new Date(Number(ms)).toISOString(); return daily ? at.slice(0, 10) : `${at.slice(0, 10)} ${at.slice(11, 16)}`; };
    const labels = { color: it.style.soft, fontSize: 12, hideOverlap: true };
    const across = daily
      ? { type: "category", data: all.map(String), boundaryGap: !line, axisLabel: { ...labels, formatter: day } }
      : { type: "time", minInterval: 3600000, splitNumber: it.narrow ? 3 : 8, axisLabel: { ...labels, formatter: { year: "{yyyy}", month: "{d} {MMM}", day: "{d} {MMM}", hour: "{HH}:{mm}", minute: "{HH}:{mm}" } } };
    return { height: it.narrow ? 220 : 280, option: { ...base(it.style), useUTC: true,
      grid: { left: 4, right: 26, top: it.at.by < 0 ? 12 : 34, bottom: 4, containLabel: true },
      legend: { ...base(it.style).legend, show: it.at.by >= 0 },
      tooltip: { ...base(it.style).tooltip, trigger: "axis", axisPointer: { lineStyle: { color: it.style.soft } },
        formatter: (parts) => [told(parts[0].value[0]), ...parts.map((part) => `${part.seriesName}: ${exact(part.value[1], it.column.y)}`)].join("\n") },
      xAxis: axis(it.style, { splitLine: { show: false }, ...across }),
      yAxis: axis(it.style, { type: "value", axisLabel: { color: it.style.soft, fontSize: 12, formatter: (value) => short(value, it.column.y.unit) } }),
      series } };
  }

  // Labels along the axis: whole numbers without gaps, else as they come.
  function labelsOf(rows, at, column, order) {
    const values = [...new Set(rows.map((row) => row[at]))];
    if (values.every((value) => Number.isInteger(value)) && values.length) {
      const least = Math.min(...values), most = Math.max(...values);
      if (most - least < 200) return Array.from({ length: most - least + 1 }, (_, number) => least + number);
    }
    return order ? values.sort(compare) : values;
  }

  function overLabels(it, kind) {
    const values = labelsOf(it.rows, it.at.x, it.column.x, true);
    const series = seriesOf(it).map(([name, rows]) => {
      const known = new Map(rows.map((row) => [row[it.at.x], row[it.at.y]]));
      const empty = ["count", "bytes"].includes(it.column.y.unit) ? 0 : null;
      return { name, type: kind, data: values.map((value) => known.get(value) ?? empty), showSymbol: values.length < 60, symbolSize: 5, lineStyle: { width: 2 }, barMaxWidth: 28 };
    });
    return { height: it.narrow ? 220 : 280, option: { ...base(it.style),
      grid: { left: 4, right: 20, top: it.at.by < 0 ? 12 : 34, bottom: 4, containLabel: true },
      legend: { ...base(it.style).legend, show: it.at.by >= 0 },
      tooltip: { ...base(it.style).tooltip, trigger: "axis", axisPointer: { lineStyle: { color: it.style.soft } }, valueFormatter: (value) => exact(value, it.column.y) },
      xAxis: axis(it.style, { type: "category", data: values.map((value) => label(value, it.column.x)), boundaryGap: kind === "bar" }),
      yAxis: axis(it.style, { type: "value", axisLabel: { color: it.style.soft, fontSize: 12, formatter: (value) => short(value, it.column.y.unit) } }),
      series } };
  }

  function pie(it) {
    const all = it.rows.map((row) => ({ name: label(row[it.at.x], it.column.x), value: row[it.at.y] || 0 })).sort((one, other) => other.value - one.value);
    const slices = all.slice(0, all.length > SLICES + 1 ? SLICES : SLICES + 1);
    const rest = all.slice(slices.length).reduce((sum, one) => sum + one.value, 0);
    if (rest) slices.push({ name: "all others", value: rest, itemStyle: { color: it.style.soft }, rest: true });
    const total = all.reduce((sum, one) => sum + one.value, 0);
    const told = new Map(slices.map((one) => [one.name, `${clipped(one.name, it.narrow ? 18 : 26)}  ${short((one.value * 100) / total, "percent")}`]));
    return { height: it.narrow ? 200 + slices.length * 23 : 270, option: { ...base(it.style),
      tooltip: { ...base(it.style).tooltip, formatter: ({ name, value }) => `${name}\n${exact(value, it.column.y)} (${short((value * 100) / total, "percent")})` },
      legend: { ...base(it.style).legend, show: true, orient: "vertical", left: it.narrow ? 0 : "52%", top: it.narrow ? 190 : "middle", formatter: (name) => told.get(name) },
      series: [{ type: "pie", radius: it.narrow ? [52, 84] : ["50%", "76%"], center: it.narrow ? ["50%", 92] : ["25%", "50%"], data: slices,
        label: { show: false }, itemStyle: { borderColor: it.style.card, borderWidth: 2 }, emphasis: { scaleSize: 4 } }] } };
  }

  function heatmap(it) {
    const across = labelsOf(it.rows, it.at.x, it.column.x, true), down = labelsOf(it.rows, it.at.by, it.column.by, true);
    const most = it.rows.reduce((top, row) => Math.max(top, row[it.at.y] || 0), 0);
    return { height: Math.max(180, down.length * 28 + 84), option: { ...base(it.style),
      grid: { left: 4, right: 8, top: 4, bottom: 44, containLabel: true },
      tooltip: { ...base(it.style).tooltip, formatter: ({ value }) => `${it.column.x.label} ${label(across[value[0]], it.column.x)}, ${it.column.by.label} ${label(down[value[1]], it.column.by)}\n${it.column.y.label}: ${exact(value[2], it.column.y)}` },
      visualMap: { min: 0, max: most || 1, calculable: false, orient: "horizontal", left: 0, bottom: 0, itemHeight: 120, itemWidth: 10, formatter: (value) => short(Math.round(value), it.column.y.unit), textStyle: { color: it.style.soft, fontSize: 12 }, text: [short(most, it.column.y.unit), "0"],
        inRange: { color: it.style.dark ? ["#1b2736", "#2a5ca8", "#8fbcff"] : ["#eef3fb", "#7aa7ea", "#174a9c"] } },
      xAxis: axis(it.style, { type: "category", data: across.map((value) => label(value, it.column.x)) }),
      yAxis: axis(it.style, { type: "category", inverse: true, data: down.map((value) => label(value, it.column.by)) }),
      series: [{ type: "heatmap", data: it.rows.map((row) => [across.indexOf(row[it.at.x]), down.indexOf(row[it.at.by]), row[it.at.y]]), itemStyle: { borderColor: it.style.card, borderWidth: 2, borderRadius: 3 } }] } };
  }

  // Flows. A flow that comes back to where it began has its ends on two sides: the chart knows no circles.
  function sankey(it) {
    const flows = it.rows.slice(0, 40).map((row) => [label(row[it.at.x], it.column.x), label(row[it.at.by], it.column.by), row[it.at.y] || 0]);
    const next = new Map();
    for (const [from, to] of flows) next.set(from, [...(next.get(from) || []), to]);
    const circle = (node, way) => way.includes(node) || (next.get(node) || []).some((to) => circle(to, [...way, node]));
    const sides = flows.some(([from]) => circle(from, []));
    const links = flows.map(([from, to, value]) => ({ source: sides ? `${from} ` : from, target: sides ? ` ${to}` : to, value }));
    const nodes = [...new Set(links.flatMap(({ source, target }) => [source, target]))].map((name) => ({ name }));
    return { height: Math.max(260, nodes.length * 18), option: { ...base(it.style),
      tooltip: { ...base(it.style).tooltip, formatter: ({ name, value, data: link }) => (link.source ? `${link.source.trim()} → ${link.target.trim()}\n${exact(value, it.column.y)}` : `${name.trim()}\n${exact(value, it.column.y)}`) },
      series: [{ type: "sankey", left: 4, right: it.narrow ? 90 : 170, top: 8, bottom: 8, nodeGap: 8, nodeWidth: 12, data: nodes, links, lineStyle: { color: "source", opacity: .3 },
        label: { color: it.style.text, fontSize: 12, formatter: ({ name }) => clipped(name.trim(), it.narrow ? 14 : 26) } }] } };
  }

  function waterfall(it) {
    const rows = it.rows.slice(0, 60), labels = rows.map((row) => label(row[it.at.x], it.column.x));
    return { height: Math.max(140, rows.length * 24 + 40), option: { ...base(it.style),
      tooltip: { ...base(it.style).tooltip, formatter: ({ dataIndex }) => `${labels[dataIndex]}\nfrom ${exact(rows[dataIndex][it.at.by], it.column.by)}, ${exact(rows[dataIndex][it.at.y], it.column.y)}` },
      xAxis: axis(it.style, { type: "value", axisLabel: { color: it.style.soft, formatter: (value) => short(value, it.column.y.unit) } }),
      yAxis: axis(it.style, { type: "category", inverse: true, data: labels.map((_, number) => number), axisLabel: { color: it.style.text, formatter: (number) => clipped(labels[number], it.narrow ? 14 : 30) } }),
      series: [{ type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" }, data: rows.map((row) => row[it.at.by]) }, { type: "bar", stack: "all", barMaxWidth: 14, data: rows.map((row) => row[it.at.y]) }] } };
  }

  function timeline(it) {
    const kinds = labelsOf(it.rows, it.at.y, it.column.y, false).map((value) => label(value, it.column.y)).slice(0, BARS);
    return { height: Math.max(140, kinds.length * 28 + 50), option: { ...base(it.style), useUTC: true,
      tooltip: { ...base(it.style).tooltip, formatter: ({ dataIndex }) => `${moment(it.rows[dataIndex][it.at.x])}\n${label(it.rows[dataIndex][it.at.y], it.column.y)}` },
      xAxis: axis(it.style, { type: "time" }), yAxis: axis(it.style, { type: "category", inverse: true, data: kinds, axisLabel: { color: it.style.text, formatter: (text) => clipped(text, it.narrow ? 14 : 30) } }),
      series: [{ type: "scatter", symbolSize: 7, data: it.rows.map((row) => [wallClock(row[it.at.x]), label(row[it.at.y], it.column.y)]) }] } };
  }

  const isTime = (it) => it.column.x.type === "time" || it.column.x.type === "date";
  const KINDS = {
    bar: (it) => (isTime(it) ? overTime(it, "bar") : horizontalBars(it)),
    map: horizontalBars,
    line: (it) => (isTime(it) ? overTime(it, "line") : overLabels(it, "line")),
    histogram: (it) => (isTime(it) ? overTime(it, "bar") : overLabels(it, "bar")),
    pie, heatmap, sankey, waterfall, timeline,
  };

  // ---- Panels ---------------------------------------------------------------------------------------------------

  function makePanel(panel, number) {
    const id = `panel-${number}`;
    const whole = element("p", { class: "whole", text: "Whole window: this cannot be computed for chosen days.", hidden: "" });
    const unsure = element("p", { class: "whole", hidden: "" });
    const body = element("div", { class: "body" });
    const section = element("section", { class: `panel ${panel.width}`, "aria-labelledby": id },
      element("div", { class: "panel-head" }, element("div", {}, element("h2", { id, text: panel.title }), panel.note ? element("p", { class: "note", text: panel.note }) : null, whole, unsure)), body);
    const answer = data.answers[panel.answer];
    let chart = null, box = null, open = false;
    const one = { section, resize: () => chart && chart.resize(), redraw };
    function redraw() {
      const now = shown(panel);
      whole.hidden = !now.whole;
      unsure.hidden = !now.missing;
      unsure.textContent = `Others may be missing here, with up to ${short(now.missing, "count")} each.`;
      if (chart) { chart.dispose(); chart = null; }
      if (!now.rows.length) {
        body.replaceChildren(element("p", { class: "empty", text: nothing(panel) }));
        return;
      }
      const inside = table(answer, now.rows, { caption: panel.title, columns: panel.columns, file: slug(panel.title), at: panel.drill && panel.drill.at, press: (value) => panel.drill && (() => drill(panel, value)) });
      section.classList.toggle("long", now.rows.length > 25);
      if (!panel.chart) { body.replaceChildren(inside); return; }
      const it = frame(panel, now.rows);
      if (it.rows.every((row) => !row[it.at.y])) { body.replaceChildren(inside); return; }
      const { height, option } = KINDS[panel.chart.kind](it);
      box = element("div", { class: "chart", role: "img", "aria-label": `Chart: ${panel.title}. Its figures are in the table below.` });
      box.style.height = `${height}px`;
      const details = element("details", { on: { toggle: () => { open = details.open; } } }, element("summary", { text: "Table" }), inside);
      details.open = open;
      body.replaceChildren(box, details);
      chart = echarts.init(box, null, { renderer: "canvas" });
      chart.setOption(option);
      if (panel.drill) chart.on("click", (event) => pressed(panel, it, event));
    }
    drawn.push(one);
    return section;
  }

  function nothing(panel) {
    const days = isChosen() ? `between ${chosen.from || meta.first_day} and ${chosen.to || meta.last_day}` : `between ${meta.since_text} and ${meta.until_text}`;
    return `No ${panel.what} ${days}.`;
  }

  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "");

  function pressed(panel, it, event) {
    if (event.data && event.data.rest) return;
    const answer = data.answers[panel.answer], at = place(answer, panel.drill.at);
    const row = it.bars ? it.bars[event.dataIndex] : it.rows.find((one) => label(one[it.at.x], it.column.x) === event.name);
    if (row) drill(panel, row[at]);
  }

  function drill(panel, value) {
    const answer = data.answers[panel.drill.answer], on = place(answer, panel.drill.on);
    const same = (one) => (one === null || value === null ? one === value : String(one) === String(value));
    const rows = rowsOf(answer).filter((row) => same(row[on]));
    const column = data.answers[panel.answer].columns[place(data.answers[panel.answer], panel.drill.at)];
    byId("drill-title").textContent = `Behind ${label(value, column)}`;
    byId("drill-note").textContent = rows.length ? `${panel.title}, the most common of the whole window.` : "The report holds the rows of the most frequent only.";
    byId("drill-body").replaceChildren(rows.length ? table(answer, rows, { caption: `Behind ${label(value, column)}`, hide: panel.drill.on, file: slug(`${panel.title} ${label(value, column)}`) }) : "");
    byId("drill").showModal();
  }

  // ---- The page -------------------------------------------------------------------------------------------------

  function redrawAll() {
    drawTiles();
    for (const one of drawn) one.redraw();
  }

  function choose() {
    const said = byId("said");
    byId("from").value = chosen.from;
    byId("to").value = chosen.to;
    byId("reset").hidden = !isChosen();
    said.textContent = isChosen() ? `Showing ${chosen.from || meta.first_day} to ${chosen.to || meta.last_day}, both days included.` : "";
    const hash = isChosen() ? `#from=${chosen.from}&to=${chosen.to}` : "";
    for (const link of document.querySelectorAll("a[data-page]")) link.href = link.getAttribute("href").split("#")[0] + hash;
    if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname);
    redrawAll();
  }

  function filter() {
    if (meta.days.length < 1) return;
    const from = byId("from"), to = byId("to");
    byId("filter").hidden = false;
    for (const one of [from, to]) { one.min = meta.first_day; one.max = meta.last_day; }
    const day = /^\d{4}-\d{2}-\d{2}$/;
    const changed = (event) => {
      chosen.from = day.test(from.value) ? from.value : "";
      chosen.to = day.test(to.value) ? to.value : "";
      if (chosen.from && chosen.to && chosen.from > chosen.to) {
        if (event.target === from) chosen.to = chosen.from; else chosen.from = chosen.to;
      }
      choose();
    };
    from.addEventListener("change", changed);
    to.addEventListener("change", changed);
    byId("filter").addEventListener("reset", (event) => { event.preventDefault(); chosen.from = chosen.to = ""; choose(); });
    byId("filter").addEventListener("submit", (event) => event.preventDefault());
    const asked = new URLSearchParams(location.hash.slice(1));
    if (day.test(asked.get("from") || "")) chosen.from = asked.get("from");
    if (day.test(asked.get("to") || "")) chosen.to = asked.get("to");
  }

  function themes() {
    const root = document.documentElement, button = byId("theme");
    const stored = (call) => { try { return call(); } catch { return null; } }; // files may have no storage
    const show = (theme) => { root.dataset.theme = theme; button.textContent = theme === "dark" ? "Light" : "Dark"; button.setAttribute("aria-label", `Switch to the ${theme === "dark" ? "light" : "dark"} look`); };
    const system = matchMedia("(prefers-color-scheme: dark)");
    const kept = stored(() => localStorage.getItem("logshed-theme"));
    show(kept === "dark" || kept === "light" ? kept : system.matches ? "dark" : "light");
    button.addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      stored(() => localStorage.setItem("logshed-theme", theme));
      show(theme);
      redrawAll();
    });
    system.addEventListener("change", () => { show(system.matches ? "dark" : "light"); redrawAll(); });
  }

  // Paper is light, as wide as its panels, and has the tables open. Charts are drawn before the paper's style holds.
  function printing() {
    const root = document.documentElement;
    let before = "", closed = [];
    addEventListener("beforeprint", () => {
      before = root.dataset.theme;
      root.dataset.theme = "light";
      root.dataset.paper = "yes";
      redrawAll();
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const one of closed) one.open = true;
    });
    addEventListener("afterprint", () => {
      root.dataset.theme = before;
      delete root.dataset.paper;
      for (const one of closed) one.open = false;
      redrawAll();
    });
  }

  themes();
  filter();
  byId("panels").append(...data.panels.map(makePanel));
  byId("drill-close").addEventListener("click", () => byId("drill").close());
  choose();
  let wide = innerWidth;
  addEventListener("resize", () => {
    if ((wide < 700) !== (innerWidth < 700)) { wide = innerWidth; redrawAll(); } else for (const one of drawn) one.resize();
  });
  printing();
  document.documentElement.dataset.ready = "yes";
})();
