// Which case lies under the pointer: the map is cut into cells, and only those nearby are looked through.

function newGrid(map) {
  const side = Math.max(1, Math.ceil(Math.sqrt(map.x.length / 2)));
  const cellOf = (row) => Math.min(side - 1, (map.y[row] * side / (MAP + 1)) | 0) * side + ((map.x[row] * side / (MAP + 1)) | 0);
  const starts = new Uint32Array(side * side + 1);
  for (let row = 0; row < map.x.length; row += 1) starts[cellOf(row) + 1] += 1;
  for (let cellNumber = 0; cellNumber < side * side; cellNumber += 1) starts[cellNumber + 1] += starts[cellNumber];
  const filled = starts.slice();
  const rows = new Uint32Array(map.x.length);
  for (let row = 0; row < map.x.length; row += 1) rows[filled[cellOf(row)]++] = row;
  return { side, starts, rows, map };
}

function* rowsBetween(grid, low, high) {
  const at = (value) => Math.min(grid.side - 1, Math.max(0, Math.floor(value * grid.side / (MAP + 1))));
  for (let down = at(low[1]); down <= at(high[1]); down += 1) {
    const first = grid.starts[down * grid.side + at(low[0])];
    const end = grid.starts[down * grid.side + at(high[0]) + 1];
    for (let place = first; place < end; place += 1) yield grid.rows[place];
  }
}

// The nearest case to a point of the map within a radius, among those that are shown; -1 if there is none.
function nearestRow(grid, [x, y], radius, shown) {
  let [found, least] = [-1, radius * radius];
  for (const row of rowsBetween(grid, [x - radius, y - radius], [x + radius, y + radius])) {
    const apart = (grid.map.x[row] - x) ** 2 + (grid.map.y[row] - y) ** 2;
    if (shown[row] && apart <= least) [found, least] = [row, apart];
  }
  return found;
}

function rowsInBox(grid, low, high, shown) {
  const { x, y } = grid.map;
  const inside = (row) => shown[row] && x[row] >= low[0] && x[row] <= high[0] && y[row] >= low[1] && y[row] <= high[1];
  return Array.from(rowsBetween(grid, low, high)).filter(inside).sort((one, other) => one - other);
}

// The cases within a closed line of points [x, y]; a point counts as inside by the number of sides to its right.
function rowsInside(grid, line, shown) {
  const low = [Math.min(...line.map((point) => point[0])), Math.min(...line.map((point) => point[1]))];
  const high = [Math.max(...line.map((point) => point[0])), Math.max(...line.map((point) => point[1]))];
  const { x, y } = grid.map;
  return rowsInBox(grid, low, high, shown).filter((row) => {
    let inside = false;
    for (let one = 0, other = line.length - 1; one < line.length; other = one, one += 1) {
      const [[ax, ay], [bx, by]] = [line[one], line[other]];
      if (ay > y[row] !== by > y[row] && x[row] < ((bx - ax) * (y[row] - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  });
}

// The nearest shown case from here towards one side: "left", "right", "up" or "down"; -1 if there is none.
function rowTowards(map, from, side, shown) {
  const sign = { left: [-1, 0], right: [1, 0], up: [0, 1], down: [0, -1] }[side];
  let [found, least] = [-1, Infinity];
  for (let row = 0; row < map.x.length; row += 1) {
    if (!shown[row] || row === from) continue;
    const [across, up] = [map.x[row] - map.x[from], map.y[row] - map.y[from]];
    const ahead = across * sign[0] + up * sign[1];
    const aside = Math.abs(across * sign[1] + up * sign[0]);
    if (ahead > 0 && aside <= ahead && ahead + aside < least) [found, least] = [row, ahead + aside];
  }
  return found;
}
