// Start: read the answers, then draw each part; examples are switched here.

const startExamples = () => {
  const input = document.getElementById("example-arm");
  if (!input) return;
  const show = () => {
    for (const list of document.querySelectorAll("[data-examples]"))
      list.hidden = list.dataset.examples !== input.value;
  };
  input.onchange = show;
  show();
};

const start = async () => {
  ({ answers, names, plans, classNames, axes, verdicts, unbalanced, texts, columns, looks } = await unpack(PACKED));
  arms = Object.keys(answers.arms);
  const klass = Object.keys(answers.arms[answers.chosen].roc)[0];
  Object.assign(chosen, {
    metric: answers.metric,
    shown: new Set(arms),
    size: answers.sizes.at(-1),
    klass,
    arm: answers.chosen,
    planArm: answers.chosen,
    at: String(answers.sizes.at(-1)),
  });
  document.documentElement.classList.add("js");
  drawLegends();
  watchSavers();
  fitTables();
  startExamples();
  for (const begin of [startCurves, startPlanner, startComparison, startDetails]) begin();
  changed(...Object.keys(chosen));
  document.documentElement.dataset.ready = "yes";
};

// Print shows what a screen folds.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details.more:not([open])")) {
    part.open = true;
    part.dataset.folded = "yes";
  }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("details.more[data-folded]")) {
    part.open = false;
    delete part.dataset.folded;
  }
});

start();
