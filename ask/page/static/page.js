// Keys, the copy button, and the state of a form while its answer is awaited. The page works without it.
"use strict";

const question = document.getElementById("question");

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && question && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    question.focus();
    question.select();
  } else if (event.key === "Escape" && event.target === question) {
    question.blur();
  }
});

function copied(button, text) {
  const label = button.textContent;
  button.textContent = text;
  window.setTimeout(() => { button.textContent = label; }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", () => {
    if (navigator.clipboard) {
      navigator.clipboard.writeText(source.textContent).then(() => copied(button, "Copied"), () => select(button, source));
    } else {
      select(button, source);
    }
  });
}

// Without access to the clipboard, the text is selected and the user copies it.
function select(button, source) {
  window.getSelection().selectAllChildren(source);
  copied(button, "Selected");
}

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    document.body.setAttribute("aria-busy", "true");
  });
}

window.addEventListener("pageshow", () => {
  document.body.removeAttribute("aria-busy");
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});
