/* Under « À retenir », a button that prints that part alone, on the top half of an A4 sheet.
   On a phone, print() returns before the page is printed: the end is an event. */
(function () {
  "use strict";
  const card = document.querySelector(".cd-carte");
  if (!card) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cd-bascule cd-fiche-bouton";
  button.textContent = "Imprimer la fiche";
  button.addEventListener("click", () => {
    document.body.classList.add("cd-fiche");
    addEventListener("afterprint", () => document.body.classList.remove("cd-fiche"), { once: true });
    window.print();
  });
  card.append(button);
})();
