// Which utterance has the focus, what the panel shows of it, and how long it had it.
import { byId, codesOf, complain, desk, isLocked, isOpen, positionOf, proposalOf, rowAt, rows, showProgress } from "./rows.js";

export const focus = {
  at: Number(desk.dataset.at),
  built: null, // {position, codes, keys}: the label being put together, and the act keys it took so far
};

export function focusOn(position, scroll = true) {
  const row = rowAt(position);
  if (!row) return;
  count();
  if (focus.built && focus.built.position !== position) focus.built = null;
  if (document.activeElement.matches("main a, main button, summary")) document.activeElement.blur(); // Enter is ours again
  rowAt(focus.at)?.removeAttribute("aria-current");
  focus.at = position;
  row.setAttribute("aria-current", "true");
  if (scroll) row.scrollIntoView({ block: "center" });
  putAwayComments();
  showFocus();
}

// They are of another utterance; one that is being written stays
function putAwayComments() {
  const thread = byId("drawer").querySelector(".thread");
  if (thread && !thread.querySelector("textarea")?.value) thread.remove();
}

export function goOn(position = focus.at + 1) {
  if (rowAt(position)) return focusOn(position);
  focus.built = null;
  showFocus();
  const open = rows().filter(isOpen).length;
  complain(open ? `That was the last utterance; ${open} are still open.` : "All done: press Tab for “Hand in”.");
  byId("hand-in").focus();
}

// Put what the server says of an utterance into the page
export function place(made) {
  const old = rowAt(positionOf(made));
  made.toggleAttribute("aria-current", false);
  if (old.hasAttribute("aria-current")) made.setAttribute("aria-current", "true");
  old.replaceWith(made);
  window.htmx?.process(made);
  showProgress();
  if (positionOf(made) === focus.at) showFocus();
}

export function showFocus() {
  const row = rowAt(focus.at);
  byId("focused-role").textContent = row.dataset.role;
  byId("focused-number").textContent = `${focus.at} of ${rows().length}`;
  byId("focused-text").textContent = row.querySelector(".text").textContent;
  byId("focused-role").closest("[data-speaker]").dataset.speaker = row.closest("[data-speaker]").dataset.speaker;
  byId("built").textContent = focus.built ? `building: ${focus.built.codes.join(" + ")}` : "";
  showCodes(row);
  showButtons(row);
  showItems(row);
}

// The catalogue's items that the utterance names are lit, and the first of them is in view
function showItems(row) {
  const named = (row.dataset.items ?? "").split(" ");
  const lit = [...desk.querySelectorAll("[data-item]")].filter((one) => one.classList.toggle("lit", named.includes(one.dataset.item)));
  if (lit.length) lit[0].parentElement.scrollTo(lit[0].offsetLeft - 8, lit[0].offsetTop - 8);
}

document.addEventListener("htmx:load", ({ target }) => target.matches?.("[data-catalogue]") && showItems(rowAt(focus.at)));

function showCodes(row) {
  for (const form of desk.querySelectorAll("[data-codes-of]")) {
    form.hidden = form.dataset.codesOf !== row.dataset.role;
    for (const one of form.querySelectorAll("[data-code]")) {
      one.classList.toggle("chosen", codesOf(row).includes(one.dataset.code));
      one.classList.toggle("proposed", proposalOf(row).includes(one.dataset.code));
    }
  }
}

function showButtons(row) {
  for (const link of desk.querySelectorAll("[data-follows]")) link.href = link.dataset.follows.replace("POSITION", focus.at);
  const acting = byId("acting");
  if (!acting) return;
  acting.hidden = isLocked(row);
  const flagged = row.hasAttribute("data-flagged"), unsure = row.hasAttribute("data-unsure");
  acting.querySelector("[data-flag]").textContent = flagged ? "Unflag" : "Flag";
  acting.querySelector("[data-unsure-button]").setAttribute("aria-pressed", unsure);
  acting.querySelector("[data-why]").hidden = !flagged;
}

// --- what covers the dialogue: the head, and on narrow screens the panel -------------------------------------------------

const head = desk.querySelector(".desk-head"), panel = desk.querySelector(".panel"), narrow = matchMedia("(max-width: 60rem)");
let touched = false; // whether anybody has moved here; until then the focus stays in the middle of what shows while the page loads
const covers = new ResizeObserver(() => {
  desk.style.setProperty("--head", `${head.offsetHeight + 4}px`);
  desk.style.setProperty("--foot", `${narrow.matches ? panel.offsetHeight + 4 : 0}px`);
  if (byId("hand-in").contains(document.activeElement)) return document.activeElement.scrollIntoView({ block: "nearest" });
  const covered = rowAt(focus.at).getBoundingClientRect().top < head.getBoundingClientRect().bottom;
  if (covered || !touched) rowAt(focus.at).scrollIntoView({ block: "center" });
});
covers.observe(head);
covers.observe(panel);

// --- seconds: how long an utterance had the focus while somebody was there --------------------------------------------

const IDLE = 60_000; // after so many milliseconds without key, pointer or scrolling nobody is taken to be there
const spent = new Map(); // position → milliseconds, with those of earlier visits
let since = performance.now();
let heard = since;
let visible = !document.hidden;

function count() {
  const now = performance.now();
  const before = spent.get(focus.at) ?? 1000 * Number(rowAt(focus.at).dataset.seconds);
  spent.set(focus.at, before + (visible ? Math.max(0, Math.min(now, heard + IDLE) - since) : 0));
  since = now;
}

function hear({ type }) {
  count();
  heard = since;
  touched ||= type !== "scroll"; // we scroll ourselves
}

export function secondsHere() {
  count();
  return (spent.get(focus.at) / 1000).toFixed(1);
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll"]) addEventListener(kind, hear, { capture: true, passive: true });
document.addEventListener("visibilitychange", (event) => {
  hear(event); // who comes back is there
  visible = !document.hidden;
});
