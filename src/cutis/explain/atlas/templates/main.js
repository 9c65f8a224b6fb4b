// The page: what is shown, and what each control changes of it.

function start() {
  const table = readTable();
  const everyone = Array.from({ length: table.count }, (_, row) => row);
  const page = {
    table, everyone,
    canvas: byId("map"),
    view: newView(),
    depth: table.depths.length - 1,
    colour: table.columns[0],
    hidden: new Map(),
    shown: new Uint8Array(table.count).fill(1),
    rows: everyone,
    wrong: Uint8Array.from(everyone, (row) => isWrong(table, row)),
    asked: table.asked,
    group: null, line: null, selected: -1, tool: "move", rings: true, waiting: false,
  };
  page.redraw = () => {
    if (page.waiting) return;
    page.waiting = true;
    requestAnimationFrame(() => {
      page.waiting = false;
      drawMap(page);
    });
  };
  addActions(page);
  addControls(page);
  listen(page);
  measure(page); // before anything is drawn: an observer is told only after the first frame
  const resized = new ResizeObserver(() => resize(page));
  resized.observe(page.canvas.parentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint(page));
  page.deepen(page.depth);
  page.filter();
  repaint(page);
  showCase(page);
  showGroup(page);
  const first = table.ids.indexOf(decodeURIComponent(location.hash.slice(1)));
  if (first >= 0 || table.asked.length) page.select(first >= 0 ? first : table.asked[0]);
}

function repaint(page) {
  const style = getComputedStyle(document.documentElement);
  page.ink = style.getPropertyValue("--ink").trim();
  page.ground = pixelOf(style.getPropertyValue("--ground").trim());
  page.marks = null;
  showLegend(page);
  page.redraw();
}

function measure(page) {
  const { canvas, view } = page;
  const { clientWidth, clientHeight } = canvas.parentElement;
  const ratio = sharpness();
  pan(view, (clientWidth - view.width) / 2, (clientHeight - view.height) / 2);
  [view.width, view.height] = [Math.max(1, clientWidth), Math.max(1, clientHeight)];
  [canvas.width, canvas.height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
}

function resize(page) {
  measure(page);
  drawMap(page);
}

function addActions(page) {
  const { table, view } = page;
  page.deepen = (depth) => {
    page.depth = depth;
    page.map = table.depths[depth];
    page.grid = newGrid(page.map);
    byId("quality").textContent = page.map.told;
    page.reset();
  };
  page.reset = () => {
    fit(view, page.map, page.everyone);
    view.fitted = view.scale;
    page.redraw();
  };
  page.fitShown = () => {
    fit(view, page.map, page.group ? page.rows.filter((row) => page.group[row]) : page.rows);
    page.redraw();
  };
  page.zoom = (factor, place = [view.width / 2, view.height / 2]) => {
    zoomAt(view, factor, ...place);
    page.redraw();
  };
  page.nearestToCentre = () => nearestRow(page.grid, mapPoint(view, view.width / 2, view.height / 2), 2 * MAP, page.shown);
  page.filter = () => {
    const off = table.columns.filter((each) => page.hidden.get(each.key)?.size).map((each) => [each.codes, page.hidden.get(each.key)]);
    for (const row of page.everyone) page.shown[row] = off.every(([codes, words]) => !words.has(codes[row])) ? 1 : 0;
    page.rows = page.everyone.filter((row) => page.shown[row]);
    showLegend(page);
    showCount(page);
    page.redraw();
  };
  page.toggle = (code) => {
    const words = page.hidden.get(page.colour.key) ?? new Set();
    if (!words.delete(code)) words.add(code);
    page.hidden.set(page.colour.key, words);
    page.keepFocus(page.filter);
  };
  page.only = (code) => {
    const others = page.colour.labels.map((_, each) => each).filter((each) => each !== code);
    page.hidden.set(page.colour.key, new Set(others));
    page.keepFocus(page.filter);
  };
  page.keepFocus = (change) => {
    const places = () => Array.from(byId("legend").querySelectorAll("input, button"));
    const place = places().indexOf(document.activeElement);
    change();
    if (place >= 0) places()[place]?.focus();
  };
  page.select = (row, { focus = false, centre = false } = {}) => {
    page.selected = row;
    if (row >= 0) {
      const [across, down] = [acrossOf(view, page.map.x[row]), downOf(view, page.map.y[row])];
      const isOutside = across < 20 || down < 20 || across > view.width - 20 || down > view.height - 20;
      if (isOutside || (centre && view.scale > 1.5 * view.fitted)) centreOn(view, page.map.x[row], page.map.y[row]);
      byId("said").textContent = spoken(page, row) + (page.shown[row] ? "" : ", hidden by the filter");
    }
    showTip(page, -1);
    showCase(page);
    if (focus) byId("case-name").focus();
    page.redraw();
  };
  page.gather = (rows) => {
    page.group = rows && rows.length ? new Uint8Array(table.count) : null;
    for (const row of rows ?? []) page.group[row] = 1;
    if (rows) byId("said").textContent = `${rows.length} cases in the group`;
    showGroup(page);
    page.redraw();
  };
}

function addControls(page) {
  const { table, view } = page;
  const options = (each, number) => element("option", { value: number, text: each.name });
  byId("colour").replaceChildren(...table.columns.map(options));
  byId("depth").replaceChildren(...table.depths.map(options));
  byId("depth").value = String(page.depth);
  byId("colour").addEventListener("change", (event) => {
    page.colour = table.columns[Number(event.target.value)];
    showLegend(page);
    page.redraw();
  });
  byId("depth").addEventListener("change", (event) => page.deepen(Number(event.target.value)));
  byId("rings").addEventListener("change", (event) => {
    page.rings = event.target.checked;
    page.redraw();
  });
  for (const tool of ["move", "lasso"]) {
    byId(tool).addEventListener("change", () => {
      page.tool = tool;
      page.canvas.style.cursor = tool === "lasso" ? "crosshair" : "grab";
    });
  }
  const onClick = (id, action) => byId(id).addEventListener("click", action);
  onClick("nearer", () => page.zoom(1.4));
  onClick("farther", () => page.zoom(1 / 1.4));
  onClick("reset", page.reset);
  onClick("fit", page.fitShown);
  onClick("everything", () => {
    page.hidden.clear();
    page.filter();
  });
  onClick("in-view", () => page.gather(rowsInBox(page.grid, mapPoint(view, 0, view.height), mapPoint(view, view.width, 0), page.shown)));
  onClick("close", () => page.select(-1));
  onClick("forget", () => page.gather(null));
  onClick("export", () => saveGroup(page));
  byId("with-map").addEventListener("change", () => showCase(page));
  const typed = byId("search");
  typed.addEventListener("input", () => {
    byId("ids").replaceChildren(...matching(table, typed.value).slice(0, 20).map((row) => element("option", { value: table.ids[row] })));
  });
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [row] = matching(table, typed.value);
    byId("not-found").textContent = row === undefined ? "No case of this name is on the map." : "";
    if (row !== undefined) page.select(row, { centre: true });
  });
}

// Cases whose id has these letters: the very id first, then those that begin so.
function matching(table, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const rank = (id) => (id === wanted ? 0 : id.startsWith(wanted) ? 1 : 2);
  return table.ids
    .map((id, row) => [id.toLowerCase(), row])
    .filter(([id]) => id.includes(wanted))
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([, row]) => row);
}

start();
