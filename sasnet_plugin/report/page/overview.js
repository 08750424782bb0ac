// The table sorts by the column whose head is clicked, files by their first entry; it shows the rows that hold
// what is typed, and folds the entries of a file.
const table = document.querySelector("table"), files = [...table.tBodies];
const members = file => [...file.rows].filter(row => !row.matches(".file"));
const value = (row, column) => row.cells[column].dataset.value;
document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const column = button.closest("th").cellIndex;
  const down = button.dataset.down !== "yes", every = files.flatMap(members);
  document.querySelectorAll("th button").forEach(other => delete other.dataset.down);
  button.dataset.down = down ? "yes" : "no";
  const number = every.every(row => value(row, column) === "" || !isNaN(value(row, column)));
  const amount = row => value(row, column) === "" ? 1e99 : +value(row, column);
  const order = (a, b) => (down ? 1 : -1) * (number ? amount(a) - amount(b)
    : value(a, column).localeCompare(value(b, column), undefined, {numeric: true}));
  files.forEach(file => file.append(...members(file).sort(order)));
  files.sort((a, b) => order(members(a)[0], members(b)[0]));
  table.append(...files);
}));
document.querySelectorAll("tr.file button").forEach(button => button.addEventListener("click", () => {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", open);
  button.closest("tbody").classList.toggle("folded", !open);
}));
document.querySelector("input").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase().split(" ");
  files.forEach(file => {
    const rows = members(file), name = file.querySelector(".file button")?.textContent ?? "";
    rows.forEach(row => {
      const text = (name + row.textContent).toLowerCase();
      row.hidden = !wanted.every(word => text.includes(word));
    });
    file.hidden = rows.every(row => row.hidden);
  });
});
