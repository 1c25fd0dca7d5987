/* The reader's progress, in this browser only: what is finished, and since when.

   Kept as the text that the page « Ma progression » exports. What is not readable there
   counts for nothing and breaks nothing; it is set aside before anything is written over
   it. What a later version of the course noted is never written over. `cultureD.progress` serves the pages that show
   more; every change, here or in another tab, is said by the event `culture-d-progression`. */
(function () {
  "use strict";
  const { storage } = window.cultureD;
  const KEY = "progression";
  const ASIDE = "progression-illisible";
  const EVENT = "culture-d-progression";
  const COURSE = "culture-d";
  const VERSION = 1;
  /** No module was finished before the course was there. */
  const BIRTH = "2026-01-01";
  const KEPT_BY_LATER = "Ce navigateur garde une progression notée par une version plus récente du cours. Elle n’a pas été changée.";
  const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
  const MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(" ");

  /** Whether a value is a day of the calendar, « AAAA-MM-JJ ». @param {unknown} value */
  function isDay(value) {
    if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
    const day = new Date(value + "T00:00:00Z");
    return !isNaN(day.getTime()) && day.toISOString().slice(0, 10) === value;
  }

  /** A day of this device's clock. @param {number} later in days */
  function day(later = 0) {
    const date = new Date();
    date.setDate(date.getDate() + later);
    const two = (number) => String(number).padStart(2, "0");
    return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }

  /** « 1er mars 2026 ». @param {string} value as `isDay` wants it */
  function inWords(value) {
    const [year, month, number] = value.split("-").map(Number);
    return `${number === 1 ? "1er" : number} ${MONTHS[month - 1]} ${year}`;
  }

  /** « 2 modules ». @param {number} count @param {string} noun */
  const counted = (count, noun) => `${count}\u00a0${noun}${count < 2 ? "" : "s"}`;

  /** What is wrong with an entry, or "". One day of advance is let through: time zones. */
  function fault(entry) {
    if (typeof entry?.slug !== "string" || !SLUG.test(entry.slug)) return "module";
    if (!isDay(entry.date)) return "date";
    if (entry.date < BIRTH) return "past";
    return entry.date > since(day(1)) ? "future" : "";
  }

  /** A device whose clock was lost is somewhere before the course. @param {string} value */
  const since = (value) => (value < BIRTH ? BIRTH : value);

  /** Whether a content comes from a later version of this course. */
  const isLater = (content) =>
    content?.cours === COURSE && Number.isInteger(content.version) && content.version > VERSION;

  /** What is kept here. @returns {{done: Record<string, string>, unreadable: boolean, later: boolean}} */
  function read() {
    const done = Object.create(null);
    const text = storage.get(KEY);
    if (text === null) return { done, unreadable: false, later: false };
    let content = null;
    try {
      content = JSON.parse(text);
    } catch {
      /* Not ours: said below. */
    }
    const ours = content?.cours === COURSE && content.version === VERSION && Array.isArray(content.modules);
    const entries = ours ? content.modules : [];
    const kept = entries.filter((entry) => !fault(entry));
    for (const { slug, date } of kept) {
      if (!(slug in done) || date < done[slug]) done[slug] = date;
    }
    const later = isLater(content);
    return { done, later, unreadable: !later && (!ours || kept.length < entries.length) };
  }

  /** The text of a progress: what is kept, what is exported. @param {Record<string, string>} done */
  function text(done) {
    const modules = Object.keys(done).sort((a, b) => (done[a] + a < done[b] + b ? -1 : 1))
      .map((slug) => ({ slug, date: done[slug] }));
    return JSON.stringify({ cours: COURSE, version: VERSION, modules }, null, 2) + "\n";
  }

  /** Keep a progress. @param {Record<string, string>} done @returns {boolean} whether it is kept */
  function keep(done) {
    const { later, unreadable } = read();
    if (later) return false;
    if (unreadable && storage.get(ASIDE) === null && !storage.set(ASIDE, storage.get(KEY))) return false;
    const kept = Object.keys(done).length ? storage.set(KEY, text(done)) : storage.remove(KEY);
    if (kept) document.dispatchEvent(new Event(EVENT));
    return kept;
  }

  /** Leave nothing, readable or not. @returns {boolean} whether nothing is left */
  function erase() {
    const erased = [KEY, ASIDE].map((key) => storage.remove(key)).every(Boolean);
    document.dispatchEvent(new Event(EVENT));
    return erased;
  }

  const progress = (window.cultureD.progress = {
    COURSE, VERSION, EVENT, BIRTH, day, inWords, counted, fault, isLater, text, keep, erase,
    /** @returns {Record<string, string>} day of each finished module, by slug */
    get: () => read().done,
    /** Whether something kept here could not be read. */
    unreadable: () => read().unreadable,
    /** Why nothing may be written, or "": a later version of the course wrote there. */
    locked: () => (read().later ? KEPT_BY_LATER : ""),
    /** Note a module as finished today, or not. @returns {boolean} whether it is kept */
    set(slug, finished) {
      const { done } = read();
      if (finished) done[slug] ??= since(day());
      else delete done[slug];
      return keep(done);
    },
  });

  function showLists() {
    const done = progress.get();
    for (const place of document.querySelectorAll(".cd-fait[data-module]")) {
      const since = done[place.dataset.module];
      place.textContent = since ? "✓\u00a0Terminé" : "";
    }
    for (const place of document.querySelectorAll("[data-bilan]")) {
      const all = place.dataset.bilan.split(" ").filter(Boolean).map((pair) => pair.split(":"));
      const mine = all.filter(([slug]) => done[slug]);
      const minutes = (pairs) => pairs.reduce((sum, pair) => sum + Number(pair[1]), 0);
      const ready = all.length < 2 ? "prêt" : "prêts";
      const sum = `Terminé\u00a0: ${counted(mine.length, "module")} sur ${all.length} ${ready}, `
        + (mine.length === all.length ? `${counted(minutes(all), "minute")}.` : `${counted(minutes(mine), "minute")} sur ${minutes(all)}.`);
      place.textContent = mine.length || place.dataset.toujours !== undefined ? sum : "";
    }
  }

  /** The end of a lesson. @param {HTMLElement} block */
  function follow(block) {
    const { module } = block.dataset;
    const [button, said] = [block.querySelector("button"), block.querySelector("[role=status]")];
    const show = () => {
      const since = progress.get()[module];
      said.textContent = since ? `✓ Module terminé le ${inWords(since)}. C’est noté dans ce navigateur seulement.` : "";
      button.textContent = since ? "Marquer comme non terminé" : "J’ai terminé ce module";
    };
    button.addEventListener("click", () => {
      if (!progress.set(module, !progress.get()[module])) {
        said.textContent = progress.locked() || "Ce navigateur ne peut rien garder\u00a0: la page «\u00a0Ma progression\u00a0» dit que faire.";
      }
    });
    document.addEventListener(EVENT, show);
    show();
    block.hidden = false;
  }

  document.addEventListener(EVENT, showLists);
  document.querySelectorAll(".cd-fin[data-module]").forEach(follow);
  showLists();
  storage.watch(KEY, () => document.dispatchEvent(new Event(EVENT)));
})();
