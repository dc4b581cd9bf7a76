// Tells the server the reader's time zone, so that "today" is theirs.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const told = document.cookie.split("; ").some((one) => one === `zone=${zone}`);

if (!told && zone) {
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `zone=${zone}; Path=/portal; SameSite=Lax; Max-Age=31536000${secure}`;
  // Only a zone of another midnight changes the figures; and only where the cookie was kept.
  if (new Date().getTimezoneOffset() !== 0 && document.cookie.includes(`zone=${zone}`)) window.location.reload();
}
