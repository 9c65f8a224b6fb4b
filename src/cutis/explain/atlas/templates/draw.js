// One frame: all marks that are shown, the line of the lasso, and rings around what was chosen.

function drawMap(page) {
  const { canvas, view, table, map } = page;
  const ratio = sharpness();
  const pen = canvas.getContext("2d");
  const words = page.colour.labels.length;
  const radius = radiusFor(table.count, view.scale / view.fitted);
  const isOld = page.marks?.radius !== radius || page.marks.words !== words || page.marks.ratio !== ratio;
  if (isOld) page.marks = newMarks(words, radius, ratio, page.ink);
  const isResized = page.frame?.image.width !== canvas.width + 2 * page.marks.side;
  if (isOld || isResized || page.frame.image.height !== canvas.height + 2 * page.marks.side) {
    page.frame = newFrame(canvas.width, canvas.height, page.marks);
  }
  drawCases(page, ratio);
  pen.putImageData(page.frame.image, -page.frame.margin, -page.frame.margin);
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

function drawCases(page, ratio) {
  const { view, map, shown, group, wrong, marks, colour, frame } = page;
  const { pixels, margin, image } = frame;
  const [scale, left, top] = [view.scale * ratio, view.left * ratio + margin, view.top * ratio + margin];
  const [low, wide, high] = [margin / 2, image.width - margin / 2, image.height - margin / 2];
  pixels.fill(page.ground);
  for (let row = 0; row < shown.length; row += 1) {
    if (!shown[row]) continue;
    const across = Math.round(map.x[row] * scale + left);
    const down = Math.round(top - map.y[row] * scale);
    if (across < low || across >= wide || down < low || down >= high) continue;
    const variant = (page.rings && wrong[row] ? RINGED : PLAIN) + (group && !group[row] ? 1 : 0);
    stampOn(pixels, down * image.width + across, marks.stamps[variant][colour.codes[row]]);
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
