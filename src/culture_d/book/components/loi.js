/* Law cards whose day of checking has passed since the site was built. */
(function () {
  "use strict";
  for (const card of document.querySelectorAll("[data-a-reverifier]")) {
    const limit = new Date(card.dataset.aReverifier + "T00:00:00");
    if (new Date() < limit || card.querySelector(".cd-perime")) continue;
    const warning = document.createElement("strong");
    warning.className = "cd-perime";
    warning.textContent = "Attention\u00a0: ce repère devait être revérifié. Cherchez le texte en vigueur.";
    card.append(warning);
  }
})();
