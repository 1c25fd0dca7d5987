/**
 * « Ce que la loi demande à ma commune »: sorts the law cards by the reader's figures.
 *
 * The only place where a condition of `book/lois.yml` is given a meaning. A verdict is
 * "yes", "no" or "check" (an answer is missing, sources disagree, or the population that
 * the law counts may be on the other side of the threshold). The answers stay in the page.
 *
 * @typedef {"yes" | "no" | "check"} Verdict
 * @typedef {{verdict: Verdict, reasons: string[]}} Judgement
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
  /** What is said of a figure that meets a test, then of one that does not. */
  const SAID = {
    at_least: [(limit) => `le seuil de ${limit} est atteint`, (limit) => `sous le seuil de ${limit}`],
    above: [(limit) => `plus de ${limit}`, (limit) => `pas plus de ${limit}`],
    at_most: [(limit) => `pas plus de ${limit}`, (limit) => `plus de ${limit}`],
    below: [(limit) => `moins de ${limit}`, (limit) => `pas moins de ${limit}`],
  };
  const VERBS = { at_least: "atteint", above: "dépasse", at_most: "ne dépasse pas", below: "reste sous" };
  /** Figures of a decision to come: without an answer, the rule holds « quand… ». */
  const DECISIONS = {
    grant: ["le total versé à un même organisme", "en douze mois"],
    contract: ["le montant d’un marché", "hors taxes"],
  };
  const WHEN = "quand ";
  const MISSING = {
    population: "il manque le nombre d’habitants",
    agents: "il manque le nombre d’agents",
    surface: "il manque la surface des bâtiments",
    canteen: "il manque une réponse sur la cantine",
  };
  const counted = (singular, plural) => (value) =>
    `${write(value)}\u00a0${value < 2 ? singular : plural}`;
  const SUBJECTS = {
    population: counted("habitant", "habitants"),
    agents: counted("agent en équivalent temps plein", "agents en équivalent temps plein"),
    surface: (value) => `${write(value)}\u00a0m²`,
    grant: (value) => `${write(value)}\u00a0€ en douze mois`,
    contract: (value) => `${write(value)}\u00a0€ hors taxes`,
  };
  const UNITS = { surface: "\u00a0m²", grant: "\u00a0€", contract: "\u00a0€" };
  const NEAR = {
    totale: "la loi compte la population totale, qui peut être plus haute",
    unspecified: "le texte ne dit pas quelle population compter, et la population totale peut être plus haute",
  };

  /** @param {Verdict} verdict @param {...string} reasons @returns {Judgement} */
  const judged = (verdict, ...reasons) => ({ verdict, reasons });

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
      return judged("yes", `${WHEN}${what} ${VERBS[test]} ${threshold} ${measure}`);
    }
    const before = fact === "population" && facts.name ? `${facts.name}\u00a0: ` : "";
    const subject = before + SUBJECTS[fact](value);
    const doubt = fact === "population" ? populationDoubt(value, { test, limit, population }, facts) : "";
    if (doubt) return judged("check", `${subject}, ${doubt}`);
    const met = TESTS[test](value, limit);
    return judged(met ? "yes" : "no", `${subject}, ${SAID[test][met ? 0 : 1](threshold)}`);
  }

  /** Why the population known does not decide; empty if it does. */
  function populationDoubt(value, { test, limit, population }, facts) {
    if (facts.trust === "old") return "un chiffre ancien, comme dans tout le département de Mayotte";
    const near = 10 * Math.abs(value - limit) <= limit;
    const place = `près du seuil de ${write(limit)}\u00a0: `;
    if (near && facts.trust === "near") return `${place}ce chiffre peut ne plus être celui en vigueur`;
    // The totale is never below the municipale: only a larger one may change the answer.
    const open = TESTS[test](value, limit) !== TESTS[test](limit + 1, limit);
    return near && open && population !== "municipale" ? place + NEAR[population] : "";
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
    return judged(verdict, ...new Set(kept.flatMap((part) => part.reasons)));
  }

  /** @param {object} card @param {{commune: Facts, epci: Facts | null | undefined}} reader */
  function judgeCard(card, reader) {
    const found = judgeScope(card, reader);
    if (found.verdict === "yes" && card.since && new Date(`${card.since}T00:00:00`) > new Date()) {
      const day = new Date(`${card.since}T00:00:00`).toLocaleDateString("fr-FR", { dateStyle: "long" });
      found.reasons.unshift(`à partir du ${day.replace(/^1 /, "1er ")}`);
    }
    // What is unsure is never sorted as certain, whatever the figures say.
    if (!card.doubt || found.verdict === "check") return found;
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

  /** One sentence: capital first, full stop last. @param {string[]} reasons */
  function sentence(reasons) {
    const text = reasons.join("\u00a0; ");
    return `${text[0].toUpperCase()}${text.slice(1)}.`;
  }

  /** Sort cards by verdict, each with its reason. */
  function sort(cards, reader) {
    const lists = { yes: [], check: [], no: [] };
    for (const card of cards) {
      const { verdict, reasons } = judgeCard(card, reader);
      const someday = reasons.some((reason) => reason.startsWith(WHEN));
      lists[verdict].push({ card, reason: sentence(reasons), someday });
    }
    return lists;
  }

  cultureD.lois = { judge, sort };

  // The page.

  const root = document.querySelector(".cd-tri");
  if (!root) return;
  const form = root.querySelector("form");
  const { vintage, cards } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);

  /** A figure as a French reader types it; undefined if it cannot be read. */
  function parse(text, whole) {
    const plain = text.replace(/\s/g, "").replace(",", ".");
    if (plain === "") return null;
    return (whole ? /^\d{1,9}$/ : /^\d{1,12}(\.\d{1,2})?$/).test(plain) ? Number(plain) : undefined;
  }

  /** Read a field, and say so beside it if it cannot be read. @returns {number | null} */
  function read(name) {
    const field = form.elements[name];
    const whole = name === "population";
    const value = parse(field.value, whole);
    const help = document.getElementById(field.getAttribute("aria-describedby"));
    help.dataset.hint ??= help.textContent;
    field.setAttribute("aria-invalid", String(value === undefined));
    const expected = whole ? "un nombre entier, sans point" : "un nombre, avec une virgule s’il le faut";
    help.textContent = value === undefined ? `Écrivez ${expected}. ${help.dataset.hint}` : help.dataset.hint;
    return value ?? null;
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
    if (record?.department?.code === MAYOTTE) commune.trust = "old";
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

  function item({ card, reason }) {
    const element = make("li", "");
    const details = make("details", "");
    const summary = make("summary", "");
    summary.append(make("strong", "", card.title), " ", make("span", "", reason));
    const source = make("p", "cd-tri-source", `${card.reference}. Certitude\u00a0: ${card.certainty.replace(/\.$/, "")}.`);
    if (new Date() >= new Date(`${card.recheck}T00:00:00`)) {
      source.append(make("strong", "cd-perime", `Attention\u00a0: ce repère devait être revérifié avant le ${card.recheckWords}.`));
    }
    const more = make("p", "cd-tri-lien");
    more.append(link(`lois.html#loi-${card.id}`, "Voir la fiche"));
    details.append(summary, make("p", "", card.rule), source, more);
    element.append(details);
    return element;
  }

  function showCommune(record) {
    const place = root.querySelector(".cd-tri-commune");
    root.querySelector(".cd-tri-saisie").hidden = Boolean(record);
    place.hidden = !cultureD.commune;
    if (!cultureD.commune) return;
    const words = record
      ? [make("strong", "", record.name), `\u00a0: ${SUBJECTS.population(record.population)}, ${vintage}. `]
      : ["Choisissez votre commune une fois pour tout le cours, ou écrivez son nombre d’habitants. "];
    place.replaceChildren(...words, link("ma-commune.html", record ? "Changer de commune" : "Choisir ma commune"));
  }

  const count = (number, one, several) => `${write(number)}\u00a0${number < 2 ? one : several}`;

  function show() {
    const record = chosen();
    showCommune(record);
    const lists = sort(cards, reader(record));
    for (const section of root.querySelectorAll("[data-verdict]")) {
      const found = lists[section.dataset.verdict];
      for (const list of section.querySelectorAll("ul")) {
        const { someday } = list.dataset;
        const kept = found.filter((one) => someday === undefined || String(one.someday) === someday);
        list.replaceChildren(...(kept.length ? kept.map(item) : [make("li", "", "Aucun texte ici.")]));
      }
    }
    root.querySelector(".cd-tri-bilan").textContent =
      `${count(lists.yes.length, "texte vous concerne", "textes vous concernent")}, ` +
      `${count(lists.check.length, "est à vérifier", "sont à vérifier")}, ` +
      `${count(lists.no.length, "ne vous concerne pas", "ne vous concernent pas")}.`;
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields are emptied after the event.
  form.addEventListener("reset", () => setTimeout(show));
  document.addEventListener("culture-d:commune", show);
  root.querySelector(".cd-tri-imprimer").addEventListener("click", () => window.print());
  root.hidden = false;
  document.body.classList.add("cd-trie");
  show();
})();
