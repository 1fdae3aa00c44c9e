// One training size in detail: ROC, precision and recall, confusion, calibration, classes, seeds, patients.

const bandedRows = (kind) => shownArms().flatMap((arm) => {
  const row = atSize(answers.arms[arm][kind][chosen.klass] ?? []);
  return row && row.mean ? row.grid.map((x, i) => ({ arm, name: names[arm], x, mean: row.mean[i], low: row.low[i], high: row.high[i] })) : [];
});

const guess = (points) => ({
  data: { values: points }, mark: { type: "line", stroke: "var(--muted)", strokeDash: [3, 4], strokeWidth: 1.5 },
  encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
});
const DIAGONAL = [{ x: 0, y: 0 }, { x: 1, y: 1 }];
const UNIT = { domain: [0, 1], nice: false };
const SHARES = { tickCount: 5, format: ".1f" };

const bandedSpec = (rows, xTitle, yTitle, chance) => ({
  height: 330,
  data: { values: rows },
  encoding: { x: quantitative("x", xTitle, UNIT, SHARES), color: byArm(shownArms()) },
  layer: [
    guess(chance),
    ...(shownArms().length > BANDS_AT_MOST ? [] : [{ mark: { type: "area", opacity: 0.13 }, encoding: { y: quantitative("low", yTitle, UNIT, SHARES), y2: { field: "high" } } }]),
    { mark: { type: "line", strokeWidth: 2.5 }, encoding: { y: quantitative("mean", yTitle, UNIT, SHARES), strokeDash: dashByArm(shownArms()) } },
  ],
});

const BANDED_COLUMNS = [
  { name: "arm", get: (row) => row.name },
  ...["x", "mean", "low", "high"].map((kind) => ({ name: kind, get: (row) => row[kind], show: score })),
];

const areaWords = (kind, value, titled) => shownArms().map((arm) => {
  const row = atSize(answers.arms[arm][kind][chosen.klass] ?? []);
  return `${names[arm]}: ${titled} ${score(row?.[value])}${row?.undefined ? `, ${row.undefined} runs not defined` : ""}`;
}).join("; ");

const aboutSize = () => ({ "training images": chosen.size });
const aboutCurves = () => ({ ...aboutSize(), "of class": chosen.klass });
const aboutArm = () => ({ ...aboutSize(), "of arm": chosen.arm });

const drawReceiver = (roc, recall) => {
  const found = bandedRows("roc");
  const words = areaWords("roc", "auc_mean", "area");
  roc.draw(bandedSpec(found, "false-positive rate", "true-positive rate", DIAGONAL), `ROC curves of ${chosen.klass} with ${chosen.size} images. ${words}.`, BANDED_COLUMNS, found, aboutCurves());
  const second = bandedRows("precision_recall");
  const share = atSize(answers.arms[arms[0]].precision_recall[chosen.klass] ?? [])?.prevalence ?? 0;
  const flat = [{ x: 0, y: share }, { x: 1, y: share }];
  recall.draw(bandedSpec(second, "recall", "precision", flat), `Precision and recall of ${chosen.klass} with ${chosen.size} images. ${areaWords("precision_recall", "ap_mean", "average precision")}.`, BANDED_COLUMNS, second, aboutCurves());
};

const drawReliability = (chart) => {
  const rows = shownArms().flatMap((arm) => (atSize(answers.arms[arm].calibration)?.bins ?? [])
    .filter((bin) => bin.images > 0).map((bin) => ({ arm, name: names[arm], ...bin })));
  const y = { field: "observed", type: "quantitative" };
  const spec = {
    height: 330,
    data: { values: rows },
    encoding: { x: quantitative("predicted", axes[0], UNIT, SHARES), color: byArm(shownArms()) },
    layer: [
      guess(DIAGONAL),
      { mark: { type: "line", strokeWidth: 1.5 }, encoding: { y: quantitative("observed", axes[1], UNIT, SHARES), strokeDash: dashByArm(shownArms()) } },
      { mark: { type: "point", filled: true, opacity: 1 }, encoding: { y, shape: shapeByArm(shownArms()), size: { field: "images", type: "quantitative", legend: null, scale: { range: [20, 260] } }, tooltip: [told("name", "arm"), told("predicted", axes[0], SCORE), told("observed", axes[1], SCORE), told("images", "images", ",d")] } },
    ],
  };
  const words = shownArms().map((arm) => `${names[arm]}: calibration error ${score(atSize(answers.arms[arm].calibration)?.ece.mean)}`);
  const columns = [{ name: "arm", get: (row) => row.name }, ...["low", "high", "predicted", "observed"].map((kind) => ({ name: kind, get: (row) => row[kind], show: score })), { name: "images", get: (row) => row.images }];
  chart.draw(spec, `Calibration with ${chosen.size} images. ${words.join("; ")}.`, columns, rows, aboutSize());
};

// A mean and its spread, with what is not defined counted: columns of numbers, so that CSV has them too.
const spreadColumns = (name, get, counted = false) => [
  { name, get: (row) => get(row).mean, show: score },
  { name: `${name} ± sd`, get: (row) => get(row).sd, show: score },
  ...(counted ? [{ name: `${name}, runs not defined`, get: (row) => get(row).undefined }] : []),
];

// A share of patients with its spread over them and its interval: one cell, but columns of their own in CSV.
const shareColumns = (name, get) => [
  { name, get: (row) => get(row).mean, show: (value, row) => `${score(value)} ± ${score(get(row).sd)} (${score(get(row).ci_low)} to ${score(get(row).ci_high)})` },
  ...[["sd", "± sd"], ["ci_low", "95 % interval from"], ["ci_high", "95 % interval to"]].map(([kind, told]) => ({ name: `${name} ${told}`, get: (row) => get(row)[kind], unseen: true })),
];

const drawConfusion = () => {
  const found = atSize(answers.arms[chosen.arm].confusion);
  const rows = found.percent.map((shares, i) => ({ name: answers.classes[i], shares, i }));
  const columns = [
    { name: "true class", get: (row) => row.name }, { name: "images", get: (row) => found.images[row.i] },
    ...answers.classes.map((name, k) => ({ name: `given to ${name}`, get: (row) => row.shares[k], show: (value) => (value === null ? "–" : `${value.toFixed(1)} %`) })),
    ...answers.classes.map((name, k) => ({ name: `given to ${name} ± sd`, get: (row) => found.sd[row.i][k], unseen: true })),
    { name: "runs", get: (row) => found.n[row.i], unseen: true }, { name: "runs not defined", get: (row) => found.undefined[row.i], unseen: true },
  ];
  const made = fillPanel("confusion", columns, rows, aboutArm());
  made.className = "matrix";
  [...made.querySelectorAll("tbody tr")].forEach((row, i) => answers.classes.forEach((name, k) => {
    const cell = row.cells[k + 2];
    const share = (rows[i].shares[k] ?? 0) / 100;
    cell.style.setProperty("--share", share);
    cell.classList.toggle("strong", share > 0.5);
    cell.classList.toggle("right", i === k);
    if (found.sd[i][k] !== null) cell.append(element("small", {}, `± ${found.sd[i][k].toFixed(1)}`));
  }));
};

const drawTables = () => {
  const arm = answers.arms[chosen.arm];
  drawConfusion();
  fillPanel("class-wise", [
    { name: "class", get: (row) => row.class }, { name: "images", get: (row) => row.images },
    ...spreadColumns("precision", (row) => row.precision, true), ...spreadColumns("sensitivity", (row) => row.sensitivity, true),
  ], atSize(arm.class_wise).rows, aboutArm());
  if (answers.seeds.length > 1) {
    fillPanel("over-seeds", [
      { name: "metric", get: ([metric]) => answers.metrics[metric] }, { name: "min", get: ([, value]) => value.min, show: score },
      ...spreadColumns("mean", ([, value]) => value), { name: "max", get: ([, value]) => value.max, show: score }, { name: "seeds", get: ([, value]) => value.n },
    ], Object.entries(atSize(arm.over_seeds).metrics), aboutArm());
  }
  fillPanel("calibration", [
    { name: "arm", get: (name) => names[name] },
    ...spreadColumns("Brier score", (name) => atSize(answers.arms[name].calibration).brier),
    ...spreadColumns("calibration error", (name) => atSize(answers.arms[name].calibration).ece),
  ], arms, aboutSize());
  const known = arms.flatMap((name) => (answers.arms[name].subjects ?? []).filter((row) => row.size === chosen.size).map((row) => ({ arm: name, ...row })));
  if (document.querySelector('[data-table="subjects"]')) {
    fillPanel("subjects", [
      { name: "arm", get: ({ arm }) => names[arm] }, { name: "patients", get: (row) => row.subjects },
      ...shareColumns("accuracy by patient", (row) => row.accuracy), ...shareColumns("share diagnosed", (row) => row.diagnosis),
      { name: "patients with a diagnosis", get: (row) => row.diagnosis.n },
      { name: "predictions of unknown patients", get: (row) => row.unknown }, { name: "runs not defined", get: (row) => row.undefined },
    ], known, aboutSize());
  }
};

const tellChoice = () => {
  const several = Object.keys(answers.arms[chosen.arm].roc).length > 1;
  document.getElementById("detail-words").textContent = `${count(chosen.size)} training images; tables of ${names[chosen.arm]}${several ? `; curves of ${chosen.klass}` : ""}.`;
};

const startDetails = () => {
  const [roc, recall, reliability] = ["roc", "recall", "reliability"].map((name) => new Chart(name));
  onChange(["size", "shown", "klass"], () => drawReceiver(roc, recall));
  onChange(["size", "shown"], () => drawReliability(reliability));
  onChange(["size", "arm"], drawTables);
  onChange(["size", "arm", "klass"], tellChoice);
  const listen = (id, key, of = (value) => value) => {
    const input = document.getElementById(id);
    if (input) input.onchange = () => choose(key, of(input.value));
  };
  listen("size", "size", Number);
  listen("detail-arm", "arm");
  listen("class", "klass");
};
