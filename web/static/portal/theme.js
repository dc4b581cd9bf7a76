// Runs before the page is drawn, so that a dark page never flashes white.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const wanted = () => localStorage.getItem("theme") ?? "auto";
  const paint = () => {
    const theme = wanted() === "auto" ? (dark.matches ? "dark" : "light") : wanted();
    document.documentElement.dataset.bsTheme = theme;
    for (const button of document.querySelectorAll("[data-theme]")) {
      const chosen = button.dataset.theme === wanted();
      button.classList.toggle("active", chosen);
      button.setAttribute("aria-pressed", String(chosen));
    }
  };
  paint();
  dark.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    document.getElementById("themes")?.addEventListener("click", (event) => {
      const button = event.target.closest("[data-theme]");
      if (!button) return;
      localStorage.setItem("theme", button.dataset.theme);
      paint();
    });
  });
})();
