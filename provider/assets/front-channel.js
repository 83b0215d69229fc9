// Moves on when every frame is loaded, or after three seconds. Whoever runs no scripts takes the link.
(() => {
  "use strict";
  const link = document.querySelector("a#continue");
  if (!link) return;
  const go = () => location.replace(link.href);
  const timer = setTimeout(go, 3000);
  // The page's own load event waits for those of its frames.
  addEventListener("load", () => { clearTimeout(timer); go(); }, { once: true });
})();
