// Files inside a bubble: pictures inline, players for sound and film, everything else as a document to open.
import { bytes, el, icon } from "./dom.js";

export function fileNode({ mime, url, name, size, sticker }) {
  const kind = mime.split("/")[0];
  if (kind === "image" && /jpe?g|png|webp|gif/.test(mime)) return pictureNode(url, name, sticker);
  if (kind === "video") return el("video", { src: url, controls: true, preload: "metadata", "aria-label": name ?? "Video" });
  if (kind === "audio") return el("audio", { src: url, controls: true, preload: "metadata", "aria-label": name ?? "Voice message" });
  return documentNode(url, name, mime, size);
}

function pictureNode(url, name, sticker) {
  const image = el("img", { src: url, alt: (sticker ? "Sticker" : name) ?? "Picture", class: sticker ? "" : "picture" });
  return el("a", { href: url, target: "_blank", rel: "noopener", class: "picture-link" }, image);
}

function documentNode(url, name, mime, size) {
  const label = name ?? "Document";
  const ending = label.includes(".") ? label.split(".").pop().toUpperCase().slice(0, 5) : mime.split("/").pop().slice(0, 12);
  return el("a", { class: "document", href: url, target: "_blank", rel: "noopener" }, icon("file"),
    el("span", {}, el("b", {}, label), el("small", {}, `${ending}, ${bytes(size ?? 0)}`)));
}

export function brokenNode(text, detail) {
  return el("span", { class: "document broken" }, icon("file"), el("span", {}, el("b", {}, text), el("small", {}, detail ?? "")));
}
