// Sets the chosen theme before anything is drawn, so that nothing flashes.
"use strict";
try {
  const chosen = localStorage.getItem("logshed.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* a browser that keeps nothing takes the system's theme */ }
