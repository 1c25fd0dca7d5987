/* The words of the page: a mark opens its definition beside it, instead of leading to the
   list at the end. One popover for the page; Escape or a click elsewhere closes it. */
(function () {
  "use strict";
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const marks = document.querySelectorAll("a.cd-mot");
  if (!marks.length || !("popover" in HTMLElement.prototype)) return;

  const MARGIN = 8;
  const box = document.createElement("div");
  box.className = "cd-definition";
  box.popover = "auto";
  box.tabIndex = -1;
  box.setAttribute("role", "dialog");
  const name = document.createElement("strong");
  const text = document.createElement("p");
  const more = document.createElement("a");
  more.textContent = "Voir le glossaire";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "cd-bascule";
  close.textContent = "Fermer";
  close.addEventListener("click", () => box.hidePopover());
  box.append(name, text, more, close);

  /** @type {HTMLAnchorElement | null} */
  let opened = null;

  /** Under the word, or above it where there is no room; never beyond the edges. */
  function place(mark) {
    const lines = mark.getClientRects();
    const at = lines[0];
    const width = document.documentElement.clientWidth;
    const left = Math.max(MARGIN, Math.min(at.left, width - box.offsetWidth - MARGIN));
    const below = lines[lines.length - 1].bottom + MARGIN;
    const fits = below + box.offsetHeight <= innerHeight - MARGIN;
    const top = fits ? below : Math.max(MARGIN, at.top - box.offsetHeight - MARGIN);
    box.style.left = left + scrollX + "px";
    box.style.top = top + scrollY + "px";
  }

  function show(mark) {
    const term = document.getElementById(decodeURIComponent(mark.hash.slice(1)));
    const definition = term && term.nextElementSibling;
    if (!definition) return;
    if (box.matches(":popover-open")) box.hidePopover();
    name.textContent = term.textContent;
    text.textContent = definition.textContent;
    more.href = definition.dataset.glossaire;
    box.setAttribute("aria-label", "Définition\u00a0: " + term.textContent);
    // Beside the word, the keyboard goes on from it to the definition and back.
    mark.after(box);
    opened = mark;
    box.showPopover();
    place(mark);
    mark.setAttribute("aria-expanded", "true");
    box.focus({ preventScroll: true });
  }

  box.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "closed" || !opened) return;
    const inside = box.contains(document.activeElement);
    opened.setAttribute("aria-expanded", "false");
    if (inside) opened.focus({ preventScroll: true });
    opened = null;
  });

  for (const mark of marks) {
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-haspopup", "dialog");
    mark.setAttribute("aria-expanded", "false");
    mark.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(mark);
    });
    // What is called a button answers to the space bar too.
    mark.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      show(mark);
    });
  }
})();
