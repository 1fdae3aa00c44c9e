// Tables made of rows, and every table as CSV in full precision.

const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const csvOf = (rows) => rows.map((row) => row.map((value) => quoted(String(value ?? ""))).join(",") + "\n").join("");

// A column: {name, get(row), show?(value), of?}; what is shown is rounded, what is saved is not.
const cellOf = (tag, column, row) => {
  const value = column.get(row);
  const cell = element(tag, tag === "th" ? { scope: "row" } : {});
  if (typeof value === "number" || value === null) {
    cell.append(element("data", { value: value ?? "" }, (column.show ?? count)(value)));
  } else cell.append(value ?? "–");
  return cell;
};

const table = (name, columns, rows) => {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column.name)));
  const body = rows.map((row) => element("tr", {}, ...columns.map((column, i) => cellOf(i ? "td" : "th", column, row))));
  const made = element("table", { "data-name": name }, element("thead", {}, head), element("tbody", {}, ...body));
  made.saved = [columns.map((column) => column.name), ...rows.map((row) => columns.map((column) => column.get(row)))];
  return made;
};

// Put a table where the page keeps room for it.
const fillPanel = (name, columns, rows) => {
  const made = table(name, columns, rows);
  document.querySelector(`[data-table="${name}"]`).replaceChildren(made);
  return made;
};

// A table that came with the page: one column a number, named by its heading and by what it is of.
const columnsOf = (made) => {
  const heads = [...made.tHead.rows[0].cells].map((cell) => cell.firstChild.textContent.trim());
  const sample = [...made.tBodies[0].rows].reduce((most, row) => (row.querySelectorAll("data").length > most.querySelectorAll("data").length ? row : most));
  return heads.map((name, i) => ({ name, of: [...sample.cells[i].querySelectorAll("data")].map((each) => each.dataset.of ?? "") }));
};

const rowsOf = (made) => {
  if (made.saved) return made.saved;
  const columns = columnsOf(made);
  const head = columns.flatMap(({ name, of }) => (of.length ? of.map((each) => `${name} ${each}`.trim()) : [name]));
  const values = (row) => columns.flatMap(({ of }, i) => {
    const cell = row.cells[i];
    return of.length ? of.map((each) => [...cell.querySelectorAll("data")].find((data) => (data.dataset.of ?? "") === each)?.value ?? "") : [cell.textContent.trim().replace(/\s+/g, " ")];
  });
  return [head, ...[...made.tBodies[0].rows].map(values)];
};

const watchSavers = () => {
  for (const button of document.querySelectorAll("[data-save]")) {
    const name = button.dataset.save;
    button.onclick = () => save(`${name}.csv`, csvOf(rowsOf(document.querySelector(`table[data-name="${name}"]`))), "text/csv");
  }
  document.getElementById("save-answers").onclick = () => save("answers.json", JSON.stringify(answers, null, 1), "application/json");
};
