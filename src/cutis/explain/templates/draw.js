// One frame: all marks that are shown, the line of the lasso, and rings around what was chosen.

function drawMap(page) {
  const { canvas, view, table, map } = page;
  const ratio = canvas.width / view.width;
  const pen = canvas.getContext("2d");
  const words = page.colour.labels.length;
  const radius = radiusFor(table.count, view.scale / view.fitted);
  if (!page.marks || page.marks.radius !== radius || page.marks.words !== words || page.marks.ratio !== ratio) {
    page.marks = { ...newMarks(words, radius, ratio, page.ink), words, ratio };
  }
  pen.clearRect(0, 0, canvas.width, canvas.height);
  drawCases(page, pen, ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.strokeStyle = page.ink;
  for (const row of page.asked) if (page.shown[row]) ring(pen, view, map, row, radius + 3.5, 1.5);
  if (page.selected >= 0) {
    pen.lineWidth = 1;
    for (const row of neighboursOf(page, page.selected)) tie(pen, view, map, page.selected, row);
    ring(pen, view, map, page.selected, radius + 5, 3);
  }
  if (page.line) drawLine(pen, view, page.line);
  pen.setTransform(1, 0, 0, 1, 0, 0);
}

function drawCases(page, pen, ratio) {
  const { view, map, shown, group, wrong, marks } = page;
  const { codes } = page.colour;
  const { sheet, side } = marks;
  const [scale, left, top, half] = [view.scale * ratio, view.left * ratio, view.top * ratio, side / 2];
  const [width, height] = [page.canvas.width + half, page.canvas.height + half];
  for (let row = 0; row < codes.length; row += 1) {
    if (!shown[row]) continue;
    const across = map.x[row] * scale + left;
    const down = top - map.y[row] * scale;
    if (across < -half || across > width || down < -half || down > height) continue;
    const variant = (page.rings && wrong[row] ? RINGED : PLAIN) + (group && !group[row] ? 1 : 0);
    pen.drawImage(sheet, codes[row] * side, variant * side, side, side, (across - half) | 0, (down - half) | 0, side, side);
  }
}

function neighboursOf(page, row) {
  const { neighbours, nearest, count } = page.table;
  return count ? Array.from(neighbours.subarray(row * nearest, (row + 1) * nearest)) : [];
}

function ring(pen, view, map, row, radius, width) {
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(acrossOf(view, map.x[row]), downOf(view, map.y[row]), radius, 0, 2 * Math.PI);
  pen.stroke();
}

function tie(pen, view, map, one, other) {
  pen.beginPath();
  pen.moveTo(acrossOf(view, map.x[one]), downOf(view, map.y[one]));
  pen.lineTo(acrossOf(view, map.x[other]), downOf(view, map.y[other]));
  pen.stroke();
}

function drawLine(pen, view, line) {
  pen.lineWidth = 1.5;
  pen.setLineDash([5, 4]);
  pen.beginPath();
  for (const [x, y] of line) pen.lineTo(acrossOf(view, x), downOf(view, y));
  pen.closePath();
  pen.stroke();
  pen.setLineDash([]);
}
