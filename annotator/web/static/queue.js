// The queue of acts: sent one at a time and in order until the server has answered each, and only ever for the person who made
// them. What a window leaves unsent, another window of the same person sends. What the page does with an answer is the page's.
import { ActStore } from "./store.js";

const FIRST_WAIT = 500; // milliseconds until an act is sent again; doubled each time
const LONGEST_WAIT = 8000;
const GIVE_UP = 10000; // on one request: the key of an act makes sending it again harmless
const PATIENCE = 2000; // with the browser's database
const LEFT = "annotator-left-"; // in sessionStorage: the page before this one in the same window, when it left acts

export const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
export const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// A request of this person's page. The server refuses it when somebody else has signed in since.
export const request = (user, url, more) => fetch(url, { headers: { "HX-Request": "true", "Annotator-User": user }, signal: AbortSignal.timeout(GIVE_UP), ...more });

// An act has: key, url, fields, desk (the assignment), after ({position: what the page shows then}); where that matters also place
// (the one position it changes), target (the key of the act it takes back), unknown (only the server knows what it takes back).
export class ActQueue {
  #acts = [];
  #user;
  #window = newKey();
  #store;
  #on;
  #sending = false;
  #retry = null;
  #emptied = [];

  // `on` has: state(text, failed), saved(act, rows), refused(act, sentence, rows, dropped), signedOut(), adopted(acts)
  constructor(user, on) {
    this.#user = user;
    this.#on = on;
    this.#store = new ActStore(user, this.#window);
    window.addEventListener("online", () => this.send());
    window.addEventListener("pagehide", () => this.#acts.length && sessionStorage.setItem(LEFT + user, this.#window));
  }

  get waiting() {
    return this.#acts;
  }

  // Take over what was left: first by the page before this one, then by windows that are closed now or will be
  async open() {
    const left = sessionStorage.getItem(LEFT + this.#user);
    sessionStorage.removeItem(LEFT + this.#user);
    const late = new Promise((_, fail) => setTimeout(fail, PATIENCE));
    const others = await Promise.race([this.#store.open().then(() => this.#store.others()), late]).catch(() => []);
    const lock = (name, use) => navigator.locks ? navigator.locks.request(`annotator-window-${name}`, use) : use();
    if (navigator.locks) lock(this.#window, () => new Promise(() => {})); // held as long as this page lives
    if (left) await this.#adopt(left);
    // Without locks (plain http) another window may be alive: then both send the same acts, and their keys make that harmless.
    for (const other of others) if (other !== left) lock(other, () => this.#adopt(other, true));
  }

  async #adopt(left, quietly) {
    const acts = await this.#store.take(left).catch(() => []);
    if (!acts.length) return;
    this.#acts.push(...acts.map((act) => (quietly ? { ...act, unknown: false } : act)));
    this.#on.adopted(acts);
    this.send();
  }

  add(act) {
    this.#acts.push(act);
    this.#store.keep(act);
    if (!this.#retry) this.send();
  }

  // Resolves when nothing waits
  empty() {
    return this.#acts.length ? new Promise((done) => this.#emptied.push(done)) : Promise.resolve();
  }

  async send(wait = FIRST_WAIT) {
    if (this.#sending || !this.#acts.length) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    this.#sending = true;
    if (wait === FIRST_WAIT) this.#on.state("saving …", false);
    const act = this.#acts[0];
    const answer = await this.#ask(act);
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

  #settle(act, { saved, sentence, rows }) {
    this.#remove(act);
    const dropped = saved ? [] : this.#drop(act, rows.length > 0);
    if (saved && !this.#acts.length) this.#on.state(`saved ${new Date().toTimeString().slice(0, 8)}`, false);
    if (!saved) this.#on.state("not saved", true);
    if (saved) this.#on.saved(act, rows);
    else this.#on.refused(act, sentence, rows, dropped);
    if (!this.#acts.length) for (const done of this.#emptied.splice(0)) done();
    this.send();
  }

  // With an act that was not saved goes what takes it back; when another window was there first, also all that came on top of it
  #drop(act, outdated) {
    const lost = new Set([act.key]);
    const on = ({ desk, place }) => outdated && act.place && desk === act.desk && place === act.place;
    const dropped = this.#acts.filter((one) => (lost.has(one.target) || on(one)) && lost.add(one.key));
    dropped.forEach((one) => this.#remove(one));
    return dropped;
  }

  #remove(act) {
    this.#acts = this.#acts.filter(({ key }) => key !== act.key);
    this.#store.forget(act);
  }

  async #ask({ url, fields }) {
    try {
      const answer = await request(this.#user, url, { method: "POST", body: new URLSearchParams(fields) });
      const text = await answer.text();
      const page = parse(text);
      const rows = [...page.querySelectorAll(".utterance")];
      // A 200 without the utterance, as from a network that wants a sign-in of its own, is no "yes" of our server.
      const unheard = (answer.ok && !rows.length) || answer.status >= 500 || answer.status === 429;
      return { status: answer.status, saved: answer.ok, rows, sentence: page.querySelector(".conflict")?.textContent ?? text, unheard };
    } catch {
      return { unheard: true }; // no connection, or no answer in time
    }
  }
}
