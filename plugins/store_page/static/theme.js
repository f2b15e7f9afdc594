// Before the first paint: the choice made here, else Airflow's own, else the system's.
(function () {
  let stored = null;
  try {
    stored = localStorage.getItem("rva-theme") || localStorage.getItem("theme");
  } catch { /* a browser that keeps nothing */ }
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = stored === "dark" || stored === "light" ? stored : system;
})();
