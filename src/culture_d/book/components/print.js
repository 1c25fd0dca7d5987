/* Unfolds the page on paper in browsers whose styles cannot (`::details-content`).
   The host of the explorables unfolds theirs. */
(function () {
  "use strict";
  if (CSS.supports("selector(::details-content)")) return;
  /** @type {Map<HTMLDetailsElement, string>} what was folded, with its group's name */
  const folded = new Map();
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("main details:not([open], .cd-explorable > *)")) {
      folded.set(details, details.name);
      details.name = ""; // only one of a group can be open
    }
    for (const details of folded.keys()) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const [details, name] of folded) {
      details.open = false;
      details.name = name;
    }
    folded.clear();
  });
})();
