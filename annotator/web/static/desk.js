// The desk. Without this script every act is a plain form or link; with it the same acts go through the queue, and neither key
// nor button waits for the server. Acts are acts.js's, keys keys.js's, focus focus.js's.
import { confirm, confirmTurn, label, noteTick, queue, restore, skip, toggleUnsure, undo } from "./acts.js";
import { CodeFilter } from "./filter.js";
import { focus, focusOn } from "./focus.js";
import { isLeaving, release } from "./hold.js";
import { bindKeys } from "./keys.js";
import { goNext } from "./next.js";
import { flagAndSayWhy } from "./why.js";
import { byId, complain, desk, positionOf } from "./rows.js";

const buttons = { confirm, skip, flag: flagAndSayWhy, unflag: flagAndSayWhy, unsure: toggleUnsure, sure: toggleUnsure, "confirm-turn": confirmTurn, undo };

desk.addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  if (form.matches("[data-hand-in]")) return handIn(event);
  if (form.matches("[data-codes-of]")) label(button.value, button.hasAttribute("data-stay"));
  else if (form.matches("[data-acts]")) buttons[button.value]();
  else if (form.matches("[data-why]")) form.reason.blur();
  else return;
  event.preventDefault();
  button?.blur();
});

function handIn(event) {
  if (!queue.waiting.length) return;
  event.preventDefault();
  complain("Some labels are not saved yet. Hand in as soon as it says “saved”.");
}

desk.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("#drawer")) event.target.blur();
});

desk.addEventListener("change", ({ target }) => target.matches("[data-catalogue] [type=checkbox]") && noteTick());

desk.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("a");
  const position = here(link);
  if (link?.dataset.next) goNext(link.dataset.next);
  else if (window.htmx && link?.matches("[data-drawer], .comments")) openComments(link);
  else if (position) focusOn(position, !link.matches(".text"));
  else return;
  event.preventDefault();
});

// Who is about to write types at once: keys are no longer the desk's, even while the comments are still to come
async function openComments(link) {
  const drawer = byId("drawer"), writes = link.matches("[data-drawer]");
  if (writes) drawer.focus({ preventScroll: true });
  await window.htmx.ajax("GET", link.href, "#drawer").catch(() => null);
  const field = drawer.querySelector("textarea");
  if (writes && document.activeElement === drawer) (field ?? drawer)[field ? "focus" : "blur"]();
  if (!field) return complain("The comments could not be loaded. Try again.");
  drawer.scrollIntoView({ block: "nearest" });
}

// The position an address on this desk leads to
function here(link) {
  const address = link && new URL(link.href);
  return address?.pathname === location.pathname ? Number(address.searchParams.get("at")) : 0;
}

// A comment changes what its utterance says
document.addEventListener("htmx:afterRequest", ({ detail: { successful, requestConfig } }) => {
  const [, position] = requestConfig.path.match(/\/(\d+)\/comments$/) ?? [];
  if (successful && position && requestConfig.verb === "post") restore([position]);
});

addEventListener("beforeunload", (event) => queue.waiting.length && !isLeaving() && event.preventDefault());

bindKeys(byId("filter") && new CodeFilter(desk, byId("filter"), label));
focusOn(focus.at);
await queue.open();
if (!queue.waiting.some(({ unknown }) => unknown)) release();
