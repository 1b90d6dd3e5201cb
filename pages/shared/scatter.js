// Clips as points in one or more panels that share colours and what is chosen. `data` is made by workbench.app.clip_map.
const NEAR = 14; // pixels: so near a click or the pointer means a point
const MANY = 4000; // beyond so many points pixels are written at once: 40,000 pictures take ten times as long
const GREY = "#8a8a8a";
const SHAPES = {
  o: (c, r) => c.arc(0, 0, r, 0, 7),
  s: (c, r) => c.rect(-0.89 * r, -0.89 * r, 1.78 * r, 1.78 * r),
  v: (c, r) => polygon(c, 3, 1.2 * r, Math.PI / 2),
  "^": (c, r) => polygon(c, 3, 1.2 * r, -Math.PI / 2),
  "<": (c, r) => polygon(c, 3, 1.2 * r, Math.PI),
  ">": (c, r) => polygon(c, 3, 1.2 * r, 0),
  D: (c, r) => polygon(c, 4, 1.2 * r, 0),
  h: (c, r) => polygon(c, 6, 1.05 * r, Math.PI / 6),
  P: (c, r) => cross(c, r, 0),
  X: (c, r) => cross(c, r, Math.PI / 4),
  "*": (c, r) => star(c, r),
};

function polygon(c, corners, r, turn) {
  for (let k = 0; k < corners; k++) c.lineTo(r * Math.cos(turn + (2 * Math.PI * k) / corners), r * Math.sin(turn + (2 * Math.PI * k) / corners));
  c.closePath();
}

function cross(c, r, turn) {
  const w = 0.36 * r, l = 1.1 * r;
  const corners = [[-w, -l], [w, -l], [w, -w], [l, -w], [l, w], [w, w], [w, l], [-w, l], [-w, w], [-l, w], [-l, -w], [-w, -w]];
  for (const [x, y] of corners) c.lineTo(x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn));
  c.closePath();
}

function star(c, r) {
  for (let k = 0; k < 10; k++) {
    const far = (k % 2 ? 0.5 : 1.25) * r, turn = (Math.PI * k) / 5 - Math.PI / 2;
    c.lineTo(far * Math.cos(turn), far * Math.sin(turn));
  }
  c.closePath();
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".scatter");
  if (root.made?.id !== data.id) {
    root.made?.stop();
    root.made = build(root, data);
  }
  root.made.tell = (value) => setTriggerValue("chosen", value);
  root.made.update(data);
  return () => root.made.stop();
}

function build(root, data) {
  const count = data.ids.length;
  const radius = Math.max(1.6, Math.min(5, 90 / Math.sqrt(count)));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const made = { id: data.id, tell: () => {} };
  let chosen = null; // Uint8Array (count) of 0 and 1; null where nothing is
  let mode = "lasso";
  let looks = []; // name of each point's sprite
  let colours = data;
  const sprites = new Map();

  const element = (tag, className, parent, text) => {
    const node = document.createElement(tag);
    node.className = className;
    if (text !== undefined) node.textContent = text;
    parent?.append(node);
    return node;
  };
  const button = (parent, text, label, act) => {
    const node = element("button", "tool", parent, text);
    node.type = "button";
    node.title = label;
    node.setAttribute("aria-label", label);
    node.onclick = act;
    return node;
  };

  root.replaceChildren();
  const bar = element("div", "bar", root);
  const tools = {};
  for (const [name, text, label] of [
    ["lasso", "Lasso", "Draw around clips to choose them; with Shift further ones"],
    ["box", "Box", "Draw a box around clips to choose them; with Shift further ones"],
    ["pan", "Move", "Drag the map"],
  ]) tools[name] = button(bar, text, label, () => setMode(name));
  button(bar, "+", "Zoom in", () => panels.forEach((panel) => panel.zoom(1.4)));
  button(bar, "−", "Zoom out", () => panels.forEach((panel) => panel.zoom(1 / 1.4)));
  button(bar, "Whole", "Show the whole map", () => panels.forEach((panel) => panel.whole()));
  const clear = button(bar, "Clear", "Choose nothing (Escape)", () => choose(null));
  const told = element("output", "told", bar);
  const setMode = (name) => {
    mode = name;
    for (const [other, node] of Object.entries(tools)) node.setAttribute("aria-pressed", String(other === name));
    root.dataset.mode = name;
  };

  const stages = Math.max(...data.panels.map((panel) => panel.stages.length));
  let stage = 0, playing = null;
  const film = stages > 1 ? element("div", "film", bar) : null;
  if (film) {
    const play = button(film, "▶", "Play the film over the stages", () => (playing ? halt() : advance()));
    const slider = element("input", "slider", film);
    Object.assign(slider, { type: "range", min: 0, max: stages - 1, step: 1, value: 0 });
    slider.setAttribute("aria-label", "Stage of the network");
    const name = element("output", "stage", film);
    const halt = () => {
      clearTimeout(playing);
      playing = null;
      play.textContent = "▶";
    };
    const advance = () => {
      play.textContent = "❚❚";
      made.go(stage + 1 < stages ? stage + 1 : 0);
      playing = setTimeout(advance, 1700);
    };
    made.halt = halt;
    made.go = (to) => {
      stage = to;
      slider.value = to;
      const shown = data.panels[0].stages[to];
      name.textContent = `${to + 1} of ${stages}: ${shown.name}`;
      slider.setAttribute("aria-valuetext", name.textContent);
      panels.forEach((panel) => panel.go(to));
    };
    slider.oninput = () => { halt(); made.go(Number(slider.value)); };
  }

  const legend = element("div", "legend", root);
  const grid = element("div", "panels", root);
  grid.dataset.count = data.panels.length;
  const tip = element("div", "tip", root);
  tip.hidden = true;
  const live = element("div", "live", root);
  live.setAttribute("aria-live", "polite");
  const panels = data.panels.map((panel) => makePanel(panel));

  function sprite(colour, marker) {
    const scale = devicePixelRatio || 1;
    const name = `${colour} ${marker} ${scale}`;
    if (!sprites.has(name)) {
      const half = Math.ceil(1.4 * radius + 1);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 2 * half * scale;
      const c = canvas.getContext("2d");
      c.scale(scale, scale);
      c.translate(half, half);
      c.beginPath();
      SHAPES[marker](c, radius);
      c.fillStyle = colour;
      c.fill();
      if (radius > 2.5) {
        c.lineWidth = 0.6;
        c.strokeStyle = "rgba(255, 255, 255, 0.8)";
        c.stroke();
      }
      const { data: pixels, width } = c.getImageData(0, 0, canvas.width, canvas.height);
      const dots = []; // offsets and colour of what a stamp covers, for maps of many clips
      for (let i = 0; i < width * width; i++) if (pixels[4 * i + 3] > 60) dots.push([(i % width) - width / 2, ((i / width) | 0) - width / 2]);
      sprites.set(name, { canvas, half, dots, tone: parseInt(colour.slice(1), 16) });
    }
    return sprites.get(name);
  }

  function dress() { // a sprite for each point
    if (colours.groups) {
      const { entries, codes } = colours.groups;
      looks = Array.from(bytes(codes), (code) => sprite(entries[code].colour, entries[code].marker));
    } else {
      const { values, low, high, stops } = colours.ramp;
      const last = stops.length - 1, span = high - low || 1;
      looks = Array.from(floats(values), (value) =>
        Number.isNaN(value) ? sprite(GREY, "X") : sprite(stops[Math.round((last * Math.min(Math.max(value - low, 0), span)) / span)], "o"));
    }
  }

  function drawLegend() {
    legend.replaceChildren();
    if (colours.ramp) {
      const { title, low, high, stops, missing } = colours.ramp;
      element("b", "", legend, title);
      element("span", "", legend, low.toPrecision(3));
      const ramp = element("i", "ramp", legend);
      ramp.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
      element("span", "", legend, high.toPrecision(3));
      if (missing) element("span", "hint", legend, `× not known (${missing})`);
      return;
    }
    element("b", "", legend, colours.groups.title);
    for (const entry of colours.groups.entries) {
      const node = element(entry.link ? "button" : "span", "entry", legend);
      const { canvas } = sprite(entry.colour, entry.marker);
      const mark = element("canvas", "mark", node);
      mark.width = mark.height = 28;
      const c = mark.getContext("2d");
      c.translate(14, 14);
      c.beginPath();
      SHAPES[entry.marker](c, 9);
      c.fillStyle = entry.colour;
      c.fill();
      element("span", "", node, `${entry.name} (${entry.count})`);
      if (entry.link) {
        node.type = "button";
        node.title = `Choose these ${entry.count} clips`;
        node.onclick = () => made.tell({ link: entry.link });
      }
    }
  }

  function describe(row) {
    const facts = data.facts.map(({ name, names, codes }) => [name, names[codes[row]]]);
    if (colours.ramp) facts.push([colours.ramp.title, String(Number(colours.ramp.numbers[row].toPrecision(4)))]);
    return facts.filter(([, value]) => value !== undefined);
  }

  function showTip(row, x, y) {
    if (row === null) { tip.hidden = true; return; }
    tip.replaceChildren();
    if (data.thumbs) {
      const image = element("img", "", tip);
      image.alt = "";
      image.onerror = () => image.remove();
      image.src = data.thumbs + encodeURIComponent(data.ids[row]) + ".webp";
    }
    const words = element("div", "", tip);
    element("b", "", words, data.ids[row]);
    for (const [name, value] of describe(row)) element("div", "", words, `${name}: ${value}`);
    tip.hidden = false;
    const box = root.getBoundingClientRect();
    const left = x - box.left + 14 + tip.offsetWidth > box.width ? x - box.left - tip.offsetWidth - 14 : x - box.left + 14;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${Math.max(0, y - box.top + 14)}px`;
  }

  function choose(rows, further = false) {
    if (rows === null) {
      if (!chosen) return;
      chosen = null;
      made.tell({ ids: [] });
    } else {
      if (!rows.length) return;
      const next = further && chosen ? chosen.slice() : new Uint8Array(count);
      for (const row of rows) next[row] = 1;
      chosen = next;
      const ids = [];
      for (let row = 0; row < count; row++) if (chosen[row]) ids.push(data.ids[row]);
      made.tell({ ids });
    }
    tellChosen();
    panels.forEach((panel) => panel.draw()); // at once; the page follows
  }

  function tellChosen() {
    const number = chosen ? chosen.reduce((sum, one) => sum + one, 0) : 0;
    told.textContent = number ? `${number} of ${count} chosen` : `${count} clips`;
    clear.disabled = !number;
  }

  function makePanel(panel) {
    const figure = element("figure", "panel", grid);
    const caption = element("figcaption", "", figure);
    if (panel.title) element("b", "", caption, panel.title);
    const note = element("span", "hint", caption);
    const stageBox = element("div", "stagebox", figure);
    const points = element("canvas", "points", stageBox);
    const over = element("canvas", "over", stageBox);
    element("span", "axis x", stageBox, data.axes[0]);
    element("span", "axis y", stageBox, data.axes[1]);
    over.tabIndex = 0;
    over.setAttribute("role", "application");
    const places = panel.stages.map((part) => floats(part.xy));
    let now = places[0];
    let view = { k: 1, x: 0, y: 0 }, fit, screen = new Float32Array(2 * count), focus = null, raf = 0;
    const pen = points.getContext("2d"), ink = over.getContext("2d");

    const measure = () => {
      const width = stageBox.clientWidth, height = stageBox.clientHeight, scale = devicePixelRatio || 1;
      for (const canvas of [points, over]) {
        canvas.width = Math.round(width * scale);
        canvas.height = Math.round(height * scale);
      }
      let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
      for (const xy of places) for (let i = 0; i < xy.length; i += 2) {
        left = Math.min(left, xy[i]); right = Math.max(right, xy[i]);
        low = Math.min(low, xy[i + 1]); high = Math.max(high, xy[i + 1]);
      }
      for (const extra of panel.placed ?? []) {
        left = Math.min(left, extra.x); right = Math.max(right, extra.x);
        low = Math.min(low, extra.y); high = Math.max(high, extra.y);
      }
      const edge = 18;
      const k = Math.min((width - 2 * edge) / (right - left || 1), (height - 2 * edge) / (high - low || 1));
      fit = { k, x: width / 2 - (k * (left + right)) / 2, y: height / 2 + (k * (low + high)) / 2, width, height, scale };
    };
    const at = (x, y) => [view.k * (fit.k * x + fit.x) + view.x, view.k * (fit.y - fit.k * y) + view.y];

    const draw = () => {
      if (!fit) return;
      const { scale, width, height } = fit;
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      for (let i = 0; i < count; i++) [screen[2 * i], screen[2 * i + 1]] = at(now[2 * i], now[2 * i + 1]);
      const many = count > MANY ? new Uint32Array(points.width * points.height) : null;
      const put = many ? (i, look) => {
        const x = Math.round(screen[2 * i] * scale), y = Math.round(screen[2 * i + 1] * scale), edge = 6 * scale;
        if (x < edge || y < edge || x >= points.width - edge || y >= points.height - edge) return;
        const { tone, dots } = look, ink = ((opacity << 24) | ((tone & 255) << 16) | (tone & 65280) | (tone >> 16)) >>> 0;
        for (const [dx, dy] of dots) many[(y + dy | 0) * points.width + (x + dx | 0)] = ink;
      } : (i, look) => {
        const x = screen[2 * i], y = screen[2 * i + 1];
        if (x > -9 && y > -9 && x < width + 9 && y < height + 9) pen.drawImage(look.canvas, x - look.half, y - look.half, 2 * look.half, 2 * look.half);
      };
      let opacity = 200; // of 255, of stamps
      if (chosen) {
        const dim = sprite(GREY, "o");
        pen.globalAlpha = 0.22;
        opacity = 60;
        for (let i = 0; i < count; i++) if (!chosen[i]) put(i, dim);
        pen.globalAlpha = 1;
        opacity = 255;
        for (let i = 0; i < count; i++) if (chosen[i]) put(i, looks[i]);
      } else {
        pen.globalAlpha = 0.9;
        for (let i = 0; i < count; i++) put(i, looks[i]);
        pen.globalAlpha = 1;
      }
      if (many) pen.putImageData(new ImageData(new Uint8ClampedArray(many.buffer), points.width, points.height), 0, 0);
      for (const extra of panel.placed ?? []) {
        const [x, y] = at(extra.x, extra.y);
        pen.save();
        pen.translate(x, y);
        pen.beginPath();
        star(pen, 9);
        pen.lineWidth = 2.5;
        pen.strokeStyle = "#fff";
        pen.stroke();
        pen.fillStyle = "#000";
        pen.fill();
        pen.restore();
        pen.font = "600 12px sans-serif";
        pen.lineWidth = 3;
        pen.strokeStyle = "rgba(255, 255, 255, 0.9)";
        pen.strokeText(extra.name, x + 12, y + 4);
        pen.fillText(extra.name, x + 12, y + 4);
      }
      mark();
    };
    const later = () => { cancelAnimationFrame(raf); raf = requestAnimationFrame(draw); };

    let path = null, drag = null;
    const mark = () => { // what the pointer or a key points at, and the line that is drawn
      if (!fit) return;
      ink.setTransform(fit.scale, 0, 0, fit.scale, 0, 0);
      ink.clearRect(0, 0, fit.width, fit.height);
      const tone = getComputedStyle(root).color;
      if (focus !== null) {
        ink.beginPath();
        ink.arc(screen[2 * focus], screen[2 * focus + 1], 1.5 * radius + 4, 0, 7);
        ink.lineWidth = 2;
        ink.strokeStyle = tone;
        ink.stroke();
      }
      if (path) {
        ink.beginPath();
        if (mode === "box") ink.rect(path[0][0], path[0][1], path.at(-1)[0] - path[0][0], path.at(-1)[1] - path[0][1]);
        else { path.forEach(([x, y]) => ink.lineTo(x, y)); ink.closePath(); }
        ink.fillStyle = "rgba(128, 128, 128, 0.15)";
        ink.fill();
        ink.setLineDash([5, 4]);
        ink.lineWidth = 1.5;
        ink.strokeStyle = tone;
        ink.stroke();
        ink.setLineDash([]);
      }
    };
    const nearest = (x, y) => {
      let best = null, least = NEAR ** 2;
      for (let i = 0; i < count; i++) {
        const d = (screen[2 * i] - x) ** 2 + (screen[2 * i + 1] - y) ** 2;
        if (d < least) { least = d; best = i; }
      }
      return best;
    };
    const inside = () => {
      const rows = [];
      if (mode === "box") {
        const [[a, b], [c, d]] = [path[0], path.at(-1)];
        for (let i = 0; i < count; i++) {
          const x = screen[2 * i], y = screen[2 * i + 1];
          if (x >= Math.min(a, c) && x <= Math.max(a, c) && y >= Math.min(b, d) && y <= Math.max(b, d)) rows.push(i);
        }
        return rows;
      }
      for (let i = 0; i < count; i++) {
        const x = screen[2 * i], y = screen[2 * i + 1];
        let within = false;
        for (let j = 0, k = path.length - 1; j < path.length; k = j++) {
          const [a, b] = path[j], [c, d] = path[k];
          if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) within = !within;
        }
        if (within) rows.push(i);
      }
      return rows;
    };
    const place = (event) => {
      const box = over.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    over.onpointerdown = (event) => {
      if (event.button) return;
      try { over.setPointerCapture(event.pointerId); } catch { /* a pointer that has gone */ }
      drag = { from: place(event), view: { ...view }, moved: false };
      if (mode !== "pan") path = [place(event)];
      showTip(null);
    };
    over.onpointermove = (event) => {
      const [x, y] = place(event);
      if (!drag) {
        const before = focus;
        focus = nearest(x, y);
        if (focus !== before) { mark(); showTip(focus, event.clientX, event.clientY); }
        return;
      }
      drag.moved ||= Math.hypot(x - drag.from[0], y - drag.from[1]) > 4;
      if (path) { path.push([x, y]); mark(); }
      else { view = { ...drag.view, x: drag.view.x + x - drag.from[0], y: drag.view.y + y - drag.from[1] }; later(); }
    };
    over.onpointerup = (event) => {
      if (!drag) return;
      const [x, y] = place(event);
      if (!drag.moved) {
        const row = nearest(x, y);
        if (row !== null) choose([row], event.shiftKey);
      } else if (path) choose(inside(), event.shiftKey);
      drag = path = null;
      mark();
    };
    over.onpointercancel = () => { drag = path = null; mark(); };
    over.onpointerleave = () => { if (!drag) { focus = null; mark(); showTip(null); } };
    const zoom = (factor, x = fit.width / 2, y = fit.height / 2) => {
      const k = Math.min(Math.max(view.k * factor, 0.5), 200), f = k / view.k;
      view = { k, x: x - f * (x - view.x), y: y - f * (y - view.y) };
      later();
    };
    const whole = () => { view = { k: 1, x: 0, y: 0 }; later(); };
    over.addEventListener("wheel", (event) => { // a wheel that only passes over the map scrolls the page
      if (!event.ctrlKey && document.activeElement !== over && over.getRootNode().activeElement !== over) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), ...place(event));
    }, { passive: false });
    over.ondblclick = whole;
    over.onkeydown = (event) => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (ways[event.key]) {
        const [dx, dy] = ways[event.key];
        const [x, y] = focus === null ? [fit.width / 2, fit.height / 2] : [screen[2 * focus], screen[2 * focus + 1]];
        let best = null, least = Infinity;
        for (let i = 0; i < count; i++) {
          if (i === focus) continue;
          const ax = screen[2 * i] - x, ay = screen[2 * i + 1] - y, along = ax * dx + ay * dy, across = Math.abs(ax * dy) + Math.abs(ay * dx);
          if (focus !== null && (along <= 0 || across > along)) continue;
          const d = Math.hypot(ax, ay);
          if (d < least) { least = d; best = i; }
        }
        if (best !== null) {
          focus = best;
          mark();
          const box = over.getBoundingClientRect();
          showTip(focus, box.left + screen[2 * focus], box.top + screen[2 * focus + 1]);
          live.textContent = [data.ids[focus], ...describe(focus).map(([name, value]) => `${name} ${value}`)].join(", ");
        }
      } else if (event.key === "Enter" && focus !== null) choose([focus], event.shiftKey);
      else if (event.key === "Escape") choose(null);
      else if (event.key === "+") zoom(1.4);
      else if (event.key === "-") zoom(1 / 1.4);
      else if (event.key === "0") whole();
      else return;
      event.preventDefault();
    };

    let flight = 0;
    const go = (to) => {
      cancelAnimationFrame(flight);
      note.textContent = panel.stages[to].note;
      over.setAttribute("aria-label", `${panel.title} ${panel.stages[to].name} ${data.alt} Arrow keys go from clip to clip, Enter chooses, Escape clears.`.trim());
      const from = now, goal = places[to];
      if (from === goal) return draw();
      if (calm) { now = goal; return draw(); }
      const start = performance.now();
      const fly = (time) => {
        const t = Math.min((time - start) / 700, 1), e = t * t * (3 - 2 * t);
        now = t === 1 ? goal : from.map((value, i) => value + e * (goal[i] - value));
        draw();
        if (t < 1) flight = requestAnimationFrame(fly);
      };
      flight = requestAnimationFrame(fly);
    };
    return { draw, later, go, zoom, whole, measure, box: stageBox };
  }

  const watch = new ResizeObserver(() => panels.forEach((panel) => { panel.measure(); panel.draw(); }));
  let watching = false;
  made.stop = () => { made.halt?.(); watch.disconnect(); watching = false; };
  made.update = (next) => {
    colours = next;
    chosen = null;
    if (next.chosen) {
      const bits = bytes(next.chosen);
      chosen = Uint8Array.from({ length: count }, (_, row) => (bits[row >> 3] >> (7 - (row & 7))) & 1);
    }
    if (colours.ramp) colours.ramp.numbers = floats(colours.ramp.values);
    dress();
    drawLegend();
    tellChosen();
    if (watching) panels.forEach((panel) => panel.draw());
    else panels.forEach((panel) => watch.observe(panel.box)); // which measures and draws
    watching = true;
  };
  setMode(mode);
  if (film) made.go(0);
  else panels.forEach((panel) => panel.go(0));
  return made;
}
