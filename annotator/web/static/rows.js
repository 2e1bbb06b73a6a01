// The utterances of the page: finding them, what each says, and what an act makes it say until the server has answered.

export const desk = document.querySelector("[data-desk]");
export const byId = (id) => document.getElementById(id);
export const rows = () => [...desk.querySelectorAll(".utterance")];
export const rowAt = (position) => byId(`u${position}`);
export const positionOf = (row) => Number(row.dataset.position);
export const codesOf = (row) => row.dataset.codes.split("|").filter(Boolean);
export const proposalOf = (row) => row.dataset.proposal.split("|").filter(Boolean);
export const isOpen = (row) => row.dataset.state === "open";

// Handed in or closed: nothing is changed any more, except where a discussion is open
export const isLocked = (row) => desk.hasAttribute("data-locked") && !row.hasAttribute("data-discuss");

// What the acts of a person make of an utterance. `seen` is the newest of them: the server refuses an act that knows another one.
export function factsOf(row) {
  const { state, codes, seen } = row.dataset;
  return { state, codes, seen, flagged: row.hasAttribute("data-flagged"), unsure: row.hasAttribute("data-unsure") };
}

export function mark(row, { flagged, unsure, ...said }) {
  Object.assign(row.dataset, said);
  row.toggleAttribute("data-flagged", flagged);
  row.toggleAttribute("data-unsure", unsure);
  row.querySelector(".codes").replaceChildren(...codesOf(row).map((code) => Object.assign(document.createElement("b"), { textContent: code })));
  row.querySelector(".state").textContent = "…";
}

export function say(text, failed = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("failed", failed);
}

export function complain(sentence) {
  byId("alert").textContent = sentence;
}

export function showProgress() {
  const all = rows();
  byId("progress").textContent = `${all.filter((row) => !isOpen(row)).length} of ${all.length} done`;
}
