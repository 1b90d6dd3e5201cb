// The frame player: one slider moves every panel. `data` is made by workbench.displays.player.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  if (root.dataset.id !== data.id) {
    root.frames?.stop();
    root.frames = build(root, data);
    root.dataset.id = data.id;
  }
  return () => root.frames.stop();
}

function build(root, data) {
  const steps = data.seconds.length;
  const last = steps - 1;
  const element = (tag, className, parent, text) => {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    parent?.append(made);
    return made;
  };
  const show = (box, panel, frame) => {
    const at = panel.at[frame];
    box.style.backgroundPosition = `${panel.count > 1 ? (100 * at) / (panel.count - 1) : 0}% 0`;
  };
  const picture = (box, panel) => {
    box.style.backgroundImage = `url("${panel.sprite}")`;
    box.style.backgroundSize = `${100 * panel.count}% 100%`;
    box.style.aspectRatio = panel.aspect;
  };
  const time = (frame) => `${data.seconds[frame].toFixed(2)} s`;

  root.replaceChildren();
  const stage = element("div", "stage", root);
  const boxes = [];
  for (const group of data.groups) {
    const section = element("section", "group", stage);
    section.style.flexGrow = group.panels.length;
    const head = element("header", "", section);
    element("strong", "", head, group.title);
    element("span", "hint", head, group.hint);
    const row = element("div", "row", section);
    for (const panel of group.panels) {
      const figure = element("figure", "panel", row);
      const image = element("div", "image", figure);
      image.setAttribute("role", "img");
      picture(image, panel);
      const badge = element("span", "badge", image, "not read");
      if (panel.badge) {
        const verdict = element("span", "badge verdict", image, panel.badge.text);
        verdict.style.background = panel.badge.colour;
      }
      const caption = element("figcaption", "", figure);
      element("b", "", caption, panel.name);
      element("span", "hint", caption, panel.hint);
      boxes.push({ panel, image, badge, group });
    }
  }

  const controls = element("div", "controls", root);
  const play = element("button", "play", controls);
  play.type = "button";
  const slider = element("input", "slider", controls);
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1, value: 0 });
  slider.setAttribute("aria-label", "Frame of the clip");
  const readout = element("output", "readout", controls);

  const strip = element("div", "strip", root);
  strip.style.gridTemplateColumns = `minmax(4.5rem, max-content) repeat(${steps}, minmax(0, 1fr))`;
  const columns = data.seconds.map(() => []);
  for (const { panel, group } of boxes) {
    const label = element("div", "rowname", strip);
    element("b", "", label, panel.name);
    if (group.title !== panel.name) element("span", "hint", label, group.title);
    for (let frame = 0; frame < steps; frame++) {
      const cell = element("button", "cell", strip);
      cell.type = "button";
      cell.tabIndex = panel === boxes[0].panel ? 0 : -1;
      cell.setAttribute("aria-label", `${panel.name} ${group.title}, clip frame ${frame}, ${time(frame)}`);
      picture(cell, panel);
      show(cell, panel, frame);
      cell.onclick = () => { stop(); go(frame); };
      columns[frame].push(cell);
    }
  }
  if (data.intensity) {
    element("div", "rowname hint", strip, "true intensity");
    for (const [frame, value] of data.intensity.entries()) {
      const cell = element("div", "level", strip);
      cell.title = `clip frame ${frame}: true intensity ${value.toFixed(2)}`;
      element("i", "", cell).style.height = `${100 * value}%`;
    }
  }
  element("div", "", strip);
  data.seconds.forEach((_, frame) => element("span", "tick", strip, data.seconds[frame].toFixed(2)));

  const legend = element("div", "legend", root);
  if (data.legend) {
    const scale = element("div", "scale", legend);
    element("span", "", scale, "0");
    const bar = element("img", "bar", scale);
    Object.assign(bar, { src: data.legend.bar, alt: "colour scale of the evidence" });
    element("span", "", scale, data.legend.top);
    if (data.legend.hatched) {
      const unread = element("div", "scale", legend);
      element("i", "hatch", unread);
      element("span", "", unread, "not read: no step of the group reads this frame");
    }
    for (const sentence of data.legend.sentences) element("p", "", legend, sentence);
  }

  let timer = null;
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
  };
  const go = (frame) => {
    const now = Math.min(Math.max(frame, 0), last);
    root.dataset.frame = now;
    slider.value = now;
    slider.setAttribute("aria-valuetext", `clip frame ${now} of 0 – ${last}, ${time(now)}`);
    readout.textContent = `clip frame ${now} (0 – ${last}) · ${time(now)} · video frame ${data.video_index[now]}`;
    for (const { panel, image, badge, group } of boxes) {
      const unread = !panel.read[panel.at[now]];
      show(image, panel, now);
      badge.hidden = !unread;
      image.setAttribute("aria-label", `${group.title}, ${panel.name}, clip frame ${now}, ${time(now)}${unread ? ", not read" : ""}`);
    }
    columns.forEach((cells, index) => cells.forEach((cell) => cell.classList.toggle("now", index === now)));
  };
  const advance = () => {
    const now = Number(root.dataset.frame);
    go(now === last ? 0 : now + 1);
    const next = Number(root.dataset.frame);
    const wait = next === last ? 900 : 1000 * (data.seconds[next + 1] - data.seconds[next]);
    timer = setTimeout(advance, Math.min(Math.max(wait, 60), 900));
  };
  play.onclick = () => {
    if (timer !== null) return stop();
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    advance();
  };
  slider.oninput = () => { stop(); go(Number(slider.value)); };
  root.onkeydown = (event) => {
    const now = Number(root.dataset.frame);
    const target = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (event.key === " " && event.target !== play) play.click();
    else if (target === undefined) return;
    else { stop(); go(target); }
    event.preventDefault();
  };
  stop();
  go(Number(root.dataset.frame ?? 0)); // a change of settings keeps the place
  return { stop };
}
