// The marks of the cases: each is drawn once, and its pixels are then copied into the frame, thousands of times.
// That costs the same few milliseconds with and without a graphics card; as many paths or pictures would not.

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

// The pixels of every mark: one stamp per variant and word of the legend.
function newMarks(words, radius, ratio, ink) {
  const side = 2 * Math.ceil((radius * 1.2 + 2) * ratio);
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [side * words, side * 4];
  const pen = sheet.getContext("2d", { willReadFrequently: true });
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
  const stamps = [PLAIN, FAINT, RINGED, FAINT_RINGED].map((variant) =>
    Array.from({ length: words }, (_, code) => stampOf(pen.getImageData(code * side, variant * side, side, side), side)),
  );
  return { stamps, radius, words, ratio, side };
}

// The pixels that are not empty, from the middle of the mark: where, which colour, and how opaque of 256.
function stampOf(picture, side) {
  const pixels = new Uint32Array(picture.data.buffer);
  const filled = Array.from(pixels.keys()).filter((pixel) => pixels[pixel] >>> 24);
  return {
    across: Int32Array.from(filled, (pixel) => (pixel % side) - side / 2),
    down: Int32Array.from(filled, (pixel) => Math.floor(pixel / side) - side / 2),
    colour: Uint32Array.from(filled, (pixel) => pixels[pixel] | 0xff000000),
    opaque: Uint16Array.from(filled, (pixel) => Math.round((pixels[pixel] >>> 24) * 256 / 255)),
    steps: null,
  };
}

// A frame to be filled, wider than the canvas on every side, so that a mark at the edge needs no clipping.
function newFrame(width, height, marks) {
  const margin = marks.side;
  const image = new ImageData(width + 2 * margin, height + 2 * margin);
  for (const stamp of marks.stamps.flat()) {
    stamp.steps = Int32Array.from(stamp.across, (across, pixel) => stamp.down[pixel] * image.width + across);
  }
  return { image, pixels: new Uint32Array(image.data.buffer), margin };
}

// Lay a mark over a frame; red with blue, and green, are blended together.
function stampOn(pixels, middle, { steps, colour, opaque }) {
  for (let pixel = 0; pixel < steps.length; pixel += 1) {
    const place = middle + steps[pixel];
    const [under, over, share] = [pixels[place], colour[pixel], opaque[pixel]];
    const redBlue = (((over & 0xff00ff) * share + (under & 0xff00ff) * (256 - share)) >>> 8) & 0xff00ff;
    const green = ((((over >>> 8) & 0xff) * share + ((under >>> 8) & 0xff) * (256 - share)) >>> 8) << 8;
    pixels[place] = redBlue | green | 0xff000000;
  }
}

// A colour of the page, "#rrggbb", as a pixel.
function pixelOf(colour) {
  const value = parseInt(colour.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >>> 16)) >>> 0;
}

// Larger on a small map, and when one comes nearer; in steps, so that marks are seldom made anew.
function radiusFor(count, zoom) {
  const base = Math.min(6, Math.max(2.5, 60 / Math.sqrt(count)));
  return Math.round(4 * Math.min(8, base * Math.max(0.8, zoom) ** 0.3)) / 4;
}
