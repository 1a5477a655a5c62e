// The box that a search is written in: completion of fields and values at the cursor, and the place of a mistake.

import { api, brief, byId, element, path, sound } from "./base.js";

const WAIT_MS = 120;

// Wire the box up. `context()` gives the parameters that say where values are looked for; `search(text)` is called
// when the text is to be searched for.
export function searchBox({ context, search }) {
  const input = byId("q");
  const list = byId("offers");
  const mistake = byId("mistake");
  let offers = [];
  let place = { begin: 0, end: 0 };
  let chosen = -1;
  let waiting = 0;
  let asking = null;

  function close() {
    clearTimeout(waiting);
    asking?.abort();
    offers = [];
    chosen = -1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(next) {
    chosen = next;
    for (const [number, one] of [...list.children].entries()) one.setAttribute("aria-selected", number === chosen);
    if (chosen < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `offer-${chosen}`);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(number) {
    const offer = offers[number];
    const { begin, end } = place;
    const field = offer.insert.endsWith(":");
    const space = field || input.value.slice(end).startsWith(" ") || input.value[end] === ")" ? "" : " ";
    input.value = input.value.slice(0, begin) + offer.insert + space + input.value.slice(end).replace(field ? /^:/ : /^$/, "");
    const at = begin + offer.insert.length + space.length;
    input.setSelectionRange(at, at);
    close();
    if (field) complete();
  }

  function render(found) {
    offers = found.offers;
    place = found;
    chosen = -1;
    list.replaceChildren(...offers.map((offer, number) => element("li", {
      role: "option", id: `offer-${number}`, "aria-selected": "false",
      on: { mousedown: (event) => { event.preventDefault(); take(number); } },
    },
    element("span", { class: "offer-text value mono", text: sound(offer.text) }),
    offer.detail && element("span", { class: "offer-detail", text: offer.detail }),
    offer.records !== null && element("span", { class: "offer-count", text: brief(offer.records) }))));
    list.hidden = offers.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
  }

  async function ask() {
    asking?.abort();
    asking = new AbortController();
    const at = input.selectionStart ?? input.value.length;
    const text = input.value;
    try {
      const found = await api(path("/api/v1/search/complete", { ...context(), q: text, at: String(at) }), { signal: asking.signal });
      if (document.activeElement === input && input.value === text) render(found);
    } catch (error) {
      if (error.name !== "AbortError") close(); // what cannot be completed can still be written
    }
  }

  function complete() {
    clearTimeout(waiting);
    waiting = setTimeout(ask, WAIT_MS);
  }

  function submit() {
    close();
    search(input.value.trim());
  }

  input.addEventListener("input", () => { mistake.hidden = true; input.removeAttribute("aria-invalid"); complete(); });
  input.addEventListener("click", complete);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "Enter") {
      event.preventDefault();
      if (open && chosen >= 0) take(chosen);
      else submit();
    } else if (event.key === "Tab" && open && chosen >= 0 && !event.shiftKey) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return void ask();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((chosen + step + offers.length + (chosen < 0 && step < 0 ? 1 : 0)) % offers.length);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (open) close();
      else input.blur();
    }
  });
  byId("run").addEventListener("click", submit);

  return {
    get text() { return input.value.trim(); },
    set text(value) { input.value = value; },
    focus() { input.focus(); input.select(); },
    // Show what is wrong, with the place where that is known.
    wrong(error) {
      const { cause, advice, at, end } = error.body ?? {};
      mistake.replaceChildren();
      if (cause) {
        const from = Math.max(0, at - 60);
        const carets = " ".repeat(at - from) + "^".repeat(Math.max(1, Math.min(end - at, 60)));
        mistake.append(
          element("p", { text: `${cause}: ${advice}` }),
          element("pre", { class: "value", "aria-hidden": "true", text: `${sound(input.value.slice(from, from + 120))}\n${carets}` }),
        );
        input.setAttribute("aria-invalid", "true");
        input.focus();
        input.setSelectionRange(at, end);
      } else {
        mistake.append(element("p", { text: error.message }));
      }
      mistake.hidden = false;
    },
    right() {
      mistake.hidden = true;
      input.removeAttribute("aria-invalid");
    },
  };
}
