// The twin of a table: all columns in sight, their text in lines. `data` is made by shared.tables.
export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector("table");
  const make = (tag, parent, text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (/\S{18}/.test(text)) made.className = "long"; // a word that may not fit is broken, others stay whole
    parent.append(made);
    return made;
  };
  table.replaceChildren();
  table.setAttribute("aria-label", data.alt);
  const head = make("tr", make("thead", table, ""), "");
  for (const [name, help] of data.heads) {
    const cell = make("th", head, name);
    cell.scope = "col";
    cell.title = help;
  }
  const body = make("tbody", table, "");
  data.cells.forEach((texts, row) => {
    const line = make("tr", body, "");
    texts.forEach((text, column) => {
      const isLink = data.links.some(([r, c]) => r === row && c === column);
      const cell = make("td", line, isLink ? "" : text);
      if (data.numbers[column]) cell.className = "number";
      if (isLink) make("button", cell, text).onclick = () => setTriggerValue("cell", [row, column]);
    });
  });
}
