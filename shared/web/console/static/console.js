// What pages do beyond HTML: they keep open what was open when a part is replaced, copy, say when nobody answers, and
// bring the entry of the page into sight.
"use strict";

// On a phone the entries stand in one row that can be pushed: the page's own is brought into sight.
for (const one of document.querySelectorAll("nav [aria-current]")) {
  const row = one.parentElement;
  row.scrollLeft = one.offsetLeft - row.offsetLeft - (row.clientWidth - one.offsetWidth) / 2;
}

let unfolded = [];
document.addEventListener("htmx:beforeSwap", () => {
  unfolded = [...document.querySelectorAll("details[open][id]")].map((one) => one.id);
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  gone(false);
});

function gone(yes) {
  const told = document.getElementById("gone");
  if (told) told.hidden = !yes;
}
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, () => gone(true));
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  });
}
