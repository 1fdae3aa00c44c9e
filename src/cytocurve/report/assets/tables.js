// Tables made of rows, and every table as CSV with the six decimals of the answers.

// Text that a spreadsheet would read as a formula gets an apostrophe.
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const harmless = (text) => (/^'*[=+\-@\t\r\n]/.test(text) && !NUMBER.test(text) ? `'${text}` : text);
const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csvLine = (row) => row.map((value) => quoted(harmless(String(value ?? "")))).join(",");
const csvOf = (rows) => rows.map((row) => `${csvLine(row)}\n`).join("");

// A column: {name, get(row), show?(value, row), unseen?}; shown values are rounded,
// saved ones are not, and include unseen columns.
const cellOf = (tag, column, row) => {
  const value = column.get(row);
  const cell = element(tag, tag === "th" ? { scope: "row" } : {});
  if (typeof value === "number" || value === null) {
    cell.append(element("data", { value: value ?? "" }, (column.show ?? count)(value, row)));
  } else cell.append(value ?? "–");
  return cell;
};

// `about` names the arm, class and size of a table: saved as columns and in the name of the file.
const table = (name, all, rows, about = {}) => {
  const visible = all.filter((column) => !column.unseen);
  const head = element("tr", {}, ...visible.map((column) => element("th", { scope: "col" }, column.name)));
  const body = rows.map((row) =>
    element("tr", {}, ...visible.map((column, i) => cellOf(i ? "td" : "th", column, row))),
  );
  const made = element("table", { "data-name": name }, element("thead", {}, head), element("tbody", {}, ...body));
  made.saved = [all.map((column) => column.name), ...rows.map((row) => all.map((column) => column.get(row)))];
  made.about = about;
  return made;
};

// Columns of scores, named by the fields that they show.
const scoreColumns = (kinds) => kinds.map((kind) => ({ name: columns[kind], get: (row) => row[kind], show: score }));

const isCut = (made) => made.parentElement.scrollWidth > made.parentElement.clientWidth;

// A table that is wider than its panel lists its rows one below the other, each cell with its heading. Matrices do not:
// they make room in other ways.
const ROLES = { TABLE: "table", TBODY: "rowgroup", TR: "row", TH: "rowheader", TD: "cell" };
const fit = (made) => {
  if (!made || made.classList.contains("matrix")) return;
  made.classList.remove("stacked");
  if (!isCut(made)) return;
  const heads = [...made.tHead.rows[0].cells].map((cell) =>
    [...cell.childNodes]
      .map((node) => node.textContent.trim())
      .filter(Boolean)
      .join(", "),
  );
  for (const row of made.tBodies[0].rows)
    for (const [i, cell] of [...row.cells].entries()) cell.setAttribute("data-head", heads[i]);
  for (const part of [made, ...made.querySelectorAll("tbody, tbody *")])
    if (ROLES[part.tagName]) part.setAttribute("role", ROLES[part.tagName]);
  made.classList.add("stacked");
};

// Tables fit into their panels at any width, also those that are still folded.
const fitTables = () => {
  const widths = new Map();
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (widths.get(target) === target.clientWidth) continue;
      widths.set(target, target.clientWidth);
      fit(target.querySelector("table"));
    }
  });
  for (const scroll of document.querySelectorAll(".scroll")) observer.observe(scroll);
};

// Put a table in its place on the page.
const fillPanel = (name, all, rows, about) => {
  const made = table(name, all, rows, about);
  document.querySelector(`[data-table="${name}"]`).replaceChildren(made);
  fit(made);
  return made;
};

// A table that came with the page: one column per number, named by its heading and by what it is of.
const columnsOf = (made) => {
  const headOf = (cell) =>
    [...cell.childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent);
  const heads = [...made.tHead.rows[0].cells].map((cell) => headOf(cell).join("").trim());
  const ofCell = (cell) => [...cell.querySelectorAll("data")].map((each) => each.dataset.of ?? "");
  return heads.map((name, i) => ({
    name,
    of: [...new Set([...made.tBodies[0].rows].flatMap((row) => ofCell(row.cells[i])))],
  }));
};

const rowsOf = (made) => {
  if (made.saved) return made.saved;
  const parts = columnsOf(made);
  const head = parts.flatMap(({ name, of }) => (of.length ? of.map((part) => `${name} ${part}`.trim()) : [name]));
  const partOf = (cell, part) =>
    [...cell.querySelectorAll("data")].find((data) => (data.dataset.of ?? "") === part)?.value;
  const values = (row) =>
    parts.flatMap(({ of }, i) => {
      const cell = row.cells[i];
      return of.length ? of.map((part) => partOf(cell, part) ?? "") : [cell.textContent.trim().replace(/\s+/g, " ")];
    });
  return [head, ...[...made.tBodies[0].rows].map(values)];
};

const aboutPlan = (made) => {
  const arm = made.closest("[data-plan]")?.dataset.plan;
  return arm ? { [texts.of_arm]: arm } : {};
};

const watchSavers = () => {
  for (const button of document.querySelectorAll("[data-save]")) {
    const name = button.dataset.save;
    button.onclick = () => {
      const made = document.querySelector(`table[data-name="${name}"]`);
      const about = made.about ?? aboutPlan(made);
      const [head, ...rows] = rowsOf(made);
      const file = [name, ...Object.values(about)].map((part) => String(part).replace(/[^\w.+-]+/g, "-")).join("_");
      save(
        `${file}.csv`,
        csvOf([[...Object.keys(about), ...head], ...rows.map((row) => [...Object.values(about), ...row])]),
        "text/csv",
      );
    };
  }
  document.getElementById("save-answers").onclick = () =>
    save("answers.json", JSON.stringify(answers, null, 1), "application/json");
};
