// The release's map of cases, and where this one lies. The likely diagnoses have a shape and a colour; the rest is dust.
const COLOURS = ["#0072b2", "#c44601", "#007a5a"];
const SHAPES = ["circle", "square", "triangle"];
const DUST = "#b9bfc8";
const MARGIN = 14;

function trace(pen, shape, x, y, radius) {
  pen.beginPath();
  if (shape === "circle") pen.arc(x, y, radius, 0, 2 * Math.PI);
  else if (shape === "square") pen.rect(x - 0.9 * radius, y - 0.9 * radius, 1.8 * radius, 1.8 * radius);
  else {
    pen.moveTo(x, y - 1.2 * radius);
    pen.lineTo(x + 1.1 * radius, y + 0.8 * radius);
    pen.lineTo(x - 1.1 * radius, y + 0.8 * radius);
    pen.closePath();
  }
}

export function mark(canvas, kind) {
  const ratio = devicePixelRatio || 1;
  canvas.width = canvas.height = 16 * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = kind === null ? DUST : COLOURS[kind];
  trace(pen, kind === null ? "circle" : SHAPES[kind], 8, 8, kind === null ? 3 : 5.5);
  pen.fill();
}

export function draw(canvas, { points, likely, place }) {
  const ratio = devicePixelRatio || 1;
  const side = canvas.clientWidth;
  canvas.width = canvas.height = side * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const [xs, ys] = [0, 1].map((axis) => [...points.map((point) => point[axis]), place[axis]]);
  const [left, low] = [Math.min(...xs), Math.min(...ys)];
  const span = Math.max(Math.max(...xs) - left, Math.max(...ys) - low) || 1;
  const scale = (side - 2 * MARGIN) / span;
  const at = ([x, y]) => [MARGIN + (x - left) * scale, side - MARGIN - (y - low) * scale];
  const radius = Math.max(2, Math.min(4, side / Math.sqrt(points.length) / 5));
  for (const isLikely of [false, true]) { // the likely ones lie above the rest
    for (const point of points) {
      const kind = likely.indexOf(point[2]);
      if (kind >= 0 !== isLikely) continue;
      pen.globalAlpha = isLikely ? 0.8 : 0.7;
      pen.fillStyle = isLikely ? COLOURS[kind] : DUST;
      trace(pen, isLikely ? SHAPES[kind] : "circle", ...at(point), isLikely ? radius * 1.25 : radius * 0.8);
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
  const [x, y] = at(place);
  for (const [style, width] of [["#fff", 5], ["#1a1d23", 2.2]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 4 * dx, y + 4 * dy);
      pen.lineTo(x + 13 * dx, y + 13 * dy);
    }
    pen.stroke();
  }
}
