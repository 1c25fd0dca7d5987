/* Two depths on one page. In « Pour aller plus loin » and in the menu, a button shows or
   hides the code and the agent's remarks, on every page until the reader changes their mind. */
(function () {
  "use strict";
  const { storage } = window.cultureD;
  const code = document.querySelectorAll(".cd-code");
  const remarks = document.querySelectorAll(".cd-agent");
  if (!code.length && !remarks.length) return;
  const buttons = [];

  /** @param {boolean} visible */
  function show(visible) {
    document.body.classList.toggle("cd-sans-code", !visible);
    for (const block of [...code, ...remarks]) block.open = visible;
    for (const button of buttons) {
      button.textContent = visible ? "Masquer le code et les remarques" : "Montrer le code et les remarques";
    }
  }

  for (const place of document.querySelectorAll("#pour-aller-plus-loin > h2, .cd-parties")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-bascule";
    button.addEventListener("click", () => {
      const visible = document.body.classList.contains("cd-sans-code");
      show(visible);
      storage.set("code", visible ? "oui" : "non");
    });
    buttons.push(button);
    place.after(button);
  }
  show(storage.get("code") === "oui");
})();
