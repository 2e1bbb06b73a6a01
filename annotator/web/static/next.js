// Going to the next open, uncertain, flagged or differing utterance: after the focus, then from the beginning of this conversation, then in
// the others, which the server knows.
import { queue, signedOut } from "./acts.js";
import { focus, focusOn } from "./focus.js";
import { forgetKeys, goTo, hold, release } from "./hold.js";
import { parse, request } from "./queue.js";
import { complain, desk, isOpen, positionOf, rows } from "./rows.js";

export const KINDS = { n: "open", l: "low", f: "flagged", d: "differs" };
const low = Number(desk.dataset.low);
const is = {
  open: isOpen,
  low: ({ dataset }) => dataset.confidence !== undefined && Number(dataset.confidence) < low,
  flagged: (row) => row.hasAttribute("data-flagged"),
  differs: ({ dataset }) => Boolean(dataset.proposal) && dataset.state === "changed",
  discuss: (row) => row.hasAttribute("data-discuss"),
};

let going = null; // the search under way; another object once it has been given up

export const isGoing = () => going !== null;

export function stay(sentence = "") {
  going = null;
  complain(sentence + forgetKeys());
}

export async function goNext(what) {
  const found = rows().filter((row) => positionOf(row) !== focus.at && is[what](row));
  const next = found.find((row) => positionOf(row) > focus.at) ?? found[0];
  if (next) return focusOn(positionOf(next));
  const search = (going = {});
  hold();
  if (queue.waiting.length) complain("The next one is looked for as soon as all is saved. Esc stays here.");
  await queue.empty();
  const answer = going === search ? await ask(what) : null;
  if (going === search) arrive(answer);
}

async function ask(what) {
  const answer = await request(desk.dataset.user, `/review/next?what=${what}&assignment=${desk.dataset.desk}&after=${focus.at}`).catch(() => null);
  const text = await answer?.text().catch(() => null);
  return text ? { ok: answer.ok, status: answer.status, address: new URL(answer.url), text } : {};
}

function arrive({ ok, status, address, text }) {
  if (!ok) stay("The server does not answer, so the next one was not found.");
  if (status === 401) signedOut();
  if (!ok) return;
  if (address.searchParams.has("none")) return stay(parse(text).querySelector("#alert")?.textContent);
  going = null;
  complain("");
  if (address.pathname !== `/review/${desk.dataset.desk}`) return goTo(`${address.pathname}${address.search}`);
  focusOn(Number(address.searchParams.get("at")));
  release();
}
