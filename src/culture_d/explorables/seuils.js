/**
 * Thresholds of law: move a body's figures, and see which rules begin to apply.
 *
 * Rules are those of `book/lois.yml`, as the Python class `Seuils` gives them; what a condition
 * means is the same as on the page that sorts the cards (`book/on_page/loi-commune.js`), which a
 * test compares with this one.
 *
 * @typedef {"yes" | "check" | "no"} Verdict
 * @typedef {{ verdict: Verdict, why: string[] }} Judgement
 * @typedef {{ id: string, titre: string, certitude: string, douteuse: boolean, reserve: string,
 *   to: string[], if: any }} Rule
 * @typedef {{ key: string, fact: string, label: string, unit: [string, string], whole?: boolean }} Figure
 */

const EURO = "\u00a0€";
/** @type {Figure[]} */
const FIGURES = [
  { key: "habitants", fact: "population", label: "Habitants (population municipale)", unit: ["\u00a0habitant", "\u00a0habitants"], whole: true },
  { key: "agents", fact: "agents", label: "Agents, en équivalent temps plein", unit: ["\u00a0agent", "\u00a0agents"] },
  { key: "subvention", fact: "grant", label: "Versé à une même association en douze mois, en euros", unit: [EURO, EURO] },
  { key: "marche", fact: "contract", label: "Montant d'un marché, en euros hors taxes", unit: [`${EURO} hors taxes`, `${EURO} hors taxes`] },
  { key: "surface", fact: "surface", label: "Bâtiments d'un même site, en mètres carrés", unit: ["\u00a0m²", "\u00a0m²"] },
];
const KEYS = ["organisme", "agents_inconnus", "site_incertain", ...FIGURES.map(({ key }) => key)];
/** @type {Record<string, (value: number, limit: number) => boolean>} */
const TESTS = {
  at_least: (value, limit) => value >= limit,
  above: (value, limit) => value > limit,
  at_most: (value, limit) => value <= limit,
  below: (value, limit) => value < limit,
};
/** @type {Record<string, string>} */
const WORDS = { at_least: "au moins", above: "plus de", at_most: "au plus", below: "moins de" };
/** @type {Record<string, string>} */
const MISSING = { agents: "il manque le nombre d'agents", surface: "il manque la surface de tout le site" };
/** @type {[Verdict, string, string][]} */
const LISTS = [["yes", "✓", "S'applique"], ["check", "?", "À vérifier"], ["no", "✕", "Ne s'applique pas"]];
/** @type {Record<Verdict, string>} */
const SAID = { yes: "s'applique", check: "est à vérifier", no: "ne s'applique pas" };

/** @param {Figure} figure @param {number} value */
const measure = ({ unit }, value) => number(value) + unit[value < 2 ? 0 : 1];

/** @param {any} condition @param {Record<string, number | null>} facts @returns {Judgement} */
function judge(condition, facts) {
  if (condition.all || condition.any) return group(condition, facts);
  if (condition.event) return { verdict: "yes", why: [`quand ${condition.event}`] };
  if (condition.unclear) return { verdict: "check", why: [condition.unclear.replace(/\.$/, "")] };
  const { fact, test, value: limit, counted } = condition;
  const figure = FIGURES.find((one) => one.fact === fact);
  const value = facts[fact];
  if (!figure || value === null) return { verdict: "check", why: [MISSING[fact] ?? "il manque un chiffre"] };
  const has = measure(figure, value);
  const met = TESTS[test](value, limit);
  const near = 10 * Math.abs(value - limit) <= limit;
  // The totale is never below the municipale: only a larger one may change the answer.
  if (counted && counted !== "municipale" && near && met !== TESTS[test](limit + 1, limit)) {
    return {
      verdict: "check",
      why: [`${has}, près de ${number(limit)} : ${counted === "totale" ? "la population totale peut être plus haute" : "le texte ne dit pas quelle population compter"}`],
    };
  }
  return { verdict: met ? "yes" : "no", why: [`${has}, pour un seuil « ${WORDS[test]} ${number(limit)} »`] };
}

/** All: one "no" decides, then one "check". Any: one "yes" decides, then one "check". */
function group({ all, any }, facts) {
  const parts = (all || any).map((part) => judge(part, facts));
  /** @type {Verdict[]} */
  const order = all ? ["no", "check", "yes"] : ["yes", "check", "no"];
  const verdict = order.find((one) => parts.some((part) => part.verdict === one)) || "check";
  const telling = parts.filter((part) => part.verdict === verdict);
  return { verdict, why: telling.flatMap((part) => part.why) };
}

/** @param {Rule} rule @param {Record<string, number | null>} facts @returns {Judgement} */
function judgeRule(rule, facts) {
  // What is unsure is never sorted as certain, whatever the figures say.
  return rule.douteuse ? { verdict: "check", why: [rule.reserve.replace(/\.$/, "")] } : judge(rule.if, facts);
}

/**
 * Read what a person typed. @param {string} text @param {Figure} figure @param {number} maximum
 * @returns {{ value?: number, error?: string }}
 */
function parse(text, { whole }, maximum) {
  const compact = text.replace(/\s/g, "").replace("−", "-").replace(/(?:€|m²|m2|euros?|habitants?|agents?)$/i, "");
  if (/^-\d/.test(compact)) return { error: "Ce nombre ne peut pas être négatif. Le minimum est 0." };
  if (!/^\d+([.,]\d{1,2})?$/.test(compact)) return { error: "Écrivez un nombre en chiffres, par exemple 1\u202f200." };
  if (whole && !/^\d+$/.test(compact)) return { error: "Une population est un nombre entier, sans virgule ni point." };
  const value = Number(compact.replace(",", "."));
  return value > maximum ? { error: `Le maximum est ${number(maximum)}.` } : { value };
}

/** @param {Verdict[]} verdicts */
function summary(verdicts) {
  const [yes, check, no] = LISTS.map(([one]) => verdicts.filter((verdict) => verdict === one).length);
  return `${yes} ${yes < 2 ? "texte s'applique" : "textes s'appliquent"}, `
    + `${check} ${check < 2 ? "est à vérifier" : "sont à vérifier"}, `
    + `${no} ${no < 2 ? "ne s'applique pas" : "ne s'appliquent pas"}.`;
}

/** One view of the explorable in the page. */
class View {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.id = `cd-seuils-${++views}`;
    this.timer = 0;
    /** Verdicts last told, by rule. @type {Map<string, Verdict>} */
    this.told = new Map();
    this.build();
    el.append(this.root);
    this.refresh = () => this.draw();
    KEYS.forEach((key) => model.on(`change:${key}`, this.refresh));
    this.offer = () => this.offerOwn();
    document.addEventListener("culture-d:commune", this.offer);
    this.offer();
    this.draw();
    this.announce(0);
  }

  remove() {
    KEYS.forEach((key) => this.model.off(`change:${key}`, this.refresh));
    document.removeEventListener("culture-d:commune", this.offer);
    clearTimeout(this.timer);
    this.root.remove();
  }

  /** A figure that the address of the page may have spoilt falls back on the start. @param {string} key @returns {number} */
  value(key) {
    const value = this.model.get(key);
    const sound = Number.isFinite(value) && value >= 0 && value <= this.model.get("maximum")
      && (key !== "habitants" || Number.isInteger(value));
    return sound ? value : this.model.get("depart")[key];
  }

  get body() {
    return this.model.get("organisme") === "epci" ? "epci" : "commune";
  }

  /** @returns {Record<string, number | null>} */
  get facts() {
    return Object.fromEntries(FIGURES.map(({ key, fact }) =>
      [fact, key === "agents" && this.model.get("agents_inconnus") ? null : this.value(key)]));
  }

  /** @returns {(Judgement & { rule: Rule })[]} */
  get judged() {
    return this.model.get("regles").filter((/** @type {Rule} */ rule) => rule.to.includes(this.body))
      .map((/** @type {Rule} */ rule) => ({ rule, ...this.judgeOne(rule) }));
  }

  get open() {
    return this.model.get("site_incertain") === true;
  }

  /** A "no" for one building is not a "no" for a site that may hold others. @param {Rule} rule */
  judgeOne(rule) {
    const found = judgeRule(rule, this.facts);
    return found.verdict === "no" && this.open ? judgeRule(rule, { ...this.facts, surface: null }) : found;
  }

  build() {
    const { id, model } = this;
    this.bodies = [["commune", "une commune"], ["epci", "une intercommunalité"]].map(([value, words]) => {
      const radio = h("input", { type: "radio", name: `${id}-organisme`, value, change: () => this.set({ organisme: value }) });
      return { radio, label: h("label", {}, radio, words) };
    });
    this.controls = FIGURES.map((figure) => this.control(figure));
    this.unknown = h("input", { type: "checkbox", change: () => this.set({ agents_inconnus: this.unknown.checked }) });
    this.controls[1].block.append(h("label", { class: "cd-coche" }, this.unknown, "Je ne sais pas combien d'agents"));
    this.site = h("input", { type: "checkbox", change: () => this.set({ site_incertain: this.site.checked }) });
    this.controls[4].block.append(h("label", { class: "cd-coche" }, this.site, "D'autres bâtiments sont peut-être sur le même site"));
    this.own = h("button", { type: "button", class: "cd-mienne", click: () => this.showOwn() });
    this.followed = h("p", { class: "cd-suivie" });
    this.status = h("p", { class: "cd-phrase", role: "status" });
    this.lists = LISTS.map(([verdict, sign, words]) => {
      const title = h(verdict === "no" ? "summary" : "p", { class: "cd-verdict", id: `${id}-${verdict}` });
      const items = h("ul", { "aria-labelledby": `${id}-${verdict}` });
      const block = h(verdict === "no" ? "details" : "div", {}, title, items);
      return { verdict, title, items, block, words: `${sign} ${words}` };
    });
    const decisions = h("details", { class: "cd-decisions" },
      h("summary", {}, "Une subvention, un marché, des bâtiments"),
      ...this.controls.slice(2).map(({ block }) => block));
    this.root = h("div", { class: "cd-app cd-regles" },
      h("p", { class: "cd-titre" }, model.get("titre")),
      h("fieldset", { class: "cd-axes" }, h("legend", {}, "Vous êtes"), ...this.bodies.map(({ label }) => label)),
      this.controls[0].block, this.controls[1].block, decisions,
      h("div", { class: "cd-boutons" }, this.own,
        h("button", { type: "button", click: () => this.reset() }, `Revenir à ${model.get("commune")}`)),
      this.followed, this.status, ...this.lists.map(({ block }) => block),
      h("p", { class: "cd-source" }, model.get("note")));
  }

  /** A figure: its label, an exact field, a slider that stops on both sides of each threshold. @param {Figure} figure */
  control(figure) {
    const { key, label } = figure;
    const { valeurs, seuils } = this.model.get("arrets")[key];
    const id = `${this.id}-${key}`;
    const field = h("input", {
      type: "text", id, inputmode: figure.whole ? "numeric" : "decimal", autocomplete: "off", maxlength: "20",
      "aria-describedby": `${id}-erreur`, change: () => this.type(figure),
    });
    const range = h("input", {
      type: "range", min: "0", max: String(valeurs.length - 1), step: "1",
      "aria-labelledby": `${id}-geste ${id}-nom`,
      input: () => this.set({ [key]: valeurs[Number(range.value)] }, 500),
    });
    const marks = seuils.map((/** @type {number} */ limit) => {
      return { limit, mark: h("span") };
    });
    const error = h("p", { class: "cd-erreur", id: `${id}-erreur`, role: "alert" });
    const block = h("div", { class: "cd-champ cd-seuil" }, h("label", { for: id, id: `${id}-nom` }, label), field,
      h("p", { id: `${id}-geste`, class: "cd-aide" }, "Ou faites glisser :"), range,
      h("div", { class: "cd-marques" }, marks.length > 1 ? "Seuils :" : "Seuil :", ...marks.map(({ mark }) => mark)), error);
    return { figure, field, range, marks, error, block, valeurs, shown: NaN };
  }

  draw() {
    for (const { radio } of this.bodies) radio.checked = radio.value === this.body;
    const unknown = this.model.get("agents_inconnus") === true;
    this.unknown.checked = unknown;
    this.site.checked = this.open;
    for (const control of this.controls) this.drawControl(control, unknown && control.figure.key === "agents");
    const { judged } = this;
    // One rule stays in sight: the one that the lesson is about, wherever it is sorted.
    const followed = judged.find(({ rule }) => this.model.get("suivies").includes(rule.id));
    this.followed.hidden = !followed;
    if (followed) {
      const [, sign] = LISTS.find(([verdict]) => verdict === followed.verdict);
      this.followed.replaceChildren(...this.words(followed, `${sign} ${followed.rule.titre} : ${SAID[followed.verdict]}`));
    }
    for (const { verdict, title, items, words } of this.lists) {
      const mine = judged.filter((one) => one.verdict === verdict);
      say(title, `${words} (${mine.length})`);
      items.replaceChildren(...mine.map((one) => this.item(one)));
    }
  }

  drawControl(control, unknown) {
    const { figure, field, range, marks, valeurs } = control;
    const value = this.value(figure.key);
    if (value !== control.shown) {
      field.value = number(value);
      this.complain(control, "");
    }
    control.shown = value;
    field.disabled = range.disabled = unknown;
    const place = valeurs.findIndex((/** @type {number} */ stop) => stop >= value);
    range.value = String(place < 0 ? valeurs.length - 1 : place);
    write(range, { "aria-valuetext": measure(figure, value) });
    for (const { limit, mark } of marks) {
      const reached = !unknown && value >= limit;
      say(mark, `${reached ? "✓ " : ""}${number(limit)}`);
      mark.className = reached ? "cd-atteint" : "";
    }
  }

  /** @param {Judgement & { rule: Rule }} one */
  item(one) {
    return h("li", {}, ...this.words(one, one.rule.titre));
  }

  /** @param {Judgement & { rule: Rule }} one @param {string} title */
  words({ rule, verdict, why }, title) {
    const fresh = this.told.size && this.told.has(rule.id) && this.told.get(rule.id) !== verdict;
    const reason = why.map((text) => text[0].toUpperCase() + text.slice(1)).join(". ");
    const sure = verdict !== "check" && rule.certitude ? ` (${rule.certitude}${rule.reserve ? ", avec une réserve" : ""})` : "";
    return [h("strong", {}, title), ...(fresh ? [" ", h("em", {}, "a changé")] : []),
      h("span", {}, `${reason}${sure}.`)];
  }

  /** Say the count, and what has changed since it was last said. @param {number} delay in ms */
  announce(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { judged, facts } = this;
      const changed = this.told.size
        ? judged.filter(({ rule, verdict }) => this.told.has(rule.id) && this.told.get(rule.id) !== verdict) : [];
      this.told = new Map(judged.map(({ rule, verdict }) => [rule.id, verdict]));
      const agents = facts.agents === null ? "nombre d'agents inconnu" : measure(FIGURES[1], facts.agents);
      const followed = changed.find(({ rule }) => this.model.get("suivies").includes(rule.id));
      const named = followed ?? (changed.length === 1 ? changed[0] : undefined);
      const news = named ? `« ${named.rule.titre} » ${SAID[named.verdict]}. `
        : changed.length ? `${changed.length} textes changent de liste. ` : "";
      say(this.status, `${news}${measure(FIGURES[0], facts.population ?? 0)}, ${agents} : ${summary(judged.map(({ verdict }) => verdict))}`);
    }, delay);
  }

  /** @param {Record<string, any>} changes @param {number} [delay] */
  set(changes, delay = 0) {
    Object.entries(changes).forEach(([key, value]) => this.model.set(key, value));
    this.model.save_changes();
    this.announce(delay);
  }

  /** @param {Figure} figure */
  type(figure) {
    const control = this.controls[FIGURES.indexOf(figure)];
    const { value, error } = parse(control.field.value, figure, this.model.get("maximum"));
    this.complain(control, error ?? "");
    if (value === undefined) return;
    control.shown = NaN;
    this.set({ [figure.key]: value });
    this.draw();
  }

  complain({ field, error }, message) {
    say(error, message);
    write(field, { "aria-invalid": message !== "" && "true" });
  }

  reset() {
    for (const control of this.controls) control.shown = NaN;
    this.set({ organisme: "commune", agents_inconnus: false, ...this.model.get("depart") });
    this.draw();
  }

  /** The reader's commune, which the site keeps in this browser; null in JupyterLab. */
  ownCommune() {
    const own = /** @type {any} */ (window).cultureD?.commune?.get?.();
    return own && typeof own.name === "string" && Number.isInteger(own.population) ? own : null;
  }

  offerOwn() {
    const own = this.ownCommune();
    this.own.hidden = !own;
    say(this.own, own ? `Voir ma commune : ${own.name}` : "Voir ma commune");
  }

  /** Public data say how many inhabitants, never how many agents. */
  showOwn() {
    const own = this.ownCommune();
    if (own) this.set({ organisme: "commune", habitants: own.population, agents_inconnus: true });
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
  judgeRule,
};
