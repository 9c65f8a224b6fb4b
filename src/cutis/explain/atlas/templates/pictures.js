// Pictures of single cases, cut from their sheets, and what the answer rests on over them.

const SHEETS_KEPT = 24;
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const sheets = new Map();

function sheetOf(table, number) {
  const kept = sheets.get(number);
  sheets.delete(number);
  const sheet = kept ?? new Promise((done, failed) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => failed(new Error(`${table.sheets.files[number]} is missing`));
    picture.src = table.sheets.folder + table.sheets.files[number];
  });
  sheets.set(number, sheet);
  if (sheets.size > SHEETS_KEPT) sheets.delete(sheets.keys().next().value);
  return sheet;
}

function pictureSize(table, row, longest) {
  const [width, height] = [table.sizes[2 * row], table.sizes[2 * row + 1]];
  const factor = longest / Math.max(width, height);
  return [Math.round(width * factor), Math.round(height * factor)];
}

// Draw a case into a canvas of its own, whose longer side is `longest`; the last call for a canvas wins.
async function drawPicture(table, row, canvas, { longest, withMap = false }) {
  const { cell: side, across } = table.sheets;
  const [width, height] = pictureSize(table, row, longest);
  const ratio = sharpness();
  canvas.dataset.row = String(row);
  const slot = table.slots[row];
  const inSheet = slot % (across * across);
  try {
    const sheet = await sheetOf(table, Math.floor(slot / (across * across)));
    if (canvas.dataset.row !== String(row)) return;
    [canvas.width, canvas.height] = [width * ratio, height * ratio];
    [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    const from = [(inSheet % across) * side, Math.floor(inSheet / across) * side];
    pen.drawImage(sheet, ...from, table.sizes[2 * row], table.sizes[2 * row + 1], 0, 0, canvas.width, canvas.height);
    if (withMap) pen.drawImage(mapOf(table, row), 0, 0, canvas.width, canvas.height);
  } catch (error) {
    canvas.title = error.message;
  }
}

// The small map in viridis, the more opaque the more speaks for the answer.
function mapOf(table, row) {
  const side = table.mapSide;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  const drawn = pen.createImageData(side, side);
  for (let place = 0; place < side * side; place += 1) {
    const value = table.maps[row * side * side + place] / 255;
    const step = Math.min(3, Math.floor(value * 4));
    for (let part = 0; part < 3; part += 1) {
      const [low, high] = [VIRIDIS[step][part], VIRIDIS[step + 1][part]];
      drawn.data[4 * place + part] = low + (high - low) * (value * 4 - step);
    }
    drawn.data[4 * place + 3] = 190 * Math.min(1, 0.15 + value);
  }
  pen.putImageData(drawn, 0, 0);
  return canvas;
}
