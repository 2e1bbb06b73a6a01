// The queue of acts: sent one at a time and in order until the server has answered each; kept over a reload, and only ever
// sent from the browser window of the person who made them. What the desk does with an answer is desk.js's.

const FIRST_WAIT = 500; // milliseconds until an act is sent again; doubled each time
const LONGEST_WAIT = 8000;
const GIVE_UP = 10000; // on one request: the key of an act makes sending it again harmless

export const parseRow = (html) => new DOMParser().parseFromString(html, "text/html").querySelector(".utterance");

export class ActQueue {
  #acts;
  #store;
  #on;
  #sending = false;
  #retry = null;

  // `on` has: state(text, failed), saved(act, row), refused(act, sentence), signedOut()
  constructor(store, on) {
    this.#store = store;
    this.#on = on;
    this.#acts = JSON.parse(sessionStorage.getItem(store) || "[]");
  }

  get waiting() {
    return this.#acts;
  }

  add(act) {
    this.#acts.push(act);
    this.#keep();
    if (!this.#retry) this.send();
  }

  async send(wait = FIRST_WAIT) {
    if (this.#sending || !this.#acts.length) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    this.#sending = true;
    if (wait === FIRST_WAIT) this.#on.state("saving …", false);
    const act = this.#acts[0];
    const answer = await ask(act);
    this.#sending = false;
    if (answer.status === 401) {
      this.#on.state("not saved", true);
      this.#on.signedOut();
    } else if (answer.unheard) {
      this.#on.state("not saved, retrying", true);
      this.#retry = setTimeout(() => this.send(Math.min(wait * 2, LONGEST_WAIT)), wait);
    } else {
      this.#settle(act, answer);
    }
  }

  #settle(act, { row, text }) {
    this.#acts.shift();
    this.#keep();
    if (row && !this.#acts.length) this.#on.state(`saved ${new Date().toTimeString().slice(0, 8)}`, false);
    if (!row) this.#on.state("not saved", true);
    if (row) this.#on.saved(act, row);
    else this.#on.refused(act, text);
    this.send();
  }

  #keep() {
    sessionStorage.setItem(this.#store, JSON.stringify(this.#acts));
  }
}

async function ask({ url, fields }) {
  try {
    const body = new URLSearchParams(fields);
    const answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(GIVE_UP) });
    const text = await answer.text();
    const row = answer.ok ? parseRow(text) : null;
    // A 200 without the utterance, as from a network that wants a sign-in of its own, is no "yes" of our server.
    const unheard = (answer.ok && !row) || answer.status >= 500 || answer.status === 429;
    return { status: answer.status, row, text, unheard };
  } catch {
    return { unheard: true }; // no connection, or no answer in time
  }
}
