// Everything that a customer can send beside text and files of one's own.
const POLL_NOTE = "Poll (not supported)";

// Each one is [label, fields of POST /control/phone/messages].
const MEDIA = [["Photo", { type: "image", sample: true, text: "The view from the hut" }], ["Video", { type: "video", sample: true }], ["Voice note", { type: "voice", sample: true }],
  ["Document", { type: "document", sample: true }], ["Sticker", { type: "sticker", sample: true }], ["Animated sticker", { type: "sticker", sample: true, animated: true }]];
const CARDS = [["Location", { type: "location", sample: true }], ["Contact", { type: "contacts", sample: true }], ["Order", { type: "order", sample: true }], ["Form answer", { type: "flow", sample: true }]];
const ODD = [["Forwarded text", { text: "Have you seen this?", forwarded: true }], ["Click on an ad", { text: "Is this still available?", referral: true }], [POLL_NOTE, { type: "poll", sample: true }]];

export function groups({ deliver, echo, call, changeNumber, hideNumber, hidden }) {
  const sent = (samples) => samples.map(([label, fields]) => [label, () => deliver(fields)]);
  return [["Media", sent(MEDIA)], ["Cards", sent(CARDS)],
    ["Special", [...sent(ODD), ["Voice call", call], ["Reply from the business app", echo]]],
    ["Customer", [["Change the number…", changeNumber], [hidden ? "Show the number" : "Hide the number", hideNumber]]]];
}

const LABELS = { image: "Photo", video: "Video", audio: "Voice message", document: "Document", sticker: "Sticker", location: "Location", contacts: "Contact", order: "Order",
  interactive: "Message", template: "Message", button: "Answer", reaction: "Reaction", system: "News", unsupported: "Unsupported message" };

// One line for a quote: the text, or else what kind of thing it is.
export function oneLine({ type, text }) {
  return text || LABELS[type] || type;
}
