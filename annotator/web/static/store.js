// Acts that the server has not said yes to, kept in the browser's own database: over a reload, and over a browser that is killed.
// Not in localStorage, which browsers write to disk many seconds later. Where there is no database, nothing is kept and all else works.

const NAME = "annotator-acts";
const answer = (request) => new Promise((found, failed) => {
  request.onsuccess = () => found(request.result);
  request.onerror = () => failed(request.error);
});

export class ActStore {
  #user;
  #window;
  #acts = null;
  #number = 0; // of the newest act: they are sent in the order of their numbers

  // Acts belong to a person, and to one window of theirs as long as that is open
  constructor(user, window) {
    this.#user = user;
    this.#window = window;
  }

  async open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("acts", { keyPath: "key" });
    const db = await answer(request);
    this.#acts = (mode) => db.transaction("acts", mode).objectStore("acts");
  }

  keep(act) {
    this.#number = Math.max(this.#number + 1, Date.now());
    this.#change((acts) => acts.put({ ...act, user: this.#user, window: this.#window, number: this.#number }));
  }

  forget({ key }) {
    this.#change((acts) => acts.delete(key));
  }

  #change(change) {
    const acts = this.#acts?.("readwrite");
    if (!acts) return;
    change(acts);
    acts.transaction.commit(); // now, so that it is done even when the page ends in this moment
  }

  // The windows, this one aside, that left acts of this person
  async others() {
    const mine = this.#acts ? await answer(this.#acts("readonly").getAll()) : [];
    return new Set(mine.filter(({ user, window }) => user === this.#user && window !== this.#window).map(({ window }) => window));
  }

  // Make the acts of another window this one's, and return them in order. Two windows cannot take the same.
  async take(left) {
    if (!this.#acts) return [];
    const acts = this.#acts("readwrite");
    const found = (await answer(acts.getAll())).filter(({ user, window }) => user === this.#user && window === left);
    found.sort((one, other) => one.number - other.number);
    for (const act of found) acts.put({ ...act, window: this.#window });
    this.#number = Math.max(this.#number, found.at(-1)?.number ?? 0);
    return found;
  }
}
