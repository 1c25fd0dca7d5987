/**
 * The search page: looks for the words of `?q=` in the texts of the course (search.py),
 * and shows the sections that hold them, the best first.
 *
 * A word matches another without regard to capitals, accents and endings, or when it
 * begins it. What the reader typed and what the pages say are only ever text nodes.
 */
(function () {
  "use strict";
  const cultureD = (window.cultureD ||= {});
  const list = document.getElementById("cd-resultats");
  if (!list) return;
  const status = document.getElementById("cd-recherche-etat");
  const advice = document.getElementById("cd-recherche-conseils");

  const AT_ONCE = 20;
  const MOST_WORDS = 12;
  const SHORTEST_START = 3;
  const EXCERPT = 220;
  const BEFORE = 60;
  const QUOTED = 60;
  const MOST_TYPED = 200;
  /** How well a word matches: it begins so, has the same stem, or is the same but for number. */
  const START = 1;
  const STEM = 2;
  const SAME = 3;

  /** Numbers keep their thousands together: « 34 875 » is one word. */
  const WORD = /\p{N}{1,3}(?:[ \u00a0\u202f]\p{N}{3}(?!\p{N}))+|[\p{L}\p{M}\p{N}]+/gu;
  const stemmer = new FrenchStemmer();

  /** @param {string} word @returns {string} the word without accents, ligatures and capitals */
  const fold = (word) => word.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae")
    .normalize("NFKD").replace(/[\p{M}\s]/gu, "");

  /**
   * Endings that the stemmer knows by their accents go first; it has too little to hold
   * on in a short word (« data », « date »).
   * @param {string} folded @returns {string}
   */
  function stem(folded) {
    if (folded.length < 4) return folded;
    const one = folded.replace(/eaux$/, "eau").replace(/[sx]$/, "")
      .replace(/([^e])au$/, "$1al").replace(/ee$/, "e").replace(/ique$/, "ic");
    return one.length > 4 ? stemmer.stemWord(one) : one.replace(/e$/, "");
  }

  /** « médianes » finds what « médiane » finds, in the same order. @param {string} folded */
  const singular = (folded) => (folded.length > 3 ? folded.replace(/[sx]$/, "") : folded);

  /** @typedef {{word: string, one: string, stem: string}} Term a word looked for */
  /** @typedef {{start: number, end: number, term: number, level: number}} Hit */
  /** @typedef {[anchor: string, title: string, text: string]} Section */

  /** @param {string} query @param {string[]} common @returns {Term[]} */
  function read(query, common) {
    const words = [...new Set((query.match(WORD) || []).map(fold))];
    const empty = new Set(common.map(fold));
    const full = words.filter((word) => !empty.has(word));
    return (full.length ? full : words).slice(0, MOST_WORDS).map((word) => (
      { word, one: singular(word), stem: stem(word) }));
  }

  /** Make a function that finds the terms in a text; each word is compared once. @param {Term[]} terms */
  function finder(terms) {
    /** @type {Map<string, [number, number][]>} */
    const known = new Map();
    const compare = (raw) => {
      const word = fold(raw);
      const [one, root] = [singular(word), stem(word)];
      return terms.flatMap((term, index) => {
        const level = one === term.one ? SAME
          : root === term.stem ? STEM
          : term.word.length >= SHORTEST_START && word.startsWith(term.word) ? START : 0;
        return level ? [[index, level]] : [];
      });
    };
    /** @param {string} text @returns {Hit[]} */
    return (text) => [...text.matchAll(WORD)].flatMap(({ 0: raw, index: start }) => {
      if (!known.has(raw)) known.set(raw, compare(raw));
      return known.get(raw).map(([term, level]) => ({ start, end: start + raw.length, term, level }));
    });
  }

  /** The best level of each term. @param {Hit[]} hits @param {number} count */
  function levels(hits, count) {
    const best = new Array(count).fill(0);
    for (const { term, level } of hits) best[term] = Math.max(best[term], level);
    return best;
  }

  /** Find the sections that hold the most terms, the best first. */
  function search(pages, terms) {
    const find = finder(terms);
    const found = [];
    for (const [address, pageTitle, sections] of pages) {
      const ofPage = levels(find(pageTitle), terms.length);
      for (const [anchor, title, text] of sections) {
        const inTitle = find(title);
        const inText = find(text);
        if (!inTitle.length && !inText.length) continue;
        const ofTitle = levels(inTitle, terms.length);
        const ofText = levels(inText, terms.length);
        const held = terms.filter((_, i) => ofPage[i] || ofTitle[i] || ofText[i]).length;
        // A title says more than a text, and a short title more than a long one.
        const share = 8 / (1 + (title.match(WORD) || []).length);
        const points = terms.reduce((sum, _, i) =>
          sum + share * ofTitle[i] + ofPage[i] / 2 + ofText[i], Math.min(inText.length, 8) / 4);
        found.push({ address, anchor, pageTitle, title, text, inTitle, inText, held, points });
      }
    }
    const most = Math.max(0, ...found.map(({ held }) => held));
    return found.filter(({ held }) => held === most).sort((a, b) => b.points - a.points);
  }

  /** Put a text in an element, its hits marked. @param {Element} element @param {Hit[]} hits */
  function write(element, text, hits, from = 0, to = text.length) {
    let done = from;
    for (const { start, end } of hits) {
      if (start < done || end > to) continue;
      const mark = document.createElement("mark");
      mark.textContent = text.slice(start, end);
      element.append(text.slice(done, start), mark);
      done = end;
    }
    element.append(text.slice(done, to));
  }

  /** A place that cuts no character in two. @param {string} text @param {number} at */
  const whole = (text, at) => (/[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(at - 1, at + 1)) ? at + 1 : at);

  /** The part of the text with the most terms. @param {string} text @param {Hit[]} hits */
  function excerpt(text, hits) {
    let best = 0;
    let start = 0;
    hits.forEach((hit, i) => {
      const near = hits.slice(i).filter(({ end }) => end <= hit.start + EXCERPT - BEFORE);
      const worth = levels(near, 1 + Math.max(...hits.map(({ term }) => term)))
        .reduce((sum, level) => sum + level, near.length / 100);
      if (worth > best) [best, start] = [worth, hit.start];
    });
    // At a space; in a text without any, between two characters all the same.
    const space = start > BEFORE ? text.lastIndexOf(" ", start - BEFORE) + 1 : 0;
    const from = whole(text, Math.max(space, start - EXCERPT / 2));
    const next = text.indexOf(" ", from + EXCERPT);
    const to = whole(text, Math.min(next < 0 ? text.length : next, from + 2 * EXCERPT));
    const paragraph = document.createElement("p");
    if (from) paragraph.append("… ");
    write(paragraph, text, hits, from, to);
    if (to < text.length) paragraph.append(" …");
    return paragraph;
  }

  function item({ address, anchor, pageTitle, title, text, inTitle, inText }) {
    const entry = document.createElement("li");
    const heading = document.createElement("h2");
    const link = document.createElement("a");
    link.href = anchor ? `${address}#${anchor}` : address;
    write(link, title || pageTitle, title ? inTitle : []);
    if (title !== pageTitle) {
      // Every lesson has a « Le piège »: the link says whose.
      const page = document.createElement("span");
      page.textContent = `dans «\u00a0${pageTitle}\u00a0»`;
      link.append(" ", page);
    }
    heading.append(link);
    entry.append(heading);
    if (text) entry.append(excerpt(text, inText));
    return entry;
  }

  /** Show the next results, and a button for those that remain. */
  function show(found, from = 0) {
    const entries = found.slice(from, from + AT_ONCE).map(item);
    list.append(...entries);
    if (from) entries[0].querySelector("a").focus();
    const rest = found.length - from - AT_ONCE;
    if (rest <= 0) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-bascule";
    button.textContent = rest > 1 ? `Voir les ${rest} autres résultats` : "Voir le dernier résultat";
    button.addEventListener("click", () => {
      button.remove();
      show(found, from + AT_ONCE);
    });
    list.after(button);
  }

  const count = (number) => `${number || "Aucun"}\u00a0résultat${number > 1 ? "s" : ""}`;
  /** The first characters of a text, none cut in two. @param {string} text @param {number} most */
  const first = (text, most) => [...text].slice(0, most).join("");

  function quoted(query) {
    const start = first(query, QUOTED);
    return `«\u00a0${start}${start === query ? "" : "…"}\u00a0»`;
  }

  /** @param {string} query @param {{pages: [string, string, Section[]][], vides: string[]}} texts */
  function answer(query, texts) {
    const terms = read(query, texts.vides);
    const found = search(texts.pages, terms);
    const whole = !found.length || found[0].held === terms.length;
    status.textContent = whole
      ? `${count(found.length)} pour ${quoted(query)}.`
      : `Aucun passage ne contient tous ces mots. ${count(found.length)} pour une partie de ${quoted(query)}.`;
    advice.hidden = found.length > 0;
    show(found);
  }

  for (const form of document.querySelectorAll("form.cd-recherche")) form.hidden = false;
  // Without what is not seen: a soft hyphen copied with a word, a sign that reverses the line.
  const typed = (new URLSearchParams(location.search).get("q") || "").replace(/\s+/g, " ").replace(/\p{C}+/gu, "");
  const query = first(typed.trim(), MOST_TYPED).trim();
  if (!query) return;
  for (const field of document.querySelectorAll("input[name=q]")) field.value = query;
  document.title = `${quoted(query)} - ${document.title}`;
  cultureD.recherche = (texts) => answer(query, texts);
  // By a script element, as every data of the course: fetch() fails from file://.
  const script = document.createElement("script");
  script.onerror = () => {
    status.textContent = "Les textes du cours n’ont pas pu être lus. Rechargez la page, ou passez par le menu.";
  };
  script.src = list.dataset.textes;
  document.head.append(script);
})();
