/**
 * Join two tables on a key, and see which lines are lost, doubled or wrong.
 *
 * @typedef {{ code: string, name: string, postal: string }} Commune
 * @typedef {Commune & { rate: number, today: string, own: boolean }} Rate a line of 2017, in percent
 * @typedef {{ commune: Commune, rate: Rate, wrong: boolean }} Pair
 * @typedef {{ code: string, place: string, communes: Commune[], rates: Rate[] }} Example
 */

const STATE = ["exemple", "cle", "suivie"];

/** What each key compares. @type {Record<string, { label: string, by: string, left: (c: Commune) => string, right: (r: Rate) => string }>} */
const KEYS = {
  nom: { label: "Le nom", by: "Par le nom", left: (c) => c.name, right: (r) => r.name },
  postal: { label: "Le code postal", by: "Par le code postal", left: (c) => c.postal, right: (r) => r.postal },
  code: { label: "Le code de la commune", by: "Par le code", left: (c) => c.code, right: (r) => r.code },
  passage: {
    label: "Le code, avec la table de passage", by: "Avec la table de passage",
    left: (c) => c.code, right: (r) => r.today,
  },
};

/** The département that a code begins with. @param {string} code */
const department = (code) => code.slice(0, code.startsWith("97") ? 3 : 2);

/** @param {string} key @param {Example} example @returns {Pair[]} */
function join(key, { communes, rates }) {
  const { left, right } = KEYS[key];
  return communes.flatMap((commune) => rates
    .filter((rate) => right(rate) === left(commune))
    .map((rate) => ({ commune, rate, wrong: rate.today !== commune.code })));
}

/** @param {Example} example @param {Pair[]} pairs */
function count({ communes, rates }, pairs) {
  const lines = communes.map((commune) => pairs.filter((pair) => pair.commune === commune).length);
  const found = new Set(pairs.map((pair) => pair.rate));
  return {
    rows: pairs.length,
    communes: lines.filter((n) => n === 0).length,
    rates: rates.filter((rate) => rate.own && !found.has(rate)).length,
    doubled: lines.filter((n) => n > 1).length,
    wrong: pairs.filter((pair) => pair.wrong).length,
  };
}

/** What the reader should take from the key. @param {string} key @param {ReturnType<typeof count>} now */
function lesson(key, now) {
  if (key === "passage") {
    return now.doubled
      ? "Rien de perdu, rien de faux. Une commune issue d'une fusion garde plusieurs taux : à vous de dire lequel retenir."
      : "Rien de perdu, rien de faux, rien de doublé.";
  }
  if (now.wrong) return `${counted(now.wrong, "ligne porte", "lignes portent")} le taux d'une autre commune.`;
  return now.rates + now.communes ? "Aucune ligne n'est fausse, mais le tableau a des trous." : "Ici, cette clé suffit.";
}

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-cr-${++views}`;
    /** @type {Example[]} */
    this.examples = model.get("exemples").map(
      (/** @type {[string, string, string[][], any[][]]} */ [code, place, communes, rates]) => {
        const here = new Set(communes.map((commune) => commune[0]));
        return {
          code, place,
          communes: communes.map(([own, name, postal]) => ({ code: own, name, postal })),
          rates: rates.map(([own, name, postal, rate, today]) =>
            ({ code: own, name, postal, rate, today, own: here.has(today) })),
        };
      });
    this.build();
    el.append(this.root);
    this.refresh = () => this.draw();
    STATE.forEach((key) => model.on(`change:${key}`, this.refresh));
    this.lines = [];
    this.draw();
    this.sizes = new ResizeObserver(() => this.trace());
    for (const list of [this.left, this.right]) this.sizes.observe(list);
  }

  remove() {
    this.sizes.disconnect();
    STATE.forEach((key) => this.model.off(`change:${key}`, this.refresh));
    this.root.remove();
  }

  build() {
    const { id } = this;
    this.place = h("select", {
      id: `${id}-ex`, change: () => this.save({ exemple: this.place.value, suivie: "" }),
    }, ...this.examples.map(({ code, place }) => h("option", { value: code }, place)));
    this.radios = Object.entries(KEYS).map(([key, { label }]) => {
      const radio = h("input", { type: "radio", name: id, value: key, change: () => this.save({ cle: key }) });
      return { radio, label: h("label", {}, radio, label) };
    });
    this.follow = h("select", {
      id: `${id}-s`, change: () => this.save({ suivie: this.follow.value }),
    });
    this.figures = ["Lignes après", "Perdues", "Doublées", "Fausses"].map((title) => {
      const value = h("p", { class: "cd-valeur" });
      const unit = h("div", { class: "cd-depart" });
      return { value, unit, box: h("div", {}, h("p", {}, title), value, unit) };
    });
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.left = h("ul", { "aria-label": "Communes d’aujourd’hui", role: "list" });
    this.right = h("ul", { "aria-label": "Lignes du fichier de 2017", role: "list" });
    this.links = s("svg", { "aria-hidden": "true", preserveAspectRatio: "none" });
    this.elsewhere = h("p", { class: "cd-aide" });
    this.root = h("div", { class: "cd-app" },
      h("p", { class: "cd-titre" }, this.model.get("titre")),
      h("div", { class: "cd-champ" }, h("label", { for: `${id}-ex` }, "Intercommunalité"), this.place),
      h("fieldset", { class: "cd-axes" }, h("legend", {}, "Croiser les deux fichiers par…"),
        ...this.radios.map(({ label }) => label)),
      h("div", { class: "cd-chiffres cd-quatre" }, ...this.figures.map(({ box }) => box)),
      this.status,
      h("div", { class: "cd-champ" }, h("label", { for: `${id}-s` }, "Suivre une commune"), this.follow),
      h("div", { class: "cd-jointure" },
        h("p", { "aria-hidden": "true" }, "En 2026"), h("p", { "aria-hidden": "true" }, ""),
        h("p", { "aria-hidden": "true" }, "En 2017"),
        this.left, this.links, this.right),
      this.elsewhere,
      h("p", { class: "cd-source" }, this.model.get("provenance")));
  }

  /** The state as it can be shown: what an address said may name nothing here. */
  read() {
    const example = this.examples.find(({ code }) => code === this.model.get("exemple")) ?? this.examples[0];
    const key = Object.hasOwn(KEYS, this.model.get("cle")) ? this.model.get("cle") : "nom";
    const followed = example.communes.find(({ code }) => code === this.model.get("suivie"));
    return { example, key, followed };
  }

  draw() {
    const { example, key, followed } = this.read();
    const pairs = join(key, example);
    const now = count(example, pairs);
    this.place.value = example.code;
    for (const { radio } of this.radios) radio.checked = radio.value === key;
    this.offer(example, followed);
    const rows = /** @type {[number, string][]} */ ([
      [now.rows, `avant : ${number(example.communes.length)}`],
      [now.communes + now.rates,
        `${counted(now.communes, "commune")}, ${counted(now.rates, "taux", "taux")}`],
      [now.doubled, now.doubled < 2 ? "commune" : "communes"],
      [now.wrong, now.wrong < 2 ? "ligne" : "lignes"],
    ]);
    rows.forEach(([value, unit], rank) => {
      say(this.figures[rank].value, number(value));
      say(this.figures[rank].unit, unit);
    });
    this.drawJoin(example, pairs, followed);
    say(this.status, followed ? this.about(key, followed, pairs) : this.sentence(key, example, now));
  }

  /** @param {Example} example @param {Commune | undefined} followed */
  offer(example, followed) {
    if (this.offered !== example.code) {
      this.offered = example.code;
      this.follow.replaceChildren(h("option", { value: "" }, "Toutes"),
        ...example.communes.map(({ code, name }) => h("option", { value: code }, name)));
    }
    this.follow.value = followed?.code ?? "";
  }

  /** @param {Example} example @param {Pair[]} pairs @param {Commune | undefined} followed */
  drawJoin(example, pairs, followed) {
    const matched = new Set(pairs.map((pair) => pair.rate));
    const rates = example.rates.filter((rate) => rate.own || matched.has(rate));
    const lit = (/** @type {Pair} */ pair) => !followed || pair.commune === followed;
    this.left.replaceChildren(...example.communes.map((commune) => {
      const lines = pairs.filter((pair) => pair.commune === commune).length;
      const mark = lines > 1 ? counted(lines, "ligne") : lines ? "" : "✕ sans taux";
      return this.item(commune.name, mark, { lost: !lines, dim: followed && followed !== commune });
    }));
    this.right.replaceChildren(...rates.map((rate) => {
      const own = pairs.filter((pair) => pair.rate === rate);
      const name = rate.own ? rate.name : `${rate.name} (${department(rate.code)})`;
      const dim = followed && !own.some(lit) && rate.today !== followed.code;
      return this.item(name, own.length ? `${number(rate.rate)} %` : "✕ perdu", { lost: !own.length, dim });
    }));
    this.lines = pairs.map((pair) => ({
      look: `${pair.wrong ? "cd-fausse" : "cd-bonne"}${lit(pair) ? "" : " cd-pale"}`,
      from: example.communes.indexOf(pair.commune), to: rates.indexOf(pair.rate),
    }));
    this.trace();
    say(this.elsewhere, "Trait plein : le bon taux. Tirets : celui d'une autre commune."
      + (rates.some((rate) => !rate.own)
        ? " Un numéro entre parenthèses est le département d'une commune d'ailleurs." : ""));
  }

  /** Draw the lines from where the two lists stand: names take the height that they need. */
  trace() {
    const box = this.left.getBoundingClientRect();
    const height = Math.max(1, box.height, this.right.getBoundingClientRect().height);
    const middle = (/** @type {Element} */ one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return Math.round((top + bottom) / 2 - box.top);
    };
    const [left, right] = [this.left, this.right].map((list) => [...list.children].map(middle));
    this.links.setAttribute("viewBox", `0 0 100 ${height}`);
    this.links.style.height = `${height}px`;
    /** @type {Record<string, string>} lines that look the same are one path: few elements, whatever the key */
    const paths = {};
    for (const { look, from, to } of this.lines) {
      paths[look] = `${paths[look] ?? ""}M0,${left[from]}C45,${left[from]} 55,${right[to]} 100,${right[to]}`;
    }
    this.links.replaceChildren(...Object.entries(paths).map(([look, d]) =>
      s("path", { d, class: look })));
  }

  /** @param {string} name @param {string} mark @param {{ lost: boolean, dim: any }} look */
  item(name, mark, { lost, dim }) {
    return h("li", { class: `${lost ? "cd-perdue" : ""}${dim ? " cd-pale" : ""}` },
      name, ...(mark ? [h("small", {}, mark)] : []));
  }

  /** @param {string} key @param {Example} example @param {ReturnType<typeof count>} now */
  sentence(key, example, now) {
    const lost = [
      now.communes && `${counted(now.communes, "commune")} sans taux`,
      now.rates && `${counted(now.rates, "taux perdu", "taux perdus")}`,
      now.doubled && `${counted(now.doubled, "commune")} en plusieurs lignes`,
    ].filter(Boolean).join(", ");
    return `${KEYS[key].by} : ${counted(example.communes.length, "commune")} avant, `
      + `${counted(now.rows, "ligne")} après. ${lost ? `${lost[0].toUpperCase()}${lost.slice(1)}. ` : ""}`
      + lesson(key, now);
  }

  /** @param {string} key @param {Commune} followed @param {Pair[]} pairs */
  about(key, followed, pairs) {
    const own = pairs.filter((pair) => pair.commune === followed);
    if (!own.length) return `${KEYS[key].by}, ${followed.name} ne trouve aucun taux : elle disparaît du tableau.`;
    const wrong = own.filter((pair) => pair.wrong).length;
    const shown = own.slice(0, 3).map(({ rate }) =>
      `${rate.name} (${department(rate.code)}) ${number(rate.rate)} %`).join(" ; ");
    const more = own.length > 3 ? ` ; et ${counted(own.length - 3, "autre")}` : "";
    const verdict = !wrong ? own.length > 1 ? "Toutes sont les siennes." : "C'est la sienne."
      : wrong === own.length ? "Aucune n'est la sienne." : `${counted(wrong, "est fausse", "sont fausses")}.`;
    return `${KEYS[key].by}, ${followed.name} reçoit ${counted(own.length, "ligne")} : ${shown}${more}. ${verdict}`;
  }

  /** @param {Record<string, string>} changes */
  save(changes) {
    Object.entries(changes).forEach(([key, value]) => this.model.set(key, value));
    this.model.save_changes();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
