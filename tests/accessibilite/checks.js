/**
 * Checks of accessibility that axe does not make, run in a page of the built site.
 *
 * Each function of `window.checks` looks at the page as it is now (width, theme, text
 * size are set by the test) and returns its faults in French: none means that it passes.
 * They know nothing of a page in particular, so that pages to come are covered.
 */
(function () {
  "use strict";

  const INTERACTIVE =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable]";
  const FIELDS = "input:not([type=hidden]):not([type=submit]):not([type=button]):not([type=reset]), select, textarea";
  const MEANINGFUL = 20; // signs of an alternative that says what a picture shows

  // Reading a page

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const main = () => document.querySelector("main");

  /** Name an element in a fault. @param {Element} el */
  function where(el) {
    const kind = typeof el.className === "string" && el.className ? `.${el.className.split(" ")[0]}` : "";
    const id = el.id ? `#${el.id}` : "";
    return `<${el.localName}${id}${kind}> « ${squeeze(el.textContent || el.getAttribute("aria-label")).slice(0, 60)} »`;
  }

  /** Whether a reader sees the element (a clipped text for screen readers is not seen). */
  function seen(el) {
    if (!el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const box = el.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && !clippedAway(el);
  }

  function clippedAway(el) {
    for (let one = el; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.clipPath.startsWith("inset(50%") || style.clip.startsWith("rect(0")) return true;
    }
    return false;
  }

  function texts(root = document.body) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (squeeze(node.data) && !node.parentElement.closest("script, style, template, noscript, option")) {
        found.push(node);
      }
    }
    return found;
  }

  /** Name that a screen reader says. @param {Element} el */
  function name(el) {
    const labelledBy = el.getAttribute("aria-labelledby");
    if (labelledBy) {
      return squeeze(labelledBy.split(/\s+/).map((id) => document.getElementById(id)?.textContent).join(" "));
    }
    if (squeeze(el.getAttribute("aria-label"))) return squeeze(el.getAttribute("aria-label"));
    const labels = el.labels ? [...el.labels] : [];
    if (labels.length) return squeeze(labels.map(spoken).join(" "));
    if (el.matches("input[type=submit], input[type=button], input[type=reset]")) return squeeze(el.value);
    if (el.matches("img, area, input[type=image]")) return squeeze(el.alt);
    return el.matches("input, select, textarea") ? "" : spoken(el);
  }

  /** Text of an element without what is hidden from screen readers or belongs to a field. */
  function spoken(el) {
    const copy = el.cloneNode(true);
    all("[aria-hidden=true], script, style, select, input, textarea", copy).forEach((one) => one.remove());
    all("img[alt]", copy).forEach((image) => image.replaceWith(image.alt));
    return squeeze(copy.textContent);
  }

  const words = (text) => squeeze(text).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const repeated = (list) => [...new Set(list.filter((one, place) => list.indexOf(one) !== place))];

  // Colours

  /** @param {string} text a computed colour @returns {number[]} red, green, blue (0 to 255), opacity */
  function colour(text) {
    const numbers = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
    if (text.startsWith("color(")) return [...numbers.slice(0, 3).map((one) => one * 255), numbers[3] ?? 1];
    return [...numbers.slice(0, 3), numbers[3] ?? 1];
  }

  const over = (top, under) =>
    [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);

  /** Opaque colour behind an element, or null under a picture. @param {Element | null} el */
  function background(el) {
    const layers = [];
    for (let one = el; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== "none") return null;
      const found = colour(style.backgroundColor);
      if (found[3] > 0) layers.push(found);
      if (found[3] === 1) break;
    }
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches &&
      getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reduceRight((under, layer) => over(layer, under), canvas);
  }

  function luminance(rgb) {
    const [r, g, b] = rgb.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  /** Ratio of contrast, from 1 to 21, as WCAG defines it. */
  function contrast(one, other) {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }

  const ratio = (value) => value.toFixed(2).replace(".", ",");

  // Boxes

  /** Boxes of a text that a reader sees, cut by what scrolls or hides. @param {Text} node */
  function textBoxes(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    let boxes = [...range.getClientRects()].map(({ left, top, right, bottom }) => ({ left, top, right, bottom }));
    for (let one = node.parentElement; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      if (one instanceof SVGElement) continue;
      const limit = one.getBoundingClientRect();
      boxes = boxes.map((box) => ({
        left: Math.max(box.left, limit.left), right: Math.min(box.right, limit.right),
        top: Math.max(box.top, limit.top), bottom: Math.min(box.bottom, limit.bottom),
      }));
    }
    return boxes.filter((box) => box.right - box.left > 1 && box.bottom - box.top > 1);
  }

  const scrolls = (style) => /auto|scroll/.test(style.overflowX + style.overflowY);

  /** Whether a link stands in a sentence. @param {Element} link */
  function inSentence(link) {
    const block = link.closest("p, li, dd, td, figcaption, blockquote");
    if (!block || getComputedStyle(link).display !== "inline") return false;
    const others = squeeze(block.textContent).length - squeeze(link.textContent).length;
    return others > 3;
  }

  const checks = (window.checks = {});

  // Structure

  checks.headings = () => {
    const faults = [];
    const list = all("h1, h2, h3, h4, h5, h6, [role=heading]").filter((one) => !one.closest("[hidden]"));
    const titles = list.filter((one) => one.localName === "h1");
    if (titles.length !== 1) faults.push(`${titles.length} titres de niveau 1`);
    if (titles.length && !main()?.contains(titles[0])) faults.push("le titre de niveau 1 est hors du contenu");
    let before = 0;
    for (const heading of list) {
      const level = Number(heading.getAttribute("aria-level") ?? heading.localName[1]);
      if (!level) faults.push(`titre sans niveau : ${where(heading)}`);
      if (level > before + 1) faults.push(`niveau sauté, de ${before} à ${level} : ${where(heading)}`);
      if (!squeeze(heading.textContent)) faults.push(`titre vide, de niveau ${level}`);
      before = level;
    }
    return faults;
  };

  checks.landmarks = () => {
    const faults = [];
    const count = (selector, what) => {
      const found = all(selector).filter((one) => !one.closest("[hidden]"));
      if (found.length !== 1) faults.push(`${found.length} ${what}, au lieu d'un`);
    };
    count("main, [role=main]", "contenu principal");
    count("body > header, [role=banner]", "en-tête de page");
    count("footer, [role=contentinfo]", "pied de page");
    count("[role=search], search", "moteur de recherche");
    const navigations = all("nav, [role=navigation]");
    if (!navigations.length) faults.push("aucune navigation");
    for (const one of navigations) {
      if (!one.hasAttribute("aria-label") && !one.hasAttribute("aria-labelledby")) {
        faults.push(`navigation sans nom : ${where(one)}`);
      }
    }
    for (const one of repeated(navigations.map(name))) faults.push(`deux navigations nommées « ${one} »`);
    for (const region of all("[role=region], section[aria-label]")) {
      if (!name(region)) faults.push(`région sans nom : ${where(region)}`);
    }
    const inside = "header, nav, main, footer, [role=search], [role=region], .skip-to-content";
    for (const node of texts()) {
      if (!node.parentElement.closest(inside) && seen(node.parentElement)) {
        faults.push(`texte hors de toute zone : ${where(node.parentElement)}`);
      }
    }
    return faults;
  };

  checks.languages = () => {
    const faults = [];
    if (document.documentElement.lang !== "fr") faults.push(`langue de la page : « ${document.documentElement.lang} »`);
    for (const one of all("[lang]")) {
      try {
        const code = new Intl.Locale(one.lang).language;
        const spelled = new Intl.DisplayNames(["fr"], { type: "language" }).of(code);
        if (spelled === code) throw new RangeError(one.lang);
      } catch {
        faults.push(`code de langue inconnu « ${one.lang} » : ${where(one)}`);
      }
    }
    return faults;
  };

  checks.readingDirection = () => {
    const faults = all("[dir], bdo").map((one) => `sens de lecture changé : ${where(one)}`);
    for (const node of texts()) {
      if (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u202a-\u202e\u2066-\u2069]/.test(node.data)) {
        faults.push(`écriture de droite à gauche : ${where(node.parentElement)}`);
      }
    }
    return faults;
  };

  checks.identifiers = () => {
    const ids = all("[id]").map((one) => one.id);
    const faults = repeated(ids).map((id) => `identifiant en double : ${id}`);
    const known = new Set(ids);
    for (const attribute of ["for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers", "list"]) {
      for (const one of all(`[${attribute}]`)) {
        for (const id of one.getAttribute(attribute).split(/\s+/).filter(Boolean)) {
          if (!known.has(id)) faults.push(`${attribute} mène à « ${id} », absent : ${where(one)}`);
        }
      }
    }
    return faults;
  };

  checks.presentationMarkup = () => {
    const faults = all(
      "font, center, big, strike, tt, basefont, marquee, blink, nobr, acronym, dir, frameset, applet, u",
    ).map((one) => `balise de présentation : ${where(one)}`);
    const attributes = ["align", "bgcolor", "background", "valign", "cellpadding", "cellspacing", "color", "face", "hspace", "vspace", "nowrap"];
    for (const attribute of attributes) {
      for (const one of all(`main [${attribute}], nav [${attribute}]`)) {
        if (!(one instanceof SVGElement)) faults.push(`attribut de présentation « ${attribute} » : ${where(one)}`);
      }
    }
    for (const one of all("main p, main li, main h2, main h3")) {
      // A tool keeps the place of a sentence that its script will write.
      if (one.closest(".cd-app, [role=status]")) continue;
      if (!one.children.length && !squeeze(one.textContent) && seen(one)) faults.push(`${where(one)} vide, pour faire de l'espace`);
    }
    for (const one of all("br + br")) faults.push(`sauts de ligne pour faire de l'espace : ${where(one.parentElement)}`);
    return faults;
  };

  checks.lists = () => {
    const faults = [];
    for (const list of all("ul, ol, menu")) {
      for (const child of list.children) {
        if (!child.matches("li, script, template")) faults.push(`<${child.localName}> dans une liste : ${where(list)}`);
      }
    }
    for (const item of all("li")) {
      if (!item.parentElement.matches("ul, ol, menu")) faults.push(`élément de liste hors d'une liste : ${where(item)}`);
    }
    for (const list of all("dl")) {
      const groups = [...list.children].flatMap((child) => (child.localName === "div" ? [...child.children] : [child]));
      if (groups.some((child) => !child.matches("dt, dd, script, template"))) faults.push(`liste de définitions mal faite : ${where(list)}`);
      if (groups.length && (groups[0].localName !== "dt" || groups.at(-1).localName !== "dd")) {
        faults.push(`définition sans terme, ou terme sans définition : ${where(list)}`);
      }
    }
    for (const one of all("main p")) {
      if (/^([-•–*·]|\d+[.)])\s/.test(squeeze(one.textContent))) faults.push(`liste écrite à la main : ${where(one)}`);
    }
    return faults;
  };

  checks.quotations = () => all("main p")
    .filter((one) => !one.closest("blockquote, li, td, dd, label, summary, fieldset, [role=status], details"))
    .filter((one) => /^«[^«»]{60,}»[.,;]?$/.test(squeeze(one.textContent)))
    .map((one) => `citation qui n'est pas dans un <blockquote> : ${where(one)}`)
    .concat(all("blockquote").filter((one) => !squeeze(one.textContent)).map(() => "citation vide"));

  // Links and buttons

  const VAGUE = /^(ici|l[àa]|lien|ce lien|cliquez( ici)?|cliquer ici|en savoir plus|(lire )?la suite|lire plus|plus|voir( plus)?|suite|d[ée]tails?|page|t[ée]l[ée]charger|https?:.*|www\..*)$/i;

  checks.links = () => {
    const faults = [];
    const targets = new Map();
    for (const link of all("a[href], area[href]")) {
      const text = name(link);
      if (!text) faults.push(`lien sans nom : ${link.getAttribute("href")}`);
      if (VAGUE.test(text.replace(/[\s.…»]+$/u, ""))) faults.push(`lien qui ne dit pas où il mène : « ${text} »`);
      if (link.hasAttribute("aria-label") && !name(link).toLowerCase().includes(spoken(link).toLowerCase())) {
        faults.push(`le nom du lien ne contient pas son texte : ${where(link)}`);
      }
      if (!text || link.closest("[hidden]")) continue;
      const key = text.toLowerCase();
      // Two links of the same text may lead to two places when what is around them tells.
      const place = link.closest("tr, [aria-label], [aria-labelledby]");
      const target = link.href.replace(/#.*/, link.hash);
      const known = targets.get(key);
      if (known && known.target !== target && (known.place === place || !place)) {
        faults.push(`deux liens « ${text} » mènent à ${known.target} et à ${target}`);
      }
      if (!known) targets.set(key, { target, place });
    }
    for (const one of all("a:not([href])")) {
      if (!one.id) faults.push(`lien sans destination : ${where(one)}`);
    }
    return faults;
  };

  checks.newWindows = () => all("a[target], form[target], area[target]")
    .filter((one) => !["_self", ""].includes(one.target) && !/nouvelle fen[êe]tre|nouvel onglet/i.test(name(one)))
    .map((one) => `ouvre une autre fenêtre sans le dire : ${where(one)}`);

  checks.documents = () => all("a[href]")
    .filter((one) => /\.(pdf|docx?|odt|xlsx?|ods|pptx?|odp|rtf|epub)(\?|#|$)/i.test(one.href))
    .filter((one) => !/\b(pdf|docx?|odt|xlsx?|ods|pptx?|odp|rtf|epub|word|excel|libreoffice)\b/i.test(name(one)))
    .map((one) => `document à télécharger sans dire son format : ${where(one)}`);

  checks.buttons = () => {
    const faults = [];
    for (const one of all("button, [role=button], input[type=submit], input[type=button], input[type=reset]")) {
      const text = name(one);
      if (!/\p{L}{2}/u.test(text)) faults.push(`bouton sans nom : ${where(one)}`);
      if (/^(ok|go|bouton|cliquez( ici)?|submit|envoyer le formulaire|button)$/i.test(text)) {
        faults.push(`bouton qui ne dit pas ce qu'il fait : « ${text} »`);
      }
      const visible = words(one.value || spoken(one)).join(" ");
      if (visible && !words(text).join(" ").includes(visible)) {
        faults.push(`le nom « ${text} » ne contient pas le texte du bouton : ${where(one)}`);
      }
    }
    return faults;
  };

  checks.linksInText = () => all("main a[href]").filter((link) => seen(link) && inSentence(link))
    .filter((link) => {
      const style = getComputedStyle(link);
      const around = getComputedStyle(link.parentElement);
      return !style.textDecorationLine.includes("underline") && style.borderBottomStyle === "none"
        && Number(style.fontWeight) <= Number(around.fontWeight);
    })
    .map((link) => `lien que seule sa couleur distingue du texte : ${where(link)}`);

  // Pictures and media

  checks.alternatives = () => {
    const faults = [];
    for (const image of all("img, [role=img], svg, input[type=image], area, object, embed, canvas")) {
      if (image.closest("[aria-hidden=true], [hidden]") || image.parentElement.closest("svg, [role=img]")) continue;
      if (image.matches("img") && image.getAttribute("alt") === "") {
        const link = image.closest("a, button");
        if (link && !name(link)) faults.push(`image seule dans un lien, sans texte : ${image.getAttribute("src").slice(0, 60)}`);
        else if (main()?.contains(image)) faults.push(`image du contenu déclarée décorative : ${image.getAttribute("src").slice(0, 60)}`);
        continue;
      }
      const text = name(image);
      if (image.matches("svg") && image.getAttribute("role") !== "img") faults.push(`dessin sans role="img" ni aria-hidden : ${where(image)}`);
      if (text.length < MEANINGFUL) faults.push(`alternative absente ou trop courte (« ${text} ») : ${where(image)}`);
      if (/\.(png|svg|jpe?g|gif|webp)$|^(image|figure|graphique|photo)\s*\d*$/i.test(text)) faults.push(`alternative qui ne dit rien : « ${text} »`);
      if (text.length > 700) faults.push(`alternative trop longue (${text.length} signes) : « ${text.slice(0, 60)} »`);
    }
    const same = all("main img").map((image) => squeeze(image.alt)).filter(Boolean);
    for (const text of repeated(same)) faults.push(`deux images de même alternative : « ${text.slice(0, 60)} »`);
    return faults;
  };

  checks.figureTables = () => {
    const faults = [];
    for (const image of all("main img, main svg[role=img]")) {
      if (image.closest("[aria-hidden=true]")) continue;
      const holder = image.closest(".cd-explorable, .cell, figure, section");
      if (!holder?.querySelector("table")) faults.push(`figure sans le tableau de ses chiffres : ${name(image).slice(0, 60)}`);
    }
    return faults;
  };

  checks.noMedia = () => all(
    "iframe, frame, frameset, object, embed, video, audio, canvas, applet, bgsound, track, marquee, blink, portal, fencedframe",
  ).map((one) => `média ou cadre dans la page : ${where(one)}`);

  checks.noCaptcha = () => all("form img, form input[type=image], [class*=captcha i], [id*=captcha i], [name*=captcha i]")
    .map((one) => `image ou épreuve de vérification dans un formulaire : ${where(one)}`)
    .concat(texts().filter((node) => !node.parentElement.closest("code, pre") && /captcha|je ne suis pas un robot/i.test(node.data))
      .map((node) => `la page parle d'une épreuve de vérification : ${where(node.parentElement)}`));

  checks.crypticText = () => {
    const faults = [];
    for (const node of texts()) {
      if (node.parentElement.closest("pre, code, [aria-hidden=true]")) continue;
      const found = node.data.match(/\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[:;]-?[)(](?!\w)|([-=_*~+|#])\1{4,}/u);
      if (found) faults.push(`signe à deviner « ${found[0]} » : ${where(node.parentElement)}`);
    }
    return faults;
  };

  // Tables

  checks.tables = () => {
    const faults = [];
    for (const table of all("table")) {
      if (!table.checkVisibility()) continue;
      const caption = squeeze(table.caption?.textContent);
      if (!caption) faults.push(`tableau sans titre : ${where(table)}`);
      if (/^(tableau|table|titre)?\s*\d*$/i.test(caption) && caption) faults.push(`titre de tableau qui ne dit rien : « ${caption} »`);
      const heads = all("th", table);
      if (!heads.some((one) => one.scope === "col")) faults.push(`tableau sans en-tête de colonne : ${where(table)}`);
      if (!all("tbody tr, tr", table).some((row) => row.querySelector("td"))) faults.push(`tableau sans cellule : ${where(table)}`);
      for (const head of heads) {
        if (!["col", "row"].includes(head.getAttribute("scope"))) faults.push(`en-tête sans scope : ${where(head)} (${caption})`);
        if (!squeeze(head.textContent)) faults.push(`en-tête vide (${caption})`);
      }
      const widths = new Set([...table.rows].map((row) => row.cells.length));
      if (widths.size > 1) faults.push(`lignes de longueurs différentes : ${caption}`);
      for (const row of table.tBodies.length ? [...table.tBodies].flatMap((body) => [...body.rows]) : []) {
        if (!row.querySelector("th[scope=row]")) faults.push(`ligne sans en-tête : « ${squeeze(row.textContent).slice(0, 40)} » (${caption})`);
      }
    }
    return [...new Set(faults)];
  };

  checks.noComplexTable = () => all("table").flatMap((table) => {
    const faults = [];
    if (all("[colspan]:not([colspan='1']), [rowspan]:not([rowspan='1'])", table).length) faults.push(`tableau complexe (cellules fusionnées) : ${where(table)}`);
    if (all("thead tr", table).length > 1) faults.push(`tableau complexe (deux lignes d'en-têtes) : ${where(table)}`);
    if (["presentation", "none"].includes(table.getAttribute("role"))) faults.push(`tableau de mise en forme : ${where(table)}`);
    if (table.querySelector("table")) faults.push(`tableau dans un tableau : ${where(table)}`);
    return faults;
  });

  // Forms

  /** Label of a field that a reader sees. */
  function visibleLabel(field) {
    const labels = [...(field.labels ?? [])];
    const by = (field.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => document.getElementById(id));
    return [...labels, ...by].find((one) => one && seen(one));
  }

  checks.fields = () => {
    const faults = [];
    for (const field of all(FIELDS)) {
      if (field.closest("[hidden]")) continue;
      if (!/[\p{L}\p{N}]/u.test(name(field))) faults.push(`champ sans étiquette : ${where(field)}`);
      if (!seen(field) && !field.matches("[type=radio], [type=checkbox]")) continue;
      const label = visibleLabel(field);
      if (!label) {
        faults.push(`champ dont l'étiquette ne se voit pas : ${where(field)}`);
        continue;
      }
      const [a, b] = [label.getBoundingClientRect(), field.getBoundingClientRect()];
      const across = Math.max(a.left - b.right, b.left - a.right, 0);
      const down = Math.max(a.top - b.bottom, b.top - a.bottom, 0);
      if (across > 24 || down > 24) faults.push(`étiquette loin de son champ (${Math.round(Math.max(across, down))} px) : ${where(label)}`);
    }
    return faults;
  };

  checks.fieldNames = () => {
    const faults = [];
    for (const root of [...all("form, .cd-app, fieldset"), document.body]) {
      const own = all(FIELDS, root).filter((one) => one.closest("form, .cd-app, fieldset") === (root === document.body ? null : root));
      const kinds = own.map((one) => `${one.type === "radio" ? one.name : ""}|${name(one)}`);
      for (const one of repeated(kinds)) faults.push(`deux champs de même étiquette : « ${one.split("|")[1]} »`);
    }
    return faults;
  };

  checks.fieldGroups = () => {
    const faults = [];
    const legends = [];
    for (const group of all("fieldset, [role=radiogroup], [role=group]")) {
      if (!group.checkVisibility()) continue;
      const text = group.localName === "fieldset" ? squeeze(group.querySelector(":scope > legend")?.textContent) || name(group).slice(0, 0) || squeeze(group.getAttribute("aria-label")) : name(group);
      if (!text) faults.push(`groupe de champs sans légende : ${where(group)}`);
      else if (group.localName === "fieldset") legends.push(text);
    }
    for (const one of repeated(legends)) faults.push(`deux groupes de champs de même légende : « ${one} »`);
    const choices = Map.groupBy(all("input[type=radio], input[type=checkbox]").filter((one) => one.name), (one) => one.name);
    for (const [key, fields] of choices) {
      if (fields.length > 1 && fields.some((one) => !one.closest("fieldset, [role=radiogroup], [role=group]"))) {
        faults.push(`choix « ${key} » hors d'un groupe de champs`);
      }
    }
    return faults;
  };

  checks.optionLists = () => {
    const faults = [];
    for (const list of all("select")) {
      if ([...list.querySelectorAll("optgroup")].some((one) => !squeeze(one.label))) faults.push(`groupe d'options sans nom : ${where(list)}`);
      const values = [...list.options].map((one) => squeeze(one.textContent));
      if (values.some((one) => !one)) faults.push(`option vide : ${name(list)}`);
      for (const one of repeated(values)) faults.push(`option en double « ${one} » : ${name(list)}`);
    }
    return faults;
  };

  checks.noPersonalField = () => all(FIELDS)
    .filter((one) => !["radio", "checkbox", "range"].includes(one.type))
    .filter((one) => ["email", "tel", "password"].includes(one.type)
      || /\b(pr[ée]nom|votre nom|nom de famille|courriel|e-?mail|adresse|t[ée]l[ée]phone|naissance|mot de passe)\b/i.test(name(one)))
    .filter((one) => !one.autocomplete || one.autocomplete === "off")
    .map((one) => `champ personnel sans « autocomplete » : ${where(one)} ${name(one)}`);

  checks.noSending = () => all("form").filter((one) => (one.getAttribute("method") ?? "get").toLowerCase() !== "get"
      || (one.hasAttribute("action") && !new URL(one.action).pathname.endsWith("/search.html")))
    .map((one) => `formulaire qui envoie des données : ${where(one)}`);

  checks.requiredAndErrors = () => {
    const faults = [];
    for (const field of all("[required], [aria-required=true]")) {
      if (!/obligatoire|requis/i.test(name(field) + squeeze(field.closest("form, fieldset")?.textContent))) {
        faults.push(`champ obligatoire sans le mot : ${name(field)}`);
      }
    }
    for (const field of all("[aria-invalid=true]")) {
      const text = (field.getAttribute("aria-describedby") ?? "").split(/\s+/)
        .map((id) => squeeze(document.getElementById(id)?.textContent))
        .concat(all(":is(form, .cd-quiz) [role=status]").filter((one) => one.closest("form, .cd-quiz").contains(field)).map((one) => squeeze(one.textContent))).join(" ").trim();
      if (!/\p{L}{3}/u.test(text)) faults.push(`erreur sans un mot pour l'expliquer : ${name(field)}`);
    }
    for (const one of all(".cd-prevu, .cd-perime, .cd-erreur, [class*=etat], [class*=juste], [class*=faux]")) {
      // A sign before its words, and a sign in a drawing, whose words are beside it.
      if (one.closest("svg") || (one.matches("span") && /\p{L}{3}/u.test(squeeze(one.closest("li, p, div")?.textContent)))) continue;
      if (seen(one) && !one.matches("[role=status]:empty") && !/\p{L}{3}/u.test(squeeze(one.textContent) || name(one))) faults.push(`état sans mot : ${where(one)}`);
    }
    return faults;
  };

  // Behaviour

  checks.interactiveElements = () => {
    const faults = [];
    for (const one of all("[tabindex]")) {
      if (one.tabIndex > 0) faults.push(`ordre de tabulation forcé (tabindex ${one.tabIndex}) : ${where(one)}`);
    }
    for (const one of all("[onclick], [onkeydown], [onkeyup], [onmousedown], [onmouseover], [onchange], [onfocus]")) {
      faults.push(`action écrite dans la balise : ${where(one)}`);
    }
    for (const one of all("[role=button], [role=link], [role=checkbox], [role=radio], [role=tab], [role=switch], [role=slider], [role=menuitem]")) {
      if (!one.matches(INTERACTIVE)) faults.push(`composant que le clavier n'atteint pas : ${where(one)}`);
      if (!name(one)) faults.push(`composant sans nom : ${where(one)}`);
    }
    for (const one of all("details")) {
      if (one.firstElementChild?.localName !== "summary" || !name(one.firstElementChild)) faults.push(`bloc à ouvrir sans titre : ${where(one)}`);
    }
    for (const one of all("[aria-hidden=true]")) {
      if (one.matches(INTERACTIVE) || one.querySelector(INTERACTIVE)) faults.push(`le clavier entre dans ce qui est caché : ${where(one)}`);
    }
    for (const one of all("a a, button button, a button, button a, label label")) faults.push(`composants emboîtés : ${where(one)}`);
    return faults;
  };

  checks.statusRegions = () => {
    const faults = [];
    for (const app of all(".cd-app")) {
      if (!app.querySelector("[role=status], [aria-live=polite], output")) faults.push(`outil sans message d'état : ${where(app)}`);
    }
    for (const one of all("[aria-live], [role=status], [role=alert], [role=log]")) {
      if (one.getAttribute("aria-live") === "off" || one.closest("[aria-hidden=true]")) faults.push(`message d'état que rien ne lit : ${where(one)}`);
      if (one.getAttribute("aria-live") === "assertive") faults.push(`message qui coupe la parole : ${where(one)}`);
    }
    return faults;
  };

  checks.hiddenContent = () => all("[aria-hidden=true]")
    .filter((one) => !(one instanceof SVGElement) && /\p{L}{3}/u.test(one.textContent))
    .map((one) => `texte caché aux lecteurs d'écran : ${where(one)}`);

  checks.noShortcut = () => all("[accesskey], [aria-keyshortcuts]").map((one) => `raccourci d'une touche : ${where(one)}`);

  checks.noRefresh = () => all("meta[http-equiv=refresh i]").map((one) => `la page se recharge seule : ${one.content}`);

  checks.titles = () => {
    const faults = [];
    for (const one of all("body [title]")) {
      const said = words(`${one.textContent} ${name(one)}`);
      if (one.localName !== "iframe" && words(one.title).some((word) => !said.includes(word))) {
        faults.push(`information dans le seul attribut title : « ${one.title} »`);
      }
    }
    for (const one of all("[placeholder]")) {
      if (!visibleLabel(one)) faults.push(`étiquette dans le seul champ vide : « ${one.placeholder} »`);
    }
    return faults;
  };

  /** Rules of the stylesheets, those of @media included, with their media. */
  function* rules(list = [...document.styleSheets].map((sheet) => sheet.cssRules), media = "") {
    for (const group of list) {
      for (const rule of group) {
        if (rule instanceof CSSStyleRule) yield [rule, media];
        else if (rule.cssRules) yield* rules([rule.cssRules], `${media} ${rule.media?.mediaText ?? ""}`);
      }
    }
  }

  checks.hover = () => {
    const shows = ["display", "visibility", "opacity", "content", "height", "max-height", "width", "clip-path", "clip", "position", "transform", "left", "top"];
    const faults = [];
    for (const [rule] of rules()) {
      if (!rule.selectorText.includes(":hover")) continue;
      const found = shows.filter((property) => rule.style.getPropertyValue(property));
      if (found.length) faults.push(`contenu montré au survol : ${rule.selectorText} { ${found.join(", ")} }`);
    }
    return faults;
  };

  checks.orientationFree = () => {
    const faults = [];
    for (const [rule, media] of rules()) {
      if (/orientation/.test(media) && /none|hidden|rotate/.test(rule.style.cssText)) faults.push(`contenu lié à l'orientation : ${rule.selectorText}`);
    }
    return faults;
  };

  checks.zoomAllowed = () => {
    const text = document.querySelector("meta[name=viewport]")?.content ?? "";
    return /user-scalable\s*=\s*(no|0)|maximum-scale/.test(text) || !text ? [`agrandissement empêché : « ${text} »`] : [];
  };

  checks.informationInStyle = () => {
    const faults = [];
    for (const one of all("main *, header *, footer *, nav *")) {
      for (const side of ["::before", "::after"]) {
        const content = getComputedStyle(one, side).content;
        if (/^"/.test(content) && /\p{L}{2}/u.test(content) && seen(one)) faults.push(`texte écrit par le style (${content}) : ${where(one)}`);
      }
      const image = getComputedStyle(one).backgroundImage;
      if (image.startsWith("url(") && !squeeze(one.textContent) && !name(one)) faults.push(`information dans une image de fond : ${where(one)}`);
    }
    return faults;
  };

  const POSITION = new RegExp(
    "ci-contre|(colonne|bloc|encadr[ée]|bouton|texte|tableau|figure|courbe|barre|point)s?\\s((de|en|à|du|à la)\\s)?"
      + "(droite|gauche|rouges?|verte?s?|bleue?s?|orange|jaunes?|haut|bas)(?![\\p{L}-])", "iu");
  checks.positionWords = () => texts(main() ?? document.body)
    .filter((node) => !node.parentElement.closest("pre, code"))
    .filter((node) => POSITION.test(node.data))
    .map((node) => `information donnée par la place, la forme ou la couleur : ${where(node.parentElement)}`);

  // Colours, in the theme of the moment

  checks.textContrast = () => {
    const faults = new Set();
    for (const node of texts()) {
      const el = node.parentElement;
      if (!seen(el) || el.closest("[aria-disabled=true], :disabled")) continue;
      const style = getComputedStyle(el);
      const under = background(el);
      if (!under) {
        faults.add(`texte sur une image : ${where(el)}`);
        continue;
      }
      const ink = colour(el instanceof SVGElement ? style.fill : style.color);
      for (let one = el; one; one = one.parentElement) ink[3] *= Number(getComputedStyle(one).opacity);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const value = contrast(over(ink, under), under);
      const sign = !/[\p{L}\p{N}]/u.test(node.data); // a drawing, for which 3 is enough
      if (value < (large || sign ? 3 : 4.5)) faults.add(`contraste ${ratio(value)} : ${where(el)}`);
    }
    return [...faults];
  };

  checks.controlContrast = () => {
    const faults = [];
    const selector = "input[type=text], input[type=search], input[type=number], input:not([type]), select, textarea, button";
    for (const one of all(selector)) {
      if (!seen(one) || one.disabled) continue;
      const style = getComputedStyle(one);
      const outside = background(one.parentElement);
      if (!outside) continue;
      const inside = over(colour(style.backgroundColor), outside);
      const hasBorder = style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) >= 1;
      const edge = hasBorder ? contrast(over(colour(style.borderTopColor), outside), outside) : 1;
      const value = Math.max(edge, contrast(inside, outside));
      if (value < 3) faults.push(`bord à peine visible (${ratio(value)}) : ${where(one)} ${name(one)}`);
    }
    return faults;
  };

  checks.drawingContrast = () => {
    const faults = new Set();
    for (const one of all("svg[role=img] :is(path, circle, rect, line)")) {
      if (!seen(one)) continue;
      const style = getComputedStyle(one);
      const under = background(one.closest("svg"));
      const inks = [style.fill, style.stroke].filter((ink) => ink !== "none").map(colour).filter((ink) => ink[3] > 0);
      if (!under || !inks.length) continue;
      const best = Math.max(...inks.map((ink) => contrast(over(ink, under), under)));
      if (best < 3) faults.add(`trait à peine visible (${ratio(best)}) : ${where(one)} ${one.getAttribute("class") ?? ""}`);
    }
    return [...faults];
  };

  /** Every colour of text comes with a background of the same sheet: none is left to chance. */
  checks.pairedColours = () => {
    const style = getComputedStyle(document.body);
    const faults = [];
    if (colour(style.backgroundColor)[3] < 1) faults.push("la page ne dit pas sa couleur de fond");
    for (const one of all(`${FIELDS}, button`)) {
      if (!seen(one) || one.matches("[type=radio], [type=checkbox], [type=range]")) continue;
      const under = background(one);
      if (under && contrast(over(colour(getComputedStyle(one).color), under), under) < 4.5) faults.push(`texte et fond du champ se confondent : ${where(one)} ${name(one)}`);
    }
    return faults;
  };

  // Forced colours

  checks.forcedColours = () => {
    const faults = [];
    for (const one of all("button, select, textarea, input[type=text], input[type=search], input[type=number]")) {
      if (!seen(one)) continue;
      const style = getComputedStyle(one);
      const under = background(one.parentElement) ?? [255, 255, 255, 1];
      const edge = colour(style.borderTopColor);
      if (style.borderTopStyle === "none" || parseFloat(style.borderTopWidth) < 1 || contrast(over(edge, under), under) < 3) {
        faults.push(`bord qui disparaît en couleurs imposées : ${where(one)} ${name(one)}`);
      }
    }
    for (const link of all("main a[href]")) {
      if (!seen(link) || link.closest("nav, ul, ol")) continue;
      const style = getComputedStyle(link);
      const marked = style.textDecorationLine.includes("underline") || (style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) >= 1);
      if (!marked) faults.push(`lien que rien ne distingue en couleurs imposées : ${where(link)}`);
    }
    return faults;
  };

  // Widths and sizes

  checks.reflow = () => {
    const root = document.documentElement;
    const faults = [];
    if (root.scrollWidth > root.clientWidth) faults.push(`la page défile en largeur : ${root.scrollWidth} px pour ${root.clientWidth}`);
    for (const one of all("body *")) {
      const style = getComputedStyle(one);
      if (!scrolls(style) || one.scrollWidth <= one.clientWidth + 1 || !seen(one) || one.matches("input, textarea, select")) continue;
      // Data tables and code may scroll on their own, if a keyboard can reach them.
      const table = one.querySelector(":scope > table");
      if (!table && !one.closest("pre")) faults.push(`défile en largeur à part : ${where(one)}`);
      if (table && (one.tabIndex < 0 || !name(one))) faults.push(`tableau qui défile, hors du clavier ou sans nom : ${where(one)}`);
    }
    for (const one of all("body *")) {
      const style = getComputedStyle(one);
      if (!["fixed", "sticky"].includes(style.position) || !seen(one)) continue;
      if (one.getBoundingClientRect().height > innerHeight / 2 && style.position === "fixed") faults.push(`bloc fixe qui couvre l'écran : ${where(one)}`);
    }
    return faults;
  };

  checks.clipped = () => {
    const faults = new Set();
    for (const node of texts()) {
      const el = node.parentElement;
      if (!seen(el) || el instanceof SVGElement) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()];
      for (let one = el; one && one !== document.documentElement; one = one.parentElement) {
        const style = getComputedStyle(one);
        const limit = one.getBoundingClientRect();
        const cutX = /hidden|clip/.test(style.overflowX);
        const cutY = /hidden|clip/.test(style.overflowY);
        if (!cutX && !cutY) continue;
        for (const box of boxes) {
          const slack = (box.bottom - box.top) * 0.2;
          if ((cutX && box.right > limit.right + 2) || (cutY && box.bottom > limit.bottom + slack)) faults.add(`texte coupé : ${where(el)}`);
        }
      }
    }
    for (const one of all("button, [role=button], .cd-bouton")) {
      if (seen(one) && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 2)) faults.add(`texte qui sort du bouton : ${where(one)}`);
    }
    return [...faults];
  };

  checks.overlaps = () => {
    const boxes = [];
    for (const node of texts()) {
      const el = node.parentElement;
      if (!seen(el)) continue;
      for (const box of textBoxes(node)) {
        const slack = (box.bottom - box.top) * 0.22;
        boxes.push({ ...box, top: box.top + slack, bottom: box.bottom - slack, node });
      }
    }
    boxes.sort((a, b) => a.top - b.top);
    const faults = new Set();
    for (let i = 0; i < boxes.length; i++) {
      for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom; j++) {
        const [a, b] = [boxes[i], boxes[j]];
        if (a.node === b.node) continue;
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - b.top;
        if (across > 3 && down > 3) faults.add(`textes l'un sur l'autre : ${where(a.node.parentElement)} et ${where(b.node.parentElement)}`);
      }
    }
    return [...faults];
  };

  /** Remember the size of every text, then compare once the reader has doubled it. */
  checks.textGrows = () => {
    const nodes = texts().filter((node) => seen(node.parentElement) && !(node.parentElement instanceof SVGElement));
    const size = (node) => parseFloat(getComputedStyle(node.parentElement).fontSize);
    const root = document.documentElement;
    const kept = root.style.fontSize;
    const base = parseFloat(getComputedStyle(root).fontSize);
    root.style.setProperty("font-size", `${base / 2}px`, "important");
    const small = nodes.map(size);
    root.style.setProperty("font-size", `${base}px`, "important");
    const faults = nodes.filter((node, place) => size(node) < small[place] * 1.9).map((node) => `texte qui ne grandit pas : ${where(node.parentElement)}`);
    root.style.fontSize = kept;
    return [...new Set(faults)];
  };

  /** What a finger must hit: the element, with its label for a box to tick. */
  function targetBox(one) {
    const label = one.matches("[type=radio], [type=checkbox]") ? one.closest("label") ?? one.labels?.[0] : null;
    const boxes = [one, label].filter(Boolean).map((part) => part.getBoundingClientRect());
    return {
      left: Math.min(...boxes.map((box) => box.left)), right: Math.max(...boxes.map((box) => box.right)),
      top: Math.min(...boxes.map((box) => box.top)), bottom: Math.max(...boxes.map((box) => box.bottom)),
    };
  }

  checks.targets = () => {
    const faults = [];
    const list = all("a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]").filter(seen);
    const boxes = list.map(targetBox);
    const small = (box) => box.right - box.left < 23.5 || box.bottom - box.top < 23.5;
    const gap = (box, x, y) => Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
    list.forEach((one, place) => {
      const box = boxes[place];
      const size = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)} px`;
      if (!inSentence(one) && one.matches("button, select, textarea, input, [role=button], .cd-bouton") && box.bottom - box.top < 43.5) {
        faults.push(`bouton ou champ de moins de 44 px (${size}) : ${where(one)} ${name(one)}`);
      }
      if (!small(box) || inSentence(one)) return;
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const near = boxes.some((other, index) => index !== place && !one.contains(list[index]) && !list[index].contains(one)
        && (gap(other, x, y) < 12 || (small(other) && Math.hypot((other.left + other.right) / 2 - x, (other.top + other.bottom) / 2 - y) < 24)));
      if (near) faults.push(`cible de moins de 24 px, serrée (${size}) : ${where(one)}`);
    });
    return faults;
  };

  checks.visualOrder = () => {
    const faults = [];
    const blocks = all("h1, h2, h3, h4, p, li, table, pre, img, blockquote, fieldset", main() ?? document)
      .filter((one) => seen(one) && !one.closest("svg, .cd-chiffres"));
    let before = null;
    for (const one of blocks) {
      const box = one.getBoundingClientRect();
      // Two lists side by side are read one after the other.
      const aside = before && (box.left >= before.box.right || box.right <= before.box.left) && one.matches("li");
      if (before && !aside && box.bottom <= before.box.top + 2) faults.push(`lu après, montré avant : ${where(one)} (après ${where(before.one)})`);
      before = { one, box };
    }
    return faults;
  };

  // Movement

  checks.stillness = () => {
    const faults = document.getAnimations().map((one) => `mouvement en cours : ${one.animationName ?? one.transitionProperty ?? "?"}`);
    for (const one of all("*")) {
      const style = getComputedStyle(one);
      const time = [style.transitionDuration, style.animationDuration].join(",").split(",").map(parseFloat);
      if (style.animationName !== "none") faults.push(`animation ${style.animationName} : ${where(one)}`);
      else if (time.some((seconds) => seconds > 0.01)) faults.push(`transition qui reste : ${where(one)}`);
      if (style.scrollBehavior === "smooth") faults.push(`défilement animé : ${where(one)}`);
    }
    return [...new Set(faults)];
  };

  checks.shortMovements = () => {
    const faults = [];
    for (const one of all("*")) {
      const style = getComputedStyle(one);
      if (style.animationName !== "none" && (style.animationIterationCount.includes("infinite") || parseFloat(style.animationDuration) > 5)) {
        faults.push(`mouvement sans fin : ${style.animationName} ${where(one)}`);
      }
      if (style.transitionDuration.split(",").some((text) => parseFloat(text) > 5)) faults.push(`mouvement de plus de cinq secondes : ${where(one)}`);
    }
    return faults;
  };

  // Focus: the page must have had a key pressed, so that the browser shows where it is

  const MARKS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderTopColor", "borderTopWidth", "backgroundColor", "textDecorationLine"];
  const marks = (one) => Object.fromEntries(MARKS.map((property) => [property, getComputedStyle(one)[property]]));

  checks.focusMarks = () => {
    const faults = [];
    const list = all(INTERACTIVE).filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }));
    const rest = list.map((one) => (one === document.activeElement ? null : marks(one)));
    list.forEach((one, place) => {
      one.focus({ preventScroll: true });
      if (document.activeElement !== one || !rest[place]) return;
      const fault = focusFault(one, rest[place]);
      if (fault) faults.push(fault);
    });
    document.activeElement.blur();
    return faults;
  };

  function focusFault(one, rest) {
    const now = marks(one);
    if (MARKS.every((property) => now[property] === rest[property])) return `rien ne montre le clavier : ${where(one)} ${name(one)}`;
    const outline = now.outlineStyle !== "none" && parseFloat(now.outlineWidth) >= 1;
    const under = background(one.parentElement);
    if (!outline || !under || now.outlineStyle === "auto") return "";
    const value = contrast(over(colour(now.outlineColor), under), under);
    return value < 3 ? `repère de clavier à peine visible (${ratio(value)}) : ${where(one)}` : "";
  }

  // What tests that press keys or click need

  window.accessibility = {
    all, name, seen, where, squeeze, texts, INTERACTIVE,

    /** Open what is folded, as a reader may. */
    unfold: () => all("details").forEach((one) => { one.open = true; }),

    /** Elements that Tab must reach; radio buttons of one name are one stop. */
    stops() {
      const list = all(INTERACTIVE).filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }));
      return [...new Set(list.map(this.key))];
    },
    /** What names a stop. @param {Element} one */
    key(one) {
      if (one.matches("input[type=radio]") && one.name) return `radio ${one.name}`;
      one.dataset.stop ??= String((window.stopCount = (window.stopCount ?? 0) + 1));
      // As it was named at first: a list may be filled when the focus comes.
      one.dataset.stopName ??= where(one);
      return `${one.dataset.stop} ${one.dataset.stopName}`;
    },
    /** Where the keyboard is. */
    stop() {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      const box = one.getBoundingClientRect();
      return { key: this.key(one), inMain: !!one.closest("main") && one.localName !== "main", top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left };
    },
    /** Order of what is the same on every page: texts and where they lead. */
    frame: () => ({
      home: (document.querySelector(".cd-marque")?.href ?? "").replace(/#$/, ""),
      header: all("body > header a, body > header button").map(name),
      menu: all(".cd-menu a.reference, .cd-menu .caption-text").map((one) => `${squeeze(one.textContent)} ${one.href ?? ""}`.replace(/#$/, "")),
      search: all("[role=search] :is(label, input, button)").map((one) => one.localName + name(one)),
      order: all("body > header, main, footer, nav.cd-menu, [role=search]").map((one) => one.localName),
    }),
    sizeOf: () => ({ words: words(main()?.innerText ?? "").length, url: location.href.replace(/#.*/, "") }),
  };
})();
