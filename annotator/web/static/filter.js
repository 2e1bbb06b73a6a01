// Typing to filter the codes of the focused role: Enter takes the first that matches, Shift+Enter adds it, Esc leaves.

export class CodeFilter {
  #desk;
  #input;
  #take;
  #drawer;

  // `take(code, stay)` is called with the chosen code
  constructor(desk, input, take) {
    this.#desk = desk;
    this.#input = input;
    this.#take = take;
    this.#drawer = desk.querySelector("#drawer");
    input.addEventListener("input", () => this.#apply());
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      this.#leave(event.key === "Enter", event.shiftKey);
    });
  }

  get isOpen() {
    return document.activeElement === this.#input;
  }

  open() {
    this.#input.closest(".panel").scrollTop = 0;
    this.#input.focus({ preventScroll: true }); // the utterance stays where it is
  }

  // A key that was held back and is played now
  type(key, shift) {
    if (key === "Enter" || key === "Escape") return this.#leave(key === "Enter", shift);
    if (key.length === 1) this.#input.value += key;
    this.#apply();
  }

  #leave(take, stay) {
    const first = this.#words().length && this.#firstMatch();
    this.#input.value = "";
    this.#apply();
    this.#drawer.textContent = "";
    this.#input.blur();
    if (take && first) this.#take(first.dataset.code, stay);
  }

  #words() {
    return this.#input.value.toLowerCase().split(/\s+/).filter(Boolean);
  }

  #firstMatch() {
    const found = [...this.#desk.querySelectorAll("[data-codes-of]:not([hidden]) [data-code]:not([hidden])")];
    return found.find((one) => one.dataset.code.toLowerCase() === this.#input.value.trim().toLowerCase()) ?? found[0];
  }

  #apply() {
    const words = this.#words();
    for (const one of this.#desk.querySelectorAll("[data-code]")) {
      one.hidden = !words.every((word) => one.dataset.words.includes(word));
      one.classList.remove("first-match");
    }
    const first = this.#firstMatch();
    if (!first) this.#drawer.textContent = "No code of this role matches. Esc shows them all.";
    if (!words.length || !first) return;
    first.classList.add("first-match");
    window.htmx?.trigger(first.querySelector(".define"), "click"); // its definition, in the drawer
  }
}
