/* The reader's commune, on any page: read from this browser, checked, put in sentences. */
(function () {
  "use strict";
  const { storage } = window.cultureD;
  const version = document.querySelector('meta[name="cd-commune"]')?.content;
  const KINDS = {
    CC: "communauté de communes", CA: "communauté d'agglomération", CU: "communauté urbaine",
    METRO: "métropole", MET69: "métropole",
  };

  const like = (pattern, x) => typeof x === "string" && pattern.test(x);
  const text = (x) => like(/^[^<>&]{1,90}$/, x);
  const count = (x) => Object.is(x, x >>> 0); // not even -0
  const rank = (x) => count(x?.count) && count(x.smaller) && x.smaller < x.count;
  const commune = (x) => like(/^\d[\dAB]\d{3}$/, x?.code) && text(x.name) && count(x.population);
  const land = (x) => text(x?.name) && like(/^\d[\dAB]\d?$/, x.code);
  const valid = (r) => version && r?.version === version && commune(r) && rank(r.france)
    && rank(r.department) && land(r.department) && like(/^(department|france)$/, r.scope)
    && (r.epci === null || (like(/^\d{9}$/, r.epci?.code) && text(r.epci.name)
      && Object.hasOwn(KINDS, r.epci.type) && count(r.epci.population)))
    && Array.isArray(r.similar) && r.similar.length < 6 && r.similar.every((x) =>
      commune(x) && (r.scope === "france" ? land(x.department) : !x.department));

  function get() {
    try {
      const record = JSON.parse(storage.get("commune"));
      return valid(record) ? record : null;
    } catch {
      return null;
    }
  }

  const number = (x) => String(x).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const people = (x) => (x ? number(x) : "aucun") + "\u00a0habitant" + (x > 1 ? "s" : "");

  function place(who, { count, smaller }) {
    const others = count - 1;
    if (!others) return "c'est la seule commune.";
    if (smaller === others) return "c'est la commune la plus peuplée.";
    if (!smaller) return "aucune commune n'a moins d'habitants.";
    const than = smaller > 1 ? `que ${number(smaller)}` : "qu'une seule";
    return `${who} a plus d'habitants ${than} des ${number(others)} autres communes.`;
  }

  const later = (date, elsewhere) => (date === elsewhere ? []
    : [`Ses habitants sont comptés ${date}, ceux des autres départements ${elsewhere}.`]);
  // The first and the last are for `place`: no « 0 % », no « 100 % ».
  const share = ({ count, smaller }) => smaller && smaller < count - 1
    && (smaller * 100 < count ? "moins de 1" : Math.min(99, Math.round(smaller / count * 100))) + "\u202f%";

  const LINES = {
    situer({ name, population, france, department }, date, elsewhere, { moyenne, mediane }) {
      const at = (x) => `${population < x ? "sous" : population > x ? "au-dessus de" : "juste à"} la m`;
      const [all, near] = [france, department].map(share);
      return [[
        `${name} ${population ? "" : "ne "}compte ${people(population)}.`,
        `En France, la moyenne est de ${people(+moyenne)} et la médiane de ${number(mediane)}.`,
        `${name} est ${at(moyenne)}oyenne et ${at(mediane)}édiane.`.replace(/(au-dessus.*)au-dessus /, "$1"),
        all ? `Elle est plus peuplée que ${all} des communes de France${near ? `, et que ${near} de celles de son département` : ""}.`
          : `En France, ${place("", france)}`,
        ...(near || department.count < 2 ? [] : [`Dans son département, ${place("", department)}`]),
        ...later(date, elsewhere)].join(" ")];
    },
    population: ({ name, department: { name: land, code }, population }, date) =>
      [`${name}${name === land ? "" : `, ${land}`} (${code})\u00a0: ${people(population)} ${date} (population municipale).`],
    rang: ({ name, department, france }, date, elsewhere) => [
      `Dans son département, ${department.name} (${department.code}), ${place(name, department)}`,
      `En France, ${place("elle", france)}`,
      ...later(date, elsewhere),
    ],
    semblables({ epci, population, scope, similar }) {
      if (!epci) return ["Sans intercommunalité à fiscalité propre, elle n'est comparée à aucune autre."];
      const where = `${scope === "france" ? "en France" : "dans le même département"} et dans le même genre d'intercommunalité (${KINDS[epci.type]})`;
      const all = similar.length;
      if (!all) return [`Aucune autre commune ${where}.`];
      const far = similar.filter((one) => Math.abs(one.population - population) * 4 > population).length;
      return [`Les plus proches par la population, ${where}\u00a0:`,
        similar.map(({ name, department: at, population: count }) =>
          `${name}${at ? ` (${at.name === name ? "" : `${at.name}, `}${at.code})` : ""}\u00a0: ${people(count)}`),
        ...(far ? [`L'écart de population dépasse 25\u202f% pour ${far === all ? "toutes" : `${far} sur ${all}`}.`] : [])];
    },
    epci({ epci }, date) {
      if (!epci) return ["Cette commune n'a pas d'intercommunalité à fiscalité propre."];
      const name = epci.name.replace(/^(CC|CA|CU) /, (_, kind) => `${KINDS[kind]} `);
      return [`Son intercommunalité\u00a0: ${name}, ${people(epci.population)} ${date}.`];
    },
  };

  function element(name, content) {
    const made = document.createElement(name);
    if (content.pop) made.append(...content.map((one) => element("li", one)));
    else made.textContent = content.replaceAll("'", "’");
    return made;
  }

  function show(record) {
    for (const block of document.querySelectorAll(".cd-commune")) {
      block.querySelector(".cd-commune-lignes")?.remove();
      for (const child of block.children) child.hidden = child.tagName === "DIV" ? !record : !!record;
      if (!record) continue;
      const { lignes, date, date976 } = block.dataset;
      const box = element("div", "");
      box.className = "cd-commune-lignes";
      for (const name of lignes.split(" ").filter((one) => Object.hasOwn(LINES, one))) {
        const lines = LINES[name](record, record.department.code === "976" ? date976 : date, date, block.dataset);
        for (const line of lines) box.append(element(line.pop ? "ul" : "p", line));
      }
      block.prepend(box);
    }
  }

  const tell = (detail) => document.dispatchEvent(new CustomEvent("culture-d:commune", { detail }));
  document.addEventListener("culture-d:commune", (event) => show(event.detail));
  window.cultureD.commune = { get, forget: () => storage.remove("commune") && tell(null) };
  storage.watch("commune", () => tell(get()));
  show(get());
})();
