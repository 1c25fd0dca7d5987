/**
 * Recognisable: coarsen a register, and see how many people are still alone in their group.
 *
 * @typedef {{ lieu: string, quand: string, age: string, type: boolean }} Setting
 * @typedef {{
 *   types: string[], communes: [string, number][], voies: [string, number][],
 *   personnes: [number, number, number][], lignes: [number, number, number][],
 * }} Register
 * @typedef {{ alone: number, few: number, safe: number, smallest: number, groups: number }} Count
 */

const KEYS = ["lieu", "quand", "age", "type"];
const LABELS = { lieu: "Du lieu, garder", quand: "De la date, garder", age: "De l'âge, garder" };
const DAY = 86_400_000;
/** What the residents' group may still do, and what it takes. @type {[string, (s: Setting) => boolean][]} */
const USES = [
  ["comparer les rues", ({ lieu }) => lieu === "adresse" || lieu === "voie"],
  ["comparer les dix communes", ({ lieu }) => !["secteur", "aucun"].includes(lieu)],
  ["comparer Grandvoie et les petites communes", ({ lieu }) => lieu !== "aucun"],
  ["suivre les mois", ({ quand }) => quand === "jour" || quand === "mois"],
  ["comparer les deux semestres", ({ quand }) => quand !== "annee"],
  ["comparer les types de problème", ({ type }) => type],
  ["comparer les âges", ({ age }) => age !== "aucun"],
];

/**
 * Group the rows that look the same, and count the people in each group.
 * @param {Register} register @param {Setting} setting
 * @param {{ year: number, band: number, minimum: number }} rules
 * @returns {Count}
 */
function recount(register, setting, { year, band, minimum }) {
  const { communes, voies, personnes, lignes } = register;
  /** @type {Map<string, Set<number>>} */
  const groups = new Map();
  const keys = lignes.map(([who, day, kind]) => {
    const [street, house, born] = personnes[who];
    const commune = voies[street][1];
    const month = new Date(Date.UTC(year, 0, 1) + day * DAY).getUTCMonth();
    const place = {
      adresse: `${street} ${house}`, voie: street, commune, secteur: communes[commune][1], aucun: "",
    }[setting.lieu];
    const time = { jour: day, mois: month, semestre: month > 5, annee: "" }[setting.quand];
    const age = { annee: born, tranche: Math.floor((year - born) / band), aucun: "" }[setting.age];
    const key = [place, time, age, setting.type ? kind : ""].join("/");
    if (!groups.has(key)) groups.set(key, new Set());
    groups.get(key)?.add(who);
    return key;
  });
  const smallest = personnes.map(() => Infinity);
  keys.forEach((key, rank) => {
    const who = lignes[rank][0];
    smallest[who] = Math.min(smallest[who], groups.get(key)?.size ?? 0);
  });
  const sizes = [...groups.values()].map((group) => group.size);
  return {
    alone: smallest.filter((size) => size === 1).length,
    few: smallest.filter((size) => size > 1 && size < minimum).length,
    safe: smallest.filter((size) => size >= minimum).length,
    smallest: Math.min(...sizes),
    groups: sizes.filter((size) => size < minimum).length,
  };
}

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-rec-${++views}`;
    this.rules = {
      year: model.get("annee"), band: model.get("tranche"), minimum: model.get("minimum"),
    };
    /** @type {Setting} */
    this.start = { lieu: "voie", quand: "jour", age: "annee", type: true };
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

  /** The setting, with the start's value for what an address may have said wrongly. @returns {Setting} */
  setting() {
    const { model } = this;
    /** @param {"lieu" | "quand" | "age"} key */
    const known = (key) =>
      (model.get("choix")[key].some((/** @type {string[]} */ [value]) => value === model.get(key))
        ? model.get(key) : this.start[key]);
    return {
      lieu: known("lieu"), quand: known("quand"), age: known("age"), type: model.get("type") === true,
    };
  }

  /** @param {Partial<Setting>} changes */
  save(changes) {
    Object.entries(changes).forEach(([key, value]) => this.model.set(key, value));
    this.model.save_changes();
  }

  build() {
    const { model, id } = this;
    /** @type {Record<string, HTMLSelectElement>} */
    this.lists = {};
    const fields = Object.entries(LABELS).map(([key, label]) => {
      const options = model.get("choix")[key].map((/** @type {string[]} */ [value, words]) =>
        h("option", { value }, words));
      const list = /** @type {HTMLSelectElement} */ (h("select", {
        id: `${id}-${key}`, change: () => this.save({ [key]: list.value }),
      }, ...options));
      this.lists[key] = list;
      return h("div", { class: "cd-champ" }, h("label", { for: list.id }, label), list);
    });
    this.kind = /** @type {HTMLInputElement} */ (h("input", {
      type: "checkbox", change: () => this.save({ type: this.kind.checked }),
    }));
    this.bars = ["■ Seules dans leur groupe", "▲ Dans un groupe de 2 à 4", "● Dans un groupe de 5 ou plus"]
      .map((label, rank) => {
        const value = h("strong");
        const bar = s("rect", { class: `cd-barre-${rank}`, height: "100%" });
        const svg = s("svg", { class: "cd-barre", "aria-hidden": "true" }, bar);
        return { value, bar, row: h("div", {}, h("p", {}, `${label} : `, value), svg) };
      });
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.uses = USES.map(([words]) => {
      const answer = h("strong");
      return { answer, row: h("li", {}, answer, ` ${words}`) };
    });
    this.root = h("div", { class: "cd-app", role: "group", "aria-label": model.get("titre") },
      h("p", { class: "cd-titre" }, model.get("titre")),
      h("p", { class: "cd-aide" }, "Choisissez ce que l'on garde. Le délai et le coût restent toujours."),
      ...fields,
      h("label", { class: "cd-case" }, this.kind, h("span", {}, "Garder le type de problème")),
      h("div", { class: "cd-barres" }, ...this.bars.map(({ row }) => row)),
      this.status,
      h("p", { class: "cd-sous-titre" }, "Avec ce fichier, le collectif pourra :"),
      h("ul", { class: "cd-usages" }, ...this.uses.map(({ row }) => row)),
      h("div", { class: "cd-boutons" },
        h("button", { type: "button", click: () => this.save(model.get("notre")) }, "Voir notre choix"),
        h("button", { type: "button", click: () => this.save(this.start) }, "Recommencer")),
      h("p", { class: "cd-source" }, model.get("origine")));
  }

  draw() {
    const setting = this.setting();
    const register = this.model.get("registre");
    const count = recount(register, setting, this.rules);
    const total = register.personnes.length;
    for (const key of Object.keys(LABELS)) {
      this.lists[key].value = setting[/** @type {"lieu"} */ (key)];
    }
    this.kind.checked = setting.type;
    [count.alone, count.few, count.safe].forEach((people, rank) => {
      say(this.bars[rank].value, counted(people, "personne"));
      this.bars[rank].bar.setAttribute("width", `${(100 * people) / total}%`);
    });
    USES.forEach(([, possible], rank) => {
      say(this.uses[rank].answer, possible(setting) ? "✓ oui," : "✗ non,");
    });
    say(this.status, this.sentence(count, total));
  }

  /** @param {Count} count @param {number} total */
  sentence({ alone, smallest, groups }, total) {
    const { minimum } = this.rules;
    const who = alone ? `${counted(alone, "personne")} sur ${number(total)} ${alone < 2 ? "reste seule" : "restent seules"} dans leur groupe.`
      : "Plus personne n'est seul dans son groupe.";
    const size = `Le plus petit groupe compte ${counted(smallest, "personne")}.`;
    const end = groups
      ? `${counted(groups, "groupe")} de moins de ${minimum} : regroupez encore.`
      : `Aucun groupe de moins de ${minimum} : notre repère est tenu.`;
    return `${who} ${size} ${end}`;
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} place */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
