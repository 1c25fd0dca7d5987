/* On every page: the theme button, the folded contents, the warning under data whose
   date has passed since the site was built. Scripts of components are deferred: the
   page is there when they run. */
(function () {
  "use strict";
  const { storage, themes } = window.cultureD;

  const button = document.querySelector(".cd-theme");
  if (button) {
    const name = button.querySelector(".cd-theme-nom");
    const show = () => (name.textContent = " " + themes[document.body.dataset.theme]);
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      const order = Object.keys(themes);
      const next = order[(order.indexOf(document.body.dataset.theme) + 1) % order.length];
      document.body.dataset.theme = next;
      storage.set("theme", next);
      show();
    });
  }

  // Beside the text the contents stay open; above it, on a small screen, folded.
  const contents = document.querySelector(".cd-sommaire > details");
  if (contents) contents.open = matchMedia("(min-width: 80.01em)").matches;

  // Scripts change the height of what lies above a section that the address names: go there
  // again once all is in place, unless the reader has moved meanwhile.
  let moved = false;
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => { moved = true; }, { once: true, passive: true });
  }
  addEventListener("load", () => {
    const target = !moved && location.hash && document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView({ behavior: "instant" });
  });

  const today = new Date();
  for (const source of document.querySelectorAll("[data-valable-jusquau]")) {
    const limit = new Date(source.dataset.valableJusquau + "T23:59:59");
    if (today > limit && !source.querySelector(".cd-perime")) {
      const warning = document.createElement("strong");
      warning.className = "cd-perime";
      warning.textContent = " Attention\u00a0: ces données ont expiré. Cherchez un chiffre plus récent.";
      source.append(warning);
    }
  }
})();
