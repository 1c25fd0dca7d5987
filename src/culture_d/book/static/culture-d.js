/* On every page: the reader's choices (light or dark, code shown or not), and the
   warning under data whose date has passed since the site was built. */
"use strict";

(function () {
  const NAMES = { auto: "automatique", light: "clair", dark: "sombre" };

  /**
   * @param {string} key what was chosen
   * @param {string} otherwise when nothing can be read
   * @returns {string} the reader's choice
   */
  function choice(key, otherwise) {
    try {
      return localStorage.getItem("culture-d-" + key) || otherwise;
    } catch {
      return otherwise;
    }
  }

  /**
   * @param {string} key what is chosen
   * @param {string} value the choice
   */
  function keep(key, value) {
    try {
      localStorage.setItem("culture-d-" + key, value);
    } catch {
      /* Private browsing: the choice lasts as long as the page. */
    }
  }

  /** Under « À retenir », a button that prints that part alone, on half a page. */
  function addCardButton() {
    const card = document.getElementById("a-retenir");
    if (!card) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-bascule cd-fiche-bouton";
    button.textContent = "Imprimer la fiche";
    button.addEventListener("click", function () {
      document.body.classList.add("cd-fiche");
      window.print();
      document.body.classList.remove("cd-fiche");
    });
    card.append(button);
  }

  /** In « Pour aller plus loin », a button that shows or hides every block of code. */
  function addCodeSwitch() {
    const blocks = document.querySelectorAll(".cd-code");
    const place = document.querySelector("#pour-aller-plus-loin > h2");
    if (!blocks.length || !place) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-bascule";
    const show = (visible) => {
      document.body.classList.toggle("cd-sans-code", !visible);
      for (const block of blocks) block.open = visible;
      button.textContent = visible ? "Masquer le code" : "Montrer le code";
    };
    show(choice("code", "non") === "oui");
    button.addEventListener("click", function () {
      const visible = document.body.classList.contains("cd-sans-code");
      show(visible);
      keep("code", visible ? "oui" : "non");
    });
    place.after(button);
  }

  const theme = choice("theme", "auto");
  document.body.dataset.theme = theme in NAMES ? theme : "auto";
  document.documentElement.classList.remove("no-js");

  document.addEventListener("DOMContentLoaded", function () {
    const button = document.querySelector(".cd-theme");
    const name = button.querySelector(".cd-theme-nom");
    button.hidden = false;
    const show = () => (name.textContent = " " + NAMES[document.body.dataset.theme]);
    show();
    button.addEventListener("click", function () {
      const order = Object.keys(NAMES);
      const next = order[(order.indexOf(document.body.dataset.theme) + 1) % order.length];
      document.body.dataset.theme = next;
      keep("theme", next);
      show();
    });

    addCodeSwitch();
    addCardButton();

    // Beside the text the contents stay open; above it, on a small screen, folded.
    const contents = document.querySelector(".cd-sommaire > details");
    if (contents) contents.open = matchMedia("(min-width: 80.01em)").matches;

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
  });
})();
