// Says beside a comment that was not saved why it was not; the text stays in its field.
function say(event, sentence) {
  const place = event.target.closest?.(".thread")?.querySelector("[data-refused]");
  if (place) place.textContent = sentence;
}

document.addEventListener("htmx:responseError", (event) => say(event, event.detail.xhr.responseText));
document.addEventListener("htmx:sendError", (event) => say(event, "Not saved: the server does not answer. Try again when it does."));

// Ctrl+Enter or Cmd+Enter sends what is being written
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey) || !event.target.matches?.(".thread textarea")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
