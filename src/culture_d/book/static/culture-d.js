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

  /** Put a button under the title that shows or hides every block of code. */
  function addCodeSwitch() {
    const blocks = document.querySelectorAll(".cd-code");
    const place = document.querySelector(".cd-entete");
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

    const today = new Date();
    for (const source of document.querySelectorAll("[data-valable-jusquau]")) {
      const limit = new Date(source.dataset.valableJusquau + "T23:59:59");
      if (today > limit && !source.querySelector(".cd-perime")) {
        const warning = document.createElement("strong");
        warning.className = "cd-perime";
        warning.textContent = " Attention : ces données ont expiré. Cherchez un chiffre plus récent.";
        source.append(warning);
      }
    }
  });
})();
