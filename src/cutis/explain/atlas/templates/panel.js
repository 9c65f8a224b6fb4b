// The words beside the map: legend, one case, and the group.

const LISTED = 200;
const byId = (id) => document.getElementById(id);

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

function showLegend(page) {
  const { colour, hidden } = page;
  const off = hidden.get(colour.key) ?? new Set();
  const entries = tally(colour, page.everyone)
    .sort((one, other) => one.code - other.code)
    .map(({ code, count }) => {
      const box = element("input", { type: "checkbox", onchange: () => page.toggle(code) });
      box.checked = !off.has(code);
      const only = element("button", {
        type: "button", class: "quiet", text: "only", "aria-label": `only ${colour.labels[code]}`, onclick: () => page.only(code),
      });
      const name = element("label", {}, box, swatch(page, code), element("span", { text: colour.labels[code] }));
      return element("li", {}, name, element("span", { class: "count", text: count.toLocaleString("en") }), only);
    });
  byId("legend").replaceChildren(...entries);
  const elsewhere = page.table.columns.filter((each) => each !== colour && hidden.get(each.key)?.size).map((each) => each.name);
  byId("filtered").textContent = elsewhere.length ? `Also filtered by ${elsewhere.join(", ").toLowerCase()}.` : "";
}

function swatch(page, code) {
  const canvas = element("canvas", { "aria-hidden": "true", class: "swatch" });
  canvas.width = canvas.height = 32;
  drawMark(canvas.getContext("2d"), code, 16, 16, 11, page.ink);
  return canvas;
}

function showCount(page) {
  const shown = page.rows.length;
  const all = page.table.count;
  const none = shown === 0 ? " Nothing is left: show all again." : "";
  byId("shown").textContent = `${shown.toLocaleString("en")} of ${all.toLocaleString("en")} cases are shown.${none}`;
}

function factsOf(page, row) {
  const { table } = page;
  const unknown = new Set(["not known", "not settled"]);
  const told = table.columns.filter((each) => !unknown.has(each.labels[each.codes[row]]) || each.key === "truth");
  return told.map((each) => [each.name, each.labels[each.codes[row]]]).toSpliced(2, 0, ["Probability", table.probability[row].toFixed(2)]);
}

function showCase(page) {
  const { table, selected } = page;
  byId("case").hidden = selected < 0;
  byId("nobody").hidden = selected >= 0;
  if (selected < 0) return;
  byId("case-name").textContent = table.ids[selected];
  const canvas = byId("case-picture");
  drawPicture(table, selected, canvas, { longest: 256, withMap: byId("with-map").checked });
  canvas.setAttribute("aria-label", `Picture of case ${table.ids[selected]}`);
  byId("facts").replaceChildren(
    ...factsOf(page, selected).map(([name, word]) => element("div", {}, element("dt", { text: name }), element("dd", { text: word }))),
  );
  const beside = neighboursOf(page, selected).map((row) => {
    const thumbnail = element("canvas", { "aria-hidden": "true" });
    drawPicture(table, row, thumbnail, { longest: 72 });
    const same = table.clusters[row] === table.clusters[selected] ? ` · same ${table.clusterKind}` : "";
    const words = `${wordOf(table, "truth", row)}${isWrong(table, row) ? `, answered ${wordOf(table, "answer", row)}` : ""}${same}`;
    const open = element(
      "button", { type: "button", onclick: () => page.select(row, { focus: true }) },
      thumbnail, element("span", {}, element("b", { text: table.ids[row] }), element("span", { text: words })),
    );
    return element("li", {}, open);
  });
  byId("neighbours").replaceChildren(...beside);
}

function spoken(page, row) {
  const { table } = page;
  return `Case ${table.ids[row]}: ${wordOf(table, "truth", row)}, answered ${wordOf(table, "answer", row)} with ${table.probability[row].toFixed(2)}`;
}

function showGroup(page) {
  const { table, group } = page;
  byId("group").hidden = !group;
  byId("no-group").hidden = Boolean(group);
  if (!group) return;
  const rows = page.everyone.filter((row) => group[row]);
  byId("group-count").textContent = `${rows.length.toLocaleString("en")} cases, ${rows.filter((row) => page.wrong[row]).length} answered wrongly`;
  const truth = columnOf(table, "truth");
  const overall = new Map(tally(truth, page.everyone).map((each) => [each.code, each.share]));
  byId("group-table").tBodies[0].replaceChildren(
    ...tally(truth, rows).map(({ code, count, share }) =>
      element(
        "tr", {}, element("th", { scope: "row", text: truth.labels[code] }), element("td", { text: count.toLocaleString("en") }),
        element("td", { text: percent(share) }), element("td", { text: percent(overall.get(code)) }),
      ),
    ),
  );
  byId("group-list").replaceChildren(
    ...rows.slice(0, LISTED).map((row) =>
      element("li", {}, element("button", { type: "button", class: "quiet", text: table.ids[row], "aria-label": spoken(page, row), onclick: () => page.select(row, { focus: true }) })),
    ),
  );
  const left = rows.length - LISTED;
  byId("group-rest").textContent = left > 0 ? `and ${left.toLocaleString("en")} more, which the CSV has` : "";
}

function saveGroup(page) {
  const rows = page.everyone.filter((row) => page.group[row]);
  const file = new Blob([csvOf(page.table, rows, page.depth)], { type: "text/csv" });
  const address = URL.createObjectURL(file);
  element("a", { href: address, download: `${page.table.name}-group-${rows.length}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function showTip(page, row, across, down) {
  const tip = byId("tip");
  tip.hidden = row < 0;
  if (row < 0) return;
  const { table, view } = page;
  drawPicture(table, row, byId("tip-picture"), { longest: 128 });
  byId("tip-words").textContent = `${wordOf(table, "truth", row)}${isWrong(table, row) ? `\nanswered: ${wordOf(table, "answer", row)}` : ""}`;
  tip.style.left = `${across > view.width / 2 ? Math.max(0, across - 160) : across + 16}px`;
  tip.style.top = `${Math.min(Math.max(0, view.height - 190), Math.max(0, down - 60))}px`;
}
