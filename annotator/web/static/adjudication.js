// Adjudication: keys, and the next step put into the page without loading it. Without this script every act is a form or a link.
// Keys pressed while the server answers wait and are played on the step that comes.
const main = document.querySelector("[data-adjudication]");
const byId = (id) => document.getElementById(id);
const FIRST_WAIT = 500; // milliseconds until a request is sent again; doubled each time
const LONGEST_WAIT = 8000;
const GIVE_UP = 10000; // on one request: a decision says what it has seen, so sending it again is harmless
let held = null;

function say(text, failed = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("failed", failed);
}

function complain(sentence) {
  byId("alert").textContent = sentence;
}

// --- asking the server ---------------------------------------------------------------------------------------------

async function go(url, body) {
  if (held) return;
  held = [];
  complain("");
  say(body ? "saving …" : "");
  let answer = await ask(url, body);
  for (let wait = FIRST_WAIT; !answer; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    say(body ? "not saved, retrying" : "no answer, retrying", true);
    await new Promise((resolve) => setTimeout(resolve, wait));
    answer = await ask(url, body);
  }
  if (answer.step) show(answer);
  else refuse(answer);
}

// The answer with its step, or with a sentence; nothing where nobody answered, or somebody else than our server
async function ask(url, body) {
  try {
    const headers = { "HX-Request": "true", "Annotator-User": main.dataset.user };
    const answer = await fetch(url, { method: body ? "POST" : "GET", body, headers, signal: AbortSignal.timeout(GIVE_UP) });
    const text = await answer.text();
    const step = answer.ok && new DOMParser().parseFromString(text, "text/html").getElementById("step");
    if ((answer.ok && !step) || answer.status >= 500 || answer.status === 429) return null;
    return { step, text, status: answer.status, url: answer.url };
  } catch {
    return null;
  }
}

function show({ step, url }) {
  const inside = byId("step").contains(document.activeElement);
  byId("step").replaceWith(step);
  window.htmx?.process(step);
  history.replaceState(null, "", url);
  say(step.dataset.says);
  byId("spoken").textContent = byId("focus").textContent;
  lookAt(inside);
  release();
}

function lookAt(inside) {
  main.querySelector(".utterance[aria-current]")?.scrollIntoView({ block: "center" });
  if (inside) byId("focus").focus({ preventScroll: true });
}

// Keys pressed since were meant for the steps after this one: settling with them what is still here would be wrong
function refuse({ status, text }) {
  const lost = held.length;
  held = null;
  say("not saved", true);
  complain(lost ? `${text} The ${lost === 1 ? "key" : `${lost} keys`} you pressed since did nothing.` : text);
  if (status === 401) setTimeout(() => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`), 1500);
}

function release() {
  const keys = held;
  held = null;
  for (const [key, shift] of keys) {
    if (held) held.push([key, shift]);
    else if (document.activeElement.matches("input")) type(document.activeElement, key);
    else press(key, shift);
  }
}

function type(field, key) {
  if (key === "Enter") field.form.requestSubmit();
  else if (key === "Escape") leave(field);
  else if (key.length === 1) field.value += key;
}

// --- building a label of several codes -----------------------------------------------------------------------------

const building = () => [...byId("decide").querySelectorAll("input[name=built]")];

function add(code) {
  const codes = building().map((input) => input.value);
  if (!codes.includes(code)) {
    byId("decide").append(Object.assign(document.createElement("input"), { type: "hidden", name: "built", value: code }));
    codes.push(code);
  }
  byId("built").textContent = `building: ${codes.join(" + ")}`;
}

function drop() {
  building().forEach((input) => input.remove());
  byId("built").textContent = "";
}

// --- keys ----------------------------------------------------------------------------------------------------------

const arrows = { ArrowDown: "j", ArrowUp: "k" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const key = arrows[event.key] ?? event.key;
  if (event.target.closest("input, textarea, select")) return leaves(event.target, key) && leave(event.target);
  if (key === "Enter" && event.target.closest("button, a, summary")) return;
  if (event.repeat && !"jk".includes(key)) return; // a key held down must not settle its way through
  if (held && (key.length === 1 || key === "Enter" || key === "Escape")) held.push([key, event.shiftKey]);
  else if (held || !press(key, event.shiftKey)) return;
  event.preventDefault();
});

function press(key, shift) {
  const does = byId("step").querySelector(`[data-key="${CSS.escape(key.toLowerCase())}"]`);
  if (key === "?") byId("keys")?.toggleAttribute("open");
  else if (key === "Escape" && byId("decide")) drop();
  else if (key === "Enter" && byId("decide") && building().length) byId("decide").requestSubmit();
  else if (shift && does?.closest(".code-row")) add(does.value);
  else if (shift || !does) return false;
  else if (does.matches("summary")) open(does.parentElement);
  else if (does.form) does.form.requestSubmit(does);
  else go(does.href);
  return true;
}

function open(details) {
  details.open = true;
  details.querySelector("input:not([type=hidden])").focus();
}

// Enter sends a discussion, and only ends a comment
const leaves = (field, key) => key === "Escape" || (key === "Enter" && field.form.id === "decide");

function leave(field) {
  field.closest("details")?.removeAttribute("open");
  field.blur();
}

// --- the same by mouse ---------------------------------------------------------------------------------------------

main.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-step]")) return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.hasAttribute("data-add")) return add(button.value);
  const body = new URLSearchParams(new FormData(event.target));
  if (button?.name) body.append(button.name, button.value);
  go(event.target.action, body);
});

main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-step], .utterance a.text");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});

window.addEventListener("beforeunload", (event) => held && event.preventDefault());
lookAt(false);
