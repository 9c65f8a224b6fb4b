// The server knows no time zone of its readers; the browser does.
const language = document.documentElement.lang;
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
for (const each of document.querySelectorAll("time[data-at]")) {
  const at = new Date(1000 * Number(each.dataset.at));
  each.dateTime = at.toISOString();
  each.textContent = ("day" in each.dataset ? day : moment).format(at);
}
for (const link of document.querySelectorAll("input[readonly]")) {
  link.addEventListener("focus", () => link.select());
}
