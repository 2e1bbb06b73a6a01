// Keys: each is an act or a move, `n` waits for a second one, which does nothing else. No key waits for the server, and none is lost while the page does.
import { confirm, confirmTurn, drop, label, skip, undo } from "./acts.js";
import { focus, focusOn, goOn } from "./focus.js";
import { isHeld, keepKey, onRelease } from "./hold.js";
import { KINDS, goNext, isGoing, stay } from "./next.js";
import { byId, complain, desk, isLocked, rowAt } from "./rows.js";
import { flagAndSayWhy, isSayingWhy, typeWhy } from "./why.js";

const CHORD = 2000; // milliseconds that `n` waits for the key after it
const moves = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
const acts = { Enter: confirm, f: flagAndSayWhy, b: skip, Escape: drop };
let chord = null;
let filter = null;

export function bindKeys(codeFilter) {
  filter = codeFilter;
  onRelease(replay);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], #drawer")) return;
    if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
    if (["Shift", "CapsLock", "AltGraph"].includes(event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.repeat && !moves[key]) return; // a key held down must not confirm its way through
    if (isGoing() && key === "Escape") stay();
    else if (isHeld() && (key.length === 1 || moves[key] || acts[key])) keepKey(key, event.shiftKey);
    else if (isHeld() || !press(key, event.shiftKey)) return;
    event.preventDefault();
  });
}

function replay(key, shift) {
  if (filter?.isOpen) filter.type(key, shift);
  else if (isSayingWhy()) typeWhy(key, shift);
  else press(key, shift);
}

function press(key, shift) {
  if (endChord()) finishChord(key, shift);
  else if (key === "n" && !shift) beginChord();
  else if (key === "?") showKeys();
  else if (moves[key] && !shift) rowAt(focus.at + moves[key]) ? focusOn(focus.at + moves[key]) : moves[key] > 0 && goOn();
  else return pressAct(key, shift);
  return true;
}

function pressAct(key, shift) {
  if (!filter) return false;
  if (key === "u" && !shift) undo(); // also away from where acts are possible
  else if (isLocked(rowAt(focus.at))) return false;
  else if (key === "/") filter.open();
  else if (key === "Enter" && shift) confirmTurn();
  else if (acts[key] && !shift) acts[key]();
  else return pressCode(key, shift);
  return true;
}

function pressCode(key, stays) {
  const button = desk.querySelector(`[data-codes-of]:not([hidden]) [data-key="${CSS.escape(key)}"]`);
  if (button) label(button.value, stays);
  return Boolean(button);
}

// The list stands at the end of the panel, where it may be out of sight
function showKeys() {
  const list = byId("keys"), panel = list.closest(".panel");
  list.toggleAttribute("open");
  if (list.open) panel.scrollTop += list.getBoundingClientRect().top - panel.getBoundingClientRect().top;
  else panel.scrollTop = 0;
}

function beginChord() {
  chord = setTimeout(endChord, CHORD);
  byId("chord").hidden = false;
}

// A mistyped chord must label nothing
function finishChord(key, shift) {
  const kind = !shift && KINDS[key];
  if (kind) goNext(kind);
  else complain(key === "Escape" ? "" : `n and ${key === " " ? "Space" : key}: no such jump.`);
}

// Whether `n` was waiting
function endChord() {
  const waited = chord !== null;
  clearTimeout(chord);
  chord = null;
  byId("chord").hidden = true;
  return waited;
}
