// The catalogue's boxes save themselves, one after the other: each answer brings which state of the lists the next one knows. A
// box whose change was not saved goes back; where another window changed a list, the block is shown anew. Which items are lit is
// focus.js's.
const FOLDED = "annotator-catalogue"; // in localStorage: whether the annotator wants it open
const NARROW = matchMedia("(max-width: 60rem)");
let pointed = false; // whether the newest press was the pointer's

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const catalogueOf = (event) => event.target.closest?.("[data-catalogue]");

function prepare(catalogue) {
  catalogue.open = (localStorage.getItem(FOLDED) ?? (NARROW.matches ? "folded" : "open")) === "open";
  catalogue.addEventListener("toggle", () => localStorage.setItem(FOLDED, catalogue.open ? "open" : "folded"));
  for (const button of catalogue.querySelectorAll("[data-saves-itself]")) button.hidden = true;
}

function say(catalogue, sentence) {
  catalogue.querySelector("[data-refused]").textContent = sentence;
}

function refused(event, sentence) {
  const catalogue = catalogueOf(event);
  if (!catalogue) return;
  if (event.target.type === "checkbox") event.target.checked = !event.target.checked;
  say(catalogue, sentence);
}

// Refused by what was said before: the boxes show an older state
async function showAnew(event, sentence) {
  const box = event.target;
  const held = box === document.activeElement;
  const target = "[data-catalogue]";
  await window.htmx.ajax("GET", event.detail.pathInfo.requestPath, { target, swap: "outerHTML" }).catch(() => null);
  say(document.querySelector(target), sentence);
  if (held) document.querySelector(`${target} input[form="${box.getAttribute("form")}"][value="${box.value}"]`)?.focus();
}

document.addEventListener("pointerdown", () => (pointed = true), true);
document.addEventListener("keydown", () => (pointed = false), true);
// A box that was clicked leaves the keys to the desk; one that was reached by Tab keeps them.
document.addEventListener("change", (event) => pointed && catalogueOf(event) && event.target.type === "checkbox" && event.target.blur());
document.addEventListener("htmx:configRequest", (event) => {
  if (!catalogueOf(event) || event.detail.verb !== "post") return;
  event.detail.parameters.act_key = newKey();
  say(catalogueOf(event), "");
});
document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  refused(event, responseText);
  if (status === 409 && catalogueOf(event)) showAnew(event, responseText);
});
document.addEventListener("htmx:sendError", (event) => refused(event, "Not saved: the server does not answer. Choose again when it does."));
document.addEventListener("htmx:load", (event) => event.target.matches?.("[data-catalogue]") && prepare(event.target));
for (const catalogue of document.querySelectorAll("[data-catalogue]")) prepare(catalogue);
