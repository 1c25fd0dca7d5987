/* Under « À retenir », a button that prints that part alone, on half a page. */
(function () {
  "use strict";
  const card = document.getElementById("a-retenir");
  if (!card) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cd-bascule cd-fiche-bouton";
  button.textContent = "Imprimer la fiche";
  button.addEventListener("click", () => {
    document.body.classList.add("cd-fiche");
    window.print();
    document.body.classList.remove("cd-fiche");
  });
  card.append(button);
})();
