// Times as this browser's user writes them.
const written = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const each of document.querySelectorAll("time[data-at]")) {
  const moment = new Date(1000 * Number(each.dataset.at));
  each.dateTime = moment.toISOString();
  each.textContent = written.format(moment);
}
