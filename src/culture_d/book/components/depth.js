/* Two depths on one page: in « Pour aller plus loin », a button that shows or hides the
   code and the agent's remarks, on every page until the reader changes their mind. */
(function () {
  "use strict";
  const { storage } = window.cultureD;
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
  show(storage.get("code") === "oui");
  button.addEventListener("click", () => {
    const visible = document.body.classList.contains("cd-sans-code");
    show(visible);
    storage.set("code", visible ? "oui" : "non");
  });
  place.after(button);
})();
