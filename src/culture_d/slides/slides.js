/* Starts the slides. Everything that reveal.js would say in English is off, or put in
   French when it was copied here (culture_d/slides/reveal.py). */
Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  display: "flex",
  hash: true,
  transition: "none",
  backgroundTransition: "none",
  controlsTutorial: false,
  controlsLayout: "edges",
  slideNumber: "c/t",
  help: false,
  jumpToSlide: false,
  scrollActivationWidth: null,
  pdfSeparateFragments: false,
  pdfMaxPagesPerSlide: 1,
  plugins: [RevealNotes],
});
