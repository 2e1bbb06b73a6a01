// What a person does to an utterance. The page shows it at once; the queue sends it; the server's answer has the last word.
import { focus, focusOn, goOn, place, secondsHere, showFocus } from "./focus.js";
import { goTo, hold, release } from "./hold.js";
import { ActQueue, newKey, parse, request } from "./queue.js";
import { byId, codesOf, complain, desk, factsOf, isOpen, mark, positionOf, rowAt, rows, say, showProgress } from "./rows.js";

const limits = { min: Number(desk.dataset.min), max: Number(desk.dataset.max) };
const { user, desk: here } = desk.dataset;
let ticked = false; // whether a tick in the catalogue is newer than every act of this page
let history = []; // {key, at, before: {position: facts}} of every act made on this page: undo shows what stood before the server says it

export const queue = new ActQueue(user, { state, saved, refused, signedOut, adopted });

// --- acts ------------------------------------------------------------------------------------------------------------

// An act makes `changes` ({position: facts}) of one utterance, or of several at once
function act(name, changes, fields = []) {
  const key = newKey();
  const before = Object.fromEntries(Object.keys(changes).map((position) => [position, factsOf(rowAt(position))]));
  const { seen } = factsOf(rowAt(focus.at));
  complain("");
  ticked = false;
  history.push({ key, at: focus.at, before });
  // What is confirmed with the whole turn overwrites nothing, whatever was done elsewhere: only what is open is confirmed.
  const known = name === "confirm-turn" ? [] : [["seen", seen]];
  send(`/review/${here}/${focus.at}`, key, [["act", name], ...known, ...fields], changes);
  return key;
}

function send(url, key, fields, changes, more) {
  const after = {};
  for (const [position, facts] of Object.entries(changes)) {
    after[position] = { ...facts, seen: key };
    mark(rowAt(position), after[position]);
  }
  showProgress();
  const places = Object.keys(after);
  queue.add({ url, key, fields: [["act_key", key], ...fields], desk: here, after, place: places.length === 1 ? places[0] : null, ...more });
}

const changed = (facts) => ({ [focus.at]: { ...factsOf(rowAt(focus.at)), ...facts } });
const seconds = () => ["seconds", secondsHere()];

export function label(code, stay) {
  const codes = focus.built ? [...new Set([...focus.built.codes, code])] : [code];
  if (codes.length > limits.max) return complain(`A label has at most ${limits.max} codes. Esc drops what was built.`);
  if (stay) focus.built = { position: focus.at, codes, keys: focus.built?.keys ?? [] };
  if (codes.length >= limits.min) {
    const key = act("label", changed({ state: "changed", codes: codes.join("|") }), [seconds(), ...codes.map((one) => ["codes", one])]);
    focus.built?.keys.push(key);
  }
  if (stay) return showFocus();
  focus.built = null;
  goOn();
}

export function confirm() {
  const row = rowAt(focus.at);
  if (!isOpen(row)) return goOn();
  if (!row.dataset.proposal) return complain("There is no proposal here: choose a code.");
  act("confirm", changed({ state: "confirmed", codes: row.dataset.proposal }), [seconds()]);
  goOn();
}

export function confirmTurn() {
  const turn = rows().filter((row) => row.dataset.turn === rowAt(focus.at).dataset.turn);
  const proposed = turn.filter((row) => isOpen(row) && row.dataset.proposal);
  const confirmed = (row) => [row.dataset.position, { ...factsOf(row), state: "confirmed", codes: row.dataset.proposal }];
  if (proposed.length) act("confirm-turn", Object.fromEntries(proposed.map(confirmed)), [seconds()]);
  const open = turn.find(isOpen);
  if (!open) return goOn(positionOf(turn.at(-1)) + 1);
  focusOn(positionOf(open));
  complain("There is no proposal here: choose a code.");
}

export function skip() {
  act("skip", changed({ state: limits.min ? "skipped" : "changed", codes: "" }), [seconds()]);
  goOn();
}

export function flag() {
  const flagged = rowAt(focus.at).hasAttribute("data-flagged");
  act(flagged ? "unflag" : "flag", changed({ flagged: !flagged }));
  showFocus();
  return !flagged;
}

export function flagBecause(reason) {
  act("flag", changed({ flagged: true }), [["reason", reason]]);
  showFocus();
}

export function toggleUnsure() {
  const unsure = rowAt(focus.at).hasAttribute("data-unsure");
  act(unsure ? "sure" : "unsure", changed({ unsure: !unsure }));
  showFocus();
}

export function noteTick() {
  ticked = true;
}

export function undo() {
  complain(ticked ? "The newest was a tick in the catalogue: untick it there. u again takes back the act before it." : "");
  if (ticked) return void (ticked = false);
  focus.built = null;
  const newest = history.pop();
  if (newest) {
    takeBack(newest);
    focusOn(newest.at);
  } else {
    hold();
    send("/review/undo", newKey(), [], {}, { unknown: true });
  }
}

function takeBack({ key, before }) {
  send("/review/undo", newKey(), [["target", key]], before, { target: key });
}

export function drop() {
  complain("");
  if (!focus.built) return;
  const { keys } = focus.built;
  focus.built = null;
  for (const one of history.filter(({ key }) => keys.includes(key)).reverse()) takeBack(one);
  history = history.filter(({ key }) => !keys.includes(key));
  showFocus();
}

// --- what the server answers -----------------------------------------------------------------------------------------

function state(text, failed) {
  say(text, failed);
  if (!failed && !queue.waiting.length && byId("recent")?.open) window.htmx?.trigger("#recent-acts", "refresh");
}

function saved(act, made) {
  show(made);
  // What the server left as it was, as where another window had labelled a part of the turn, is shown as it stands
  if (act.desk === here) restore(Object.keys(act.after).filter((position) => !made.some((row) => row.dataset.position === position)));
  if (act.unknown) arrive(made[0].dataset);
}

// An answer is not shown where a later act on the same utterance is still on its way: its own will show the newer state
function show(made) {
  const later = queue.waiting.filter((act) => act.desk === here).flatMap((act) => Object.keys(act.after));
  for (const row of made) if (row.dataset.assignment === here && !later.includes(row.dataset.position)) place(row);
}

function arrive({ assignment, position }) {
  if (assignment !== here) return goTo(`/review/${assignment}?at=${position}`);
  focusOn(Number(position));
  release();
}

function refused(act, sentence, made, dropped) {
  const lost = [act, ...dropped];
  history = history.filter(({ key }) => !lost.some((one) => one.key === key));
  focus.built = null;
  showFocus();
  complain([whatStands(act, made), sentence, whatWent(dropped)].filter(Boolean).join(" "));
  if (made.length) show(made);
  else restore(new Set(lost.filter(({ desk }) => desk === here).flatMap(({ after }) => Object.keys(after))));
  if (act.unknown) release();
}

function whatStands({ desk: where, place: position }, [row]) {
  if (!row || !position || where !== here) return "";
  return `Utterance ${position} (now ${codesOf(row).join(" + ") || row.dataset.state}):`;
}

function whatWent(dropped) {
  const n = dropped.filter(({ target }) => !target).length;
  return n && `${n} later ${n === 1 ? "act" : "acts"} of yours on it ${n === 1 ? "was" : "were"} not saved either.`;
}

export async function restore(positions) {
  for (const position of positions) {
    const answer = await request(user, `/review/${here}/${position}`).catch(() => null);
    if (answer?.ok) show([...parse(await answer.text()).querySelectorAll(".utterance")]);
  }
}

export function signedOut() {
  complain("You are not signed in any more. Your unsaved labels are kept in this browser: sign in here and they are sent.");
  setTimeout(() => goTo(`/sign-in?next=${encodeURIComponent(location.pathname)}`, false), 1500);
}

// Acts from before, by a page or a window that is gone: what they change here is shown, and later acts know of them
function adopted(acts) {
  for (const { desk: where, after } of acts) {
    for (const [position, facts] of where === here ? Object.entries(after) : []) mark(rowAt(position), facts);
  }
  showProgress();
  showFocus();
}
