// The desk: keys and focus. Without this script every act is a plain form; with it the same forms go through the queue, and
// no key waits for the server. How acts are sent is queue.js's.
import { CodeFilter } from "./filter.js";
import { ActQueue, parseRow } from "./queue.js";

const desk = document.querySelector("[data-desk]");
const locked = desk.hasAttribute("data-locked");
const limits = { min: Number(desk.dataset.min), max: Number(desk.dataset.max) };
const byId = (id) => document.getElementById(id);
const rows = () => [...desk.querySelectorAll(".utterance")];
const rowAt = (position) => byId(`u${position}`);
const codesOf = (row) => (row.dataset.codes ? row.dataset.codes.split("|") : []);

let at = Number(desk.dataset.at);
let built = null; // {position, codes, keys}: the label being put together, and the act keys it took so far
let history = []; // {position, key, before} of every act made on this page: undo shows what stood before the server says it
let held = null; // keys pressed while an undo of an older act is under way: only the server knows where that leads

// --- saying what happens -----------------------------------------------------------------------------------------

function say(text, failed = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("failed", failed);
}

function complain(sentence) {
  byId("alert").textContent = sentence;
}

function showProgress() {
  const all = rows();
  byId("progress").textContent = `${all.filter((row) => row.dataset.state !== "open").length} of ${all.length} done`;
}

// --- what the server answers -----------------------------------------------------------------------------------------

const store = `annotator-queue-${desk.dataset.user}`;
const queue = new ActQueue(store, { state: say, saved, refused, signedOut });
let leaving = false;

function enqueue(url, fields, position, key) {
  queue.add({ url, fields, position, key, desk: desk.dataset.desk });
}

function saved(act, made) {
  const elsewhere = made.dataset.assignment !== desk.dataset.desk;
  if (!act.key) {
    leaving = elsewhere; // the keys pressed since then go along: see "pagehide"
    if (elsewhere) return location.assign(`/review/${made.dataset.assignment}?at=${made.dataset.position}`);
    focusOn(Number(made.dataset.position));
  }
  // A later act on the same utterance is still on its way: its answer will show the newer state.
  const later = queue.waiting.some(({ position }) => position === Number(made.dataset.position));
  if (!elsewhere && !later) place(made);
  if (!act.key) release();
}

function refused(act, sentence) {
  complain(sentence);
  history = history.filter(({ key }) => key !== act.key);
  restore(act);
  if (!act.key) release();
}

function signedOut() {
  complain("You are not signed in any more. Your unsaved labels are kept in this window: sign in here and they are sent.");
  leaving = true;
  setTimeout(() => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`), 1500);
}

function place(made) {
  const old = rowAt(made.dataset.position);
  made.removeAttribute("aria-current");
  if (old.hasAttribute("aria-current")) made.setAttribute("aria-current", "true");
  old.replaceWith(made);
  if (window.htmx) window.htmx.process(made);
  showProgress();
  if (Number(made.dataset.position) === at) showFocus();
}

async function restore(act) {
  if (act.desk !== desk.dataset.desk || !act.position) return;
  const answer = await fetch(`/review/${act.desk}/${act.position}`, { headers: { "HX-Request": "true" } });
  if (answer.ok) place(parseRow(await answer.text()));
}

// --- focus ---------------------------------------------------------------------------------------------------------

function focusOn(position, scroll = true) {
  const row = rowAt(position);
  if (!row) return;
  if (built && built.position !== position) built = null;
  if (document.activeElement.matches("main a, main button, summary")) document.activeElement.blur(); // Enter is ours again
  rowAt(at)?.removeAttribute("aria-current");
  at = position;
  row.setAttribute("aria-current", "true");
  if (scroll) row.scrollIntoView({ block: "center" });
  showFocus();
}

function showFocus() {
  const row = rowAt(at);
  byId("focused-role").textContent = row.dataset.role;
  byId("focused-number").textContent = `${at} of ${rows().length}`;
  byId("focused-text").textContent = row.querySelector(".text").textContent;
  byId("focused-role").closest("[data-speaker]").dataset.speaker = row.closest("[data-speaker]").dataset.speaker;
  byId("built").textContent = built ? `building: ${built.codes.join(" + ")}` : "";
  for (const form of desk.querySelectorAll("[data-codes-of]")) {
    form.hidden = form.dataset.codesOf !== row.dataset.role;
    for (const one of form.querySelectorAll("[data-code]")) {
      one.classList.toggle("chosen", codesOf(row).includes(one.dataset.code));
      one.classList.toggle("proposed", row.dataset.proposal.split("|").includes(one.dataset.code));
    }
  }
  const flag = desk.querySelector("[data-flag-text]");
  if (flag) flag.textContent = row.hasAttribute("data-flagged") ? "Unflag" : "Flag";
}

function goOn() {
  if (rowAt(at + 1)) return focusOn(at + 1);
  built = null;
  showFocus();
  const open = rows().filter((row) => row.dataset.state === "open").length;
  complain(open ? `That was the last utterance; ${open} are still open.` : "All done: press Tab for “Hand in”.");
  byId("hand-in").focus();
}

// --- acts ------------------------------------------------------------------------------------------------------------

const fresh = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function act(name, codes = []) {
  const key = fresh();
  complain("");
  enqueue(`/review/${desk.dataset.desk}/${at}`, [["act", name], ["act_key", key], ...codes.map((code) => ["codes", code])], at, key);
  history.push({ position: at, key, before: rowAt(at).cloneNode(true) });
  return key;
}

function markLabel(state, codes) {
  const row = rowAt(at);
  row.dataset.state = state;
  row.dataset.codes = codes.join("|");
  const list = row.querySelector(".codes");
  list.replaceChildren(...codes.map((code) => Object.assign(document.createElement("b"), { textContent: code })));
  row.querySelector(".state").textContent = "…";
  showProgress();
}

function label(code, stay) {
  const codes = built ? [...new Set([...built.codes, code])] : [code];
  if (codes.length > limits.max) return complain(`A label has at most ${limits.max} codes. Esc drops what was built.`);
  if (stay) built = { position: at, codes, keys: built?.keys ?? [] };
  if (codes.length >= limits.min) {
    const key = act("label", codes);
    if (built) built.keys.push(key);
    markLabel("changed", codes);
  }
  if (stay) return showFocus();
  built = null;
  goOn();
}

function confirm() {
  const row = rowAt(at);
  if (row.dataset.state !== "open") return goOn();
  if (!row.dataset.proposal) return complain("There is no proposal here: choose a code.");
  const codes = row.dataset.proposal.split("|");
  act("confirm");
  markLabel("confirmed", codes);
  goOn();
}

function skip() {
  act("skip");
  markLabel(limits.min ? "skipped" : "changed", []);
  goOn();
}

function flag() {
  const row = rowAt(at);
  act(row.hasAttribute("data-flagged") ? "unflag" : "flag");
  row.toggleAttribute("data-flagged");
  showFocus();
}

function undo() {
  complain("");
  built = null;
  const newest = history.pop();
  if (newest) {
    takeBack(newest);
    focusOn(newest.position);
  } else {
    held = [];
    enqueue("/review/undo", [["act_key", fresh()]], null);
  }
}

function takeBack({ key, position, before }) {
  place(before);
  enqueue("/review/undo", [["act_key", fresh()], ["target", key]], position, key);
}

function drop() {
  complain("");
  if (!built) return;
  const keys = built.keys;
  built = null;
  for (const one of history.filter(({ key }) => keys.includes(key)).reverse()) takeBack(one);
  history = history.filter(({ key }) => !keys.includes(key));
  showFocus();
}

const filter = locked ? null : new CodeFilter(desk, byId("filter"), label);

// --- keys ------------------------------------------------------------------------------------------------------------

const moves = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
const acts = { Enter: confirm, f: flag, b: skip, u: undo, Escape: drop };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.repeat && !moves[key]) return; // a key held down must not confirm its way through
  if (held && (key.length === 1 || moves[key] || acts[key])) held.push([key, event.shiftKey]);
  else if (held || !press(key, event.shiftKey)) return;
  event.preventDefault();
});

function release() {
  const keys = held ?? [];
  held = null;
  for (const [key, shift] of keys) replay(key, shift);
}

function replay(key, shift) {
  if (held) held.push([key, shift]); // an earlier one was an undo again
  else if (filter?.isOpen) filter.type(key, shift);
  else press(key, shift);
}

function press(key, shift) {
  if (key === "?") byId("keys").toggleAttribute("open");
  else if (moves[key] && !shift) rowAt(at + moves[key]) ? focusOn(at + moves[key]) : moves[key] > 0 && goOn();
  else if (locked) return false;
  else if (key === "/") filter.open();
  else if (acts[key] && !shift) acts[key]();
  else return pressCode(key, shift);
  return true;
}

function pressCode(key, stay) {
  const button = desk.querySelector(`[data-codes-of]:not([hidden]) [data-key="${CSS.escape(key)}"]`);
  if (button) label(button.value, stay);
  return Boolean(button);
}

// --- mouse: the same acts --------------------------------------------------------------------------------------------

desk.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.target.matches("[data-codes-of]")) label(button.value, button.hasAttribute("data-stay"));
  else if (!event.target.matches("[data-acts]")) return handIn(event);
  else if (button.name === "undo") undo();
  else ({ confirm, skip, flag, unflag: flag })[button.value]();
  event.preventDefault();
  button.blur();
});

function handIn(event) {
  if (!queue.waiting.length) return;
  event.preventDefault();
  complain("Some labels are not saved yet. Hand in as soon as it says “saved”.");
}

desk.addEventListener("click", (event) => {
  const text = event.target.closest(".utterance .text");
  if (!text || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  focusOn(Number(text.closest(".utterance").dataset.position), false);
});

window.addEventListener("beforeunload", (event) => queue.waiting.length && !leaving && event.preventDefault());
window.addEventListener("online", () => queue.send());

// Keys that waited for an undo wait over a reload too, and follow it into another conversation.
window.addEventListener("pagehide", () => held && sessionStorage.setItem(`${store}-keys`, JSON.stringify(held)));
held = JSON.parse(sessionStorage.getItem(`${store}-keys`) || "[]");
sessionStorage.removeItem(`${store}-keys`);
focusOn(at);
if (!queue.waiting.some(({ key }) => !key)) release();
queue.send();
