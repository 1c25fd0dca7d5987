/**
 * Mean and median: move a commune, and see which of the two follows it.
 *
 * Populations are in inhabitants, lengths in pixels.
 *
 * @typedef {{ name: string, start: number, value: number }} Commune
 * @typedef {{ code: string, place: string, note: string, communes: Commune[] }} Dataset
 * @typedef {{ name: string, department: { code: string } }} Own the reader's own commune
 * @typedef {{ count: number, mean: number, median: number, below: number }} Summary
 * @typedef {{ xs: number[], levels: number[], size: number, width: number }} Pile
 * @typedef {{ at(v: number): number, value(x: number): number, ticks: number[] }} Scale
 */

const MARGIN = 22;
const ZERO_GAP = 26;
const LABEL_ROWS = 54;
/** A label may go this far beyond the drawing, into the white around it. */
const OVERHANG = 10;
const BRICK = 7;
const MANY = 60;
const KEYS = ["departement", "communes", "modifications", "retirees", "choisie", "axe", "_erreur"];

/** @param {number} value */
const meanText = (value) => number(value, value >= 100 ? 0 : 1);
/** @param {number} value */
const medianText = (value) => number(value, 1);
/** @param {number} value @param {string} [text] */
const people = (value, text = number(value)) =>
  `${text}\u00a0habitant${value < 2 ? "" : "s"}`;

/** @param {Commune[]} communes @returns {Summary} */
function summarise(communes) {
  const values = communes.map((commune) => commune.value).sort((a, b) => a - b);
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const median = (values[(count - 1) >> 1] + values[count >> 1]) / 2;
  return { count, mean, median, below: values.filter((value) => value < mean).length };
}

/** A share never rounded up to the whole. @param {{ below: number, count: number }} part */
function shareText({ below, count }) {
  const share = number((100 * below) / count, 0);
  return below < count && share === "100" ? "plus de 99\u202f%" : `${share}\u202f%`;
}

/** @param {Summary} summary */
const belowText = ({ below, count }) =>
  `${number(below)} commune${below < 2 ? "" : "s"} sur ${number(count)}`;

/** @param {Summary} summary */
const belowSentence = (summary) =>
  `Sous la moyenne : ${belowText(summary)}, soit ${shareText(summary)}.`;

/** @param {string} text */
const countWords = (text) =>
  text.replaceAll("\u202f", "").split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** @param {string[]} names */
const listed = (names) =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} et ${names[names.length - 1]}`;

/**
 * Say what the reader changed; "" if nothing. In at most seven words, so that the whole
 * sentence keeps within twenty-two: names first, then counts.
 * @param {Commune[]} removed @param {Commune[]} kept
 */
function changesText(removed, kept) {
  const moved = kept.filter((commune) => commune.value !== commune.start);
  const count = removed.length;
  const largestKept = Math.max(...kept.map((commune) => commune.start));
  const several = count > 1 ? `${number(count)} communes` : "une commune";
  const without = !count ? [""] : [
    ...(count > 3 ? [] : [`Sans ${listed(removed.map(({ name }) => name))}`]),
    ...(removed.some((commune) => commune.start < largestKept) ? []
      : [count > 1 ? `Sans les ${number(count)} plus grandes communes` : "Sans la plus grande commune"]),
    `Sans ${several}`,
  ];
  const [one] = moved;
  const values = moved.length > 1 ? `${number(moved.length)} valeurs modifiées` : "une valeur modifiée";
  const changed = !one ? [""] : [
    ...(moved.length > 1 ? [] : [`${count ? "avec " : ""}${one.name} à ${people(one.value)}`]),
    `${count ? "avec" : "Avec"} ${values}`,
  ];
  const leads = changed.flatMap((end) =>
    without.map((start) => (start && end ? `${start}, ${end}` : start + end)));
  return leads.find((lead) => countWords(lead) <= 7) ?? leads[leads.length - 1];
}

/**
 * Compare with the start, whatever was done in between.
 * @param {string} lead what was changed @param {Summary} now @param {Summary} atStart
 */
function comparison(lead, now, atStart) {
  const [mean, median] = [meanText(now.mean), medianText(now.median)];
  if (!lead) return `Retour au départ : moyenne ${mean}, médiane ${median}.`;
  const [oldMean, oldMedian] = [meanText(atStart.mean), medianText(atStart.median)];
  const still = mean === oldMean;
  const first = still ? `reste à ${mean}` : `passe de ${oldMean} au départ à ${mean}`;
  const second = median === oldMedian ? `reste à ${median}`
    : still ? `passe de ${oldMedian} au départ à ${median}` : `de ${oldMedian} à ${median}`;
  return `${lead} : la moyenne ${first}, la médiane ${second}.`;
}

/**
 * Read what a person typed as a population.
 * @param {string} text @param {number} maximum
 * @returns {{ value?: number, error?: string }}
 */
function parsePopulation(text, maximum) {
  const compact = text.replace(/\s/g, "").replace("−", "-");
  if (!compact) return { error: "Écrivez un nombre d'habitants, par exemple 1\u202f200." };
  if (/^-\d+([.,]\d+)?$/.test(compact)) {
    return { error: "Une population ne peut pas être négative. Le minimum est 0." };
  }
  if (/^\d+[.,]\d+$/.test(compact)) {
    return { error: "Une population est un nombre entier, sans virgule ni point." };
  }
  if (!/^\d+$/.test(compact)) {
    return { error: "Ce n'est pas un nombre. Écrivez des chiffres, par exemple 1\u202f200." };
  }
  const value = Number(compact);
  return value > maximum ? { error: `Le maximum est ${people(maximum)}.` } : { value };
}

/** The smallest of 1, 1.5, 2, 3, 5 × 10^k that reaches `value`. @param {number} value */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return power * ([1, 1.5, 2, 3, 5, 10].find((factor) => factor * power >= value) ?? 10);
}

/** Round for the eye: to a power of ten of at most a hundredth of `size`. @param {number} value @param {number} size */
function roundTo(value, size) {
  const step = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(size, 1) / 100)));
  return Math.round(value / step) * step;
}

/** @param {number} highest @param {number} width @returns {Scale} */
function linearScale(highest, width) {
  const top = niceAbove(highest * 1.3);
  const span = width - 2 * MARGIN;
  const wanted = top / Math.max(2, Math.floor(span / 75));
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= wanted) ?? 10);
  const ticks = Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
  return {
    ticks,
    at: (value) => MARGIN + (Math.min(value, top) / top) * span,
    value: (x) => Math.max(0, roundTo(Math.min(1, (x - MARGIN) / span) * top, top)),
  };
}

/**
 * Each tick is ten times the one before; 0, which has no place on such an axis, stands
 * apart on the left.
 * @param {number} lowest smallest population above 0
 * @param {number} highest @param {number} width @returns {Scale}
 */
function logScale(lowest, highest, width) {
  const from = Math.floor(Math.min(Math.log10(lowest), Math.log10(highest) - 2));
  const top = niceAbove(highest * 1.3);
  const decades = Math.log10(top) - from;
  const left = MARGIN + ZERO_GAP;
  const span = width - MARGIN - left;
  const powers = Array.from({ length: Math.floor(decades + 1e-9) + 1 }, (_, i) => 10 ** (from + i));
  return {
    ticks: [0, ...powers],
    at: (value) => value < 1 ? MARGIN
      : left + (Math.max(0, Math.log10(Math.min(value, top)) - from) / decades) * span,
    value: (x) => {
      if (x < left - ZERO_GAP / 2) return 0;
      const share = Math.min(1, Math.max(0, (x - left) / span));
      const value = 10 ** (from + share * decades);
      return roundTo(value, value);
    },
  };
}

/**
 * Pile the dots that would overlap, each at its own place on the axis.
 * @param {number[]} xs increasing @param {number} height
 * @returns {Pile}
 */
function pileDots(xs, height) {
  for (let size = 18; ; size -= 2) {
    /** @type {number[]} */
    const ends = [];
    const levels = xs.map((x) => {
      let level = ends.findIndex((end) => end <= x);
      if (level < 0) level = ends.length;
      ends[level] = x + size;
      return level;
    });
    if (ends.length * size <= height || size <= 4) return { xs, levels, size, width: 0 };
  }
}

/**
 * Pile one brick per value in columns: hundreds of dots would be too small to see.
 * @param {number[]} xs @param {number} height
 * @returns {Pile}
 */
function pileBricks(xs, height) {
  /** @type {number[]} */
  const counts = [];
  const columns = xs.map((x) => Math.round(x / BRICK));
  const levels = columns.map((column) => (counts[column] = (counts[column] ?? 0) + 1) - 1);
  const size = Math.min(BRICK, height / Math.max(...counts.filter(Boolean)));
  return { xs: columns.map((column) => column * BRICK), levels, size, width: BRICK - 1.5 };
}

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-mm-${++views}`;
    this.width = 0;
    /** @type {Dataset} */
    this.data = this.example();
    this.introduced = false;
    this.placing = false;
    this.warning = "";
    this.loaded = /** @type {any} */ (undefined);
    this.frame = 0;
    this.timer = 0;
    this.drag = /** @type {any} */ (null);
    this.build();
    this.offer = () => this.offerOwn();
    this.offer();
    document.addEventListener("culture-d:commune", this.offer);
    el.append(this.root);
    this.refresh = () => { this.frame ||= requestAnimationFrame(() => this.draw()); };
    this.failed = () => this.fail();
    KEYS.forEach((key) => model.on(`change:${key}`, this.refresh));
    model.on("change:_erreur", this.failed);
    this.sizes = new ResizeObserver(() => { this.layoutKey = ""; this.refresh(); });
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

  /** Fill the list when it is about to open: a hundred elements that few readers need. */
  listPlaces() {
    if (this.place.length > 1) return;
    this.place.append(...this.places.map(([code, words]) => h("option", { value: code }, words)));
  }

  build() {
    const { model, id } = this;
    /** @type {string[][]} */
    this.places = model.get("departements").map((/** @type {string[]} */ [code, name]) =>
      [code, `${code} – ${name}`]);
    this.place = h("select", {
      change: () => this.choosePlace(),
      focus: () => this.listPlaces(),
      pointerdown: () => this.listPlaces(),
    }, h("option", { value: "" }, "Exemple simulé"));
    this.own = h("button", { type: "button", class: "cd-mienne", click: () => this.showOwn() }, "Voir ma commune");
    this.figures = h("div", { class: "cd-chiffres" });
    [this.meanFigure, this.medianFigure, this.belowFigure] = [
      ["▲", "Moyenne", "cd-moyenne"], ["◆", "Médiane", "cd-mediane"], ["", "Sous la moyenne", ""],
    ].map(([sign, label, kind]) => {
      const [value, unit] = [h("span"), h("span", { class: "cd-unite" })];
      const start = h("div", { class: "cd-depart" });
      this.figures.append(h("div", {},
        h("p", {}, h("span", { class: kind, "aria-hidden": "true" }, sign), label),
        h("p", { class: "cd-valeur" }, value, " ", unit), start));
      return { value, unit, start };
    });
    this.plot = s("svg", {
      role: "img", class: "cd-graphe",
      pointerdown: (/** @type {PointerEvent} */ event) => this.grab(event),
      pointermove: (/** @type {PointerEvent} */ event) => this.pull(event),
      pointerup: () => this.release(),
      pointercancel: () => this.release(true),
    });
    this.buildPlot();
    this.axisTitle = h("p", { class: "cd-axe-titre" });
    this.axisNote = h("p", { class: "cd-axe-note" });
    this.help = h("p", { class: "cd-aide" });
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.pick = h("select", {
      change: () => {
        this.choose(this.pick.value);
        this.situate();
      },
    });
    this.range = h("input", {
      type: "range", min: 0, max: 1000, step: 1,
      input: () => this.slide(), keydown: (/** @type {KeyboardEvent} */ event) => this.step(event),
    });
    this.field = h("input", {
      type: "text", inputmode: "numeric", autocomplete: "off", "aria-describedby": `${id}-erreur`,
      change: () => this.type(),
    });
    this.error = h("p", { id: `${id}-erreur`, class: "cd-erreur" });
    this.changed = h("p", { class: "cd-note" });
    this.take = h("button", { type: "button", click: () => this.takeLargest() },
      "Retirer la plus grande commune");
    this.back = h("button", { type: "button", click: () => this.putBack() }, "Remettre");
    this.restart = h("button", { type: "button", click: () => this.reset() }, "Recommencer");
    this.axes = ["regulier", "resserre"].map((kind) => h("input", {
      type: "radio", name: `${id}-axe`, value: kind, change: () => this.save({ axe: kind }),
    }));
    this.source = h("p", { class: "cd-source" });
    this.root = h("div", { class: "cd-app", role: "group", "aria-label": model.get("titre") },
      h("p", { class: "cd-titre" }, model.get("titre")),
      labelled("Communes affichées", this.place, `${id}-donnees`),
      this.own, this.figures, this.plot, this.axisTitle, this.axisNote,
      labelled("Moins ou plus d'habitants dans la commune choisie", this.range, `${id}-curseur`),
      this.status, this.help,
      h("div", { class: "cd-boutons" }, this.take, this.back, this.restart),
      h("fieldset", {}, h("legend", {}, "Choisir une commune, changer sa population"),
        h("div", { class: "cd-reglages" },
          labelled("Commune", this.pick, `${id}-commune`),
          labelled("Habitants", this.field, `${id}-habitants`)),
        this.error, this.changed),
      h("fieldset", { class: "cd-axes" }, h("legend", {}, "Graduation de l'axe"),
        h("label", {}, this.axes[0], "égale : même écart, même nombre d'habitants"),
        h("label", {}, this.axes[1], "resserrée : chaque repère vaut dix fois le précédent")),
      this.source);
  }

  buildPlot() {
    this.axis = s("g", { class: "cd-axe" });
    this.startMean = s("path", { class: "cd-moyenne cd-fantome", d: "M0,2l8,14h-16z" });
    this.startMedian = s("path", { class: "cd-mediane cd-fantome", d: "M0,-8l8,8l-8,8l-8,-8z" });
    this.others = s("path", { class: "cd-points" });
    this.meanLine = s("path", { class: "cd-moyenne cd-trait" });
    this.medianLine = s("path", { class: "cd-mediane cd-trait" });
    this.meanMark = s("path", { class: "cd-moyenne", d: "M0,1l9,15h-18z" });
    this.medianMark = s("path", { class: "cd-mediane", d: "M0,-9l9,9l-9,9l-9,-9z" });
    this.leader = s("path", { class: "cd-lien" });
    this.chosenDot = s("circle", { class: "cd-choisi" });
    this.meanLabel = s("text", { class: "cd-repere", y: 44 });
    this.medianLabel = s("text", { class: "cd-repere", y: 18 });
    this.chosenLabel = s("text", { class: "cd-nom" });
    this.plot.append(this.axis, this.startMean, this.startMedian, this.others, this.meanLine,
      this.medianLine, this.meanMark, this.medianMark, this.leader, this.chosenDot, this.meanLabel,
      this.medianLabel, this.chosenLabel);
  }

  /** @returns {Dataset} */
  example() {
    return { ...this.read(this.model.get("exemple")), code: "", place: "Exemple simulé", note: "" };
  }

  /** @param {{ noms: string[], populations: number[] }} columns */
  read({ noms, populations }) {
    const communes = noms.map((name, i) =>
      ({ name, start: populations[i], value: populations[i] }));
    return { communes };
  }

  /** Take the data asked for once they are there; say so while they are not. */
  readData() {
    const code = this.model.get("departement");
    const received = this.model.get("communes");
    if (code && received?.departement !== code) return false;
    const source = code ? received : this.model.get("exemple");
    if (source === this.loaded) return true;
    this.loaded = source;
    if (code) {
      const name = this.model.get("departements").find((/** @type {string[]} */ row) => row[0] === code)[1];
      this.data = { ...this.read(received), code, place: `${name} (${code})`, note: received.note };
    } else {
      this.data = this.example();
    }
    const names = this.data.communes.map((commune) => commune.name);
    names.sort(new Intl.Collator("fr").compare);
    this.pick.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    this.layoutKey = "";
    this.introduced = false;
    return true;
  }

  /** Apply what the reader changed; values that make no sense (an edited address) are left out. */
  applyChanges() {
    const changes = Object(this.model.get("modifications"));
    const removed = [].concat(this.model.get("retirees"));
    for (const commune of this.data.communes) {
      const value = Object.hasOwn(changes, commune.name) ? changes[commune.name] : undefined;
      const valid = Number.isInteger(value) && value >= 0 && value <= this.model.get("maximum");
      // Adding 0 makes a zero of the negative zero that an address may hold.
      commune.value = valid ? value + 0 : commune.start;
    }
    const known = new Set(this.data.communes.map((commune) => commune.name));
    this.removed = [...new Set(removed)].filter((name) => known.has(name)).slice(0, known.size - 1);
    const gone = new Set(this.removed);
    this.kept = this.data.communes.filter((commune) => !gone.has(commune.name));
    const largest = this.largest();
    this.chosen = this.kept.find(({ name }) => name === this.model.get("choisie")) ?? largest;
  }

  largest() {
    return this.kept.reduce((best, commune) => (commune.value > best.value ? commune : best));
  }

  draw() {
    this.frame = 0;
    const ready = this.readData();
    this.applyChanges();
    const now = summarise(this.kept);
    const atStart = this.atStart();
    this.layOut();
    this.drawFigures(now, atStart);
    this.drawDots();
    this.drawMarks(now, atStart);
    this.drawControls();
    this.describe(now);
    if (!ready) say(this.status, "Chargement des communes…");
    else if (!this.introduced) this.introduce(now);
  }

  atStart() {
    return summarise(this.data.communes.map((commune) => ({ ...commune, value: commune.start })));
  }

  /** Keep the axis still while values move: it follows the communes left, the width and what was typed. */
  layOut() {
    const width = this.plot.clientWidth || 600;
    const axe = this.model.get("axe");
    this.kind = axe === "regulier" || axe === "resserre" ? axe : this.data.code ? "resserre" : "regulier";
    const values = this.kept.map((commune) => Math.max(commune.start, commune.value));
    const highest = Math.max(...values, 10);
    const fixed = JSON.stringify([width, this.kind, ...this.removed]);
    if (fixed === this.layoutKey && (this.drag || highest <= this.reach)) return;
    this.layoutKey = fixed;
    this.width = width;
    const lowest = Math.min(...this.kept.map((commune) => commune.start).filter((value) => value > 0));
    this.scale = this.kind === "regulier" ? linearScale(highest, width)
      : logScale(Number.isFinite(lowest) ? lowest : 1, highest, width);
    this.reach = this.scale.value(width);
    this.height = LABEL_ROWS + (this.data.communes.length > 40 ? 212 : 136);
    this.drawAxis();
  }

  /** Every tick keeps its label: one that would touch its neighbour goes a row lower. */
  drawAxis() {
    const { scale, width, height } = this;
    const log = this.kind === "resserre";
    const broken = log ? `h8M${MARGIN + ZERO_GAP},${height}` : "";
    const line = s("path", { d: `M${MARGIN},${height}${broken}H${width - MARGIN}` });
    const labels = scale.ticks.map((tick) => {
      const label = s("text", { "text-anchor": "middle" });
      label.textContent = number(tick);
      return label;
    });
    this.axis.replaceChildren(line, ...labels);
    const ends = [-Infinity, -Infinity];
    labels.forEach((label, i) => {
      const x = scale.at(scale.ticks[i]);
      const half = (label.getComputedTextLength?.() || label.textContent.length * 8.4) / 2;
      const middle = Math.min(Math.max(x, half), width - half);
      const row = ends.findIndex((end) => middle - half > end);
      this.axis.append(s("path", { d: `M${x},${height}v${row > 0 ? 24 : 6}` }));
      if (row < 0) return label.remove();
      ends[row] = middle + half + 5;
      write(label, { x: middle, y: height + 34 + 18 * row });
      this.axis.append(label);
    });
    const total = height + (Number.isFinite(ends[1]) ? 58 : 40);
    write(this.plot, { viewBox: `0 0 ${width} ${total}`, height: total });
    say(this.axisTitle, log ? "Habitants (chaque repère vaut dix fois le précédent)" : "Nombre d'habitants");
    say(this.axisNote, log ? "Cette graduation rapproche les grandes communes des petites." : "");
  }

  /** @param {Summary} now @param {Summary} atStart */
  drawFigures(now, atStart) {
    const rows = [
      [this.meanFigure, meanText(now.mean), "habitants", meanText(atStart.mean)],
      [this.medianFigure, medianText(now.median), "habitants", medianText(atStart.median)],
      [this.belowFigure, shareText(now), belowText(now), shareText(atStart)],
    ];
    for (const [figure, value, unit, start] of /** @type {any[]} */ (rows)) {
      say(figure.value, value);
      say(figure.unit, unit);
      say(figure.start, value === start ? "" : `au départ : ${start}`);
    }
  }

  drawDots() {
    const { scale, height } = this;
    const sorted = this.kept.filter((commune) => commune !== this.chosen)
      .sort((a, b) => a.value - b.value);
    const pile = this.data.communes.length > MANY ? pileBricks : pileDots;
    const { xs, levels, size, width } =
      pile(sorted.map((commune) => scale.at(commune.value)), height - LABEL_ROWS - 50);
    this.dots = sorted.map((commune, i) =>
      ({ commune, x: xs[i], y: height - size * (levels[i] + 0.5) - 1 }));
    const start = width / 2;
    write(this.others, {
      d: this.dots.map(({ x, y }) => `M${(x - start).toFixed(1)},${y.toFixed(1)}h${width}`).join(""),
      "stroke-width": Math.max(size - 1, size * 0.7),
      "stroke-linecap": width ? "butt" : "round",
    });
    const x = scale.at(this.chosen.value);
    const radius = Math.max(9, size / 2 + 1);
    const under = this.dots.filter((dot) => Math.abs(dot.x - x) < radius + Math.max(size, width) / 2)
      .reduce((top, dot) => Math.min(top, dot.y - size / 2), height);
    const chosen = { commune: this.chosen, x, y: under - radius - 1 };
    this.dots.push(chosen);
    write(this.chosenDot, { cx: x, cy: chosen.y, r: radius });
    say(this.chosenLabel, `${this.chosen.name} : ${number(this.chosen.value)}`);
    const [from, to] = this.label(this.chosenLabel, x);
    const reach = (size + width) / 2 + 4;
    const above = this.dots.filter((dot) => dot.x > from - reach && dot.x < to + reach)
      .reduce((top, dot) => Math.min(top, dot.y - size / 2), chosen.y - radius);
    write(this.chosenLabel, { y: above - 7 });
    write(this.leader, { d: `M${x},${chosen.y - radius}V${above - 3}` });
  }

  /**
   * Set a label inside the drawing, and give where it starts and ends: centred on x, or
   * on one side of it, rather the right one, away from what is not to be covered.
   * @param {SVGTextElement} label @param {number} x
   * @param {number} [gap] between x and the label; none: centred
   * @param {number} [avoid] middle of a mark
   */
  label(label, x, gap = 0, avoid = -Infinity) {
    const length = label.getComputedTextLength?.() || 100;
    const clear = (/** @type {number} */ from) =>
      from >= -OVERHANG && from + length <= this.width + OVERHANG
      && (avoid < from - 9 || avoid > from + length + 9);
    const sides = [x + gap, x - gap - length];
    const wanted = gap ? sides.find(clear) ?? sides[x > this.width / 2 ? 1 : 0] : x - length / 2;
    const from = Math.max(-OVERHANG, Math.min(wanted, this.width + OVERHANG - length));
    write(label, { x: from });
    return [from, from + length];
  }

  /** @param {Summary} now @param {Summary} atStart */
  drawMarks(now, atStart) {
    const { scale, height } = this;
    const mean = scale.at(now.mean);
    const median = scale.at(now.median);
    const move = (/** @type {SVGElement} */ node, /** @type {number} */ x, /** @type {number} */ y) => {
      node.style.transform = `translate(${x}px,${y}px)`;
    };
    move(this.meanMark, mean, height);
    move(this.medianMark, median, 12);
    move(this.startMean, scale.at(atStart.mean), height);
    move(this.startMedian, scale.at(atStart.median), 12);
    this.meanLabel.textContent = `moyenne ${meanText(now.mean)}`;
    this.medianLabel.textContent = `médiane ${medianText(now.median)}`;
    this.label(this.meanLabel, mean, 7);
    const old = scale.at(atStart.median);
    const [from, to] = this.label(this.medianLabel, median, 13, old);
    // Once the largest are removed, the start may lie beyond the axis: better nowhere than at its end,
    // and better nowhere than under a label.
    this.startMean.style.display = atStart.mean > this.reach ? "none" : "";
    this.startMedian.style.display = atStart.median > this.reach
      || (old > from - 9 && old < to + 9) ? "none" : "";
    move(this.meanLine, mean, 0);
    move(this.medianLine, median, 0);
    write(this.meanLine, { d: `M0,34V${height}` });
    write(this.medianLine, { d: `M0,20V${height}` });
  }

  drawControls() {
    const { chosen, scale } = this;
    say(this.help, this.data.communes.length === 1
      ? "Ce département n'a qu'une commune : choisissez-en un autre pour comparer."
      : this.data.communes.length > MANY
      ? "Chaque marque grise est une commune. Faites glisser le gros point, ou touchez une marque "
        + "pour choisir une autre commune."
      : "Chaque point est une commune. Faites-en glisser un vers la gauche ou la droite.");
    if (this.model.get("departement")) this.listPlaces();
    this.place.value = this.model.get("departement");
    const gone = new Set(this.removed);
    for (const option of this.pick.options) option.disabled = gone.has(option.value);
    this.pick.value = chosen.name;
    const span = this.width - 2 * MARGIN;
    this.range.value = String(Math.round(((scale.at(chosen.value) - MARGIN) / span) * 1000));
    write(this.range, { "aria-valuetext": `${chosen.name} : ${people(chosen.value)}` });
    const shown = `${chosen.name} ${chosen.value}`;
    if (shown !== this.shown) {
      this.field.value = number(chosen.value);
      this.complain("");
    }
    this.shown = shown;
    const moved = this.data.communes.filter((commune) => commune.value !== commune.start);
    say(this.changed, chosen.value === chosen.start ? ""
      : `${chosen.name} : valeur modifiée par vous (au départ : ${number(chosen.start)}).`);
    const last = this.removed[this.removed.length - 1];
    say(this.back, last === undefined ? "Remettre" : `Remettre ${last}`);
    write(this.back, { "aria-disabled": last === undefined && "true" });
    write(this.take, { "aria-disabled": this.kept.length === 1 && "true" });
    write(this.restart, { "aria-disabled": !(moved.length || this.removed.length) && "true" });
    for (const axis of this.axes) axis.checked = axis.value === this.kind;
    const { exemple, reel } = this.model.get("sources");
    const mine = !moved.length ? "" : moved.length === 1 ? " Une valeur a été modifiée par vous."
      : ` ${number(moved.length)} valeurs ont été modifiées par vous.`;
    say(this.source, (this.data.code ? `${reel} ${this.data.note}`.trim() : exemple) + mine);
  }

  /** @param {Summary} now */
  describe(now) {
    const values = this.kept.map((commune) => commune.value);
    write(this.plot, {
      "aria-label": `${this.data.place}, ${number(now.count)} commune${now.count > 1 ? "s" : ""}, `
        + `de ${number(Math.min(...values))} à ${people(Math.max(...values))}. `
        + `Moyenne : ${meanText(now.mean)}. Médiane : ${medianText(now.median)}. `
        + `${belowSentence(now)} Commune choisie : ${this.chosen.name}, ${people(this.chosen.value)}.`,
    });
  }

  /** First sentence on a set of communes. @param {Summary} now */
  introduce(now) {
    this.introduced = true;
    const { placing, warning } = this;
    this.placing = false;
    this.warning = "";
    if (placing && now.count > 1 && this.chosen.name === this.model.get("choisie")) {
      this.situate();
      return;
    }
    const text = now.count === 1
      ? `${this.data.place} n'a qu'une commune : la moyenne et la médiane sont égales, `
        + `${people(now.median)}.`
      : `${this.data.place} : ${number(now.count)} communes. La moyenne est de `
        + `${people(now.mean, meanText(now.mean))}, la médiane de ${medianText(now.median)}. `
        + belowSentence(now);
    say(this.status, warning ? `${warning} ${text}` : text);
  }

  /** Say what is changed since the start. @param {number} [delay] in ms */
  announce(delay = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.applyChanges();
      const byName = new Map(this.data.communes.map((commune) => [commune.name, commune]));
      const lead = changesText(this.removed.map((name) => byName.get(name)), this.kept);
      const now = summarise(this.kept);
      say(this.status, `${comparison(lead, now, this.atStart())} ${belowSentence(now)}`);
    }, delay);
  }

  /** @param {Record<string, any>} changes */
  save(changes) {
    Object.entries(changes).forEach(([key, value]) => this.model.set(key, value));
    this.model.save_changes();
    this.applyChanges();
  }

  /** What was asked for cannot be had: say so over the simulated example. */
  fail() {
    const message = this.model.get("_erreur");
    if (!message) return;
    this.warning = `${message} L'exemple simulé est affiché.`;
    this.loaded = undefined;
    this.placing = false;
    this.save({ departement: "" });
    this.refresh?.();
  }

  /** The reader's commune, which the site keeps in this browser; null in JupyterLab. @returns {Own | null} */
  ownCommune() {
    const own = /** @type {any} */ (window).cultureD?.commune?.get?.();
    const known = this.places.some(([code]) => code === own?.department?.code);
    return known && typeof own.name === "string" ? own : null;
  }

  offerOwn() {
    const own = this.ownCommune();
    this.own.hidden = !own;
    say(this.own, own ? `Voir ma commune : ${own.name}` : "Voir ma commune");
  }

  showOwn() {
    const own = this.ownCommune();
    if (!own) return;
    const { name, department: { code } } = own;
    const here = code === this.model.get("departement");
    clearTimeout(this.timer);
    this.complain("");
    this.introduced = false;
    this.placing = true;
    this.save({
      departement: code, choisie: name,
      modifications: here ? this.model.get("modifications") : {},
      retirees: here ? this.removed.filter((removed) => removed !== name) : [],
    });
    this.refresh();
  }

  choosePlace() {
    clearTimeout(this.timer);
    this.placing = false;
    this.save({ departement: this.place.value, modifications: {}, retirees: [], choisie: "" });
  }

  /** @param {string} name */
  choose(name) {
    this.complain("");
    this.save({ choisie: name });
  }

  /** Say where the chosen commune stands among the others. */
  situate() {
    this.applyChanges();
    const { chosen, data, kept } = this;
    const smaller = kept.filter((commune) => commune.value < chosen.value).length;
    const others = kept.length - 1;
    if (!others) return;
    const where = data.code ? "des autres communes du département" : "des autres communes de l'exemple";
    say(this.status, `${chosen.name} : ${people(chosen.value)}. Elle est plus peuplée que `
      + `${shareText({ below: smaller, count: others })} ${where} `
      + `(${number(smaller)} sur ${number(others)}). Médiane : ${medianText(summarise(kept).median)}.`);
  }

  /** @param {number} value @param {boolean} [keep] false while the pointer moves */
  move(value, keep = true) {
    const { name, start } = this.chosen;
    const { [name]: _, ...others } = Object(this.model.get("modifications"));
    const limited = Math.min(Math.max(0, value), this.model.get("maximum"));
    this.model.set("choisie", name);
    this.model.set("modifications", limited === start ? others : { ...others, [name]: limited });
    if (keep) this.model.save_changes();
    this.applyChanges();
  }

  slide() {
    const span = this.width - 2 * MARGIN;
    this.move(this.scale.value(MARGIN + (Number(this.range.value) / 1000) * span));
    this.announce(500);
  }

  /** Arrow keys move by a round number of inhabitants. @param {KeyboardEvent} event */
  step(event) {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const count = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (!count || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const size = this.kind === "regulier" ? this.reach / 100 : this.chosen.value / 10;
    const unit = 10 ** Math.floor(Math.log10(Math.max(size, 1)));
    this.move(this.chosen.value + count * unit);
    this.announce(500);
  }

  type() {
    const { value, error } = parsePopulation(this.field.value, this.model.get("maximum"));
    this.complain(error ?? "");
    if (value === undefined) return;
    this.shown = "";
    this.move(value);
    this.refresh();
    this.announce();
  }

  /** @param {string} message */
  complain(message) {
    say(this.error, message);
    write(this.field, { "aria-invalid": message !== "" && "true" });
  }

  takeLargest() {
    const { name } = this.largest();
    if (this.kept.length === 1) {
      say(this.status, `Il ne reste que ${name} : la dernière commune ne peut pas être retirée.`);
      return;
    }
    this.save({ retirees: [...this.removed, name] });
    this.announce();
  }

  putBack() {
    if (!this.removed.length) {
      say(this.status, "Aucune commune n'est retirée.");
      return;
    }
    this.save({ retirees: this.removed.slice(0, -1) });
    this.announce();
  }

  reset() {
    this.complain("");
    this.layoutKey = "";
    this.save({ modifications: {}, retirees: [], choisie: "", axe: "" });
    this.announce();
  }

  /** @param {PointerEvent} event */
  point(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Take the dot nearest to the pointer, the chosen one first. @param {PointerEvent} event */
  grab(event) {
    if (event.button || !event.isPrimary) return;
    const { x, y } = this.point(event);
    const far = (/** @type {{ x: number, y: number }} */ dot) => Math.hypot(dot.x - x, dot.y - y);
    const chosen = this.dots[this.dots.length - 1];
    const nearest = far(chosen) < 22 ? chosen
      : this.dots.reduce((best, dot) => (far(dot) < far(best) ? dot : best));
    if (far(nearest) > 24) return;
    this.plot.setPointerCapture(event.pointerId);
    this.choose(nearest.commune.name);
    this.chosen = nearest.commune;
    this.drag = { x, offset: nearest.x - x, from: nearest.commune.value, moved: false };
    this.root.classList.add("cd-glisse");
  }

  /** @param {PointerEvent} event */
  pull(event) {
    if (!this.drag) return;
    const { x } = this.point(event);
    if (!this.drag.moved && Math.abs(x - this.drag.x) < 4) return;
    this.drag.moved = true;
    this.move(this.scale.value(x + this.drag.offset), false);
  }

  /** @param {boolean} [cancelled] the page took the gesture over, to scroll */
  release(cancelled = false) {
    const { drag } = this;
    this.drag = null;
    this.root.classList.remove("cd-glisse");
    if (!drag) return;
    if (!drag.moved) {
      if (!cancelled) this.situate();
      return;
    }
    if (cancelled) this.move(drag.from);
    else this.model.save_changes();
    this.announce();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
