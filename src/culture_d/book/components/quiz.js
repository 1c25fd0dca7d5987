/* Makes a form of each question of the page, which holds it as plain text with its
   explanations folded. Paper keeps that text. Nothing is scored, sent or stored. */
(function () {
  "use strict";
  const blocks = document.querySelectorAll(".cd-quiz, .cd-intuition");
  if (!blocks.length) return;
  const NB = "\u00a0";

  /** @typedef {{ text: string, why: string, right: boolean, value: number }} Answer */
  /** What was read of a question. `shown`: hidden once it is a form; `told`: until it is checked.
   * @typedef {{ id: string, box: HTMLElement, statement: Element, instruction: string,
   *   answers: Answer[], shown: HTMLElement[], told: HTMLElement[] }} Question */
  /** What a check says. `focus`: nothing could be checked, and that field is to mend.
   * @typedef {{ words: string, right?: boolean, notes?: Answer[], focus?: HTMLElement }} Verdict */
  /** @typedef {{ fields: Node[], first: HTMLElement, check: () => Verdict, clear: () => void,
   *   unmark: () => void, action?: string }} Form */

  /** @param {string} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children */
  function make(tag, attributes, ...children) {
    const one = document.createElement(tag);
    for (const name in attributes) one.setAttribute(name, attributes[name]);
    one.append(...children);
    return one;
  }

  const sign = (right) => make("span", { "aria-hidden": "true" }, right ? "✓ " : "✗ ");
  const marker = () => make("span", { class: "cd-quiz-marque" });
  const count = (number, one, many) => `${number}${NB}${number < 2 ? one : many}`;

  /** Say beside an answer, by a sign and in words, whether it is right. */
  function mark(box, right, words) {
    box.dataset.verdict = right ? "juste" : "faux";
    box.querySelector(".cd-quiz-marque").replaceChildren(sign(right), words);
  }

  function unmark(boxes) {
    for (const box of boxes) {
      delete box.dataset.verdict;
      box.querySelector(".cd-quiz-marque").textContent = "";
    }
  }

  const OTHER_NAMES = { "%": ["pour cent", "pourcent"], "€": ["euro", "eur"] };
  /** Without accents, capitals, points, nor the marks of the plural. @param {string} text */
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f.]/g, "").toLowerCase()
    .trim().replace(/[sx](?= |$)/g, "");

  /** Whether what follows a number is its unit, whole or shortened. */
  function names(text, unit) {
    const [typed, wanted] = [fold(text), fold(unit)];
    return !typed || typed === wanted || (OTHER_NAMES[wanted] || []).includes(typed)
      || (typed.length > 2 && wanted.startsWith(typed));
  }

  /** Read a number as it is written in French: « 1 960 », « 1960,0 », « 83,9 % ».
   * @param {string} text @param {string} [unit] that may follow the number
   * @returns {{ value: number } | { fault: string }} */
  window.cultureD.readNumber = (text, unit = "") => {
    const plain = text.replace(/[\u200b-\u200f\u2060]/g, "").replace(/\s+/g, " ").trim();
    if (!plain) return { fault: "Écrivez un nombre, puis vérifiez." };
    const parts = /^([-+−–]?) ?(\d{1,3}(?: \d{3})+(?!\d)|\d*)(?:([.,])(\d*))?(?! ?[\d.,]) ?(.*)$/.exec(plain);
    const [, minus, whole, point, decimals = "", rest] = parts || [];
    const digits = parts ? whole.replaceAll(" ", "") : "";
    const value = Number(`${digits || 0}.${decimals || 0}`);
    if (!(digits + decimals) || !Number.isFinite(value)) {
      return { fault: `Ce nombre ne se lit pas. Écrivez-le en chiffres, par exemple 12\u202f345,6.` };
    }
    if (point === "." && decimals.length === 3 && /^[1-9]\d{0,2}$/.test(whole)) {
      return { fault: `Est-ce ${whole}\u202f${decimals} ou ${whole},${decimals}${NB}? Écrivez une espace pour les milliers, une virgule pour les décimales.` };
    }
    if (!names(rest, unit)) {
      return { fault: unit ? `Ici, l’unité est «${NB}${unit}${NB}». Écrivez le nombre seul, ou avec cette unité.` : "Écrivez le nombre seul, sans rien d’autre." };
    }
    return { value: /[-−–]/.test(minus) ? 0 - value : value }; // « -0 » is 0
  };

  const INVARIABLE = /^(?:fois|mois|pays|cas|avis|temps)$/;
  /** The unit of a number: « 1 habitant », « 0 habitant ». Up to the first preposition.
   * @param {number} value @param {string} unit as for several */
  function agreed(value, unit) {
    const words = unit.split(" ");
    const end = words.findIndex((word) => /^(?:par|de|du|des|en|à|sur|pour)$/.test(word));
    return Math.abs(value) >= 2 ? unit : words.map((word, rank) =>
      (end >= 0 && rank >= end) || INVARIABLE.test(word) ? word : word.replace(/(\p{L}{2})s$/u, "$1")).join(" ");
  }

  /** Radios or boxes. @param {Question} question @param {"radio" | "checkbox"} type */
  function options(question, type) {
    const rows = question.answers.map((answer, rank) => {
      const input = make("input", { type, name: question.id, value: String(rank) });
      const label = make("label", { class: "cd-quiz-choix" }, input, make("span", {}, answer.text, " ", marker()));
      return { answer, input, label };
    });
    const labels = rows.map((row) => row.label);
    return {
      rows,
      chosen: () => rows.filter((row) => row.input.checked),
      fields: labels,
      first: rows[0].input,
      clear: () => rows.forEach((row) => (row.input.checked = false)),
      unmark: () => unmark(labels),
    };
  }

  /** What to make of each kind of question: `make(question, changed)` gives a Form. */
  const KINDS = {
    deviner(question) {
      const form = options(question, "radio");
      return {
        ...form,
        action: "Voir l’explication",
        check() {
          const [row] = form.chosen();
          if (!row) return { words: "Choisissez d’abord une réponse.", focus: form.first };
          for (const one of question.told) one.hidden = one === question.told[row.input.value];
          return { words: `Votre réponse${NB}: ${row.answer.text}.`, notes: [{ why: row.answer.why }, { why: "Comparez avec les autres réponses, ci-dessous." }] };
        },
      };
    },

    choisir(question) {
      const form = options(question, "radio");
      return {
        ...form,
        check() {
          const [row] = form.chosen();
          if (!row) return { words: "Choisissez une réponse, puis vérifiez.", focus: form.first };
          const { right, why } = row.answer;
          mark(row.label, right, right ? "juste" : "faux");
          return { right, words: right ? "Juste." : "Faux.", notes: [{ why }] };
        },
      };
    },

    cocher(question) {
      const form = options(question, "checkbox");
      return {
        ...form,
        check() {
          const chosen = form.chosen();
          if (!chosen.length) return { words: "Cochez au moins une réponse, puis vérifiez.", focus: form.first };
          for (const { label, answer } of chosen) mark(label, answer.right, answer.right ? "juste" : "faux");
          const found = chosen.filter((row) => row.answer.right).length;
          const missing = question.answers.filter((answer) => answer.right).length - found;
          const wrong = chosen.length - found;
          const right = !missing && !wrong;
          const words = [right ? "Juste." : found ? "Pas tout à fait." : "Faux."];
          if (wrong) words.push(`${count(wrong, "réponse cochée est fausse", "réponses cochées sont fausses")}.`);
          if (missing) words.push(`Il manque ${count(missing, "bonne réponse", "bonnes réponses")}.`);
          return { right, words: words.join(" "), notes: chosen.map((row) => row.answer) };
        },
      };
    },

    ranger(question, changed) {
      const list = make("ol");
      let moved = false;
      const rows = [...question.box.querySelectorAll(".cd-quiz-reponses > [data-place]")].map((one) => {
        const place = Number(one.dataset.place);
        const item = make("li", { class: "cd-quiz-element" }, make("span", {}, question.answers[place].text, " ", marker()));
        const buttons = [["Monter", "↑", -1], ["Descendre", "↓", 1]].map(([word, arrow, step]) => {
          const label = `${word}${NB}: ${question.answers[place].text}`;
          const button = make("button", { type: "button", "aria-label": label }, arrow);
          button.addEventListener("click", () => move(item, step));
          return button;
        });
        item.append(make("span", { class: "cd-quiz-fleches" }, ...buttons));
        return { place, item, buttons };
      });

      /** The others move around the one that has the focus, which so keeps it. */
      function move(item, step) {
        const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
        if (other && step < 0) item.after(other);
        if (other && step > 0) item.before(other);
        moved ||= !!other;
        showEnds();
        const place = [...list.children].indexOf(item) + 1;
        const { text } = question.answers[rows.find((row) => row.item === item).place];
        changed(`${other ? "Place" : "Déjà à la place"} ${place} sur ${rows.length}${NB}: ${text}`);
      }

      function showEnds() {
        for (const { item, buttons } of rows) {
          buttons[0].setAttribute("aria-disabled", String(!item.previousElementSibling));
          buttons[1].setAttribute("aria-disabled", String(!item.nextElementSibling));
        }
      }

      function clear() {
        moved = false;
        list.append(...rows.map((row) => row.item));
        showEnds();
      }

      if (rows.length !== question.answers.length) throw new Error("question illisible");
      clear();
      return {
        fields: [list],
        first: rows[0].buttons[1],
        clear,
        unmark: () => unmark(rows.map((row) => row.item)),
        check() {
          if (!moved) return { words: "Déplacez les éléments avec les flèches, puis vérifiez.", focus: rows[0].buttons[1] };
          const order = [...list.children];
          const lost = rows.filter((row) => order.indexOf(row.item) !== row.place);
          for (const row of rows) mark(row.item, !lost.includes(row), lost.includes(row) ? "pas à sa place" : "à sa place");
          const right = !lost.length;
          const placed = rows.length - lost.length;
          const notes = right ? question.answers : order.flatMap((item) => lost.filter((row) => row.item === item)).map((row) => question.answers[row.place]);
          const words = right ? "Juste. Tout est à sa place." : `Pas encore. À leur place${NB}: ${placed} sur ${rows.length}.`;
          return { right, words, notes: notes.map(({ text, why }) => ({ text, why })) };
        },
      };
    },

    chiffrer(question) {
      const { unite: unit = "", tolerance } = question.box.dataset;
      const [near, other] = [Number(tolerance), question.answers.find((answer) => Number.isNaN(answer.value))];
      const known = question.answers.filter((answer) => answer !== other);
      if (!other || !Number.isFinite(near)) throw new Error("question illisible");
      // A telephone's decimal keyboard may have no minus sign.
      const keyboard = known.some((answer) => answer.value < 0) ? "text" : "decimal";
      const input = make("input", { type: "text", inputmode: keyboard, autocomplete: "off", spellcheck: "false" });
      const label = make("label", { class: "cd-quiz-nombre" }, "Votre réponse", make("span", {}, input, unit));
      return {
        fields: [label],
        first: input,
        clear: () => (input.value = ""),
        unmark: () => input.removeAttribute("aria-invalid"),
        check() {
          const { value, fault } = window.cultureD.readNumber(input.value, unit);
          if (fault) {
            input.setAttribute("aria-invalid", "true");
            return { words: fault, focus: input };
          }
          const far = (answer) => Math.abs(answer.value - value);
          // Room for the binary writing of decimals: 83.95 - 83.9 is a little more than 0.05.
          const room = near + 1e-9 * Math.max(1, Math.abs(value));
          const nearest = known.reduce((best, answer) => (far(answer) < far(best) ? answer : best));
          const { right, why } = far(nearest) <= room ? nearest : other;
          // Adding 0 takes its sign from a number that rounds to « -0 ».
          const written = (Number(value.toFixed(6)) + 0).toLocaleString("fr", { maximumFractionDigits: 6 });
          return { right, words: `${right ? "Juste" : "Faux"}${NB}: ${written} ${agreed(value, unit)}`.trim() + ".", notes: [{ why }] };
        },
      };
    },
  };

  /** @param {HTMLElement} box @param {string} id */
  function read(box, id) {
    const guess = box.matches(".cd-intuition");
    const rows = [...box.querySelectorAll(guess ? "details" : ".cd-quiz-corrige li")];
    const statement = box.querySelector(guess ? "p" : ".cd-quiz-enonce");
    return {
      id,
      box,
      statement,
      kind: guess ? "deviner" : box.dataset.sorte,
      instruction: guess ? "" : box.querySelector(".cd-quiz-consigne").textContent,
      answers: rows.map((row) => ({
        text: row.querySelector("summary, .cd-quiz-reponse").textContent,
        why: row.querySelector("p, .cd-quiz-car").textContent,
        right: row.dataset.juste === "oui",
        value: Number(row.dataset.valeur),
      })),
      shown: guess ? [statement] : [box.querySelector(".cd-quiz-base")],
      told: guess ? rows : [box.querySelector(".cd-quiz-corrige")],
    };
  }

  const signed = (right) => (right === undefined ? [] : [sign(right)]);

  /** @param {Verdict} verdict */
  function said({ words, right, notes = [] }) {
    const first = make("p", {}, ...signed(right), words);
    return [first, ...notes.map((note) => make("p", {},
      ...(note.text ? [make("strong", {}, ...signed(note.right), note.text)] : []), note.why))];
  }

  /** @param {ReturnType<typeof read>} question */
  function animate(question) {
    const status = make("div", { class: "cd-quiz-resultat", role: "status" });
    const changed = (words = "") => {
      form.unmark();
      status.textContent = words;
    };
    const form = KINDS[question.kind](question, changed);
    const instruction = make("p", { class: "cd-quiz-consigne", id: `${question.id}-consigne` }, question.instruction);
    const fields = make("fieldset", question.instruction ? { "aria-describedby": instruction.id } : {},
      make("legend", {}, ...question.statement.cloneNode(true).childNodes), ...form.fields);
    if (question.instruction) fields.firstChild.after(instruction);
    const again = make("button", { type: "button", hidden: "" }, "Recommencer");
    const verify = make("button", { type: "submit" }, form.action || "Vérifier");
    const whole = make("form", { class: "cd-quiz-form", novalidate: "", autocomplete: "off" },
      fields, make("div", { class: "cd-quiz-actions" }, verify, again), status);

    fields.addEventListener("input", () => changed());
    whole.addEventListener("submit", (event) => {
      event.preventDefault();
      form.unmark();
      const verdict = form.check();
      status.replaceChildren(...said(verdict));
      if (verdict.focus) return verdict.focus.focus();
      again.hidden = false;
      if (question.kind !== "deviner") question.told[0].hidden = false;
      status.scrollIntoView({ block: "nearest" });
    });
    again.addEventListener("click", () => {
      form.clear();
      changed();
      again.hidden = true;
      for (const one of question.told) one.hidden = !(one.open = false);
      form.first.focus();
    });
    for (const one of [...question.shown, ...question.told]) one.hidden = true;
    question.box.prepend(whole);
  }

  for (const block of blocks) {
    const questions = block.matches(".cd-quiz") ? block.querySelectorAll(".cd-quiz-question") : [block];
    questions.forEach((box, rank) => {
      try {
        animate(read(box, `${block.id}-${rank + 1}`));
      } catch (error) {
        // What cannot be read stays as plain text, which says all.
        console.error(error);
      }
    });
  }
})();
