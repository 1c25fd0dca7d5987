/**
 * The choice of a commune: a name or a postal code is looked up in files of the site
 * (see commune_index.py), and the record of the one chosen is kept in this browser.
 * The page asks for the map of the files, one or two shards, and one file of details.
 */
(function () {
  "use strict";
  const cultureD = window.cultureD;
  const place = document.getElementById("choisir-commune");
  if (!place) return;
  const version = document.querySelector('meta[name="cd-commune"]').content;
  const folder = new URL("../commune/", document.currentScript.src).href;
  const SHOWN = 20;
  const LEADING = new Set("l le la les d de du des saint".split(" "));

  // Files

  /** @type {Map<string, string>} */
  const received = new Map();
  /** @type {Map<string, Promise<string>>} */
  const requests = new Map();
  /** Called by each file. @param {string} name @param {string} text */
  cultureD.recevoirCommune = (name, text) => received.set(name, text);

  /** Load a file by a script element: fetch() fails from file://. @param {string} name */
  function load(name) {
    const request = requests.get(name) || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = script.onerror = () => {
        if (received.has(name)) return resolve(received.get(name));
        requests.delete(name);
        reject(new Error(name));
      };
      script.src = `${folder}${name}.js?v=${version}`;
      document.head.append(script);
    });
    requests.set(name, request);
    return request;
  }

  /** @param {string} text @returns {Map<string, string>} */
  const pairs = (text) => new Map(text.split(";").map((one) => one.split("|")));

  async function readMap() {
    const [departements, lands, starts] = (await load("carte")).split("&");
    return { departements: pairs(departements), lands: pairs(lands), starts: starts.split(";") };
  }

  // Names: the rules are those of folding.py

  /** @param {string} name */
  function fold(name) {
    const plain = name.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae").normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "").replace(/s\//g, "sur ");
    return (plain.match(/[a-z0-9]+/g) || []).map((word) =>
      (/^(st|ste|sainte)$/.test(word) ? "saint" : word.replace(/^(\d+)(er|re|e|eme|ieme)$/, "$1")))
      .join(" ");
  }

  /** @param {string} folded */
  function withoutLeading(folded) {
    const words = folded.split(" ");
    while (words.length > 1 && LEADING.has(words[0])) words.shift();
    return words.join(" ");
  }

  /**
   * Name the shards that answer what was typed; none when they are too many.
   * @param {string[]} starts where each shard begins
   * @param {string} typed folded
   * @param {boolean} complete the reader says so: then the first shard holds exact names
   */
  function shardsFor(starts, typed, complete) {
    const key = withoutLeading(typed);
    const last = (limit) => Math.max(0, starts.findLastIndex((start) => start <= limit));
    const [first, end] = [last(key), last(`${key}~`)];
    const few = end - first < 2;
    // « Le », « Saint »: nobody stops there.
    const unfinished = LEADING.has(typed) || "saint".startsWith(typed);
    if (!complete && (unfinished || !few)) return { shards: [], few: false };
    return { shards: few && end > first ? [first, end] : [first], few };
  }

  /** How well a name answers what was typed: 0 exactly, 4 not at all. */
  function distance({ forms }, typed, words, key) {
    let best = 4;
    for (const [form, bare] of forms) {
      const spaced = ` ${form}`;
      if (!spaced.includes(` ${words[0]}`)) continue;
      const follows = spaced.includes(` ${typed}`);
      if (form === typed || bare === typed) best = 0;
      else if (follows && bare.startsWith(key)) best = Math.min(best, bare[key.length] === " " ? 1 : 1.5);
      else if (follows) best = Math.min(best, 2);
      else if (inOrder(form.split(" "), words)) best = Math.min(best, 3);
    }
    return best;
  }

  /** Whether each word typed begins a word of the name, in the same order. */
  function inOrder(words, typed) {
    let from = 0;
    return typed.every((start) => {
      const found = words.findIndex((word, rank) => rank >= from && word.startsWith(start));
      from = found + 1;
      return found >= 0;
    });
  }

  /** @type {Map<number, [string, any][]>} */
  const read = new Map();
  /** The places of a shard, by line. @param {number} number */
  async function readShard(number) {
    const text = await load(`n${number}`);
    if (!read.has(number)) read.set(number, text.split(";").map((line) => [line, readPlace(line)]));
    return read.get(number);
  }

  function readPlace(line) {
    const place = readLine(line);
    const forms = [...new Set([fold(place.name), fold(place.name.replaceAll("'", ""))])];
    return { ...place, forms: forms.map((form) => [form, withoutLeading(form)]) };
  }

  /** @param {string} line as commune_index.py writes it */
  function readLine(line) {
    const [kind, name, code, ...rest] = line.split("|");
    if (kind === "o") return { kind, name, land: code, postal: rest[0] || "" };
    if (kind === "c") return { kind, name, code, chunk: rest[0], postal: rest[1] || "" };
    const [chunk, today, event, year, status] = rest;
    if (kind === "a") return { kind, name, code, chunk, today, postal: event };
    return { kind, name, code, chunk, today, event, year, status, postal: "" };
  }

  /**
   * Find what was typed.
   * @param {string} text as typed
   * @param {boolean} complete the reader says that the name is complete
   * @returns {Promise<{places: any[], message: string}>}
   */
  async function find(text, complete) {
    const digits = text.replace(/[\s.]/g, "");
    const postal = /^\d+$/.test(digits);
    const typed = postal ? digits : fold(text);
    if (!typed) return { places: [], message: text.trim() ? NO_LETTER : "" };
    if (postal && digits.length !== 5) return { places: [], message: wrongLength(digits) };
    const { starts } = await readMap();
    const { shards, few } = shardsFor(starts, typed, complete);
    if (!shards.length) return { places: [], message: typed === "saint" ? SAINT : MORE };
    const every = [...new Map((await Promise.all(shards.map(readShard))).flat()).values()];
    if (postal) {
      const places = every.filter((one) => one.postal.split(" ").includes(digits));
      return { places, message: places.length ? counted(places) : NO_POSTAL };
    }
    let places = closest(every, typed);
    if (!few) places = places.filter((one) => one.distance === 0);
    else if (!places.length) places = closest(every, withoutLeading(typed));
    // Every « Saint-… » of the shard begins so: keep « Le Saint », « Saintes ».
    if (typed === "saint") places = places.filter((one) => one.distance < 2 && !/^sainte?[ -]/i.test(one.name));
    const message = places.length ? counted(places) : NONE;
    if (typed === "saint") return { places, message: `${places.length ? `${message} ` : ""}${SAINT}` };
    return { places, message: !few && !places.length ? MORE : message };
  }

  /** The places that answer, the closest first, then in the order of the shard. */
  function closest(places, typed) {
    const [words, key] = [typed.split(" "), withoutLeading(typed)];
    return places.map((place) => [distance(place, typed, words, key), place])
      .filter(([far]) => far < 4).sort(([a], [b]) => a - b)
      .map(([far, place]) => ({ ...place, distance: far }));
  }

  // Sentences

  const MORE = "Beaucoup de noms commencent ainsi. Ajoutez des lettres. Si le nom est complet, appuyez sur « Chercher ».";
  const SAINT = "Pour un nom en « Saint » ou « Sainte », ajoutez le mot qui suit.";
  const NO_LETTER = "Un nom de commune s'écrit avec des lettres. Tapez-en quelques-unes, ou un code postal.";
  const STAYS = "Votre navigateur refuse d'oublier ce choix. Videz les données de ce site dans ses réglages.";
  const NONE = "Aucune commune trouvée. Vérifiez l'orthographe, ou tapez le code postal.";
  const NO_POSTAL = "Aucune commune n'a ce code postal. Les codes « Cedex » n'y sont pas : tapez le nom.";
  const UNREAD = "La liste des communes n'a pas pu être lue. Vérifiez votre connexion, puis recommencez.";
  const OUTSIDE = "Le cours n'a pas de chiffres pour ce territoire.";

  const wrongLength = (digits) => (digits.length > 5
    ? "Un code postal a cinq chiffres. Vous en avez tapé plus."
    : `Un code postal a cinq chiffres.${digits.length === 4 ? ` S'il commence par zéro, tapez 0${digits}.` : ""}`);

  function counted(places) {
    const outside = places.filter((one) => one.kind === "o").length;
    const inside = places.length - outside;
    if (!inside) return OUTSIDE;
    if (places.length > SHOWN) return `${places.length} réponses. Voici les ${SHOWN} premières.`;
    return places.length === 1 ? "1 réponse." : `${places.length} réponses.`;
  }

  /** Say what became of a commune. */
  function became({ name, event, year, today, status }) {
    const [, when, latest] = year.match(/^(\d+)(-?)$/);
    const since = latest ? `le 1er janvier ${when} au plus tard` : when;
    if (event === "r") return `Le nom « ${name} » n'est plus en usage depuis ${since}. Aujourd'hui : ${today}.`;
    return `${name} n'est plus une commune depuis ${since}. Aujourd'hui : ${today}${status ? `, dont c'est une ${status}` : ""}.`;
  }

  /** As a printer would write it. @param {string} text */
  const typeset = (text) => text.replace(/« /g, "«\u00a0").replace(/ ([:;!?»])/g, "\u00a0$1").replaceAll("'", "’");

  // Elements

  /** @param {string} tag @param {Record<string, any>} [properties] @param {...any} children */
  function make(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  const label = make("label", { htmlFor: "commune-cherchee", textContent: "Nom de la commune, ou code postal" });
  const input = make("input", {
    id: "commune-cherchee", type: "text", autocomplete: "off", spellcheck: false, enterKeyHint: "search", maxLength: 80,
  });
  const form = make("form", { className: "cd-commune-form" }, label, input,
    make("button", { type: "submit", textContent: "Chercher" }));
  const status = make("p", { className: "cd-commune-etat" });
  status.setAttribute("role", "status");
  const list = make("ul", { className: "cd-commune-liste" });
  list.setAttribute("aria-label", "Communes trouvées");
  list.hidden = true;
  const forget = make("button", {
    type: "button", className: "cd-bascule", textContent: "Oublier ma commune", hidden: true,
  });
  const law = make("a", { href: "ce-que-la-loi-demande.html", textContent: "Voir ce que la loi demande à ma commune" });
  const onward = make("div", { hidden: true }, make("p", {}, law),
    make("p", {}, make("a", { href: "parcours.html", textContent: "Continuer le cours" })));
  const say = (text) => (status.textContent = typeset(text));

  function item(one, departements, lands) {
    const title = make("strong", { textContent: typeset(one.name) });
    const detail = (text) => make("span", { textContent: typeset(text) });
    if (one.kind === "o") {
      const land = lands.get(one.land);
      return make("li", {}, title, detail(`${land === one.name ? "" : `${land}. `}${OUTSIDE}`));
    }
    const code = departement(one.code);
    const details = [detail(`${departements.get(code)} (${code})${one.postal && one.kind === "c" ? ` · ${postals(one.postal)}` : ""}`)];
    if (one.kind === "f") details.push(detail(became(one)));
    if (one.kind === "a") details.push(detail(`Fait partie de ${one.today}, qui est la commune.`));
    const button = make("button", { type: "button" }, title, ...details);
    button.addEventListener("click", () => choose(one, departements).catch(() => say(UNREAD)));
    return make("li", {}, button);
  }

  /** A last item that gives way to the others. @param {HTMLElement[]} items */
  function rest(items) {
    const button = make("button", { type: "button", textContent: `Voir les ${items.length} autres réponses` });
    if (items.length === 1) button.textContent = "Voir l’autre réponse";
    const last = make("li", {}, button);
    button.addEventListener("click", () => {
      last.replaceWith(...items);
      items.map((one) => one.querySelector("button")).find(Boolean)?.focus();
    });
    return last;
  }

  /** « à Conty », « au Havre », « aux Abymes ». @param {string} name */
  const at = (name) => (/^Les? /.test(name) ? name.replace(/^Le/, "au").replace(/^aus/, "aux") : `à ${name}`);

  const departement = (code) => code.slice(0, code.startsWith("97") ? 3 : 2);

  function postals(text) {
    const codes = text.split(" ");
    return codes.length > 3 ? `${codes.slice(0, 3).join(", ")}…` : codes.join(", ");
  }

  // What the reader does

  let turn = 0;
  async function search(complete) {
    const mine = ++turn;
    try {
      const { places, message } = await find(input.value, complete);
      const { departements, lands } = places.length ? await readMap() : {};
      if (mine !== turn) return;
      const items = places.map((one) => item(one, departements, lands));
      list.replaceChildren(...items.slice(0, SHOWN));
      if (items.length > SHOWN) list.append(rest(items.slice(SHOWN)));
      list.hidden = !places.length;
      say(message);
    } catch {
      if (mine === turn) say(UNREAD);
    }
  }

  /**
   * Make the record of a commune from its file of details. The file says which communes are
   * compared in all France, and with which; Mayotte's never are, even far apart in size.
   */
  function record(code, text, departements) {
    const [[here, count, everywhere], ...lines] = text.split(";").map((line) => line.split("|"));
    const bodies = lines.filter(([first]) => first === "e")
      .map(([, epci, type, population, name]) => ({ code: epci, name, type, population: Number(population) }));
    const rows = lines.filter(([first]) => first !== "e").map(([one, name, population, ...places]) => ({
      code: one, name, population: Number(population), smaller: places.slice(0, 2).map(Number),
      epci: places[2] ? bodies[Number(places[2])] : null, nearest: places[3]?.split(" "),
    }));
    const own = rows.find((row) => row.code === code);
    const gap = (row) => Math.abs(row.population - own.population);
    const alike = (own.epci ? rows.filter((row) => row !== own && row.epci?.type === own.epci.type) : [])
      .sort((a, b) => gap(a) - gap(b)).slice(0, 5);
    const close = alike.filter((row) => gap(row) * 4 <= own.population);
    const near = close.length < 3 ? alike : close;
    const land = (code) => ({ code, name: departements.get(code) });
    return {
      version, code, name: own.name,
      department: { ...land(here), count: Number(count), smaller: own.smaller[0] },
      france: { count: Number(everywhere), smaller: own.smaller[1] },
      population: own.population, epci: own.epci,
      scope: own.nearest ? "france" : "department",
      similar: (own.nearest?.map((rank) => rows[rank]) || near).map(({ code, name, population }) => (
        { code, name, population, ...(own.nearest && { department: land(departement(code)) }) })),
    };
  }

  async function choose(one, departements) {
    const chosen = record(one.code, await load(`d${one.chunk}`), departements);
    const kept = cultureD.storage.set("commune", JSON.stringify(chosen));
    turn++;
    document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: chosen }));
    list.replaceChildren();
    list.hidden = true;
    input.value = "";
    const told = one.kind === "f" ? ` ${became(one)}` : "";
    const block = document.querySelector(".cd-commune");
    block.tabIndex = -1;
    const { name: land, code } = chosen.department;
    say(`Commune choisie : ${chosen.name}${land === chosen.name ? "" : `, ${land}`} (${code}).${told}${
      kept ? "" : " Votre navigateur refuse de garder ce choix : il vaut pour cette page seulement."}`);
    block.focus({ preventScroll: true });
  }

  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => search(false), 200);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    await search(true);
    list.querySelector("button")?.focus();
  });
  place.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [input, ...list.querySelectorAll("button")];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (!next || !stops.includes(document.activeElement)) return;
    event.preventDefault();
    next.focus();
  });
  forget.addEventListener("click", () => {
    const forgotten = cultureD.commune.forget();
    say(forgotten ? "Votre commune est oubliée. Il n'en reste rien dans ce navigateur." : STAYS);
    if (forgotten) input.focus();
  });

  /** @param {{name: string} | null} chosen */
  function offer(chosen) {
    forget.hidden = onward.hidden = !chosen;
    if (chosen) law.textContent = typeset(`Voir ce que la loi demande ${at(chosen.name)}`);
  }
  document.addEventListener("culture-d:commune", (event) => {
    offer(event.detail);
    // What was said of the last choice is no longer true; of a search under way, it still is.
    if (list.hidden) say("");
  });

  /** A choice made with older figures: make it again, from its name. */
  function renew() {
    try {
      const { name, version: old } = JSON.parse(cultureD.storage.get("commune"));
      if (![name, old].every((one) => typeof one === "string") || old === version) return;
      input.value = name.slice(0, input.maxLength);
      search(true).then(() => say(`Les chiffres du cours ont changé depuis votre choix. ${status.textContent}`));
    } catch {
      /* Nothing was chosen, or it cannot be read. */
    }
  }

  place.replaceChildren(form, status, list, onward, forget);
  // `cours.js`, which reads the choice, comes after this script.
  addEventListener("DOMContentLoaded", () => {
    offer(cultureD.commune.get());
    if (forget.hidden) renew();
  });
  // For the tests, which run these rules on every name.
  cultureD.chercherCommune = { find, fold, record, readMap, shardsFor, load };
})();
