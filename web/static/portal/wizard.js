// Tests whose findings arrive in place, buttons that say that they work, secrets made in the browser.
import { word } from "./words.js";

function say(target, text) {
  const line = document.createElement("span");
  line.className = "busy";
  const spinner = document.createElement("span");
  spinner.className = "spinner-border spinner-border-sm";
  spinner.setAttribute("aria-hidden", "true");
  line.append(spinner, `${text} …`);
  target.replaceChildren(line);
}

function tell(target, text) {
  const line = document.createElement("div");
  line.className = "alert alert-warning mb-0";
  line.textContent = text;
  target.replaceChildren(line);
}

// A button with data-fragment="id": its form is sent by script, and what comes back is put there.
async function ask(form, button) {
  const target = document.getElementById(button.dataset.fragment);
  const body = new FormData(form, button.name ? button : null);
  say(target, button.dataset.busy);
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "1" } });
    if (answer.status === 401) return window.location.reload();
    if (answer.headers.get("X-Proof")) return sendWhole(form, button);
    if (!answer.ok) return tell(target, word("failed"));
    const text = await answer.text();
    target.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  } catch {
    tell(target, word("silent"));
  } finally {
    button.disabled = false;
  }
}

// The relay wants to know first who asks: then the form goes the way of all forms, and the page asks.
function sendWhole(form, button) {
  delete button.dataset.fragment;
  button.disabled = false;
  form.requestSubmit(button);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!button || event.defaultPrevented) return;
  if (button.dataset.fragment) {
    event.preventDefault();
    ask(form, button);
  } else if (form.matches("[data-busy-form]") && button.dataset.busy) {
    if (form.getAttribute("aria-busy")) return event.preventDefault();
    form.setAttribute("aria-busy", "true");
    // Only after the browser has taken the button's own value along.
    setTimeout(() => say(button, button.dataset.busy));
  }
});

// A page that comes back from the browser's memory is not busy any more.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-make]");
  if (!link) return;
  event.preventDefault();
  const field = document.getElementById(link.dataset.make);
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  field.type = "text";
  field.classList.add("font-monospace");
  field.value = `relay-${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")}`;
  field.select();
  link.textContent = word("made");
});

for (const form of document.querySelectorAll("form[data-autorun]")) {
  ask(form, form.querySelector("[data-fragment]"));
}

// "Run all checks": every line by itself, two at a time, each shown as soon as it is there.
document.querySelector("form[data-all]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const left = [...document.querySelectorAll("form[data-one]")];
  const next = async () => {
    for (let form = left.shift(); form; form = left.shift()) await ask(form, form.querySelector("[data-fragment]"));
  };
  next();
  next();
});
