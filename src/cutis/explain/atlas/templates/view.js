// From the map, on which every place is a whole number up to 65535, to the pixels of the screen and back.

const MAP = 65535;

// Pixels of the screen to a pixel of the page; more than two are not seen, and cost as much again.
function sharpness() {
  return Math.min(2, devicePixelRatio || 1);
}

function newView() {
  return { scale: 1, left: 0, top: 0, width: 1, height: 1, fitted: 1 };
}

function fit(view, map, rows) {
  let [low, high] = [[MAP, MAP], [0, 0]];
  for (const row of rows) {
    low = [Math.min(low[0], map.x[row]), Math.min(low[1], map.y[row])];
    high = [Math.max(high[0], map.x[row]), Math.max(high[1], map.y[row])];
  }
  if (rows.length === 0) [low, high] = [[0, 0], [MAP, MAP]];
  const margin = 24;
  const across = Math.max(high[0] - low[0], MAP / 200);
  const down = Math.max(high[1] - low[1], MAP / 200);
  const scale = Math.min((view.width - 2 * margin) / across, (view.height - 2 * margin) / down);
  view.scale = Math.max(scale, 1e-4);
  view.left = view.width / 2 - ((low[0] + high[0]) / 2) * view.scale;
  view.top = view.height / 2 + ((low[1] + high[1]) / 2) * view.scale;
}

function acrossOf(view, x) {
  return x * view.scale + view.left;
}

function downOf(view, y) {
  return view.top - y * view.scale; // the map's y points up
}

function mapPoint(view, across, down) {
  return [(across - view.left) / view.scale, (view.top - down) / view.scale];
}

function pan(view, across, down) {
  view.left += across;
  view.top += down;
}

function zoomAt(view, factor, across, down) {
  const scale = Math.min(Math.max(view.scale * factor, view.fitted / 4), view.fitted * 400);
  const [x, y] = mapPoint(view, across, down);
  view.scale = scale;
  view.left = across - x * scale;
  view.top = down + y * scale;
}

function centreOn(view, x, y) {
  view.left = view.width / 2 - x * view.scale;
  view.top = view.height / 2 + y * view.scale;
}
