// Charts and galleries are drawn for the width of the window; a print does not draw them anew, so that wide ones are cut at the
// paper's edge. They are made smaller while a print is made. A part of the index page (`_guard.py`).
const PAPER = 680; // pixels that fit between the margins of A4 and of Letter
const made = new Set();
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll('[data-testid="stPlotlyChart"], .stBidiComponent')) {
    const place = part.closest('[data-testid="stElementContainer"]'), width = place.offsetWidth;
    if (width <= PAPER || made.has(place)) continue;
    place.style.setProperty("width", `${width}px`, "important");
    place.style.zoom = PAPER / width;
    made.add(place);
  }
});
addEventListener("afterprint", () => {
  for (const place of made) place.style.width = place.style.zoom = "";
  made.clear();
});
