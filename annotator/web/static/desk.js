// The desk: keys, and an ordered queue of acts that is sent one by one until the server has said yes to each.
// Without this script every act is a plain form; with it the same forms are sent from here. No key waits for the server.
"use strict";

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

// --- the queue: in order, one at a time, kept over a reload, and only ever sent as the person who made it ----------

const store = `annotator-queue-${desk.dataset.user}`;
const queue = JSON.parse(sessionStorage.getItem(store) || "[]");
let sending = false;
let retry = null;
let leaving = false;

function keep() {
  sessionStorage.setItem(store, JSON.stringify(queue));
}

function enqueue(url, fields, position, key) {
  queue.push({ url, fields, position, key, desk: desk.dataset.desk });
  keep();
  if (!retry) send();
}

async function send(wait = 500) {
  if (sending || !queue.length) return;
  clearTimeout(retry);
  retry = null;
  sending = true;
  const act = queue[0];
  say(wait > 500 ? "not saved, retrying" : "saving …", wait > 500);
  const outcome = await post(act);
  sending = false;
  if (outcome === "again") {
    say("not saved, retrying", true);
    retry = setTimeout(send, wait, Math.min(wait * 2, 8000));
  } else if (outcome !== "stop") {
    queue.shift();
    keep();
    if (!act.key && !leaving) release();
    send();
  }
}

async function post(act) {
  const body = new URLSearchParams(act.fields);
  let answer, text;
  try {
    answer = await fetch(act.url, { method: "POST", body, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10000) });
    text = await answer.text();
  } catch {
    return "again"; // no connection, or no answer in time: the act key makes sending again harmless
  }
  const made = answer.ok && parseRow(text);
  if (made) {
    if (queue.length === 1) say(`saved ${new Date().toTimeString().slice(0, 8)}`);
    show(act, made);
    return "done";
  }
  if (answer.status === 401) {
    say("not saved", true);
    complain("You are not signed in any more. Your unsaved labels are kept in this window: sign in here and they are sent.");
    leaving = true;
    setTimeout(() => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`), 1500);
    return "stop";
  }
  // Also a 200 without the utterance, as from a network that wants a sign-in of its own: that is no "yes" of our server.
  if (answer.ok || answer.status >= 500 || answer.status === 429) return "again";
  say("not saved", true);
  complain(text);
  history = history.filter(({ key }) => key !== act.key);
  restore(act);
  return "refused";
}

const parseRow = (html) => new DOMParser().parseFromString(html, "text/html").querySelector(".utterance");

function show(act, made) {
  const elsewhere = made.dataset.assignment !== desk.dataset.desk;
  if (act.url === "/review/undo" && !act.key) {
    leaving = elsewhere; // the keys pressed since then go along: see "pagehide"
    if (elsewhere) return location.assign(`/review/${made.dataset.assignment}?at=${made.dataset.position}`);
    focusOn(Number(made.dataset.position));
  }
  // A later act on the same utterance is still on its way: its answer will show the newer state.
  if (elsewhere || queue.slice(1).some((later) => later.position === Number(made.dataset.position))) return;
  place(made);
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
  if (!built) return;
  const keys = built.keys;
  built = null;
  for (const one of history.filter(({ key }) => keys.includes(key)).reverse()) takeBack(one);
  history = history.filter(({ key }) => !keys.includes(key));
  showFocus();
}

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
  else if (document.activeElement !== filter) press(key, shift);
  else if (key.length > 1) filter.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: shift }));
  else applyFilter((filter.value += key));
}

function press(key, shift) {
  if (key === "?") byId("keys").toggleAttribute("open");
  else if (moves[key] && !shift) rowAt(at + moves[key]) ? focusOn(at + moves[key]) : moves[key] > 0 && goOn();
  else if (locked) return false;
  else if (key === "/") openFilter();
  else if (acts[key] && !shift) acts[key]();
  else return pressCode(key, shift);
  return true;
}

function pressCode(key, stay) {
  const button = desk.querySelector(`[data-codes-of]:not([hidden]) [data-key="${CSS.escape(key)}"]`);
  if (button) label(button.value, stay);
  return Boolean(button);
}

// --- mouse and filter: the same acts ---------------------------------------------------------------------------------

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
  if (!queue.length) return;
  event.preventDefault();
  complain("Some labels are not saved yet. Hand in as soon as it says “saved”.");
}

desk.addEventListener("click", (event) => {
  const text = event.target.closest(".utterance .text");
  if (!text || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  focusOn(Number(text.closest(".utterance").dataset.position), false);
});

const filter = byId("filter");
const matching = () => [...desk.querySelectorAll("[data-codes-of]:not([hidden]) [data-code]:not([hidden])")];

function openFilter() {
  filter.closest(".panel").scrollTop = 0;
  filter.focus({ preventScroll: true }); // the utterance stays where it is
}

function firstMatch() {
  const found = matching();
  return found.find((one) => one.dataset.code.toLowerCase() === filter.value.trim().toLowerCase()) ?? found[0];
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of desk.querySelectorAll("[data-code]")) one.hidden = !words.every((word) => one.dataset.words.includes(word));
  const first = firstMatch();
  for (const one of desk.querySelectorAll(".first-match")) one.classList.remove("first-match");
  if (!words.length || !first) return;
  first.classList.add("first-match");
  if (window.htmx) window.htmx.trigger(first.querySelector(".define"), "click");
}

filter?.addEventListener("input", applyFilter);
filter?.addEventListener("keydown", (event) => {
  if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
  const first = filter.value.trim() && firstMatch();
  event.preventDefault();
  filter.value = "";
  applyFilter();
  filter.blur();
  if (event.key === "Enter" && first) label(first.dataset.code, event.shiftKey);
});

window.addEventListener("beforeunload", (event) => queue.length && !leaving && event.preventDefault());
window.addEventListener("online", () => send());

// Keys that waited for an undo wait over a reload too, and follow it into another conversation.
window.addEventListener("pagehide", () => held && sessionStorage.setItem(`${store}-keys`, JSON.stringify(held)));
held = JSON.parse(sessionStorage.getItem(`${store}-keys`) || "[]");
sessionStorage.removeItem(`${store}-keys`);
focusOn(at);
if (!queue.some((act) => !act.key)) release();
if (queue.length) send();
