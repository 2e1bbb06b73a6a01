// Says when the live part of a page cannot reach the server; it asks again by itself.
const lost = document.getElementById("lost");
document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
document.addEventListener("htmx:afterOnLoad", () => { lost.hidden = true; });
