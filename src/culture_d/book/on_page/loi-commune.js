/**
 * « Ce que la loi demande à ma commune »: sorts the law cards by the reader's figures.
 *
 * The only place where a condition of `book/lois.yml` is given a meaning. A verdict is
 * "yes", "no" or "check" (an answer is missing, sources disagree, or the population that
 * the law counts may be on the other side of the threshold). The answers stay in the page.
 *
 * @typedef {"yes" | "no" | "check"} Verdict
 * A reason is a sentence in two parts, without full stop: those that begin alike are told
 * as one, « La règle commence à 100 et s’arrête à 499 ».
 *
 * @typedef {[string, string]} Reason
 * @typedef {{verdict: Verdict, reasons: Reason[]}} Judgement
 * @typedef {object} Facts figures of one body; null: not known
 * @property {string} [name] put before its population
 * @property {number | null} [population] municipale
 * @property {"old" | "near"} [trust] old census; or another year's, so near both ways
 * @property {number | null} [agents] @property {number | null} [surface]
 * @property {number | null} [grant] @property {number | null} [contract]
 * @property {boolean | null} [canteen]
 */
(function () {
  "use strict";
  const cultureD = (window.cultureD ||= {});

  const figure = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 2 });
  /** @param {number} value @returns {string} */
  const write = (value) => figure.format(value);
  const MAYOTTE = "976";
  const EPCI_KINDS = ["CC", "CA", "CU", "METRO"];

  const TESTS = {
    at_least: (value, limit) => value >= limit,
    above: (value, limit) => value > limit,
    at_most: (value, limit) => value <= limit,
    below: (value, limit) => value < limit,
  };
  /** Where a rule begins or ends: as true of the figures that meet it as of the others. */
  const RULES = {
    at_least: (limit) => `commence à ${limit}`,
    above: (limit) => `commence au-dessus de ${limit}`,
    at_most: (limit) => `s’arrête à ${limit}`,
    below: (limit) => `s’arrête avant ${limit}`,
  };
  const VERBS = { at_least: "atteint", above: "dépasse", at_most: "ne dépasse pas", below: "reste sous" };
  /** Figures of a decision to come: without an answer, the rule holds « quand… ». */
  const DECISIONS = {
    grant: ["le total versé à un même organisme", "en douze mois"],
    contract: ["le montant d’un marché", "hors taxes"],
  };
  const WHEN = "quand ";
  const FROM = "à partir du ";
  const MISSING = {
    population: "il manque le nombre d’habitants",
    agents: "il manque le nombre d’agents",
    surface: "il manque la surface des bâtiments",
    canteen: "il manque une réponse sur la cantine",
  };
  const counted = (singular, plural) => (value) =>
    `${write(value)}\u00a0${value < 2 ? singular : plural}`;
  const inhabitants = counted("habitant", "habitants");
  const agents = counted("agent en équivalent temps plein", "agents en équivalent temps plein");
  const SUBJECTS = {
    population: (value, name) =>
      name ? `votre intercommunalité (${name}) a ${inhabitants(value)}` : `vous avez ${inhabitants(value)}`,
    agents: (value, name) => `${name ? "votre intercommunalité" : "vous"} ${name ? "a" : "avez"} ${agents(value)}`,
    surface: (value) => `vous indiquez ${write(value)}\u00a0m²`,
    grant: (value) => `vous versez ${write(value)}\u00a0€ en douze mois`,
    contract: (value) => `le marché est de ${write(value)}\u00a0€ hors taxes`,
  };
  const UNITS = { surface: "\u00a0m²", grant: "\u00a0€", contract: "\u00a0€" };
  const HIGHER = {
    totale: "La loi compte la population totale, qui peut être plus haute",
    unspecified: "Le texte ne dit pas quelle population compter\u00a0: la totale peut être plus haute",
  };

  /** @param {Verdict} verdict @param {...(Reason | string)} reasons @returns {Judgement} */
  const judged = (verdict, ...reasons) => ({
    verdict,
    reasons: reasons.map((one) => (typeof one === "string" ? ["", one] : one)),
  });

  /** A sentence of the data, as a part of another. @param {string} text */
  const clause = (text) => text[0].toLowerCase() + text.slice(1).replace(/\.$/, "");

  /** @returns {Judgement} */
  function compare({ fact, test, value: limit, counted: population }, facts) {
    const value = facts[fact];
    const threshold = write(limit) + (UNITS[fact] || "");
    if (value === null || value === undefined) {
      const whose = facts.name ? " de votre intercommunalité" : "";
      if (!DECISIONS[fact]) return judged("check", MISSING[fact] + whose);
      const [what, measure] = DECISIONS[fact];
      return judged("yes", [`${WHEN}${what} `, `${VERBS[test]} ${threshold} ${measure}`]);
    }
    const subject = SUBJECTS[fact](value, facts.name);
    const doubt = fact === "population" ? populationDoubt(value, { test, limit, population }, facts) : "";
    if (doubt) return judged("check", `${subject}${doubt}`);
    const met = TESTS[test](value, limit);
    // Nobody counts half an inhabitant: the last one that the rule is for has a number.
    const rule = fact === "population" && test === "below" ? RULES.at_most(write(limit - 1)) : RULES[test](threshold);
    return judged(met ? "yes" : "no", [`${subject}. La règle `, rule]);
  }

  /** Why the population known does not decide; empty if it does. */
  function populationDoubt(value, { test, limit, population }, facts) {
    if (facts.trust === "old") return ". C’est un chiffre ancien, comme dans tout le département de Mayotte";
    const near = 10 * Math.abs(value - limit) <= limit;
    const place = `, près du seuil de ${write(limit)}. `;
    if (near && facts.trust === "near") return `${place}Ce chiffre peut ne plus être celui en vigueur`;
    // The totale is never below the municipale: only a larger one may change the answer.
    const open = TESTS[test](value, limit) !== TESTS[test](limit + 1, limit);
    return near && open && population !== "municipale" ? place + HIGHER[population] : "";
  }

  /** @returns {Judgement} */
  function judge(condition, facts) {
    if (condition.all || condition.any) return group(condition, facts);
    if (condition.event) return judged("yes", WHEN + condition.event);
    if (condition.unclear) return judged("check", clause(condition.unclear));
    if (!("is" in condition)) return compare(condition, facts);
    const value = facts[condition.fact];
    if (value === null || value === undefined) return judged("check", MISSING[condition.fact]);
    const words = value ? "vous avez une cantine scolaire" : "vous n’avez pas de cantine scolaire";
    return judged(value === condition.is ? "yes" : "no", words);
  }

  /** All: one "no" decides, then one "check". Any: one "yes" decides, then one "check". */
  function group({ all, any }, facts) {
    const parts = (all || any).map((part) => judge(part, facts));
    const order = all ? ["no", "check", "yes"] : ["yes", "check", "no"];
    const verdict = order.find((one) => parts.some((part) => part.verdict === one));
    const telling = parts.filter((part) => part.verdict === verdict);
    // Where one would do, one reason to hesitate is enough.
    const kept = any && verdict === "check" ? telling.slice(0, 1) : telling;
    return judged(verdict, ...kept.flatMap((part) => part.reasons));
  }

  /** @param {object} card @param {{commune: Facts, epci: Facts | null | undefined}} reader */
  function judgeCard(card, reader) {
    const found = judgeScope(card, reader);
    if (found.verdict === "yes" && card.since && new Date(`${card.since}T00:00:00`) > new Date()) {
      const day = new Date(`${card.since}T00:00:00`).toLocaleDateString("fr-FR", { dateStyle: "long" });
      const from = `${FROM}${day.replace(/^1 /, "1er ")}`;
      found.reasons = found.reasons.map(([about, says]) => [`${from}, ${about}`, says]);
    }
    // What is unsure is never sorted as certain, whatever the figures say.
    if (!card.unsure || found.verdict === "check") return found;
    return judged("check", ...found.reasons, clause(card.doubt));
  }

  /** @returns {Judgement} */
  function judgeScope({ to, if: condition }, { commune, epci }) {
    if (!to.includes("commune") && !to.includes("elected")) {
      if (epci === null) return judged("no", "votre commune n’est dans aucune intercommunalité à fiscalité propre");
      if (epci === undefined) return judged("check", "votre intercommunalité n’est pas connue de cette page");
      return condition ? judge(condition, epci) : judged("yes", "toutes les intercommunalités");
    }
    if (condition) return judge(condition, commune);
    return judged("yes", to.includes("commune") ? "toutes les communes, quelle que soit leur taille" : "chaque membre du conseil municipal");
  }

  /** One or more sentences; none is said twice. @param {Reason[]} reasons */
  function told(reasons) {
    /** @type {Map<string, Set<string>>} */
    const all = new Map();
    for (const [about, says] of reasons) {
      const key = about || says;
      all.set(key, (all.get(key) || new Set()).add(about ? says : ""));
    }
    const sentences = [...all].map(([about, says]) => about + [...says].join(" et "));
    return sentences.map((one) => `${one[0].toUpperCase()}${one.slice(1)}.`).join(" ");
  }

  /** Sort cards by verdict, each with its reason, and the doubt that the reason does not say. */
  function sort(cards, reader) {
    const lists = { yes: [], check: [], no: [] };
    for (const card of cards) {
      const { verdict, reasons } = judgeCard(card, reader);
      const someday = reasons.some(([about, says]) => [WHEN, FROM].some((start) => (about + says).startsWith(start)));
      const said = card.doubt && reasons.some(([, says]) => says === clause(card.doubt));
      lists[verdict].push({ card, reason: told(reasons), doubt: said ? "" : card.doubt, someday });
    }
    return lists;
  }

  cultureD.lois = { judge, sort };

  // The page.

  const root = document.querySelector(".cd-tri");
  if (!root) return;
  const form = root.querySelector("form");
  const { dates, cards } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);

  /** Per field: what may follow the number, and the largest that is believed. */
  const FIELDS = {
    population: [["habitants"], 3_000_000],
    agents: [["agents", "agents etp", "agents en équivalent temps plein", "etp", "équivalents temps plein"], 100_000],
    surface: [["m²", "m2", "mètres carrés"], 10_000_000],
    grant: [["€", "euros"], 1e10],
    contract: [["€ ht", "€ hors taxes", "euros ht", "euros hors taxes", "ht"], 1e10],
  };
  const UNREADABLE = "Écrivez seulement le nombre, par exemple 12\u202f000.";

  /** A figure as a French reader types it, with or without its unit, finished or not.
   * @returns {{value: number | null, fault: string}} */
  function parse(name, text) {
    const refused = (fault) => ({ value: null, fault });
    const typed = text.trim().toLowerCase().replace(/\s+/g, " ");
    if (!typed) return { value: null, fault: "" };
    const found = typed.match(/^([-−–]?) ?(\d(?: ?\d)*)([.,]\d*)? ?(.*?)\.?$/);
    if (!found) return refused(UNREADABLE);
    const [, minus, digits, decimals = "", unit] = found;
    const [units, most] = FIELDS[name];
    const readable = units.some((one) => one.startsWith(unit)) && decimals.length < 4;
    if (!readable || (decimals && name === "population")) return refused(UNREADABLE);
    if (minus) return refused("Le nombre ne peut pas être négatif.");
    const value = Number(digits.replace(/ /g, "") + decimals.replace(",", "."));
    return value > most ? refused("Vérifiez ce nombre.") : { value, fault: "" };
  }

  /** Read a field, and say under it what cannot be read. @returns {number | null} */
  function read(name) {
    const field = form.elements[name];
    const { value, fault } = parse(name, field.value);
    field.setAttribute("aria-invalid", String(fault !== ""));
    const place = document.getElementById(`tri-${name}-erreur`);
    place.textContent = fault;
    place.hidden = !fault;
    return value;
  }

  const isCount = (value) => Number.isInteger(value) && value >= 0;
  const isText = (value) => typeof value === "string" && value !== "";

  /** The commune that the reader chose on its own page; null if none, or not readable. */
  function chosen() {
    try {
      const record = cultureD.commune?.get?.();
      return record && isText(record.name) && isCount(record.population) ? record : null;
    } catch {
      return null;
    }
  }

  const isOfMayotte = (record) => record?.department?.code === MAYOTTE;

  /** @returns {Facts | null | undefined} null: in none; undefined: not known */
  function epciOf(record) {
    if (!record) return undefined;
    const { epci } = record;
    if (epci === null) return null;
    const known = epci && isText(epci.name) && isCount(epci.population) && EPCI_KINDS.includes(epci.type);
    return known ? { name: epci.name, population: epci.population, trust: "near", agents: null } : undefined;
  }

  function reader(record) {
    const canteen = { oui: true, non: false }[form.elements.canteen.value] ?? null;
    const commune = { canteen };
    for (const name of ["agents", "surface", "grant", "contract"]) commune[name] = read(name);
    const typed = read("population");
    commune.population = record ? record.population : typed;
    if (isOfMayotte(record)) commune.trust = "old";
    return { commune, epci: epciOf(record) };
  }

  const make = (tag, className, text = "") => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.textContent = text;
    return element;
  };

  function link(href, text) {
    const element = make("a", "", text);
    element.href = href;
    return element;
  }

  function item({ card, reason, doubt }) {
    const element = make("li", "");
    const details = make("details", "");
    const summary = make("summary", "");
    summary.append(make("strong", "", card.title), " ", make("span", "", reason));
    if (doubt) summary.append(" ", make("em", "", "Avec une réserve."));
    const source = make("p", "cd-tri-source", `${card.reference}. Certitude\u00a0: ${card.certainty}.`);
    if (new Date() >= new Date(`${card.recheck}T00:00:00`)) {
      source.append(make("strong", "cd-perime", `Attention\u00a0: ce repère devait être revérifié avant le ${card.recheckWords}.`));
    }
    const more = make("p", "cd-tri-lien");
    more.append(link(`lois.html#loi-${card.id}`, "Voir la fiche"));
    details.append(summary, make("p", "", card.rule));
    if (doubt) details.append(make("p", "", `Réserve\u00a0: ${doubt}`));
    details.append(source, more);
    element.append(details);
    return element;
  }

  function showCommune(record) {
    const place = root.querySelector(".cd-tri-commune");
    root.querySelector(".cd-tri-saisie").hidden = Boolean(record);
    place.hidden = !cultureD.commune;
    if (!cultureD.commune) return;
    const words = record
      ? [make("strong", "", record.name), `\u00a0: ${inhabitants(record.population)}, population municipale ${dates[Number(isOfMayotte(record))]}. `]
      : ["Choisissez votre commune une fois pour tout le cours, ou écrivez son nombre d’habitants. "];
    place.replaceChildren(...words, link("ma-commune.html", record ? "Changer de commune" : "Choisir ma commune"));
  }

  const count = (number, one, several) => `${write(number)}\u00a0${number < 2 ? one : several}`;

  /** Without inhabitants almost everything is « à vérifier »: nothing is sorted then. */
  function show() {
    const record = chosen();
    showCommune(record);
    const facts = reader(record);
    const known = facts.commune.population !== null;
    root.querySelector(".cd-tri-listes").hidden = !known;
    root.querySelector(".cd-tri-imprimer").hidden = !known;
    // On paper the result stands for the table of thresholds.
    document.body.classList.toggle("cd-trie", known);
    const lists = known ? sort(cards, facts) : { yes: [], check: [], no: [] };
    for (const group of root.querySelectorAll("[data-verdict]")) {
      const { verdict, someday } = group.dataset;
      const kept = lists[verdict].filter((one) => someday === undefined || String(one.someday) === someday);
      group.querySelector(".cd-tri-nombre").textContent = `(${write(kept.length)})`;
      group.querySelector("ul").replaceChildren(...(kept.length ? kept.map(item) : [make("li", "", "Aucun texte ici.")]));
    }
    const now = lists.yes.filter((one) => !one.someday).length;
    root.querySelector(".cd-tri-bilan").textContent = known
      ? `${count(now, "texte", "textes")} à appliquer dès maintenant, ` +
        `${write(lists.yes.length - now)} seulement si le cas se présente, ` +
        `${write(lists.check.length)} à vérifier, ` +
        `${count(lists.no.length, "ne vous concerne pas", "ne vous concernent pas")}.`
      : "Donnez au moins le nombre d’habitants de votre commune\u00a0: le tri se fait à mesure.";
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields are emptied after the event.
  form.addEventListener("reset", () => setTimeout(show));
  document.addEventListener("culture-d:commune", show);
  root.querySelector(".cd-tri-imprimer").addEventListener("click", () => window.print());
  root.hidden = false;
  show();
})();
