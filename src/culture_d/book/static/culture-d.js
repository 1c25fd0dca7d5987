/* Before anything is drawn: the reader's theme, and the one way to the browser's storage. */
"use strict";

(function () {
  const PREFIX = "culture-d-";
  const cultureD = (window.cultureD ||= {});

  /** What the reader chose, kept in this browser only. Private browsing: nothing is kept. */
  cultureD.storage = {
    /** @param {string} key @returns {string | null} */
    get(key) {
      try {
        return localStorage.getItem(PREFIX + key);
      } catch {
        return null;
      }
    },
    /** @param {string} key @param {string} value @returns {boolean} whether it is kept */
    set(key, value) {
      try {
        localStorage.setItem(PREFIX + key, value);
        return true;
      } catch {
        return false;
      }
    },
    /** @param {string} key */
    remove(key) {
      try {
        localStorage.removeItem(PREFIX + key);
      } catch {
        /* Nothing was kept. */
      }
    },
  };

  cultureD.themes = { auto: "automatique", light: "clair", dark: "sombre" };
  const theme = cultureD.storage.get("theme");
  document.body.dataset.theme = Object.hasOwn(cultureD.themes, theme ?? "") ? theme : "auto";
  document.documentElement.classList.remove("no-js");
})();
