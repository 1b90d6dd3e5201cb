(() => {
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.getElementById("theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; });
  const config = { displaylogo: false, responsive: true, showSendToCloud: false, showEditInChartStudio: false };
  for (const holder of document.querySelectorAll("script.data")) {
    const { data, layout } = JSON.parse(holder.textContent);
    Plotly.newPlot(document.getElementById(holder.dataset.plot), data, layout, config);
  }
  root.dataset.ready = "true";
})();
