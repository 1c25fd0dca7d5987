/**
 * Small numbers: the same chance for everybody, and small communes at both ends of the ranking.
 *
 * Rates are numbers of people drawn per 1,000 inhabitants and per year, lengths are pixels.
 *
 * @typedef {{ name: string, population: number, drawn: number, rate: number, rank: number }} Commune
 */

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [34, 12, 26, 30, 320];
const FALLBACK = "80";
const LARGEST_MEAN = 30;
const KEYS = ["departement", "communes", "annees", "minimum", "tirage", "choisie"];

/** @param {number} value */
const rateText = (value) => number(value, 1);

/** The generator of the Python class: mulberry32, 32 bits. @param {number} seed */
function uniform(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number of rare events, by Knuth's method. @param {number} mean @param {() => number} chance */
function poisson(mean, chance) {
  const parts = Math.ceil(mean / LARGEST_MEAN);
  const limit = Math.exp(-mean / parts);
  let total = 0;
  for (let part = 0; part < parts; part += 1) {
    for (let product = chance(); product > limit; product *= chance()) total += 1;
  }
  return total;
}

/**
 * Who was drawn in each commune since the first year, after each year.
 * @param {string} code @param {number[]} populations @param {number} draw
 * @param {{ chance: number, annees: number }} rules
 */
function drawAll(code, populations, draw, rules) {
  let seed = draw;
  for (const character of code) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
  const chance = uniform(seed);
  const counts = populations.map(() => 0);
  return Array.from({ length: rules.annees }, () => {
    populations.forEach((population, i) => {
      counts[i] += poisson((population * rules.chance) / 1000, chance);
    });
    return [...counts];
  });
}

/** @param {number[]} sorted */
const median = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.rules = model.get("reglages");
    this.id = `cd-pn-${++views}`;
    this.data = /** @type {any} */ (null);
    this.warning = "";
    this.frame = 0;
    this.timer = 0;
    this.build();
    this.offer = () => this.offerOwn();
    this.offer();
    document.addEventListener("culture-d:commune", this.offer);
    el.append(this.root);
    this.refresh = () => { this.frame ||= requestAnimationFrame(() => this.draw()); };
    this.failed = () => this.fail();
    KEYS.forEach((key) => model.on(`change:${key}`, this.refresh));
    model.on("change:_erreur", this.failed);
    this.sizes = new ResizeObserver(this.refresh);
    this.sizes.observe(this.plot);
    if (model.get("_erreur")) this.fail();
    this.draw();
  }

  remove() {
    KEYS.forEach((key) => this.model.off(`change:${key}`, this.refresh));
    this.model.off("change:_erreur", this.failed);
    document.removeEventListener("culture-d:commune", this.offer);
    this.sizes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.root.remove();
  }

  build() {
    const { model, id, rules } = this;
    const places = () => this.listPlaces();
    this.place = h("select", {
      focus: places, pointerdown: places,
      change: () => this.save({ departement: this.place.value, choisie: "" }),
    });
    const communes = () => this.listCommunes();
    this.follow = h("select", {
      focus: communes, pointerdown: communes,
      change: () => this.save({ choisie: this.follow.value }),
    }, h("option", { value: "" }, "Aucune"));
    this.own = h("button", { type: "button", class: "cd-mienne", click: () => this.showOwn() }, "Voir ma commune");
    const figures = h("div", { class: "cd-chiffres" });
    [this.firstFigure, this.lastFigure] = [
      ["▲", "Première", "cd-moyenne"], ["▼", "Dernière", ""],
    ].map(([sign, label, kind]) => {
      const [value, unit, note] = [h("span"), h("span", { class: "cd-unite" }), h("div", { class: "cd-depart" })];
      figures.append(h("div", {},
        h("p", {}, h("span", { class: kind, "aria-hidden": "true" }, sign), label),
        h("p", { class: "cd-valeur" }, value, " ", unit), note));
      return { value, unit, note };
    });
    /** @type {HTMLElement} */ (figures.lastElementChild).style.gridColumn = "auto";
    this.plot = s("svg", { role: "img", class: "cd-graphe" });
    this.plot.style.cursor = "default";
    this.range = h("input", {
      type: "range", min: 1, max: rules.annees, step: 1,
      input: () => this.save({ annees: Number(this.range.value) }, 150),
    });
    this.smallest = h("select", { change: () => this.save({ minimum: Number(this.smallest.value) }) },
      ...rules.minimums.map((/** @type {number} */ value) =>
        h("option", { value }, value ? `celles de ${number(value)} habitants ou plus` : "toutes")));
    this.again = h("button", {
      type: "button", click: () => this.save({ tirage: (this.drawNumber() % rules.tirages) + 1 }),
    }, "Nouveau tirage");
    this.restart = h("button", {
      type: "button", click: () => this.save({ annees: 1, minimum: 0, tirage: 1, choisie: "" }),
    }, "Recommencer");
    const years = labelled("Années observées : 1", this.range, `${id}-annees`);
    this.rangeLabel = /** @type {Element} */ (years.firstElementChild);
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.source = h("p", { class: "cd-source" });
    this.root = h("div", { class: "cd-app", role: "group", "aria-label": model.get("titre") },
      h("p", { class: "cd-titre" }, model.get("titre")),
      h("p", {}, `Chaque année, le sort désigne en moyenne ${rules.chance} personnes sur ${number(1000)}. `
        + "La chance est la même partout."),
      labelled("Département", this.place, `${id}-departement`), this.own, figures, this.plot,
      h("p", { class: "cd-axe-titre" }, "Habitants (chaque repère vaut dix fois le précédent)"),
      years, this.status,
      h("div", { class: "cd-boutons" }, this.again, this.restart),
      h("fieldset", {}, h("legend", {}, "Choisir les communes"),
        h("div", { class: "cd-reglages" },
          labelled("Communes classées", this.smallest, `${id}-minimum`),
          labelled("Commune à suivre", this.follow, `${id}-commune`))),
      this.source);
    this.showPlace();
  }

  /** What an address may hold of nonsense is read as the start. @param {string} key @param {number} most */
  whole(key, most) {
    const value = this.model.get(key);
    return Number.isInteger(value) && value >= 1 && value <= most ? value : 1;
  }

  years() { return this.whole("annees", this.rules.annees); }

  drawNumber() { return this.whole("tirage", this.rules.tirages); }

  minimum() {
    const value = this.model.get("minimum");
    return this.rules.minimums.includes(value) ? value : 0;
  }

  /** The one département shown, until the list is about to open. */
  showPlace() {
    const code = this.model.get("departement");
    if (this.place.length < 2) this.place.replaceChildren(...this.options([code]));
    this.place.value = code;
  }

  /** @param {string[]} [codes] every one if none */
  options(codes) {
    return this.model.get("departements")
      .filter((/** @type {string[]} */ [code]) => !codes || codes.includes(code))
      .map((/** @type {string[]} */ [code, name]) => h("option", { value: code }, `${code} – ${name}`));
  }

  /** Fill a list when it is about to open: hundreds of elements that few readers need. */
  listPlaces() {
    if (this.place.length > 1) return;
    this.place.replaceChildren(...this.options());
    this.place.value = this.model.get("departement");
  }

  listCommunes() {
    if (!this.data || this.listed === this.data) return;
    this.listed = this.data;
    const names = [...this.data.noms].sort(new Intl.Collator("fr").compare);
    this.follow.replaceChildren(h("option", { value: "" }, "Aucune"),
      ...names.map((name) => h("option", { value: name }, name)));
    this.follow.value = this.chosenName();
  }

  chosenName() {
    const name = this.model.get("choisie");
    return this.data?.noms.includes(name) ? name : "";
  }

  /** @returns {Commune[]} the highest rate first */
  rank() {
    const years = this.years();
    const key = `${this.data.departement} ${this.drawNumber()}`;
    if (key !== this.drawnKey) {
      this.drawnKey = key;
      this.drawn = drawAll(this.data.departement, this.data.populations, this.drawNumber(), this.rules);
    }
    const smallest = Math.max(this.minimum(), 1);
    const ranked = this.data.noms
      .map((/** @type {string} */ name, /** @type {number} */ i) => {
        const [population, drawn] = [this.data.populations[i], this.drawn[years - 1][i]];
        return { name, population, drawn, rate: (1000 * drawn) / (population * years), rank: 0 };
      })
      .filter((/** @type {Commune} */ one) => one.population >= smallest)
      .sort((/** @type {Commune} */ a, /** @type {Commune} */ b) => b.rate - a.rate);
    ranked.forEach((/** @type {Commune} */ one, /** @type {number} */ i) => {
      one.rank = i && one.rate === ranked[i - 1].rate ? ranked[i - 1].rank : i + 1;
    });
    return ranked;
  }

  draw() {
    this.frame = 0;
    const received = this.model.get("communes");
    if (received?.departement !== this.model.get("departement")) {
      this.showPlace();
      if (!this.data) say(this.status, "Chargement des communes…");
      return;
    }
    if (received !== this.data) {
      this.data = received;
      this.follow.replaceChildren(h("option", { value: "" }, "Aucune"));
    }
    const [code, name] = this.model.get("departements")
      .find((/** @type {string[]} */ row) => row[0] === received.departement);
    this.where = `${name} (${code})`;
    const ranked = this.rank();
    this.drawControls();
    const few = ranked.length < 2;
    this.plot.style.display = few ? "none" : "";
    this.drawFigures(ranked, few);
    if (!few) this.drawPlot(ranked);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.announce(ranked, few), this.delay);
    this.delay = 0;
  }

  drawControls() {
    this.showPlace();
    const years = this.years();
    this.range.value = String(years);
    say(this.rangeLabel, `Années observées : ${number(years)}`);
    write(this.range, { "aria-valuetext": counted(years, "an") });
    this.smallest.value = String(this.minimum());
    const chosen = this.chosenName();
    if (chosen && ![...this.follow.options].some((option) => option.value === chosen)) {
      this.follow.append(h("option", { value: chosen }, chosen));
    }
    this.follow.value = chosen;
    const atStart = years === 1 && !this.minimum() && this.drawNumber() === 1 && !chosen;
    write(this.restart, { "aria-disabled": atStart && "true" });
    say(this.source, `${this.model.get("origine")} ${this.data.note}`.trim());
  }

  /** @param {Commune[]} ranked @param {boolean} few */
  drawFigures(ranked, few) {
    const [first, last] = [ranked[0], ranked[ranked.length - 1]];
    const equal = ranked.filter((one) => one.rate === last?.rate);
    const unit = `pour ${number(1000)}`;
    const rows = few ? [["–", "", ""], ["–", "", ""]] : [
      [rateText(first.rate), unit, `${first.name}, ${counted(first.population, "habitant")}`],
      [rateText(last.rate), unit, equal.length > 1
        ? `${number(equal.length)} communes, d'au plus ${counted(Math.max(...equal.map((one) => one.population)), "habitant")}`
        : `${last.name}, ${counted(last.population, "habitant")}`],
    ];
    [this.firstFigure, this.lastFigure].forEach((figure, i) => {
      say(figure.value, rows[i][0]);
      say(figure.unit, rows[i][1]);
      say(figure.note, rows[i][2].replaceAll("\u00a0", " "));
    });
  }

  /** @param {Commune[]} ranked */
  drawPlot(ranked) {
    const width = this.plot.clientWidth || 600;
    const top = this.rules.cadre;
    const sizes = ranked.map((one) => Math.log10(one.population));
    const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
    const x = (/** @type {number} */ population) =>
      LEFT + 8 + ((Math.log10(population) - low) / (high - low || 1)) * (width - LEFT - RIGHT - 16);
    const y = (/** @type {number} */ rate) =>
      HEIGHT - BOTTOM - (Math.min(rate, top) / top) * (HEIGHT - TOP - BOTTOM);
    let lines = `M${LEFT},${TOP - 6}V${y(0)}H${width}`;
    const parts = [s("text", { x: 0, y: 14 }, `Pour ${number(1000)} habitants, par an`)];
    for (const tick of [0, top / 2, top]) {
      parts.push(s("text", { x: LEFT - 6, y: y(tick) + 5, "text-anchor": "end" }, rateText(tick)));
    }
    let end = LEFT;
    for (let power = Math.ceil(low); power <= high; power += 1) {
      const at = x(10 ** power);
      const half = 4.5 * number(10 ** power).length;
      const middle = Math.min(at, width - half);
      lines += `M${at},${y(0)}v6`;
      if (middle - half < end) continue;
      end = middle + half + 4;
      parts.push(s("text", { x: middle, y: y(0) + 24, "text-anchor": "middle" }, number(10 ** power)));
    }
    const beyond = ranked.filter((one) => one.rate > top).length;
    if (beyond) {
      parts.push(s("text", { x: width, y: TOP + 50, "text-anchor": "end" }, `${number(beyond)} au-dessus du cadre`));
    }
    const axis = s("g", { class: "cd-axe" });
    axis.append(s("path", { d: lines }), ...parts);
    const dots = s("path", {
      class: "cd-points", "stroke-width": 6, "stroke-linecap": "round",
      d: ranked.map((one) => `M${x(one.population).toFixed(1)},${y(one.rate).toFixed(1)}h0`).join(""),
    });
    const truth = y(this.rules.chance);
    const [first] = ranked;
    const [fx, fy] = [x(first.population), y(first.rate)];
    const firstLabel = fy < TOP + 20 ? fy + 24 : fy - 14;
    const marks = [axis, dots,
      s("path", { class: "cd-mediane cd-trait", d: `M${LEFT},${truth}H${width}` }),
      s("text", { class: "cd-repere", x: width, y: truth + 24, "text-anchor": "end" },
        `la vraie chance : ${this.rules.chance}`),
      s("path", { class: "cd-moyenne", d: `M${fx},${fy - 9}l9,15h-18z` }),
      this.label(`${first.name} : ${rateText(first.rate)}`, fx, firstLabel, width)];
    const chosen = ranked.find((one) => one.name === this.chosenName());
    if (chosen) {
      const [cx, cy] = [x(chosen.population), y(chosen.rate)];
      marks.push(s("circle", { class: "cd-choisi", cx, cy, r: 9 }));
      // Two labels on one line would cover each other: the second goes higher.
      const high = cy - 30;
      const raised = Math.abs(high - firstLabel) < 20 ? firstLabel - 20 : high;
      if (chosen !== first) marks.push(this.label(`${chosen.name} : ${rateText(chosen.rate)}`, cx, Math.max(raised, TOP + 44), width));
    }
    this.plot.replaceChildren(...marks);
    write(this.plot, {
      viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT,
      "aria-label": `${this.where}, ${number(ranked.length)} communes, sur ${counted(this.years(), "an")}. `
        + `De gauche à droite, des moins peuplées aux plus peuplées. `
        + `Taux de ${rateText(ranked[ranked.length - 1].rate)} à ${rateText(first.rate)} pour ${number(1000)}. `
        + `Les points s'écartent à gauche et se resserrent à droite, autour de ${this.rules.chance}.`,
    });
  }

  /** A label inside the drawing. @param {string} text @param {number} x @param {number} y @param {number} width */
  label(text, x, y, width) {
    const side = x < width / 3 ? "start" : x > (2 * width) / 3 ? "end" : "middle";
    return s("text", { class: "cd-nom", x: side === "start" ? Math.max(x - 6, LEFT + 4) : Math.min(x, width), y, "text-anchor": side }, text);
  }

  /** @param {Commune[]} ranked @param {boolean} few */
  announce(ranked, few) {
    const lead = `${this.where}, ${counted(this.years(), "an")}, tirage ${number(this.drawNumber())}`;
    const minimum = this.minimum();
    if (few) {
      say(this.status, minimum
        ? `${this.where} : moins de deux communes de ${number(minimum)} habitants ou plus. Choisissez « toutes ».`
        : `${this.where} n'a qu'une commune : il n'y a rien à classer. Choisissez un autre département.`);
      return;
    }
    const [first, last] = [ranked[0], ranked[ranked.length - 1]];
    const equal = ranked.filter((one) => one.rate === last.rate).length;
    const chosen = ranked.find((one) => one.name === this.chosenName());
    const top = Math.min(this.rules.premieres, ranked.length >> 1);
    const middle = median(ranked.map((one) => one.population).sort((a, b) => a - b));
    const small = ranked.slice(0, top).filter((one) => one.population < middle).length;
    say(this.status, [this.warning,
      `${lead} : ${first.name} est première, avec ${counted(first.population, "habitant")} et ${counted(first.drawn, "personne tirée", "personnes tirées")}.`,
      `Parmi les ${number(top)} premières, ${number(small)} ont moins d'habitants que la médiane.`,
      `Les taux vont de ${rateText(last.rate)} à ${rateText(first.rate)} pour ${number(1000)} par an.`,
      equal > 1 ? `${number(equal)} communes sont dernières, à égalité.` : `${last.name} est dernière.`,
      chosen ? `${chosen.name}, que vous suivez : rang ${number(chosen.rank)} sur ${number(ranked.length)}.` : "",
    ].filter(Boolean).join(" "));
  }

  /** @param {Record<string, any>} changes @param {number} [delay] before the sentence, in ms */
  save(changes, delay = 0) {
    this.delay = delay;
    this.warning = "";
    Object.entries(changes).forEach(([key, value]) => this.model.set(key, value));
    this.model.save_changes();
    this.refresh();
  }

  /** What was asked for cannot be had: say so, and come back to the département shown before. */
  fail() {
    const message = this.model.get("_erreur");
    if (!message) return;
    const back = this.data?.departement ?? FALLBACK;
    const name = this.model.get("departements").find((/** @type {string[]} */ row) => row[0] === back)[1];
    if (this.model.get("departement") === back) return say(this.status, message);
    this.save({ departement: back });
    this.warning = `${message} ${name} (${back}) est affiché.`;
  }

  /** The reader's commune, which the site keeps in this browser; null in JupyterLab. */
  ownCommune() {
    const own = /** @type {any} */ (window).cultureD?.commune?.get?.();
    const known = this.model.get("departements").some((/** @type {string[]} */ [code]) => code === own?.department?.code);
    return known && typeof own.name === "string" ? own : null;
  }

  offerOwn() {
    const own = this.ownCommune();
    this.own.hidden = !own;
    say(this.own, own ? `Suivre ma commune : ${own.name}` : "Suivre ma commune");
  }

  showOwn() {
    const own = this.ownCommune();
    if (own) this.save({ departement: own.department.code, choisie: own.name });
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
