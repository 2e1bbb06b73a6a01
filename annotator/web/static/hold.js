// Keys pressed while only the server knows where the focus goes next. They wait, over a change of the page too, and are played there.

const KEPT = "annotator-keys";
let keys = null;
let play = () => {};
let leaving = false;
let page = location.pathname; // the one they are meant for

export const isHeld = () => keys !== null;
export const isLeaving = () => leaving;

export function hold() {
  keys ??= [];
}

export function keepKey(...key) {
  keys.push(key);
}

export function release() {
  const waiting = keys ?? [];
  keys = null;
  for (const key of waiting) keys ? keys.push(key) : play(...key); // one of them may be an undo again
}

// The place they are for was not found; the sentence says so where there were any
export function forgetKeys() {
  const lost = keys?.length;
  keys = null;
  return lost ? " The keys pressed since then were not used." : "";
}

// Keys go along, unless they stay for this page
export function goTo(address, along = true) {
  leaving = true;
  if (along) page = new URL(address, location.href).pathname;
  location.assign(address);
}

// Keys are held from the start, until the queue is open
export function onRelease(playOne) {
  play = playOne;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  sessionStorage.removeItem(KEPT);
  keys = kept.page === location.pathname ? kept.keys : [];
}

addEventListener("pagehide", () => keys && sessionStorage.setItem(KEPT, JSON.stringify({ page, keys })));
