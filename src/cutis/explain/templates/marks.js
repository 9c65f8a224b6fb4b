// The marks of the cases, each drawn once and then copied: thousands of copies a frame cost less than as many paths.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "ink"];
const SHAPES = ["circle", "square", "triangle", "diamond", "wedge", "plus", "cross", "star"];
const [PLAIN, FAINT, RINGED, FAINT_RINGED] = [0, 1, 2, 3];

function colourOf(code, ink) {
  const colour = COLOURS[code % COLOURS.length];
  return colour === "ink" ? ink : colour;
}

function shapeOf(code) {
  return SHAPES[code % SHAPES.length];
}

const corners = (count, turn, inner = 1) =>
  Array.from({ length: inner === 1 ? count : 2 * count }, (_, number, total = inner === 1 ? count : 2 * count) => {
    const angle = turn + (2 * Math.PI * number) / total;
    const far = number % 2 && inner !== 1 ? inner : 1;
    return [far * Math.sin(angle), -far * Math.cos(angle)];
  });
const BARS = [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]];
const OUTLINES = {
  square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  triangle: corners(3, 0),
  wedge: corners(3, Math.PI),
  diamond: corners(4, 0),
  plus: BARS,
  cross: BARS.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]),
  star: corners(5, 0, 0.45),
};

function tracePath(pen, shape, across, down, radius) {
  pen.beginPath();
  if (shape === "circle") {
    pen.arc(across, down, radius * 0.92, 0, 2 * Math.PI);
    return;
  }
  for (const [x, y] of OUTLINES[shape]) pen.lineTo(across + 1.1 * radius * x, down + 1.1 * radius * y);
  pen.closePath();
}

function drawMark(pen, code, across, down, radius, ink) {
  tracePath(pen, shapeOf(code), across, down, radius);
  pen.fillStyle = colourOf(code, ink);
  pen.fill();
}

// One row of marks per variant, one column per word of the legend.
function newMarks(words, radius, ratio, ink) {
  const side = 2 * Math.ceil((radius * 1.2 + 2) * ratio);
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [side * words, side * 4];
  const pen = sheet.getContext("2d");
  for (let code = 0; code < words; code += 1) {
    for (const variant of [PLAIN, FAINT, RINGED, FAINT_RINGED]) {
      const [across, down] = [side * (code + 0.5), side * (variant + 0.5)];
      pen.globalAlpha = variant === FAINT || variant === FAINT_RINGED ? 0.15 : 0.85;
      drawMark(pen, code, across, down, radius * ratio, ink);
      if (variant < RINGED) continue;
      pen.strokeStyle = ink;
      pen.lineWidth = Math.max(1, radius * 0.3) * ratio;
      pen.stroke();
    }
  }
  return { sheet, side, radius };
}

// Larger on a small map, and when one comes nearer; in steps, so that marks are seldom made anew.
function radiusFor(count, zoom) {
  const base = Math.min(6, Math.max(2.5, 60 / Math.sqrt(count)));
  return Math.round(4 * Math.min(8, base * Math.max(0.8, zoom) ** 0.3)) / 4;
}
