/* « Attestation »: fills the sheet from what this browser keeps, and prints it.

   The name stays in the page: it is neither kept nor sent. */
addEventListener("DOMContentLoaded", function () {
  "use strict";
  const { progress } = window.cultureD;
  const sheet = document.querySelector(".cd-remplie");
  const rows = [...sheet.querySelectorAll("tbody tr")];
  const body = sheet.querySelector("tbody");
  const name = document.getElementById("cd-nom");

  function showName() {
    sheet.querySelector(".cd-nom").textContent = name.value.trim();
  }

  function show() {
    const done = progress.get();
    const mine = rows.filter((row) => done[row.dataset.module]);
    for (const row of mine) row.querySelector(".cd-jour").textContent = progress.inWords(done[row.dataset.module]);
    body.replaceChildren(...mine);
    const minutes = mine.reduce((sum, row) => sum + Number(row.dataset.minutes), 0);
    sheet.querySelector(".cd-total").textContent = `${progress.counted(mine.length, "module")}, ${progress.counted(minutes, "minute")} en tout.`;
    sheet.querySelector(".cd-date").textContent = progress.inWords(progress.day());
    sheet.hidden = !mine.length;
    document.querySelector(".cd-si-termine").hidden = !mine.length;
    const nothing = document.querySelector(".cd-si-rien");
    nothing.hidden = mine.length > 0;
    nothing.classList.remove("cd-reserve");
    document.body.classList.toggle("cd-atteste", mine.length > 0);
    showName();
  }

  name.addEventListener("input", showName);
  document.getElementById("cd-imprimer").addEventListener("click", () => print());
  document.getElementById("cd-vierge").addEventListener("click", () => {
    document.body.classList.add("cd-a-la-main");
    print();
    document.body.classList.remove("cd-a-la-main");
  });
  document.addEventListener(progress.EVENT, show);
  show();
});
