// Builds elements without ever parsing text as markup, and speaks to the control interface.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export async function call(path, options = {}) {
  const response = await fetch(`/control${path}`, options);
  const body = response.status === 204 ? null : await response.json().catch(() => ({ error: response.statusText }));
  if (!response.ok) throw new Error(body?.error ?? `HTTP ${response.status}`);
  return body;
}

export function post(path, body) {
  if (body instanceof FormData) return call(path, { method: "POST", body });
  return call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

let toastTimer;
export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.classList.remove("on"); node.textContent = ""; }, 5000);
}

// Runs at once, then at most once per `wait`: a load test must not drown the page.
export function throttled(action, wait) {
  let timer = null;
  let again = false;
  const run = () => {
    timer = setTimeout(() => { timer = null; if (again) { again = false; run(); } }, wait);
    Promise.resolve(action()).catch((error) => console.warn("refresh failed:", error.message));
  };
  return () => { if (timer) again = true; else run(); };
}

// Answers overtake each other: what was asked for before that which is shown has come too late.
export function inOrder(ask, show) {
  let asked = 0;
  let shown = 0;
  return async () => {
    const mine = ++asked;
    const answer = await ask();
    if (mine < shown) return;
    shown = mine;
    await show(answer);
  };
}

export function initials(name) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, "").split(" ").filter(Boolean);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : (words[0] ?? "?").slice(0, 2)).toUpperCase();
}

export function paintAvatar(node, name) {
  const tone = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 5, 7);
  node.className = `avatar tone-${tone}`;
  node.textContent = name ? initials(name) : "";
}

export function clock(moment) {
  return moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1048576).toFixed(1)} MB`;
}
