// The frame player: one clock moves every panel. `data` is made by workbench.analysis.saliency.displays.player.
const SETTINGS = "ifdd-player"; // opacity, colour maps, speed and loop are the reader's, whatever the clip
const CELL = 52; // pixels: about so wide is a picture of the strip
const EDITING = "select, input:not(.slider)"; // keys there are theirs

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  if (root.dataset.id !== data.id) {
    root.frames?.leave();
    if (root.dataset.clip !== data.clip) root.dataset.frame = data.start; // another map of a clip keeps the place
    root.frames = build(root, data);
    root.dataset.id = data.id;
    root.dataset.clip = data.clip;
  }
  root.frames.draw(); // the page's colours may be others now
  return () => root.frames.leave();
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(SETTINGS)) ?? {};
  } catch {
    return {};
  }
}

function build(root, data) {
  const steps = data.seconds.length;
  const last = steps - 1;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const settings = { opacity: data.strength, map: "", signed: "", speed: 1, loop: !still, ...kept() };
  const tables = colourTables(data);
  const element = (tag, className, parent, text) => {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    parent?.append(made);
    return made;
  };
  const button = (className, parent, text, label) => {
    const made = element("button", className, parent, text);
    made.type = "button";
    made.setAttribute("aria-label", label);
    made.title = label;
    return made;
  };
  const time = (frame) => `${data.seconds[frame].toFixed(2)} s`;
  const listening = new AbortController();
  const listen = (target, type, handler) => target.addEventListener(type, handler, { signal: listening.signal });

  // -- pictures: frames as they are, maps as numbers that are coloured here
  const pictures = data.pictures.map((sheet) => ({ ...sheet, image: load(sheet.uri) }));
  const panels = data.groups.flatMap((group) => group.panels.map((panel) => ({ ...panel, group })));
  for (const panel of panels) {
    panel.sheet = pictures[panel.picture];
    if (panel.heat) panel.map = { ...panel.heat, image: load(panel.heat.uri), values: null, tile: null };
  }
  const loaded = [...pictures, ...panels.flatMap((panel) => panel.map ?? [])];
  Promise.all(loaded.map((sheet) => sheet.image.decode())).then(() => {
    if (listening.signal.aborted) return;
    for (const panel of panels) if (panel.map) panel.map.values = numbers(panel.map);
    root.dataset.ready = "true";
    draw();
  });

  root.replaceChildren();
  root.removeAttribute("data-ready");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Frame player: arrow keys step, space plays");

  const stage = element("div", "stage", element("div", "room", root));
  stage.style.setProperty("--panels", panels.length);
  for (const group of data.groups) {
    const section = element("section", "group", stage);
    const head = element("header", "", section);
    element("strong", "", head, group.title);
    element("span", "hint", head, group.hint);
    const row = element("div", "row", section);
    for (const panel of panels.filter((panel) => panel.group === group)) {
      const figure = element("figure", "panel", row);
      const image = element("div", "image", figure);
      panel.canvas = element("canvas", "", image);
      panel.canvas.width = panel.sheet.width;
      panel.canvas.height = panel.sheet.height;
      panel.canvas.style.aspectRatio = `${panel.sheet.width} / ${panel.sheet.height}`;
      panel.canvas.setAttribute("role", "img");
      panel.unread = element("span", "badge", image, "not read");
      if (panel.badge) element("span", "badge verdict", image, panel.badge.text).style.background = panel.badge.colour;
      const caption = element("figcaption", "", figure);
      if (panel.name !== group.title) element("b", "", caption, panel.name);
      element("span", "hint", caption, panel.hint);
      scrub(image);
    }
  }

  // -- controls
  const controls = element("div", "controls", root);
  const play = button("round play", controls, "▶", "Play");
  const back = button("round back", controls, "‹", "One frame back");
  const ahead = button("round ahead", controls, "›", "One frame on");
  const slider = element("input", "slider", controls);
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1, value: 0 });
  slider.setAttribute("aria-label", "Frame of the clip");
  const readout = element("output", "readout", controls);
  readout.setAttribute("aria-live", "off"); // the slider says it

  const choices = element("div", "choices", root);
  const choice = (label, name, options) => {
    const box = element("label", "", choices);
    element("span", "", box, label);
    const select = element("select", name, box);
    for (const [value, text] of options) select.append(new Option(text, value));
    select.value = settings[name];
    if (!select.value) select.selectedIndex = 0;
    settings[name] = select.value;
    listen(select, "change", () => { settings[name] = select.value; keep(); });
    return select;
  };
  choice("speed", "speed", [[0.1, "0.1 ×"], [0.25, "0.25 ×"], [0.5, "0.5 ×"], [1, "1 ×"], [2, "2 ×"]]);
  const loopBox = element("label", "", choices);
  const loop = element("input", "loop", loopBox);
  Object.assign(loop, { type: "checkbox", checked: settings.loop });
  element("span", "", loopBox, "loop");
  listen(loop, "change", () => { settings.loop = loop.checked; keep(); });
  const keep = () => {
    try {
      sessionStorage.setItem(SETTINGS, JSON.stringify(settings));
    } catch { /* a browser that keeps nothing: the settings last as long as the page */ }
    draw();
  };
  if (panels.some((panel) => panel.map)) {
    const box = element("label", "", choices);
    element("span", "", box, "opacity");
    const opacity = element("input", "opacity", box);
    Object.assign(opacity, { type: "range", min: 0, max: 1, step: 0.05, value: settings.opacity });
    opacity.setAttribute("aria-label", "Opacity of the maps");
    listen(opacity, "input", () => { settings.opacity = Number(opacity.value); keep(); });
  }
  for (const [name, label] of [["map", "colours"], ["signed", "colours of differences"]]) {
    const names = Object.keys(tables[name]);
    if (names.length) choice(label, name, names.map((key) => [key, key.replace(/_r$/, "")]));
  }
  const scales = ["map", "signed"].filter((name) => Object.keys(tables[name]).length).map((name) => {
    const scale = element("div", "scale", choices);
    element("span", "", scale, name === "signed" ? "−" : "0");
    const bar = element("canvas", "bar", scale);
    Object.assign(bar, { width: 256, height: 1 });
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", "colour scale of the evidence");
    element("span", "", scale, name === "signed" ? "+" : "strongest");
    return { bar, name };
  });
  if (panels.some((panel) => !panel.read.every(Boolean))) {
    const unread = element("div", "scale", choices);
    element("i", "hatch", unread);
    element("span", "", unread, "not read: no step of the group reads this frame");
  }

  const named = new Map(data.tracks.flatMap((track) => track.marks.map((mark) => [mark.name, mark])));
  for (const mark of named.values()) {
    const key = element("div", "scale", choices);
    element("span", "", key, mark.shape === "up" ? "▲" : "▼").style.color = mark.colour;
    element("span", "", key, mark.name);
  }

  // -- the strip: a row for each panel and track, all on one axis of time
  const strip = element("div", "strip", root);
  const rows = [];
  const row = (name, hint, className, height, paint) => {
    const label = element("div", "rowname", strip);
    element("b", "", label, name);
    if (hint) element("span", "hint", label, hint);
    const canvas = element("canvas", `line ${className}`, strip);
    canvas.style.height = `${height}px`;
    canvas.setAttribute("aria-hidden", "true"); // the slider is the way for keys and screen readers
    scrub(canvas);
    rows.push({ canvas, paint, height });
  };
  for (const panel of panels) {
    row(panel.name, panel.group.title === panel.name ? "" : panel.group.title, "pictures", 42, (context, width, height) => {
      const cells = Math.max(1, Math.min(steps, Math.floor(width / CELL)));
      for (let cell = 0; cell < cells; cell++) {
        const frame = Math.floor(((cell + 0.5) * steps) / cells);
        const left = Math.round((cell * width) / cells);
        paintPanel(context, panel, frame, left, 0, Math.round(((cell + 1) * width) / cells) - left - 1, height);
      }
    });
  }
  for (const track of data.tracks) {
    row(track.name, track.hint, "track", track.levels ? 22 : 26, (context, width, height) => {
      const ink = getComputedStyle(root).color;
      context.strokeStyle = ink;
      context.globalAlpha = 0.3;
      context.beginPath();
      context.moveTo(0, height - 0.5);
      context.lineTo(width, height - 0.5);
      context.stroke();
      if (track.levels) {
        context.fillStyle = ink;
        context.globalAlpha = 0.4;
        const wide = width / steps;
        track.levels.forEach((level, frame) =>
          context.fillRect(frame * wide, height - level * height, Math.max(wide - 0.5, 0.5), level * height));
      }
      context.globalAlpha = 1;
      for (const mark of track.marks) {
        context.fillStyle = mark.colour;
        for (const at of mark.at) {
          const x = Math.min(Math.max(((at + 0.5) * width) / steps, 5), width - 5);
          const [tip, base] = mark.shape === "up" ? [2, height / 2 - 1] : [height - 2, height / 2 + 1];
          context.beginPath();
          context.moveTo(x, tip);
          context.lineTo(x - 5, base);
          context.lineTo(x + 5, base);
          context.closePath();
          context.fill();
        }
      }
    });
  }
  element("div", "", strip);
  const ticks = element("div", "ticks", strip);
  const label = () => { // as many times as there is room for
    const many = Math.max(1, Math.min(steps, Math.floor(ticks.clientWidth / 44)));
    if (ticks.childElementCount === many + 1) return;
    ticks.replaceChildren();
    for (let i = 0; i < many; i++) element("span", "tick", ticks, data.seconds[Math.floor(((i + 0.5) * steps) / many)].toFixed(2));
    element("span", "unit", ticks, "s");
  };
  const cursor = element("div", "cursor", strip);

  const notes = element("div", "notes", root);
  for (const sentence of data.notes) element("p", "", notes, sentence);

  // -- drawing
  const table = (panel) => tables[panel.heat.signed ? "signed" : "map"][settings[panel.heat.signed ? "signed" : "map"]];

  function paintPanel(context, panel, frame, x, y, width, height) {
    const at = panel.at[frame];
    const sheet = panel.sheet;
    const [left, top] = [(at % sheet.columns) * sheet.width, Math.floor(at / sheet.columns) * sheet.height];
    const scale = Math.max(width / sheet.width, height / sheet.height); // the middle of the picture fills the cell
    const [w, h] = [width / scale, height / scale];
    const [dx, dy] = [(sheet.width - w) / 2, (sheet.height - h) / 2];
    context.drawImage(sheet.image, left + dx, top + dy, w, h, x, y, width, height);
    if (!panel.map) return;
    context.globalCompositeOperation = "saturation"; // gray, so that every colour means evidence
    context.fillStyle = "#808080";
    context.fillRect(x, y, width, height);
    context.globalCompositeOperation = "source-over";
    if (!panel.read[at]) {
      hatch(context, x, y, width, height);
    } else if (panel.map.values) {
      const map = panel.map;
      const tile = coloured(map, at, table(panel), settings.opacity);
      const [across, down] = [map.width / sheet.width, map.height / sheet.height];
      context.drawImage(tile, dx * across, dy * down, w * across, h * down, x, y, width, height);
    }
  }

  function drawPanels() {
    const now = Number(root.dataset.frame);
    for (const panel of panels) {
      const { canvas } = panel;
      paintPanel(canvas.getContext("2d"), panel, now, 0, 0, canvas.width, canvas.height);
      const unread = !panel.read[panel.at[now]];
      panel.unread.hidden = !unread;
      canvas.dataset.frame = panel.at[now];
      const badge = panel.badge ? `, test of the map: ${panel.badge.text}` : "";
      canvas.setAttribute(
        "aria-label",
        `${panel.group.title}, ${panel.name}, clip frame ${now}, ${time(now)}${unread ? ", not read" : ""}${badge}`,
      );
    }
  }

  function drawStrip() {
    label();
    const dense = window.devicePixelRatio || 1;
    for (const { canvas, paint, height } of rows) {
      const width = canvas.clientWidth;
      if (!width) return;
      canvas.width = Math.round(width * dense);
      canvas.height = Math.round(height * dense);
      const context = canvas.getContext("2d");
      context.scale(dense, dense);
      paint(context, width, height);
    }
  }

  let waiting = 0;
  function draw() { // at most once for each picture that the screen shows
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      if (!root.dataset.ready) return;
      drawPanels();
      drawStrip();
      for (const { bar, name } of scales) drawBar(bar, tables[name][settings[name]], name === "signed", settings.opacity);
      placeCursor();
    });
  }

  function placeCursor() {
    const line = rows[0].canvas;
    const now = Number(root.dataset.frame);
    cursor.style.left = `${line.offsetLeft + (now * line.clientWidth) / steps}px`;
    cursor.style.width = `${line.clientWidth / steps}px`;
    cursor.style.height = `${rows.at(-1).canvas.offsetTop + rows.at(-1).height - line.offsetTop}px`;
    cursor.style.top = `${line.offsetTop}px`;
  }

  // -- moving
  const levels = data.tracks.filter((track) => track.levels);
  const go = (frame) => {
    const now = Math.min(Math.max(Math.round(frame), 0), last);
    root.dataset.frame = now;
    slider.value = now;
    const known = levels.map((track) => `, ${track.name} ${track.levels[now].toFixed(2)}`).join("");
    slider.setAttribute("aria-valuetext", `clip frame ${now} of 0 – ${last}, ${time(now)}${known}`);
    readout.textContent = `clip frame ${now} (0 – ${last}) · ${time(now)} · video frame ${data.video_index[now]}`;
    if (!root.dataset.ready) return;
    drawPanels();
    placeCursor();
  };
  const lasts = (frame) => (frame < last ? data.seconds[frame + 1] : data.seconds[last] + (data.seconds[last] - data.seconds[0]) / Math.max(last, 1)) - data.seconds[frame];
  let running = 0;
  const stop = () => {
    cancelAnimationFrame(running);
    running = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
    play.title = "Play";
  };
  const start = () => {
    if (Number(root.dataset.frame) === last) go(0);
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    play.title = "Pause";
    let [before, left] = [performance.now(), lasts(Number(root.dataset.frame))];
    const tick = (now) => { // the clock is the clip's: a slow browser leaves frames out and is never late
      left -= ((now - before) / 1000) * Number(settings.speed);
      before = now;
      let frame = Number(root.dataset.frame);
      const from = frame;
      for (let turns = 0; left <= 0 && turns <= steps; turns++) {
        if (frame === last && !settings.loop) return stop();
        frame = frame === last ? 0 : frame + 1;
        left += Math.max(lasts(frame), 0.001);
      }
      if (frame !== from) go(frame);
      running = requestAnimationFrame(tick);
    };
    running = requestAnimationFrame(tick);
  };
  listen(play, "click", () => (running ? stop() : start()));
  listen(back, "click", () => { stop(); go(Number(root.dataset.frame) - 1); });
  listen(ahead, "click", () => { stop(); go(Number(root.dataset.frame) + 1); });
  listen(slider, "input", () => { stop(); go(Number(slider.value)); });
  listen(root, "keydown", (event) => {
    if (event.target.matches(EDITING) || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const now = Number(root.dataset.frame);
    const target = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (event.key === " ") {
      if (event.target.matches("button")) return; // a button does what it says
      play.click();
    } else if (target === undefined) return;
    else { stop(); go(target); }
    event.preventDefault();
    event.stopPropagation();
  });

  function scrub(target) { // by mouse, pen or finger: a touch goes there, a move takes along
    const along = (event) => {
      const box = target.getBoundingClientRect();
      go(Math.floor(((event.clientX - box.left) / box.width) * steps));
    };
    listen(target, "pointerdown", (event) => {
      stop();
      slider.focus({ preventScroll: true }); // keys go on from here
      target.setPointerCapture(event.pointerId);
      if (target.matches("canvas")) along(event);
      event.preventDefault();
    });
    listen(target, "pointermove", (event) => { if (target.hasPointerCapture(event.pointerId)) along(event); });
  }

  const sizes = new ResizeObserver(draw);
  sizes.observe(strip);
  stop();
  go(Number(root.dataset.frame ?? data.start));
  draw();
  return {
    draw,
    leave: () => {
      stop();
      cancelAnimationFrame(waiting);
      sizes.disconnect();
      listening.abort();
      delete root.dataset.id; // drawn anew when the page shows it again
    },
  };
}

function load(uri) {
  const image = new Image();
  image.src = uri;
  return image;
}

// The gray values of a sheet of maps, tile by tile.
function numbers(map) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [map.image.naturalWidth, map.image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(map.image, 0, 0);
  const found = [];
  for (let at = 0; at < map.count; at++) {
    const pixels = context.getImageData((at % map.columns) * map.width, Math.floor(at / map.columns) * map.height, map.width, map.height).data;
    found.push(Uint8Array.from({ length: map.width * map.height }, (_, i) => pixels[4 * i]));
  }
  return found;
}

// One tile in colours, on a canvas that the map keeps: strong evidence is opaque, none is clear.
function coloured(map, at, colours, strength) {
  if (!map.tile) {
    map.tile = document.createElement("canvas");
    [map.tile.width, map.tile.height] = [map.width, map.height];
    map.context = map.tile.getContext("2d", { willReadFrequently: true });
    map.pixels = map.context.createImageData(map.width, map.height);
  }
  const { data } = map.pixels;
  const values = map.values[at];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    data[4 * i] = colours[3 * value];
    data[4 * i + 1] = colours[3 * value + 1];
    data[4 * i + 2] = colours[3 * value + 2];
    data[4 * i + 3] = strength * (map.signed ? Math.min(2 * Math.abs(value - 128), 255) : value);
  }
  map.context.putImageData(map.pixels, 0, 0);
  return map.tile;
}

function colourTables(data) {
  const read = (maps) =>
    Object.fromEntries(Object.entries(maps).map(([name, hex]) => [name, Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16))]));
  return { map: read(data.colourmaps), signed: read(data.signed_colourmaps) };
}

// The colour scale as it looks over a medium gray.
function drawBar(bar, colours, signed, strength) {
  const context = bar.getContext("2d");
  for (let value = 0; value < 256; value++) {
    const alpha = strength * (signed ? Math.min(Math.abs(value - 128) / 127, 1) : value / 255);
    const mixed = [0, 1, 2].map((i) => Math.round(160 * (1 - alpha) + colours[3 * value + i] * alpha));
    context.fillStyle = `rgb(${mixed.join(",")})`;
    context.fillRect(value, 0, 1, 1);
  }
}

// A hatched lower edge: nothing is known of the frame.
function hatch(context, x, y, width, height) {
  const edge = Math.max(4, Math.round(height / 14));
  context.save();
  context.beginPath();
  context.rect(x, y + height - edge, width, edge);
  context.clip();
  context.fillStyle = "#e6e6e6";
  context.fillRect(x, y + height - edge, width, edge);
  context.strokeStyle = "#5a5a5a";
  context.lineWidth = edge / 3;
  for (let at = x - edge; at < x + width + edge; at += edge) {
    context.beginPath();
    context.moveTo(at, y + height);
    context.lineTo(at + edge, y + height - edge);
    context.stroke();
  }
  context.restore();
}
