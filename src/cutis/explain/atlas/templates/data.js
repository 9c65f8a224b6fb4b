// What the page shows: one row per case, each column an array.

function numbers(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

function readTable() {
  const said = JSON.parse(document.getElementById("data").textContent);
  const places = (text) => numbers(text, Uint16Array);
  return {
    ...said,
    count: said.ids.length,
    depths: said.depths.map((each) => ({ ...each, x: places(each.x), y: places(each.y) })),
    columns: said.columns.map((each) => ({ ...each, codes: numbers(each.codes, Uint8Array) })),
    probability: numbers(said.probability, Float32Array),
    clusters: numbers(said.clusters, Uint32Array),
    neighbours: numbers(said.neighbours, Uint32Array),
    maps: numbers(said.maps, Uint8Array),
    slots: numbers(said.sheets.slots, Uint32Array),
    sizes: numbers(said.sheets.sizes, Uint8Array),
  };
}

function columnOf(table, key) {
  return table.columns.find((each) => each.key === key);
}

function wordOf(table, key, row) {
  const column = columnOf(table, key);
  return column.labels[column.codes[row]];
}

function isWrong(table, row) {
  const verdict = wordOf(table, "verdict", row);
  return verdict !== "right" && verdict !== "not settled";
}

// How often each word of a column stands in these rows, the most frequent first.
function tally(column, rows) {
  const counts = new Array(column.labels.length).fill(0);
  for (const row of rows) counts[column.codes[row]] += 1;
  return counts
    .map((count, code) => ({ code, count, share: count / Math.max(1, rows.length) }))
    .filter((each) => each.count > 0)
    .sort((one, other) => other.count - one.count || one.code - other.code);
}

// A cell that a spreadsheet would run as a formula is made plain text.
function cell(value) {
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvOf(table, rows, depth) {
  const names = ["case_id", ...table.columns.map((each) => each.key), "probability", "x", "y", "depth"];
  const map = table.depths[depth];
  const place = (values, row, axis) => (map.low[axis] + (values[row] / 65535) * map.spread).toFixed(3);
  const lines = Array.from(rows, (row) => [
    table.ids[row],
    ...table.columns.map((each) => each.labels[each.codes[row]]),
    table.probability[row].toFixed(4),
    place(map.x, row, 0),
    place(map.y, row, 1),
    map.name,
  ]);
  return [names, ...lines].map((line) => line.map(cell).join(",")).join("\n") + "\n";
}
