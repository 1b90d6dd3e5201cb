(() => {
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const ink = () => getComputedStyle(root).getPropertyValue("--ink").trim();
  const repaint = () => { for (const plot of document.querySelectorAll(".plot")) Plotly.relayout(plot, { "font.color": ink() }); };
  document.getElementById("theme").addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; repaint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  const config = { displaylogo: false, responsive: true, showSendToCloud: false, showEditInChartStudio: false };
  for (const holder of document.querySelectorAll("script.data")) {
    const { data, layout } = JSON.parse(holder.textContent);
    Plotly.newPlot(document.getElementById(holder.dataset.plot), data, { ...layout, font: { ...layout.font, color: ink() } }, config);
  }
  root.dataset.ready = "true";
})();
