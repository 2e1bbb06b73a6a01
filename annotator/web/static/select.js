// Selects a field that is there to be copied, so that Ctrl+C is enough. Without script the field is selected by hand.
"use strict";
for (const field of document.querySelectorAll("[data-select]")) {
  field.addEventListener("focus", () => field.select());
  field.focus();
}
