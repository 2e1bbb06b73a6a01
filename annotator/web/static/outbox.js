// Acts that a closed window or browser left unsent go out when their person opens the list of conversations.
import { ActQueue } from "./queue.js";

const outbox = document.querySelector("[data-outbox]");
const refusals = [];
let sent = 0;

const queue = new ActQueue(outbox.dataset.user, { state, saved, refused, signedOut, adopted: () => {} });
const acts = (n) => (n === 1 ? "1 act of yours from before is" : `${n} acts of yours from before are`);

function say(text) {
  outbox.textContent = [text, ...refusals].join(" ");
}

function state(_, failed) {
  if (!queue.waiting.length) return;
  say(`${acts(queue.waiting.length)} ${failed ? "not saved yet; trying again" : "being sent"} …`);
}

function saved() {
  sent += 1;
  finish();
}

function refused(_, sentence, rows, dropped) {
  refusals.push(`${acts(1 + dropped.length)} not saved: ${sentence}`);
  finish();
}

function signedOut() {
  say("You are not signed in any more. Acts of yours wait in this browser: sign in here and they are sent.");
}

function finish() {
  if (queue.waiting.length) return;
  say(sent ? `${acts(sent)} saved now.` : "");
  const again = Object.assign(document.createElement("a"), { href: "", textContent: "Show the list as it is now" });
  outbox.append(" ", again);
}

queue.open();
