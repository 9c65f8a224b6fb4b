// Mouse, pen, finger, wheel and keys on the map.

const REACH = 14; // pixels from a case within which it is meant
const STILL = 5; // pixels that a click may move
const STEP = 60; // pixels of an arrow key

function listen(page) {
  const { canvas, view } = page;
  const down = new Map(); // pointers that are pressed
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const under = ([across, top]) => nearestRow(page.grid, mapPoint(view, across, top), REACH / view.scale, page.shown);

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    moved = 0;
    if (page.tool === "lasso" && down.size === 1) page.line = [mapPoint(view, ...at(event))];
    if (down.size > 1) page.line = null;
    showTip(page, -1);
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = at(event);
    if (!down.has(event.pointerId)) {
      if (event.pointerType === "mouse") hover(page, under(here), here);
      return;
    }
    const before = down.get(event.pointerId);
    moved += Math.hypot(here[0] - before[0], here[1] - before[1]);
    if (down.size === 2) pinch(page, down, event.pointerId, here);
    else if (page.line) page.line.push(mapPoint(view, ...here));
    else if (moved > STILL) pan(view, here[0] - before[0], here[1] - before[1]);
    down.set(event.pointerId, here);
    page.redraw();
  });
  const up = (event) => {
    if (!down.delete(event.pointerId)) return;
    const line = page.line;
    page.line = null;
    if (event.type === "pointercancel") page.redraw();
    else if (line && moved > STILL) page.gather(rowsInside(page.grid, line, page.shown));
    else if (moved <= STILL) page.select(under(at(event)));
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => showTip(page, -1));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    zoomAt(view, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...at(event));
    page.redraw();
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => page.zoom(2, at(event)));
  canvas.addEventListener("keydown", (event) => press(page, event));
}

function hover(page, row, here) {
  page.canvas.style.cursor = page.tool === "lasso" ? "crosshair" : row >= 0 ? "pointer" : "grab";
  showTip(page, row, ...here);
}

function pinch(page, down, moving, here) {
  const still = [...down].find(([pointer]) => pointer !== moving)[1];
  const before = down.get(moving);
  const apart = (one) => Math.max(1, Math.hypot(one[0] - still[0], one[1] - still[1]));
  pan(page.view, (here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
  zoomAt(page.view, apart(here) / apart(before), (here[0] + still[0]) / 2, (here[1] + still[1]) / 2);
}

function press(page, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const side = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
  const steps = { left: [STEP, 0], right: [-STEP, 0], up: [0, STEP], down: [0, -STEP] };
  const keys = {
    "+": () => page.zoom(1.4),
    "=": () => page.zoom(1.4),
    "-": () => page.zoom(1 / 1.4),
    _: () => page.zoom(1 / 1.4),
    0: () => page.reset(),
    Home: () => page.reset(),
    Enter: () => page.select(page.nearestToCentre(), { centre: true }),
    Escape: () => (page.selected >= 0 ? page.select(-1) : page.gather(null)),
  };
  if (side && event.shiftKey) walk(page, side);
  else if (side) pan(page.view, ...steps[side]);
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
  page.redraw();
}

// From the chosen case, or the one in the middle, to the next one on that side.
function walk(page, side) {
  if (page.selected < 0) page.select(page.nearestToCentre(), { centre: true });
  else {
    const next = rowTowards(page.map, page.selected, side, page.shown);
    if (next >= 0) page.select(next, { centre: true });
  }
}
