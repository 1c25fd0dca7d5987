/* On a phone the menu lies under the text, where « Menu » leads without script. With one it
   opens in place, above the page: the reader keeps their line. The browser's own popover
   closes it by Escape or a tap outside, and gives the focus back. */
(function () {
  "use strict";
  const menu = document.getElementById("menu");
  const link = document.querySelector(".cd-vers-menu");
  if (!menu || !link || !("popover" in HTMLElement.prototype)) return;

  const open = document.createElement("button");
  open.type = "button";
  open.className = link.className;
  open.textContent = link.textContent;
  open.popoverTargetElement = menu;
  link.replaceWith(open);

  const close = document.createElement("button");
  close.type = "button";
  close.className = "cd-bascule cd-fermer-menu";
  close.textContent = "Fermer le menu";
  close.popoverTargetElement = menu;
  close.popoverTargetAction = "hide";
  menu.append(close);
  menu.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("a") && menu.matches(":popover-open")) menu.hidePopover();
  });

  // Beside the text on a wide screen, the menu is no popover.
  const narrow = matchMedia("(max-width: 64em)");
  const follow = () => (narrow.matches ? menu.setAttribute("popover", "auto") : menu.removeAttribute("popover"));
  follow();
  narrow.addEventListener("change", follow);
})();
