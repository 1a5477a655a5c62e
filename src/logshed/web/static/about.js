// The page of the API: finds calls by words, copies commands, opens the call that the address names.
import { byId, copy, key } from "./base.js";

const calls = [...document.querySelectorAll(".call")];

function found() {
  const words = byId("api-words").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const call of calls) {
    const text = call.querySelector("summary").textContent.toLowerCase();
    call.hidden = !words.every((word) => text.includes(word));
  }
  for (const area of document.querySelectorAll(".api-area")) area.hidden = !area.querySelector(".call:not([hidden])");
  byId("api-none").hidden = calls.some((call) => !call.hidden);
}

byId("api-words").addEventListener("input", found);
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button.closest(".call").querySelector(".command").textContent));
}
const named = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
if (named) { named.open = true; named.scrollIntoView(); }
key("/", "Find a call", () => byId("api-words").focus());
