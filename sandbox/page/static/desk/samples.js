// Everything that a bot or an agent can send beside text and files of one's own.
const MEDIA = ["image", "video", "audio", "document", "vcf"];
const ASKS = ["quick_replies", "quick_replies_list", "quick_replies_many", "card", "carousel", "date_picker", "list_picker"];
const OTHERS = ["notification", "location", "link"];
// The first line names template and language, each further line is a parameter of its body.
const TEMPLATE = "/template follow_up en\nAda";
const LABELS = { image: "Picture", video: "Video", audio: "Audio", document: "Document", vcf: "Contact (.vcf)", quick_replies: "Quick replies", quick_replies_list: "Seven quick replies",
  quick_replies_many: "Twelve quick replies", card: "Card", carousel: "Carousel", date_picker: "Date picker", list_picker: "List picker", notification: "Notification", location: "Location", link: "Link" };

export function groups({ deliver, prefill }) {
  const sent = (names) => names.map((name) => [LABELS[name], () => deliver({ sample: name })]);
  return [["Files", sent(MEDIA)], ["Questions", sent(ASKS)], ["Other", [...sent(OTHERS), ["Template…", () => prefill(TEMPLATE)]]],
    ["Signals", [["Typing", () => deliver({ typing: true })]]]];
}
