// Marks in a list: all of a page at once, how many there are, a range with Shift.
import { word } from "./words.js";

const form = document.getElementById("dead-letters");

if (form) {
  const all = document.getElementById("all-of-page");
  const told = document.getElementById("selected");
  const button = form.querySelector("#selection button");
  const marks = () => [...form.querySelectorAll("input[name=id]")];
  let last = null;

  const tell = () => {
    const count = marks().filter((one) => one.checked).length;
    if (!all) return;
    all.checked = count > 0 && count === marks().length;
    all.indeterminate = count > 0 && !all.checked;
    told.textContent = count ? word("marked", count) : "";
    button.disabled = count === 0;
  };
  all?.addEventListener("change", () => {
    for (const one of marks()) one.checked = all.checked;
    tell();
  });
  form.addEventListener("click", (event) => {
    if (event.target.name !== "id") return;
    const own = marks();
    if (event.shiftKey && last) {
      const [from, to] = [own.indexOf(last), own.indexOf(event.target)].sort((a, b) => a - b);
      for (const one of own.slice(from, to + 1)) one.checked = event.target.checked;
    }
    last = event.target;
    tell();
  });
  form.addEventListener("change", tell);
  document.querySelector(".needs-script")?.classList.remove("needs-script");
  window.addEventListener("pageshow", tell);
  tell();
}
