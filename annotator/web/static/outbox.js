// Labels that a closed window or browser left unsent go out when their person opens the list of conversations.
import { ActQueue } from "./queue.js";

const outbox = document.querySelector("[data-outbox]");
const refusals = [];
let sent = 0;

const queue = new ActQueue(outbox.dataset.user, { state, saved, refused, signedOut, adopted: () => {} });
const labels = (n) => (n === 1 ? "1 label" : `${n} labels`);
const waiting = (n) => (n === 1 ? "1 label from before is" : `${n} labels from before are`);

function say(text) {
  outbox.textContent = [text, ...refusals].join(" ");
}

function state(_, failed) {
  if (!queue.waiting.length) return;
  say(`${waiting(queue.waiting.length)} ${failed ? "not saved yet; trying again" : "being sent"} …`);
}

function saved() {
  sent += 1;
  finish();
}

function refused(_, sentence, rows, dropped) {
  refusals.push(`${labels(1 + dropped.length)} could not be saved: ${sentence}`);
  finish();
}

function signedOut() {
  say("You are not signed in any more. Labels of yours wait in this browser: sign in here and they are sent.");
}

function finish() {
  if (queue.waiting.length) return;
  say(sent ? `${labels(sent)} from before sent.` : "");
  const again = Object.assign(document.createElement("a"), { href: "", textContent: "Show the list as it is now" });
  outbox.append(" ", again);
}

queue.open();
