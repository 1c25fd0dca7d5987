/* Before anything is drawn: the reader's theme and depth, and the one way to the browser's storage. */
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
    /** @param {string} key @param {string} value @returns {boolean} whether it is kept, read again */
    set(key, value) {
      try {
        localStorage.setItem(PREFIX + key, value);
      } catch {
        return false;
      }
      return this.get(key) === value;
    },
    /** @param {string} key @returns {boolean} whether nothing is left of it */
    remove(key) {
      try {
        localStorage.removeItem(PREFIX + key);
      } catch {
        /* Said below, if something stays. */
      }
      return this.get(key) === null;
    },
    /** Be told of a key that another tab changed, or when « Précédent » brings the page back.
     * Of that key only: what one tab writes in answer must not wake the others without end.
     * @param {string} key @param {() => void} changed */
    watch(key, changed) {
      addEventListener("storage", (event) => {
        if (event.key === null || event.key === PREFIX + key) changed();
      });
      addEventListener("pageshow", (event) => event.persisted && changed());
    },
  };

  cultureD.themes = { auto: "automatique", light: "clair", dark: "sombre" };
  const theme = cultureD.storage.get("theme");
  document.body.dataset.theme = Object.hasOwn(cultureD.themes, theme ?? "") ? theme : "auto";
  // The code is out of sight before the page is drawn, or the text would jump up; see depth.js.
  document.body.classList.toggle("cd-sans-code", cultureD.storage.get("code") !== "oui");
  document.documentElement.classList.remove("no-js");
})();
