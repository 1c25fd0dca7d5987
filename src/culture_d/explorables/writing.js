/**
 * What every explorable writes with: French typography, numbers, elements, live sentences.
 *
 * Put before each module (see `module_source` in `__init__.py`), so that each stays one ES
 * module without import, in anywidget's form. JupyterLab runs it against the Python class of
 * the same name, the static site against the model of `host.js`.
 *
 * @typedef {{
 *   get(key: string): any, set(key: string, value: any): void, save_changes(): void,
 *   on(event: string, listener: () => void): void,
 *   off(event: string, listener: () => void): void,
 * }} Model
 * @typedef {Record<string, any>} Attributes functions are listened to, false is taken out
 */

/** Views of the page so far: each one's identifiers are its own. */
let views = 0;

/** No-break spaces and apostrophes of French typography. @param {string} text */
const french = (text) => text
  .replace(/(«) | ([:;!?»])/g, (_, open, sign) => (open ? "«\u00a0" : `\u00a0${sign}`))
  .replace(/(\d) %/g, "$1\u202f%")
  .replace(/(\p{L})'(?=\p{L})/gu, "$1’");

/** @param {number} value @param {number} [decimals] at most */
const number = (value, decimals = 2) =>
  value.toLocaleString("fr-FR", { maximumFractionDigits: decimals });

/** @param {number} count @param {string} one @param {string} [several] */
const counted = (count, one, several = `${one}s`) =>
  `${number(count)}\u00a0${count < 2 ? one : several}`;

/** Only what is read aloud is typeset: a value or an identifier stays as it is. @param {Element} node @param {Attributes} attributes */
function write(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value === false) node.removeAttribute(key);
    else node.setAttribute(key, /^aria-[lv]/.test(key) ? french(String(value)) : value);
  }
}

/** Texts are typeset; a text node stays as it is. @param {Element} node @param {Attributes} attributes @param {(Node | string)[]} children */
function fill(node, attributes, children) {
  write(node, attributes);
  node.append(...children.map((child) => (typeof child === "string" ? french(child) : child)));
  return node;
}

/** An HTML element. @param {string} tag @param {Attributes} [attributes] @param {...(Node | string)} children */
const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

/** An SVG element. @param {string} tag @param {Attributes} [attributes] @param {...(Node | string)} children */
const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** A control under its label. @param {string} text @param {HTMLElement} control @param {string} id */
function labelled(text, control, id) {
  control.id = id;
  return h("div", { class: "cd-champ" }, h("label", { for: id }, text), control);
}

/** Write only what differs, so that a live region speaks once. @param {Element} node @param {string} text */
function say(node, text) {
  if (node.textContent !== french(text)) node.textContent = french(text);
}
