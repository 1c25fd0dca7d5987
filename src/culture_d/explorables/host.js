/**
 * Runs the explorables of a static page: no kernel, no request to another host.
 *
 * Each module has registered `cultureD.explorables[name]` (see site.py). For each
 * `.cd-explorable` of the page, this reads its state, gives the module a model, and
 * folds the static version. Whatever fails, the static version stays as it was.
 */
(function () {
  "use strict";
  const cultureD = (window.cultureD ||= {});
  const modules = (cultureD.explorables ||= {});
  const folder = new URL("donnees/", document.currentScript.src).href;
  /** Data asked for, by path. @type {Map<string, Promise<any>>} */
  const requests = new Map();
  /** Data received, by path. @type {Map<string, any>} */
  const received = new Map();

  /** Called by each data file. @param {string} path @param {any} value */
  cultureD.recevoir = (path, value) => received.set(path, value);

  /** Load a data file by a script element: fetch() fails from file://. @param {string} path */
  function load(path) {
    const request = requests.get(path) || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = script.onerror = () => {
        if (received.has(path)) return resolve(received.get(path));
        requests.delete(path);
        reject(new Error(path));
      };
      script.src = `${folder}${path}.js`;
      document.head.append(script);
    });
    requests.set(path, request);
    return request;
  }

  /** The part of anywidget's model that modules use. @param {Record<string, any>} state @param {() => void} saved */
  function createModel(state, saved) {
    /** @type {Record<string, Set<() => void>>} */
    const listeners = {};
    return {
      get: (key) => state[key],
      set(key, value) {
        if (Object.is(state[key], value)) return;
        state[key] = value;
        for (const event of [`change:${key}`, "change"]) {
          [...(listeners[event] || [])].forEach((listener) => listener());
        }
      },
      save_changes: saved,
      on: (event, listener) => (listeners[event] ||= new Set()).add(listener),
      off: (event, listener) => listeners[event]?.delete(listener),
    };
  }

  /** Longer, a part of the address is no link of the course: neither read nor kept. */
  const LONGEST = 2000;
  const parts = () => location.hash.slice(1).split("&").filter((part) => part.length <= LONGEST);
  /** What an address said, short enough to be shown. @param {string} value */
  function shown(value) {
    const characters = [...value.slice(0, 100).replace(/\p{C}/gu, "")];
    return characters.length > 10 ? `${characters.slice(0, 10).join("")}…` : characters.join("");
  }

  /** Read `#name.key=value&…` for one explorable; what is not readable is ignored. */
  function readAddress(name, state, initial) {
    const found = {};
    for (const part of parts()) {
      const [key, text] = part.split("=", 2);
      if (text === undefined || !key.startsWith(`${name}.`)) continue;
      const trait = key.slice(name.length + 1);
      if (!state._url?.includes(trait)) continue;
      try {
        const decoded = decodeURIComponent(text);
        const value = typeof initial[trait] === "string" ? decoded : JSON.parse(decoded);
        if (typeof value === typeof initial[trait] && value !== null) found[trait] = value;
      } catch {
        continue;
      }
    }
    return found;
  }

  /** Keep the state in the address, without adding to the history. */
  function writeAddress(name, state, initial) {
    const others = parts().filter((part) => part.includes("=") && !part.startsWith(`${name}.`));
    for (const trait of state._url || []) {
      const [value, start] = [state[trait], initial[trait]].map((item) =>
        typeof item === "string" ? item : JSON.stringify(item));
      const part = `${name}.${trait}=${encodeURIComponent(value)}`;
      if (value !== start && part.length <= LONGEST) others.push(part);
    }
    const hash = others.join("&");
    if (hash === location.hash.slice(1) || !(hash || location.hash.includes("="))) return;
    try {
      history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
    } catch (error) {
      console.warn(error);
    }
  }

  /** Bring the data that a trait asks for: see `Explorable._ressources` in Python. */
  function serve(model, key, rule) {
    const answer = async () => {
      const value = model.get(key);
      if (!value) return;
      model.set("_erreur", "");
      try {
        if (!model.get(rule.parmi).some((row) => row[0] === value)) throw rule.inconnu;
        const data = await load(rule.chemin.replace("{}", value)).catch(() => { throw rule.echec; });
        if (model.get(key) === value) model.set(rule.cible, data);
      } catch (sentence) {
        if (model.get(key) === value) model.set("_erreur", sentence.replace("{}", () => shown(value)));
      }
    };
    model.on(`change:${key}`, answer);
    answer();
  }

  /** Fold the static version, and unfold it on paper. @param {HTMLElement} block */
  function fold(block, app) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Voir les chiffres en tableau";
    details.append(summary, ...block.childNodes);
    block.append(app, details);
    let open = false;
    addEventListener("beforeprint", () => { ({ open } = details); details.open = true; });
    addEventListener("afterprint", () => { details.open = open; });
  }

  /** @param {HTMLElement} block @param {string} name prefix in the address */
  async function mount(block, name) {
    const module = modules[block.dataset.explorable];
    if (!module) return;
    const state = JSON.parse(block.querySelector("script.cd-etat").textContent);
    const initial = structuredClone(state);
    const fromAddress = readAddress(name, state, initial);
    Object.assign(state, fromAddress);
    const model = createModel(state, () => writeAddress(name, state, initial));
    const app = document.createElement("div");
    block.append(app);
    try {
      await module.render({ model, el: app });
    } catch (error) {
      app.remove();
      throw error;
    }
    fold(block, app);
    for (const [key, rule] of Object.entries(state._ressources || {})) serve(model, key, rule);
    if (Object.keys(fromAddress).length && !scrollY) block.scrollIntoView();
    addEventListener("hashchange", () => {
      const changes = readAddress(name, state, initial);
      Object.entries(changes).forEach(([key, value]) => model.set(key, value));
    });
  }

  function mountAll() {
    const seen = {};
    for (const block of document.querySelectorAll(".cd-explorable[data-explorable]")) {
      const name = block.dataset.explorable;
      const rank = (seen[name] = (seen[name] || 0) + 1);
      mount(block, rank > 1 ? `${name}-${rank}` : name).catch((error) => console.error(error));
    }
  }

  if (document.readyState === "complete") mountAll();
  else addEventListener("DOMContentLoaded", mountAll);
})();
