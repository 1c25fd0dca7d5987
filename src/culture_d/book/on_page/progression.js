/* « Ma progression »: tick, save in a file, load again, erase. Nothing leaves the browser.

   What is loaded is a stranger's text: read as data, shown by textContent only, refused or
   sorted line by line, and added to what is there. */
addEventListener("DOMContentLoaded", function () {
  "use strict";
  const { progress, storage } = window.cultureD;
  const MOST_BYTES = 100_000;
  const MOST_SHOWN = 8;
  const KIND = "un fichier enregistré depuis cette page, nommé «\u00a0culture-d-progression\u00a0», suivi d’une date";
  const at = (id) => document.getElementById(id);
  const boxes = [...document.querySelectorAll(".cd-cases input[data-module]")];
  const known = new Map(boxes.map((box) => [box.dataset.module, box]));
  const { counted } = progress;

  /** @param {string} tag @param {string} text */
  function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  /** A stranger's value, short and on one line. @param {unknown} value */
  function quoted(value) {
    const text = typeof value === "string" ? value : JSON.stringify(value) ?? "rien";
    const plain = [...text.slice(0, 200).replace(/[\p{C}\s]+/gu, " ").trim()];
    return plain.length ? `«\u00a0${plain.slice(0, 40).join("")}${plain.length > 40 ? "…" : ""}\u00a0»` : "un texte vide";
  }

  class Refusal extends Error {}

  /** Sort a text into days by module and lines left out. @param {string} text @throws {Refusal} */
  function parse(text) {
    const plain = text.replace(/^\uFEFF/, "").trim();
    if (!plain) throw new Refusal("Il est vide.");
    let content;
    try {
      content = JSON.parse(plain);
    } catch {
      throw new Refusal(`Ce n’est pas une progression. Son texte commence par ${quoted(plain.slice(0, 30))}.`);
    }
    if (typeof content !== "object" || content === null || !Object.hasOwn(content, "cours")) {
      throw new Refusal("Il ne dit pas de quel cours il vient.");
    }
    if (content.cours !== progress.COURSE) throw new Refusal(`Il vient d’un autre cours\u00a0: ${quoted(content.cours)}.`);
    if (progress.isLater(content)) {
      throw new Refusal(`Il vient d’une version plus récente du cours (format ${content.version}\u00a0; celui-ci\u00a0: ${progress.VERSION}). Reprenez-le sur le site où vous l’avez enregistré.`);
    }
    if (content.version !== progress.VERSION) throw new Refusal(`Sa version n’est pas reconnue\u00a0: ${quoted(content.version)}.`);
    if (!Array.isArray(content.modules)) throw new Refusal("Il n’a pas de liste de modules.");
    return sort(content.modules);
  }

  /** @param {unknown[]} entries */
  function sort(entries) {
    const done = Object.create(null);
    const left = [];
    let repeated = 0;
    for (const entry of entries) {
      const why = reason(entry);
      if (why) {
        left.push(why);
        continue;
      }
      if (entry.slug in done) repeated += 1;
      if (!(entry.slug in done) || entry.date < done[entry.slug]) done[entry.slug] = entry.date;
    }
    return { done, left, repeated };
  }

  /** Why a line is left out, or "". */
  function reason(entry) {
    const name = quoted(entry?.slug ?? entry);
    const fault = progress.fault(entry);
    if (fault === "module") return `${name}\u00a0: ce n’est pas un nom de module.`;
    if (!known.has(entry.slug)) return `${name}\u00a0: ce module n’est pas dans cette version du cours.`;
    if (fault === "date") return `${name}\u00a0: date illisible, ${quoted(entry.date)}. Il faut «\u00a0AAAA-MM-JJ\u00a0».`;
    if (fault === "past") return `${name}\u00a0: la date est d’avant le cours, ${quoted(entry.date)}.`;
    return fault ? `${name}\u00a0: la date est dans le futur, ${quoted(entry.date)}.` : "";
  }

  /** Add a text to the progress, and say what became of it. @param {string} text */
  function load(text) {
    const { done, left, repeated } = parse(text);
    const mine = progress.get();
    const fresh = Object.keys(done).filter((slug) => !mine[slug]);
    const earlier = Object.keys(done).filter((slug) => mine[slug] && done[slug] < mine[slug]);
    for (const slug of [...fresh, ...earlier]) mine[slug] = done[slug];
    if ((fresh.length || earlier.length) && !progress.keep(mine)) {
      throw new Refusal(progress.locked() || "Il est bon, mais ce navigateur ne peut rien garder.");
    }
    const said = [];
    if (fresh.length) said.push(`${counted(fresh.length, "module")} repris.`);
    if (earlier.length) said.push(`${counted(earlier.length, "date")} plus ${earlier.length < 2 ? "ancienne gardée" : "anciennes gardées"}.`);
    if (!said.length) said.push(left.length ? "Rien n’a été repris." : "Rien de nouveau\u00a0: tout était déjà noté ici.");
    if (repeated) said.push(`${counted(repeated, "ligne")} en double\u00a0: la date la plus ancienne compte.`);
    show([element("p", said.join(" ")), ...leftOut(left)]);
  }

  /** @param {string[]} left */
  function leftOut(left) {
    if (!left.length) return [];
    const box = document.createElement("div");
    box.className = "cd-laisses";
    const list = document.createElement("ul");
    list.append(...left.slice(0, MOST_SHOWN).map((why) => element("li", why)));
    if (left.length > MOST_SHOWN) list.append(element("li", `Et ${counted(left.length - MOST_SHOWN, "autre")}.`));
    box.append(element("p", `${counted(left.length, "ligne")} ${left.length < 2 ? "laissée" : "laissées"} de côté\u00a0:`), list);
    return [box];
  }

  /** What was said before no longer holds. « Rien à emporter » does: see `showAll`. */
  function quiet() {
    for (const id of ["cd-note-etat", "cd-export-etat", "cd-import-etat", "cd-efface-etat"]) {
      if (!at(id).textContent.startsWith("Rien à emporter")) at(id).textContent = "";
    }
  }

  const show = (nodes) => at("cd-import-etat").replaceChildren(...nodes);

  /** Say what was expected, what was found, what to do. @param {string} what @param {string} found */
  function refuse(what, found) {
    const box = document.createElement("div");
    box.className = "cd-import-echec";
    box.append(element("p", `${what} n’a pas été repris. ${found}`), element("p", `Il faut ${KIND}, ou le texte copié depuis cette page. Votre progression n’a pas changé.`));
    show([box]);
  }

  /** @param {string} what @param {() => Promise<string>} get @param {number} size */
  async function attempt(what, get, size) {
    quiet();
    try {
      if (size > MOST_BYTES) throw new Refusal(`Il est trop gros\u00a0: ${weight(size)}, alors qu’une progression pèse moins de 100\u00a0ko.`);
      load(await get());
    } catch (error) {
      refuse(what, error instanceof Refusal ? error.message : "Ce navigateur n’a pas pu le lire.");
    }
  }

  const weight = (size) => size < 1e6 ? `${Math.ceil(size / 1000)}\u00a0ko` : `${Math.round(size / 1e6)}\u00a0Mo`;

  function showAll() {
    const done = progress.get();
    for (const box of boxes) box.checked = box.dataset.module in done;
    const finished = Object.keys(done).length;
    at("cd-texte").value = progress.text(done);
    at("cd-exporter").disabled = at("cd-copier").disabled = !finished;
    at("cd-effacer").disabled = !finished && !progress.unreadable() && !progress.locked();
    if (!finished) at("cd-export-etat").textContent = "Rien à emporter pour l’instant\u00a0: aucun module n’est noté comme terminé.";
    else if (at("cd-export-etat").textContent.startsWith("Rien")) at("cd-export-etat").textContent = "";
    notices();
  }

  // Once: each try is an event for the other tabs.
  const keeps = storage.set("essai", "essai");
  storage.remove("essai");

  function notices() {
    const said = [];
    if (!keeps) {
      said.push("Ce navigateur ne peut rien garder. C’est peut-être un réglage de votre mairie. Essayez un autre navigateur, ou demandez d’autoriser ce site à garder des données.");
    } else if (location.protocol === "file:") {
      said.push("Le cours est ouvert depuis un fichier. Certains navigateurs ne partagent alors rien d’une page à l’autre. Cochez vos modules ici, et enregistrez le fichier.");
    }
    if (progress.unreadable()) {
      said.push("Une partie de ce que ce navigateur gardait est illisible, et ne compte pas. Reprenez un fichier enregistré, ou cochez à nouveau vos modules. «\u00a0Tout effacer\u00a0» fait disparaître ce message.");
    }
    if (progress.locked()) {
      said.push(`${progress.locked()} Retrouvez-la sur le site où vous l’avez notée. «\u00a0Tout effacer\u00a0» la fait disparaître.`);
    }
    const place = document.querySelector(".cd-avis");
    if (place.textContent !== said.join("")) place.replaceChildren(...said.map((text) => element("p", text)));
  }

  for (const box of boxes) {
    box.disabled = false;
    box.addEventListener("change", () => {
      quiet();
      const kept = progress.set(box.dataset.module, box.checked);
      at("cd-note-etat").textContent = kept ? "" : progress.locked() || "Ce navigateur ne peut rien garder\u00a0: la case ne reste pas cochée.";
      if (!kept) showAll();
    });
  }

  at("cd-exporter").addEventListener("click", () => {
    quiet();
    const name = `culture-d-progression-${progress.day()}.json`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([progress.text(progress.get())], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    at("cd-export-etat").textContent = `Le fichier «\u00a0${name}\u00a0» est dans vos téléchargements. S’il n’y est pas, copiez le texte ci-dessous.`;
  });

  at("cd-copier").addEventListener("click", async () => {
    quiet();
    let copied = true;
    at("cd-texte").select();
    try {
      await navigator.clipboard.writeText(at("cd-texte").value);
    } catch {
      copied = false;
    } // Not offered to a page opened from a file, or refused.
    at("cd-export-etat").textContent = copied ? "Le texte est copié." : "La copie est bloquée. Le texte est sélectionné\u00a0: copiez-le avec Ctrl\u00a0+\u00a0C.";
  });

  at("cd-fichier").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await attempt("Ce fichier", () => file.text(), file.size);
    event.target.value = "";
  });

  at("cd-reprendre").addEventListener("click", () => {
    const text = at("cd-colle").value;
    attempt("Ce texte", async () => text, text.length);
  });

  function ask(open) {
    at("cd-confirmation").hidden = !open;
    at("cd-effacer").hidden = open;
  }
  at("cd-effacer").addEventListener("click", () => {
    const finished = Object.keys(progress.get()).length;
    at("cd-question").textContent = `Effacer ${finished ? counted(finished, "module") + (finished < 2 ? " terminé" : " terminés") : "ce qui ne se lit pas ici"}\u00a0? On ne peut pas revenir en arrière.`;
    quiet();
    ask(true);
    at("cd-garder").focus();
  });
  at("cd-garder").addEventListener("click", () => {
    ask(false);
    at("cd-effacer").focus();
  });
  at("cd-oui").addEventListener("click", () => {
    const erased = progress.erase();
    ask(false);
    quiet();
    at("cd-efface-etat").textContent = erased ? "C’est effacé. Ce navigateur ne garde plus aucun module." : "Ce navigateur refuse d’effacer. Videz les données de ce site dans ses réglages.";
    at("cd-efface-etat").focus();
  });

  document.addEventListener(progress.EVENT, showAll);
  document.dispatchEvent(new Event(progress.EVENT));
});
