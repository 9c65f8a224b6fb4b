// The server knows no time zone of its readers; the browser does.
const written = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[data-at]")) {
  const at = new Date(1000 * Number(time.dataset.at));
  time.dateTime = at.toISOString();
  time.textContent = written.format(at);
}
for (const link of document.querySelectorAll("input[readonly]")) {
  link.addEventListener("focus", () => link.select());
}
