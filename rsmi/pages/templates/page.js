"use strict";
// The number at the head of a cell, such as 1.0033 of "1.0033(70)" or 0.125 of "1/8 = 0.125".
function number(cell) {
  const value = parseFloat(cell.split("= ").pop());
  return Number.isNaN(value) ? null : value;
}

// Numbers in their order, before words in theirs; cells without either stay at the end.
function compare(a, b) {
  const x = number(a), y = number(b);
  if (x !== null && y !== null && x !== y) return x - y;
  if ((x === null) !== (y === null)) return x === null ? 1 : -1;
  return a.localeCompare(b, "en");
}

// A click on a title sorts upwards, the next one downwards, and the third one as it was.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], original = [...body.rows];
  const titles = [...table.tHead.rows[0].cells];
  titles.forEach((title, column) => {
    if (title.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...title.childNodes);
    title.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "none" };
      const order = next[title.getAttribute("aria-sort")] || "ascending";
      titles.forEach((one) => one.removeAttribute("aria-sort"));
      const text = (row) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
      const sign = order === "descending" ? -1 : 1;
      const rows = [...original];
      if (order !== "none") {
        title.setAttribute("aria-sort", order);
        rows.sort((a, b) => {
          const missing = (row) => text(row) === "" || text(row) === "-";
          return missing(a) - missing(b) || sign * compare(text(a), text(b));
        });
      }
      body.append(...rows);
    });
  });
}

// A click on a figure, or Enter, shows it as large as the window, and again as it was.
for (const drawing of document.querySelectorAll(".drawing")) {
  drawing.tabIndex = 0;
  drawing.setAttribute("role", "button");
  drawing.setAttribute("aria-expanded", "false");
  drawing.title = "Enlarge";
  const show = (large) => {
    drawing.classList.toggle("large", large);
    drawing.setAttribute("aria-expanded", String(large));
    drawing.title = large ? "Reduce" : "Enlarge";
  };
  drawing.addEventListener("click", () => show(!drawing.classList.contains("large")));
  drawing.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(!drawing.classList.contains("large"));
    }
  });
}
