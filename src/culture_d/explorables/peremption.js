/**
 * Expiry: move « today », and watch devices and datasets pass their day.
 *
 * Days are counted from 1 January 1970 (UTC), lengths in pixels.
 *
 * @typedef {{ name: string, part: string, first: number | null, missing: string[] }} Item
 */

const DAY = 86400000;
const KEYS = ["jour", "choix"];
/** State, its sign, its words: never the colour alone. */
const STATES = [
  ["perime", "✕", "Date dépassée"], ["manque", "?", "Date manquante"],
  ["bientot", "◆", "Dans les {} jours"], ["avenir", "○", "Plus tard"],
];
const NOUNS = { appareils: ["défibrillateur", "défibrillateurs"], donnees: ["jeu de données", "jeux de données"] };
const SHOWN = 5;
const SIZE = 13;
const MARGIN = 12;
/** A slider passes many days: the sentence waits for the one where it stops, in ms. */
const PAUSE = 400;

/** @param {string} iso @returns {number} a day, NaN if it is none */
function dayOf(iso) {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? Date.parse(`${iso}T00:00Z`) / DAY : NaN;
  return isoOf(day) === iso ? day : NaN;
}
/** @param {number} day */
const isoOf = (day) => (Number.isFinite(day) ? new Date(day * DAY).toISOString().slice(0, 10) : "");
/** @param {number} day */
function longDay(day) {
  const text = new Date(day * DAY).toLocaleDateString("fr-FR", { dateStyle: "long", timeZone: "UTC" });
  return text.replace(/^1 /, "1er ");
}
/** Move by whole months, to the last day of a shorter one. @param {number} day @param {number} months */
function addMonths(day, months) {
  const from = new Date(day * DAY);
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(from.getUTCDate(), last)) / DAY;
}

/** @param {any[]} row @returns {Item} */
function itemOf([name, parts, missing]) {
  const days = parts.map(([part, iso]) => ({ part, day: dayOf(iso) }));
  const first = days.reduce((best, one) => (!best || one.day < best.day ? one : best), null);
  return { name, missing, part: first?.part ?? "", first: first ? first.day : null };
}

class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-pr-${++views}`;
    [this.from, this.to] = model.get("bornes").map(dayOf);
    this.near = model.get("bientot");
    this.start = dayOf(model.get("depart"));
    this.lists = { appareils: model.get("appareils").map(itemOf), donnees: model.get("donnees").map(itemOf) };
    this.all = false;
    this.timer = 0;
    this.build();
    el.append(this.root);
    this.refresh = () => this.draw();
    KEYS.forEach((key) => model.on(`change:${key}`, this.refresh));
    this.sizes = new ResizeObserver(this.refresh);
    this.sizes.observe(this.plot);
    this.draw();
    this.tell();
  }

  remove() {
    KEYS.forEach((key) => this.model.off(`change:${key}`, this.refresh));
    this.sizes.disconnect();
    clearTimeout(this.timer);
    this.root.remove();
  }

  build() {
    const { model, id } = this;
    this.pick = h("select", { change: () => { this.all = false; this.save({ choix: this.pick.value }); } },
      h("option", { value: "appareils" }, "Les défibrillateurs"),
      h("option", { value: "donnees" }, "Les jeux de données"));
    this.range = h("input", {
      type: "range", min: this.from, max: this.to, step: 1,
      input: () => this.move(Number(this.range.value)),
      keydown: (/** @type {KeyboardEvent} */ event) => this.jump(event),
    });
    this.field = h("input", {
      type: "date", min: isoOf(this.from), max: isoOf(this.to),
      "aria-describedby": `${id}-erreur`, change: () => this.type(),
    });
    this.error = h("p", { id: `${id}-erreur`, class: "cd-erreur" });
    this.tiles = STATES.map(([kind, sign, words]) => {
      const value = h("strong");
      const tile = h("div", {}, h("span", { class: `cd-${kind}`, "aria-hidden": "true" }, sign), " ", value, " ",
        h("span", { class: "cd-mots" }, words.replace("{}", this.near)));
      return { tile, value };
    });
    this.plot = s("svg", { role: "img", class: "cd-graphe cd-temps" });
    this.axis = s("g", { class: "cd-axe" });
    this.line = s("path", { class: "cd-lien" });
    this.now = s("text", { class: "cd-repere", y: 16 });
    this.marks = STATES.map(([kind]) => s("path", { class: `cd-marque cd-${kind}` }));
    this.plot.append(this.axis, this.line, this.now, ...this.marks);
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.list = h("ol", { class: "cd-urgents" });
    this.heading = h("p", { class: "cd-legende" });
    this.more = h("button", { type: "button", click: () => { this.all = !this.all; this.draw(); } });
    this.back = h("button", { type: "button", click: () => this.move(this.start) }, "Revenir au départ");
    this.root = h("div", { class: "cd-app", role: "group", "aria-label": model.get("titre") },
      h("p", { class: "cd-titre" }, model.get("titre")),
      labelled("Ce que l'on regarde", this.pick, `${id}-choix`),
      h("div", { class: "cd-etats" }, ...this.tiles.map(({ tile }) => tile)),
      this.plot,
      labelled("Jour, du plus tôt au plus tard", this.range, `${id}-curseur`),
      h("div", { class: "cd-boutons" },
        h("button", { type: "button", click: () => this.move(addMonths(this.day, -1)) }, "− 1 mois"),
        h("button", { type: "button", click: () => this.move(addMonths(this.day, 1)) }, "+ 1 mois"),
        this.back),
      this.status,
      labelled("Un jour précis", this.field, `${id}-jour`),
      this.error, this.heading, this.list, this.more,
      h("p", { class: "cd-aide" }, model.get("avertissement")),
      h("p", { class: "cd-source" }, model.get("origine")));
  }

  /** What the reader did, kept in the address. @param {Record<string, any>} changes */
  save(changes) {
    for (const [key, value] of Object.entries(changes)) this.model.set(key, value);
    this.model.save_changes();
  }

  /** @param {number} day */
  move(day) {
    this.error.textContent = "";
    this.field.removeAttribute("aria-invalid");
    this.save({ jour: isoOf(Math.min(this.to, Math.max(this.from, day))) });
  }

  type() {
    const day = dayOf(this.field.value);
    if (day >= this.from && day <= this.to) {
      this.move(day);
      return;
    }
    this.field.setAttribute("aria-invalid", "true");
    say(this.error, `Choisissez un jour, du ${longDay(this.from)} au ${longDay(this.to)}.`);
  }

  /** A page of the slider is a month. @param {KeyboardEvent} event */
  jump(event) {
    const months = { PageUp: 1, PageDown: -1 }[event.key];
    if (!months) return;
    event.preventDefault();
    this.move(addMonths(this.day, months));
  }

  /** Values that make no sense (an edited address) give the day and the list of the start. */
  read() {
    const day = dayOf(this.model.get("jour"));
    this.day = day >= this.from && day <= this.to ? day : this.start;
    this.kind = this.model.get("choix") === "donnees" ? "donnees" : "appareils";
    this.items = this.lists[this.kind];
  }

  /** @param {Item} item @returns {number} rank of its state among `STATES` */
  state({ first, missing }) {
    if (first !== null && first < this.day) return 0;
    if (first === null || missing.length) return 1;
    return first - this.day <= this.near ? 2 : 3;
  }

  /** @param {Item} item */
  words(item) {
    const days = item.first - this.day;
    if (this.state(item) === 1) return `${item.name} : ${item.missing.join(", ")}, date manquante`;
    const far = days < 0 ? `date dépassée de ${counted(-days, "jour")}`
      : days ? `encore ${counted(days, "jour")}` : "dernier jour";
    return `${item.name} : ${item.part}, ${far}`;
  }

  draw() {
    this.read();
    const ranked = this.items.map((item) => ({ item, state: this.state(item) }));
    ranked.sort((a, b) => a.state - b.state || (a.item.first ?? 0) - (b.item.first ?? 0));
    const counts = STATES.map((_, rank) => ranked.filter(({ state }) => state === rank).length);
    this.pick.value = this.kind;
    this.range.value = String(this.day);
    this.range.setAttribute("aria-valuetext", longDay(this.day));
    if (document.activeElement !== this.field || !this.error.textContent) this.field.value = isoOf(this.day);
    this.tiles.forEach(({ value }, rank) => say(value, String(counts[rank])));
    this.counts = counts;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), PAUSE);
    this.drawPlot(ranked, counts);
    this.drawList(ranked);
  }

  tell() {
    const [expired, missing, near] = this.counts;
    const [one, several] = NOUNS[this.kind];
    const past = !expired ? "aucun n'a de" : expired > 1 ? `${expired} ont une` : "1 a une";
    say(this.status, `Le ${longDay(this.day)}, sur ${counted(this.items.length, one, several)} : ${past} date dépassée. `
      + `Date manquante : ${missing}. Dernier jour dans les ${this.near} jours : ${near}.`);
  }

  /** @param {{ item: Item, state: number }[]} ranked @param {number[]} counts */
  drawPlot(ranked, counts) {
    const width = this.plot.clientWidth || 600;
    const span = width - 2 * MARGIN - 34;
    const at = (/** @type {number} */ day) =>
      MARGIN + (Math.min(Math.max(day, this.from), this.to) - this.from) / (this.to - this.from) * span;
    /** @type {number[]} */
    const ends = [];
    const places = [...ranked].sort((a, b) => (a.item.first ?? 0) - (b.item.first ?? 0)).map(({ item, state }) => {
      if (state === 1) return { state, x: width - MARGIN - 8, level: -1 };
      const x = at(item.first);
      let level = ends.findIndex((end) => end <= x);
      if (level < 0) level = ends.length;
      ends[level] = x + SIZE + 1;
      return { state, x, level };
    });
    let missing = 0;
    for (const place of places) if (place.level < 0) place.level = missing++;
    const floor = 34 + SIZE * (Math.max(3, missing, ends.length) + .5);
    const paths = STATES.map(() => "");
    const shapes = [
      (/** @type {string} */ p) => `M${p}m-4,-4l8,8m0,-8l-8,8`,
      (/** @type {string} */ p) => `M${p}m-3,-2a3,3 0 1 1 4.500,2.700l-1.500,1.300v1.500m0,1.500v1`,
      (/** @type {string} */ p) => `M${p}m0,-5l5,5l-5,5l-5,-5z`,
      (/** @type {string} */ p) => `M${p}m-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0`,
    ];
    for (const { state, x, level } of places) {
      paths[state] += shapes[state](`${x.toFixed(1)},${(floor - SIZE * (level + .7)).toFixed(1)}`);
    }
    this.marks.forEach((mark, rank) => mark.setAttribute("d", paths[rank] || "M0,0"));
    const years = [];
    for (let day = this.from; day <= this.to + 1; day = addMonths(day, 12)) years.push(day);
    const every = span / years.length < 44 ? 2 : 1;
    const texts = years.slice(0, -1).filter((_, rank) => rank % every === 0).map((day) => {
      const label = s("text", { x: at(addMonths(day, 6)), y: floor + 20, "text-anchor": "middle" });
      label.textContent = isoOf(day).slice(0, 4);
      return label;
    });
    const ticks = years.map((day) => `M${at(day)},${floor}v6`).join("");
    this.axis.replaceChildren(s("path", { d: `M${MARGIN},${floor}H${MARGIN + span}${ticks}` }), ...texts);
    if (missing) {
      const label = s("text", { x: width - MARGIN - 8, y: floor + 20, "text-anchor": "middle" });
      label.textContent = "sans";
      this.axis.append(label);
    }
    const x = at(this.day);
    this.line.setAttribute("d", `M${x},22V${floor}`);
    write(this.now, { x, "text-anchor": x < width * .3 ? "start" : x > width * .7 ? "end" : "middle" });
    say(this.now, longDay(this.day));
    this.plot.setAttribute("height", String(floor + 28));
    const rest = STATES.map(([, , words], rank) => `${words.replace("{}", this.near).toLowerCase()} : ${counts[rank]}`);
    write(this.plot, { "aria-label": `Ligne du temps, le ${longDay(this.day)}. ${rest.join(", ")}.` });
  }

  /** @param {{ item: Item, state: number }[]} ranked */
  drawList(ranked) {
    const urgent = ranked.filter(({ state }) => state < 3);
    const shown = this.all ? urgent : urgent.slice(0, SHOWN);
    say(this.heading, urgent.length ? "À voir d'abord, selon les dates" : "Aucune date dépassée, manquante ou proche.");
    this.list.replaceChildren(...shown.map(({ item, state }) => h("li", {},
      h("span", { class: `cd-${STATES[state][0]}`, "aria-hidden": "true" }, STATES[state][1]), " ", this.words(item))));
    const left = urgent.length - SHOWN;
    this.more.hidden = left <= 0;
    say(this.more, this.all ? "Voir moins" : `Voir ${left < 2 ? "le suivant" : `les ${left} suivants`}`);
    this.more.setAttribute("aria-expanded", String(this.all));
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
