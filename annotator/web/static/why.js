// Why an utterance is flagged: the field takes the keys as soon as it is. Enter saves what was typed, as does going elsewhere, Esc does not.
import { flag, flagBecause } from "./acts.js";
import { desk } from "./rows.js";

const field = desk.querySelector("[data-why] [name=reason]");

export function flagAndSayWhy() {
  if (!flag()) return;
  field.closest(".panel").scrollTop = 0;
  field.focus({ preventScroll: true }); // the utterance stays where it is
}

export const isSayingWhy = () => field !== null && document.activeElement === field;

// A key that was held back and is played now
export function typeWhy(key, shift) {
  if (key === "Escape") drop();
  else if (key === "Enter") field.blur();
  else if (key.length === 1) field.value += shift ? key.toUpperCase() : key;
}

function drop() {
  field.value = "";
  field.blur();
}

field?.addEventListener("keydown", ({ key, isComposing }) => key === "Escape" && !isComposing && drop());
field?.addEventListener("blur", () => {
  if (isSayingWhy()) return; // only the window was left
  const reason = field.value.trim();
  field.value = "";
  if (reason) flagBecause(reason);
});
