// The lists beside the map: countries, places, collections with their bars, and the newest lines.

const SHOWN = { countries: 12, places: 10, collections: 6 };
const LINES = 8;
const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" });

export const count = (value) => (value < 10000000 ? whole : compact).format(value);
export const share = (value) => percent.format(value).replace("%", "\u202f%");

// A country's name, or the code where it is none that browsers know; logs may hold anything.
export function nameOf(code) {
  if (!/^[A-Z]{2}$/.test(code)) return code || "an unknown place";
  return regions.of(code);
}

// What would turn the writing round or is not to be seen is made visible.
const SIGNS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const sound = (text) => String(text).replace(SIGNS, (sign) => {
  const code = sign.codePointAt(0);
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `␣${code.toString(16)}`;
});

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = sound(text);
  return made;
}

// A list of buttons with bars that is changed in place, so that focus and reading position stay.
class Bars {
  constructor(list, most, chosen, empty) {
    Object.assign(this, { list, most, rows: [] });
    this.choose = chosen;
    this.none = element("li", "none", empty);
    list.append(this.none);
  }

  row() {
    const item = document.createElement("li");
    const button = element("button", "");
    button.type = "button";
    const parts = { name: element("span", "name"), hits: element("span", "hits"), share: element("span", "share") };
    const first = document.createTextNode(""), where = element("span", "where");
    parts.name.append(first, where);
    button.append(parts.name, parts.hits, parts.share);
    item.append(button);
    this.list.append(item);
    const row = { item, button, first, where, ...parts, key: "" };
    if (this.choose) button.addEventListener("click", () => this.choose(row.key));
    this.rows.push(row);
    return row;
  }

  // Entries: [key, hits, name, where], the greatest first.
  show(entries, total, pressed) {
    const most = entries.length ? entries[0][1] : 1;
    this.none.hidden = entries.length > 0;
    entries.slice(0, this.most).forEach(([key, hits, name, where], number) => {
      const row = this.rows[number] || this.row();
      row.key = key;
      row.item.hidden = false;
      row.first.data = sound(name);
      row.where.textContent = where ? ` ${where}` : "";
      row.hits.textContent = count(hits);
      row.share.textContent = share(hits / (total || 1));
      row.button.style.setProperty("--share", (hits / most).toFixed(3));
      row.button.setAttribute("aria-pressed", String(Boolean(pressed) && key === pressed));
    });
    this.rows.slice(entries.length).forEach((row) => { row.item.hidden = true; });
  }
}

const greatest = (map, most) => [...map].sort((one, other) => other[1] - one[1]).slice(0, most);
export const sum = (map) => [...map.values()].reduce((all, hits) => all + hits, 0);

export class Lists {
  constructor(chooseCountry, chooseCollection) {
    const nothing = "Nothing yet";
    this.byCountry = new Bars(byId("countries"), SHOWN.countries, chooseCountry, nothing);
    this.byPlace = new Bars(byId("places"), SHOWN.places, (key) => chooseCountry(JSON.parse(key)[0]), "No city is known yet");
    this.byCollection = new Bars(byId("collections"), SHOWN.collections, (name) => {
      byId("collection").value = name;
      chooseCollection(name);
    }, nothing);
    this.noLines();
  }

  countries(totals, all, chosen) {
    const entries = greatest(totals, SHOWN.countries).map(([code, hits]) => [code, hits, nameOf(code)]);
    this.byCountry.show(entries, all, chosen);
  }

  places(totals, chosen) {
    const all = [...totals].map(([key, hits]) => [key, hits, ...JSON.parse(key)]);
    const found = chosen ? all.filter(([, , country]) => country === chosen) : all;
    found.sort((one, other) => other[1] - one[1]);
    const entries = found.slice(0, SHOWN.places).map(([key, hits, country, , city]) => [key, hits, city, nameOf(country)]);
    this.byPlace.show(entries, found.reduce((all, [, hits]) => all + hits, 0), "");
    byId("places-title").textContent = chosen ? `Places in ${nameOf(chosen)}` : "Places";
  }

  collections(totals, chosen) {
    this.byCollection.show(greatest(totals, SHOWN.collections).map(([name, hits]) => [name, hits, name]), sum(totals), chosen);
  }

  // What can be chosen; a choice that is no longer listed stays.
  choices(names, chosen) {
    const list = byId("collection");
    const wanted = ["", ...(chosen && !names.includes(chosen) ? [chosen] : []), ...names];
    if (wanted.length === list.options.length && wanted.every((name, at) => list.options[at].value === name)) return;
    list.replaceChildren(...wanted.map((name) => new Option(name || "All", name, false, name === chosen)));
  }

  noLines() {
    byId("lines").replaceChildren(element("li", "none", "Nothing yet"));
  }

  line(at, collection, line) {
    const list = byId("lines");
    const item = document.createElement("li");
    item.append(element("time", "", time.format(at * 1000)), element("span", "whose", collection), element("span", "line", line));
    if (list.firstElementChild?.className === "none") list.replaceChildren();
    list.prepend(item);
    if (list.childElementCount > LINES) list.lastElementChild.remove();
  }
}
