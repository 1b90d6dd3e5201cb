// Clips as a grid, a strip or a table. Only what is in sight is in the page; rows come from the server piece by piece (/rows/…),
// pictures from its store (/thumbs/…). `data` is made by shared.gallery.
const PIECE = 100; // rows that are asked for at once
const PIECES = 40; // that are kept
const AHEAD = 1.0; // of the view's size, drawn before it comes into sight
const QUIET = 90; // ms without scrolling after which pictures are asked for

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery");
  root.view ??= build(root);
  root.view.tell = setTriggerValue;
  root.view.show(data);
  return () => {
    root.view.stop();
    root.view = undefined;
  };
}

function build(root) {
  const make = (tag, className, parent, text) => {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    parent?.append(made);
    return made;
  };
  root.replaceChildren();
  const bar = make("div", "bar", root);
  const count = make("span", "", bar);
  const take = make("button", "", bar, "Select these");
  const drop = make("button", "", bar, "None");
  const head = make("div", "head", root);
  const view = make("div", "view", root);
  const space = make("div", "space", view);
  const told = make("div", "told", root);
  told.setAttribute("aria-live", "polite");
  take.type = drop.type = "button";
  bar.hidden = true;

  let data, place;
  let pieces = new Map(); // number of a piece -> its rows, or "asked"
  let items = new Map(); // position -> element
  let ticked = new Map(); // clip id -> true, by the hand of the reader
  let active = 0;
  let quiet, frame;

  const row = (i) => {
    const piece = pieces.get(Math.floor(i / PIECE));
    return Array.isArray(piece) ? piece[i % PIECE] : undefined;
  };

  async function ask(number, again = 0) {
    if (pieces.has(number)) return;
    const rows = data.rows;
    pieces.set(number, "asked");
    try {
      const answer = await fetch(`/rows/${rows}?first=${number * PIECE}&count=${PIECE}`);
      if (rows !== data.rows) return;
      if (answer.status === 404) self.tell("lost", number); // many tables came after this one: the page runs again and keeps it anew
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const found = await answer.json();
      if (rows !== data.rows) return;
      pieces.delete(number);
      pieces.set(number, found);
      for (const [old] of pieces) {
        if (pieces.size <= PIECES) break;
        pieces.delete(old);
      }
      told.textContent = "";
      for (const [i, item] of items) if (Math.floor(i / PIECE) === number) fill(item, i);
      pictures();
    } catch (error) {
      if (rows !== data.rows) return;
      pieces.delete(number);
      if (again < 3) setTimeout(() => rows === data.rows && ask(number, again + 1), 700 * (again + 1));
      else told.textContent = "The server does not answer; is the app still running?";
    }
  }

  // -- where everything lies

  const inShort = () => data.layout === "strip" || data.models.length > FEW; // answers as marks alone

  function measure() {
    const width = view.clientWidth || root.clientWidth || 800;
    const lines = (data.labelled ? 1 : 0) + (inShort() ? 1 : data.models.length);
    if (data.layout === "table") {
      place = { across: 1, width, height: 34 };
    } else if (data.layout === "strip") {
      place = { across: data.total, width: 96, height: 72 + 27 + 17 * lines };
    } else {
      const across = Math.max(1, Math.floor(width / 142));
      place = { across, width: width / across, height: 112 + 26 + 17 * lines };
    }
    const rows = Math.ceil(data.total / place.across);
    space.style.width = data.layout === "strip" ? `${place.across * place.width}px` : data.layout === "table" ? `${tableWidth()}px` : "100%";
    space.style.height = `${rows * place.height}px`;
    view.style.height = data.layout === "strip" ? `${place.height + 14}px` : data.height;
    view.style.maxHeight = data.layout === "strip" ? "" : `${Math.max(1, rows) * place.height + 14}px`;
  }

  // columns of a table: as wide as they like to be, and narrower where all of them would not be in sight
  function widths() {
    const each = [[46, 46], [170, 104], ...(data.labelled ? [[100, 80]] : []), ...data.columns.map(() => [112, 96]), ...data.models.map(() => [150, 118])];
    const [liked, least] = [0, 1].map((n) => each.reduce((sum, width) => sum + width[n], 0));
    const give = liked > least ? Math.min(1, Math.max(0, (liked - (view.clientWidth || liked)) / (liked - least))) : 0;
    return each.map(([like, need]) => Math.floor(like - give * (like - need)));
  }
  const tableWidth = () => Math.max(widths().reduce((sum, width) => sum + width, 0), view.clientWidth || 0);

  function inSight() {
    if (!data.total) return [0, 0];
    const across = data.layout === "strip";
    const size = across ? view.clientWidth : view.clientHeight;
    const at = across ? view.scrollLeft : view.scrollTop;
    const step = across ? place.width : place.height;
    const each = across ? 1 : place.across;
    const first = Math.max(0, Math.floor((at - AHEAD * size) / step)) * each;
    const last = Math.ceil((at + (1 + AHEAD) * size) / step) * each;
    return [first, Math.min(data.total, last)];
  }

  function draw() {
    frame = undefined;
    const [first, last] = inSight();
    for (const [i, item] of items) {
      if ((i < first || i >= last) && i !== active) {
        item.remove();
        items.delete(i);
      }
    }
    for (let i = first; i < last; i++) if (!items.has(i)) add(i);
    if (data.total && !items.has(active)) add(active);
    for (let piece = Math.floor(first / PIECE); piece * PIECE < last; piece++) ask(piece);
    clearTimeout(quiet);
    quiet = setTimeout(pictures, QUIET);
  }

  function add(i) {
    const item = make("a", "item", space);
    const [x, y] = data.layout === "strip" ? [i * place.width, 0] : [(i % place.across) * place.width, Math.floor(i / place.across) * place.height];
    Object.assign(item.style, {
      transform: `translate(${x}px, ${y}px)`,
      width: `${data.layout === "table" ? tableWidth() : place.width}px`,
      height: `${place.height}px`,
    });
    item.position = i;
    item.tabIndex = i === active ? 0 : -1;
    item.setAttribute("role", data.layout === "table" ? "row" : "option");
    item.setAttribute("aria-posinset", i + 1);
    item.setAttribute("aria-setsize", data.total);
    items.set(i, item);
    fill(item, i);
  }

  // -- one clip

  const chip = (parent, name) => {
    const box = make("span", "chip", parent);
    make("i", "", box).style.background = data.colours[name] ?? "#606060";
    make("span", "", box, name);
    return box;
  };
  const sign = (right) => (right === null ? "" : right ? "✓ " : "✗ ");
  const words = (found) =>
    [
      found.id,
      data.labelled ? `true class ${found.label || "not known"}` : "",
      ...data.models.map((model, m) => {
        const said = found.said[m];
        if (!said) return `${model} has not read it`;
        return `${model} says ${said[0]}, ${said[1]} %${said[2] === null ? "" : said[2] ? ", right" : ", wrong"}`;
      }),
    ]
      .filter(Boolean)
      .join("; ");

  function fill(item, i) {
    const found = row(i);
    item.replaceChildren();
    item.classList.toggle("waits", !found);
    if (!found) return;
    item.clip = found.id;
    item.href = `${data.link}${encodeURIComponent(found.id)}`;
    item.setAttribute("aria-label", words(found));
    item.title = words(found).replaceAll("; ", "\n");
    const tick = make("span", "tick", item);
    tick.setAttribute("aria-hidden", "true");
    const image = make("img", "", item);
    image.alt = "";
    image.decoding = "async";
    image.draggable = false;
    image.wanted = `${data.thumbs}${encodeURIComponent(found.id)}.webp`;
    if (data.layout === "table") fillRow(item, found);
    else fillCard(item, found);
    mark(item);
  }

  function fillCard(item, found) {
    make("span", "id", item, found.id);
    if (data.labelled) chip(make("span", "line", item), found.label || "–");
    if (inShort()) {
      const line = make("span", "line marks", item);
      for (const said of found.said) make("span", said && said[2] === false ? "wrong" : "", line, said ? (said[2] === null ? "•" : said[2] ? "✓" : "✗") : "–");
    } else {
      for (const said of found.said) {
        const line = make("span", "line", item);
        if (!said) make("span", "", line, "–");
        else {
          make("b", "", line, sign(said[2]));
          chip(line, said[0]);
          make("span", "share", line, `${said[1]} %`);
        }
      }
    }
  }

  function fillRow(item, found) {
    const cells = [make("span", "cell id", item, found.id)];
    if (data.labelled) chip((cells[cells.length] = make("span", "cell", item)), found.label || "–");
    found.cells.forEach((text, n) => {
      const cell = make("span", "cell", item, text === "" ? "–" : text);
      cell.classList.toggle("number", data.numbers.includes(data.columns[n]));
      cells.push(cell);
    });
    for (const said of found.said) {
      const cell = (cells[cells.length] = make("span", "cell", item));
      if (!said) cell.textContent = "–";
      else {
        make("b", "", cell, sign(said[2]));
        chip(cell, said[0]);
        make("span", "share", cell, `${said[1]} %`);
      }
    }
    const across = widths();
    cells.forEach((cell, n) => {
      cell.style.width = `${across[n + 1]}px`;
      cell.setAttribute("role", "gridcell");
    });
  }

  function pictures() {
    for (const item of items.values()) {
      const image = item.querySelector("img");
      if (image?.wanted && image.getAttribute("src") !== image.wanted) image.src = image.wanted;
    }
  }

  // -- the head of a table

  function heads() {
    head.replaceChildren();
    head.hidden = data.layout !== "table";
    if (head.hidden) return;
    const line = make("div", "headline", head);
    line.setAttribute("role", "row");
    const across = widths();
    make("span", "cell", line).style.width = `${across[0]}px`;
    data.heads.forEach(([name, column], n) => {
      const button = make("button", "cell", line);
      button.type = "button";
      button.style.width = `${across[n + 1]}px`;
      button.title = `Sort by ${name}`;
      button.classList.toggle("number", data.numbers.includes(column));
      button.setAttribute("role", "columnheader");
      make("span", "", button, name);
      const sorted = data.sort && data.sort[0] === column;
      button.setAttribute("aria-sort", sorted ? (data.sort[1] ? "descending" : "ascending") : "none");
      if (sorted) make("span", "way", button, data.sort[1] ? "↓" : "↑");
      button.onclick = () => self.tell("sort", column);
    });
    line.style.width = `${tableWidth()}px`;
    line.style.transform = `translate(${-view.scrollLeft}px)`;
  }

  // -- hands

  function mark(item) {
    const on = ticked.has(item.clip);
    item.classList.toggle("ticked", on);
    item.setAttribute("aria-selected", on);
  }

  function tickOff() {
    bar.hidden = !ticked.size;
    count.textContent = `${ticked.size} clip${ticked.size === 1 ? "" : "s"} ticked`;
    for (const item of items.values()) mark(item);
  }

  function tick(i, upTo) {
    const [first, last] = upTo === undefined ? [i, i] : [Math.min(i, upTo), Math.max(i, upTo)];
    const on = upTo !== undefined || !ticked.has(row(i)?.id);
    for (let n = first; n <= last; n++) {
      const clip = row(n)?.id;
      if (clip !== undefined) on ? ticked.set(clip, true) : ticked.delete(clip);
    }
    tickOff();
  }

  function go(i) {
    i = Math.max(0, Math.min(data.total - 1, i));
    const before = items.get(active);
    if (before) before.tabIndex = -1;
    active = i;
    const across = data.layout === "strip";
    const [at, size, step, n] = across
      ? [view.scrollLeft, view.clientWidth, place.width, i]
      : [view.scrollTop, view.clientHeight, place.height, Math.floor(i / place.across)];
    const to = n * step < at ? n * step : (n + 1) * step > at + size ? (n + 1) * step - size : at;
    if (to !== at) across ? (view.scrollLeft = to) : (view.scrollTop = to);
    draw();
    const item = items.get(active);
    item.tabIndex = 0;
    item.focus({ preventScroll: true });
  }

  let anchor = 0;
  space.onclick = (event) => {
    const item = event.target.closest(".item");
    if (!item?.clip || event.ctrlKey || event.metaKey) return; // the browser opens a link of its own
    event.preventDefault();
    if (event.target.closest(".tick") || event.shiftKey) {
      tick(item.position, event.shiftKey ? anchor : undefined);
      anchor = item.position;
    } else self.tell("open", item.clip);
  };
  space.onfocusin = (event) => {
    const item = event.target.closest(".item");
    if (!item || item.position === active) return;
    const before = items.get(active);
    if (before) before.tabIndex = -1;
    active = item.position;
    item.tabIndex = 0;
  };
  view.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !data.total) return;
    const across = data.layout === "strip" ? 1 : place.across;
    const page = data.layout === "strip" ? Math.max(1, Math.floor(view.clientWidth / place.width)) : across * Math.max(1, Math.floor(view.clientHeight / place.height));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, PageUp: -page, PageDown: page, Home: -data.total, End: data.total };
    if (event.key in steps) go(active + steps[event.key]);
    else if (event.key === " ") {
      tick(active, event.shiftKey ? anchor : undefined);
      anchor = active;
    } else if (event.key === "Enter" && row(active)) self.tell("open", row(active).id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  view.onscroll = () => {
    if (!head.hidden && head.firstChild) head.firstChild.style.transform = `translate(${-view.scrollLeft}px)`;
    frame ??= requestAnimationFrame(draw);
  };
  take.onclick = () => self.tell("select", [...ticked.keys()]);
  drop.onclick = () => {
    ticked.clear();
    tickOff();
    items.get(active)?.focus();
  };
  let width = 0;
  const resized = new ResizeObserver(() => {
    if (!data || view.clientWidth === width) return;
    width = view.clientWidth;
    again();
  });
  resized.observe(view);

  function again() {
    for (const item of items.values()) item.remove();
    items.clear();
    measure();
    heads();
    draw();
  }

  const self = {
    tell: () => {},
    show(given) {
      const before = data;
      data = given;
      if (before && JSON.stringify(before) === JSON.stringify(given)) return;
      root.dataset.layout = data.layout;
      view.setAttribute("role", data.layout === "table" ? "grid" : "listbox");
      view.setAttribute("aria-multiselectable", "true");
      view.setAttribute("aria-label", data.name);
      view.setAttribute("aria-rowcount", data.total);
      if (!before || before.rows !== data.rows) {
        pieces = new Map();
        active = anchor = 0;
        view.scrollTop = view.scrollLeft = 0;
        ticked = new Map();
        tickOff();
      }
      again();
    },
    stop() {
      resized.disconnect();
      clearTimeout(quiet);
      cancelAnimationFrame(frame);
    },
  };
  return self;
}

const FEW = 3; // models whose answers have a line each
