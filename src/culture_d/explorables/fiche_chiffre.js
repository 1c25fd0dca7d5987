/**
 * The identity card of a figure: unveil it line by line, and see which sentences still hold.
 *
 * @typedef {{ texte: string, line: string, pourquoi: string }} Sentence `line`: key of what refutes it
 * @typedef {{ code: string, nom: string, valeur: number, carte: Record<string, string>,
 *   phrases: Sentence[] }} Figure
 */

const KEYS = ["choisi", "lues"];
const [HOLDS, FALLS, OPEN] = ["tient", "tombe", "à vérifier"];
/** The second cue beside the colour of a verdict. @type {Record<string, string>} */
const SIGNS = { [HOLDS]: "✓", [FALLS]: "✗", [OPEN]: "?" };

/** @param {Sentence} sentence @param {string[]} read @param {number} total */
function verdict({ line }, read, total) {
  if (line) return read.includes(line) ? FALLS : OPEN;
  return read.length === total ? HOLDS : OPEN;
}

/** Count the sentences by verdict. @param {string[]} verdicts @param {number} read @param {number} total */
function count(verdicts, read, total) {
  const found = (/** @type {string} */ wanted) => verdicts.filter((one) => one === wanted).length;
  const [fallen, waiting] = [found(FALLS), found(OPEN)];
  const fall = `${fallen} phrase${fallen > 1 ? "s tombent" : " tombe"}`;
  if (!read) return `Rien n'est encore lu : ${verdicts.length} phrases à vérifier.`;
  if (!waiting) return `Tout est lu : ${fall}, ${found(HOLDS)} tient.`;
  return `${read} ligne${read > 1 ? "s" : ""} sur ${total} : ${fall}, `
    + `${waiting} reste${waiting > 1 ? "nt" : ""} à vérifier.`;
}

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-fc-${++views}`;
    /** @type {Figure[]} */
    this.figures = model.get("chiffres");
    /** @type {[string, string][]} */
    this.lines = model.get("lignes");
    this.build();
    el.append(this.root);
    this.refresh = () => this.draw();
    KEYS.forEach((key) => model.on(`change:${key}`, this.refresh));
    this.draw();
  }

  remove() {
    KEYS.forEach((key) => this.model.off(`change:${key}`, this.refresh));
    this.root.remove();
  }

  build() {
    const { id, model } = this;
    this.pick = h("select", { id: `${id}-chiffre`, change: () => this.choose() },
      ...this.figures.map(({ code, nom, valeur }) => h("option", { value: code },
        `${nom} : ${number(valeur)}`)));
    this.value = h("p", { class: "cd-valeur cd-nu" });
    this.rows = this.lines.map(([key, label]) => {
      const text = h("span");
      const line = h("p", { id: `${id}-${key}` }, h("strong", {}, `${label} : `), text);
      const sign = h("span", { "aria-hidden": "true" });
      const button = h("button", {
        type: "button", "aria-controls": line.id, click: () => this.toggle(key),
      }, sign, label);
      return { key, button, sign, line, text };
    });
    this.all = h("button", { type: "button", click: () => this.read(this.lines.map(([key]) => key)) },
      "Tout dévoiler");
    this.none = h("button", { type: "button", click: () => this.read([]) }, "Tout cacher");
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.list = h("ul", { class: "cd-verdicts" });
    this.root = h("div", { class: "cd-app", role: "group", "aria-label": model.get("titre") },
      h("p", { class: "cd-titre" }, model.get("titre")),
      h("div", { class: "cd-champ" },
        h("label", { for: this.pick.id }, "Chiffre du fichier national"), this.pick),
      this.value,
      h("div", { class: "cd-dossier", role: "group", "aria-label": "Lignes de la fiche à dévoiler" },
        ...this.rows.map(({ button }) => button), this.all, this.none),
      h("div", { class: "cd-lignes" }, ...this.rows.map(({ line }) => line)),
      this.status, this.list,
      h("p", { class: "cd-source" }, model.get("credit")));
  }

  /** The figure shown: the first one if the address names none that is known. @returns {Figure} */
  figure() {
    return this.figures.find(({ code }) => code === this.model.get("choisi")) ?? this.figures[0];
  }

  /** The lines read, in their order; what an edited address invents is left out. */
  known() {
    const read = [].concat(this.model.get("lues"));
    return this.lines.map(([key]) => key).filter((key) => read.includes(/** @type {never} */ (key)));
  }

  choose() {
    // Each change draws, and drawing sets the list: its value is read first.
    const { value } = this.pick;
    this.model.set("lues", []);
    this.model.set("choisi", value);
    this.model.save_changes();
  }

  /** @param {string[]} lines */
  read(lines) {
    this.model.set("lues", lines);
    this.model.save_changes();
  }

  /** @param {string} key */
  toggle(key) {
    const read = this.known();
    this.read(read.includes(key) ? read.filter((one) => one !== key) : [...read, key]);
  }

  draw() {
    const figure = this.figure();
    const read = this.known();
    this.pick.value = figure.code;
    say(this.value, number(figure.valeur));
    for (const { key, button, sign, line, text } of this.rows) {
      const open = read.includes(key);
      say(sign, open ? "− " : "+ ");
      button.setAttribute("aria-expanded", String(open));
      line.hidden = !open;
      say(text, open ? figure.carte[key] : "");
    }
    const verdicts = figure.phrases.map((one) => verdict(one, read, this.lines.length));
    this.list.replaceChildren(...figure.phrases.map((one, rank) => this.item(one, verdicts[rank])));
    say(this.status, count(verdicts, read.length, this.lines.length));
  }

  /** @param {Sentence} sentence @param {string} found */
  item({ texte, pourquoi }, found) {
    const sign = h("span", { "aria-hidden": "true" }, `${SIGNS[found]} `);
    const word = found[0].toUpperCase() + found.slice(1);
    return h("li", { "data-verdict": found },
      h("strong", {}, sign, `${word}. `), texte, found === OPEN ? "" : ` ${pourquoi}`);
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
