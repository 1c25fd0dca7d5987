/**
 * File formats: the same bytes, seen through an encoding, a separator and a spreadsheet.
 *
 * The texts were decoded from the real bytes by the Python class `Formats`; this cuts them into
 * columns, eats the zeros when a spreadsheet is asked for, and compares with what the file says.
 *
 * @typedef {{ header: string[], rows: string[][], raw: string[] }} View
 * @typedef {{ columns: number, names: number, amounts: number, codes: number, zeros: number }} Score
 */

const KEYS = ["fichier", "encodage", "separateur", "ligne", "tableur"];
const [NAME, SIRET, POSTAL, AMOUNT] = [0, 1, 2, 3];

/** What a file holds is shown sign for sign. @param {string} text */
const asRead = (text) => document.createTextNode(text);

/** A cell as a spreadsheet keeps it when it takes codes for numbers. @param {string} cell */
function doubleClick(cell) {
  if (!/^\d+$/.test(cell)) return cell;
  const digits = cell.replace(/^0+(?=\d)/, "");
  if (digits.length < 12) return digits;
  const mantissa = Number(digits).toExponential(5).split("e")[0].replace(/\.?0+$/, "");
  return `${mantissa.replace(".", ",")}E+${digits.length - 1}`;
}

/** @param {string} text @param {string} separator @param {boolean} spreadsheet @returns {View} */
function cut(text, separator, spreadsheet) {
  const raw = text.split("\n");
  const [header, ...rows] = raw.map((line) => line.split(separator));
  return { header, rows: spreadsheet ? rows.map((row) => row.map(doubleClick)) : rows, raw };
}

/** Ordinary spaces, and no mark before the first title. @param {string} [cell] */
const plain = (cell = "") => cell.replace(/[\u00a0\u202f]/g, " ").replace(/^\ufeff/, "");

/** @param {string} text */
const zeros = (text = "") => /^0*/.exec(text)[0].length;

/** @param {View} view @param {string[][]} truth @returns {Score} */
function score(view, truth) {
  const [titles, ...rows] = truth;
  const same = (place) => rows.filter((row, rank) => plain(view.rows[rank]?.[place]) === row[place]).length;
  const shown = (rank, place) => plain(view.rows[rank]?.[place]);
  return {
    columns: view.header.length === titles.length ? titles.length : Math.min(view.header.length, titles.length - 1),
    names: same(NAME),
    amounts: same(AMOUNT),
    codes: same(SIRET) + same(POSTAL),
    zeros: rows.reduce((sum, row, rank) => sum + [SIRET, POSTAL].reduce((part, place) =>
      part + (doubleClick(row[place]) === shown(rank, place) ? zeros(row[place]) : 0), 0), 0),
  };
}

/** What to see now, in one or two sentences. @param {Model} model @param {Score} found */
function verdict(model, found) {
  const count = model.get("verite").length - 1;
  const columns = model.get("verite")[0].length;
  const file = model.get("fichiers")[Number(model.get("fichier")) - 1];
  const label = (list, key) => model.get(list).find((item) => item[0] === key)[1];
  const right = found.names === count && found.amounts === count;
  const cutRight = found.columns === columns;
  if (model.get("separateur") !== file.separateur) {
    const one = found.columns < 2;
    return `Mal coupé : ${found.columns} colonne${one ? "" : "s"} au lieu de ${columns}. ` +
      "Cherchez, dans le texte, le signe qui sépare les valeurs.";
  }
  if (!cutRight || !right) {
    return `Noms justes : ${found.names} sur ${count}. Montants justes : ${found.amounts} sur ${count}. ` +
      "L'encodage n'est pas le bon : essayez-en un autre.";
  }
  if (model.get("tableur") === "oui") {
    return `Les accents sont justes, mais ${found.zeros} zéros ont disparu. ` +
      "Aucun signe étrange ne vous alerte. Enregistrer maintenant les perd.";
  }
  return `Tout est juste : ${count} noms, ${count} montants, ${found.codes} codes avec leurs zéros. ` +
    `Ce fichier est en ${label("encodages", file.encodage)}.`;
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  views += 1;
  const id = `cd-formats-${views}`;
  const truth = model.get("verite");
  const numbers = (count) => Array.from({ length: count }, (_, rank) => String(rank + 1));
  const choices = {
    fichier: numbers(model.get("fichiers").length).map((rank) => [rank, `Fichier ${rank}`]),
    encodage: model.get("encodages"),
    separateur: model.get("separateurs"),
    ligne: numbers(truth.length - 1).map((rank) => [rank, truth[Number(rank)][NAME]]),
    tableur: [["non", ""], ["oui", ""]],
  };
  const start = model.get("depart");

  /** An address can hold anything. @param {string} key */
  const known = (key) => choices[key].some(([value]) => value === model.get(key));
  const change = (key, value) => {
    model.set(key, value);
    model.save_changes();
  };

  const selects = Object.fromEntries(
    [["fichier", "Fichier reçu"], ["encodage", "Lire l'encodage"], ["separateur", "Couper à chaque"],
      ["ligne", "Ligne montrée"]].map(([key, label]) => {
      const select = h("select", { id: `${id}-${key}`, change: () => change(key, select.value) },
        ...choices[key].map(([value, text]) => h("option", { value }, text)));
      const field = h("div", { class: "cd-champ" }, h("label", { for: select.id }, label), select);
      return [key, { select, field }];
    }));
  const box = h("input", {
    type: "checkbox", id: `${id}-tableur`,
    change: () => change("tableur", box.checked ? "oui" : "non"),
  });
  const again = h("button", { type: "button", click: () => {
    KEYS.forEach((key) => model.set(key, start[key]));
    model.save_changes();
  } }, "Recommencer");

  const raw = h("pre", { class: "cd-brut", tabindex: "0", role: "region", "aria-label": "Le début du fichier" });
  const figures = ["colonnes", "noms justes", "codes entiers"].map((label) => {
    const value = h("p", { class: "cd-valeur" });
    return { value, block: h("div", {}, value, h("p", {}, label)) };
  });
  const status = h("p", { class: "cd-phrase", role: "status" });
  const caption = h("caption");
  const body = h("tbody");
  const table = h("table", { class: "cd-vu" }, caption,
    h("thead", {}, h("tr", {}, ...["Titre", "Valeur", "Verdict"].map((text) => h("th", { scope: "col" }, text)))),
    body);

  el.classList.add("cd-app");
  el.append(
    h("p", { class: "cd-titre" }, model.get("titre")),
    h("div", { class: "cd-deux" }, ...["fichier", "encodage", "separateur", "ligne"].map((key) => selects[key].field)),
    h("div", { class: "cd-axes" }, h("label", { for: box.id }, box,
      "Ouvrir d'un double-clic : le tableur prend les codes pour des nombres")),
    h("p", { class: "cd-intitule" }, "Le début du fichier, comme un texte"), raw,
    h("div", { class: "cd-chiffres" }, ...figures.map(({ block }) => block)),
    status, table, h("div", { class: "cd-boutons" }, again),
    h("p", { class: "cd-source" }, model.get("note")),
  );

  /** @param {View} view @param {number} place @param {number} rank */
  function judged(view, place, rank) {
    if (view.header.length !== truth[0].length) return "✗ mal coupé";
    const [shown, right] = [plain(view.rows[rank]?.[place]), truth[rank + 1][place]];
    if (shown === right) return "✓ juste";
    const gone = zeros(right);
    if (gone && shown === doubleClick(right)) return `✗ ${gone} zéros`;
    return "✗ abîmé";
  }

  function draw() {
    for (const key of KEYS) if (!known(key)) model.set(key, start[key]);
    for (const [key, { select }] of Object.entries(selects)) select.value = model.get(key);
    box.checked = model.get("tableur") === "oui";
    const file = model.get("fichiers")[Number(model.get("fichier")) - 1];
    const view = cut(file.vues[model.get("encodage")], model.get("separateur"), box.checked);
    const found = score(view, truth);
    const rank = Number(model.get("ligne")) - 1;
    raw.textContent = [view.raw[0], view.raw[rank + 1] ?? ""].join("\n").replaceAll("\t", "→");
    const count = truth.length - 1;
    [[found.columns, truth[0].length], [found.names, count], [found.codes, 2 * count]].forEach(([value, whole], place) =>
      say(figures[place].value, `${value === whole ? "✓" : "✗"} ${value} sur ${whole}`));
    say(status, verdict(model, found));
    say(caption, `Ce que vous voyez, ligne ${rank + 1}`);
    const row = view.rows[rank] ?? [];
    body.replaceChildren(...Array.from({ length: Math.max(view.header.length, row.length) }, (_, place) =>
      h("tr", {}, h("th", { scope: "row" }, asRead(view.header[place] || `colonne ${place + 1}`)),
        h("td", {}, asRead(row[place] ?? "")), h("td", { class: "cd-verdict" }, judged(view, place, rank)))));
  }

  const listener = () => draw();
  KEYS.forEach((key) => model.on(`change:${key}`, listener));
  draw();
  return () => KEYS.forEach((key) => model.off(`change:${key}`, listener));
}

export default { render };
