// A conversation as a timeline: new messages come in at the bottom, older ones on demand at the top.
import { localTimes } from "./portal.js";
import { word } from "./words.js";

const EVERY = 4000;
const MOST = 1000;
const box = document.getElementById("timeline");
const list = () => box.querySelector(".bubbles");

async function part(url) {
  const answer = await fetch(url, { headers: { "X-Fragment": "1" } });
  if (answer.status === 401) window.location.reload();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const content = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  localTimes(content);
  return content;
}

function atTheEnd() {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}

function merge(content) {
  const own = list();
  const came = [...content.querySelectorAll(".bubble")];
  if (!own || !came.some((one) => own.querySelector(`[data-id="${one.dataset.id}"]`))) {
    // Away for so long that there is a gap, or nothing here yet.
    if (came.length) box.replaceChildren(...content.childNodes);
    return;
  }
  for (const one of came) {
    const known = own.querySelector(`[data-id="${one.dataset.id}"]`);
    if (!known) own.append(one);
    else if (known.innerHTML !== one.innerHTML && !known.contains(document.activeElement) && !playing(known)) known.replaceWith(one);
  }
  while (own.children.length > MOST) own.firstElementChild.remove();
}

function playing(bubble) {
  const player = bubble.querySelector("audio, video");
  return player !== null && !player.paused || bubble.querySelector("details[open]") !== null;
}

async function refresh() {
  try {
    if (document.hidden) return;
    const stay = atTheEnd();
    merge(await part(box.dataset.newest));
    box.removeAttribute("data-stale");
    if (stay) box.scrollTop = box.scrollHeight;
  } catch (error) {
    box.setAttribute("data-stale", error.message);
  } finally {
    setTimeout(refresh, EVERY);
  }
}

box.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-older]");
  if (!button) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const place = button.closest(".older");
  try {
    further(place, await part(button.dataset.older));
  } catch (error) {
    complain(place, word("older", error.message));
  } finally {
    button.removeAttribute("aria-disabled");
  }
});

function further(place, content) {
  const below = box.scrollHeight - box.scrollTop;
  const next = content.querySelector(".older");
  list().prepend(...content.querySelectorAll(".bubble"));
  if (next) place.replaceWith(next);
  else place.remove();
  box.scrollTop = box.scrollHeight - below;
  (next?.querySelector("a") ?? box).focus({ preventScroll: true });
}

function complain(place, text) {
  const told = place.querySelector("[role=alert]") ?? place.appendChild(document.createElement("span"));
  told.setAttribute("role", "alert");
  told.className = "d-block small text-danger-emphasis";
  told.textContent = text;
}

if (!("past" in box.dataset)) {
  box.scrollTop = box.scrollHeight;
  setTimeout(refresh, EVERY);
}
