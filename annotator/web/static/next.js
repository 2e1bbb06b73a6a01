// Going to the next open, uncertain, flagged or differing utterance: after the focus in this conversation, else wherever the server knows one.
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

export function stay() {
  going = null;
  forgetKeys();
  complain("");
}

export async function goNext(what) {
  const next = rows().find((row) => positionOf(row) > focus.at && is[what](row));
  if (next) return focusOn(positionOf(next));
  const search = (going = {});
  hold();
  if (queue.waiting.length) complain("The next one is looked for as soon as all is saved. Esc stays here.");
  await queue.empty();
  const found = going === search && (await ask(what));
  if (going !== search) return;
  going = null;
  if (found) arrive(found);
}

async function ask(what) {
  const answer = await request(desk.dataset.user, `/review/next?what=${what}&assignment=${desk.dataset.desk}&after=${focus.at}`).catch(() => null);
  const text = await answer?.text().catch(() => null);
  if (answer?.ok && text) return { address: new URL(answer.url), notice: parse(text).querySelector(".notice")?.textContent };
  stay();
  if (answer?.status === 401) signedOut();
  else complain("The server does not answer, so the next one was not found. Keys pressed since then were not used.");
}

function arrive({ address, notice }) {
  const [position, nothing] = [address.searchParams.get("at"), address.searchParams.has("none")];
  if (address.pathname !== `/review/${desk.dataset.desk}`) return goTo(`${address.pathname}${address.search}`);
  complain(nothing ? notice : "");
  if (!nothing) focusOn(Number(position));
  release();
}
