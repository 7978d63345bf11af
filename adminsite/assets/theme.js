// Before the first paint: the theme and the side bar as this person left them.
(() => {
  const root = document.documentElement;
  const saved = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const theme = saved("theme");
  if (theme) root.dataset.theme = `adminsite-${theme}`;
  if (saved("sidebar") === "folded") root.classList.add("folded");
})();
