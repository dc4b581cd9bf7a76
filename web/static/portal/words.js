// What scripts say, in the language of the page: the layout brings it along.
const words = JSON.parse(document.querySelector("meta[name=words]")?.content ?? "{}");

export function word(name, value = "") {
  return (words[name] ?? name).replace("{}", value);
}
