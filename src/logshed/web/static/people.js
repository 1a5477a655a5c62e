// Oneself, users and tokens: what is told once can be copied.

import { byId, copy } from "./base.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(byId(button.dataset.copy).textContent.trim()));
}
