// Single keys, which can be switched off for who dictates or types into other things; `?` always lists them.
const OFF = "cutis.keys";
const dialog = document.getElementById("keys");
const quiet = document.getElementById("keys-off");

export function listen(does) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog?.open) return;
    if (event.target.matches("input:not([type=checkbox], [type=radio], [type=range]), select, textarea")) return;
    if (event.key === "?") return show(event);
    const act = does[event.key.toLowerCase()];
    if (!act || localStorage.getItem(OFF)) return;
    event.preventDefault();
    act();
  });
}

function show(event) {
  event?.preventDefault();
  dialog.showModal();
}

if (dialog) {
  document.getElementById("show-keys").addEventListener("click", show);
  document.getElementById("close-keys").addEventListener("click", () => dialog.close());
  quiet.checked = Boolean(localStorage.getItem(OFF));
  quiet.addEventListener("change", () => (quiet.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF)));
}
