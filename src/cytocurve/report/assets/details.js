// One training size in detail: ROC, precision and recall, confusion, calibration, classes, seeds, patients.

const bandedRows = (kind) =>
  shownArms().flatMap((arm) => {
    const row = atSize(answers.arms[arm][kind][chosen.klass] ?? []);
    return row?.mean
      ? row.grid.map((x, i) => ({ arm, name: names[arm], x, mean: row.mean[i], low: row.low[i], high: row.high[i] }))
      : [];
  });

const guess = (points) => ({
  data: { values: points },
  mark: { type: "line", stroke: "var(--muted)", strokeDash: [3, 4], strokeWidth: 1.5 },
  encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
});
const DIAGONAL = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];
const UNIT = { domain: [0, 1], nice: false };
const SHARES = { tickCount: 5, format: ".1f" };

// ROC curves start at the origin: at no false positives, their mean is the top of a vertical step.
const withOrigin = (rows, kind) => {
  if (kind !== "roc") return rows;
  const origins = [...new Map(rows.map((row) => [row.arm, row])).values()];
  return [...origins.map(({ arm, name }) => ({ arm, name, x: 0, mean: 0, origin: true })), ...rows];
};

const bandedSpec = (rows, xTitle, yTitle, chance) => ({
  height: 330,
  data: { values: rows },
  encoding: { x: quantitative("x", xTitle, UNIT, SHARES), color: byArm(shownArms()) },
  layer: [
    guess(chance),
    ...(shownArms().length > BANDS_AT_MOST
      ? []
      : [
          {
            transform: [{ filter: "!datum.origin" }],
            mark: { type: "area", opacity: 0.13 },
            encoding: { y: quantitative("low", yTitle, UNIT, SHARES), y2: { field: "high" } },
          },
        ]),
    {
      transform: [{ window: [{ op: "row_number", as: "place" }] }],
      mark: { type: "line", strokeWidth: 2.5 },
      encoding: {
        y: quantitative("mean", yTitle, UNIT, SHARES),
        order: { field: "place", type: "quantitative" },
        strokeDash: dashByArm(shownArms()),
      },
    },
  ],
});

const bandedColumns = () => [
  { name: columns.arm, get: (row) => row.name },
  ...scoreColumns(["x", "mean", "low", "high"]),
];

const areaText = (kind, value, text) =>
  shownArms()
    .map((arm) => {
      const row = atSize(answers.arms[arm][kind][chosen.klass] ?? []);
      const undefinedRuns = row?.undefined ? fill(texts.runs_undefined, { count: row.undefined }) : "";
      return fill(text, { arm: names[arm], value: score(row?.[value]) }) + undefinedRuns;
    })
    .join("; ");

const aboutSize = () => ({ [texts.training_images]: chosen.size });
const aboutCurves = () => ({ ...aboutSize(), [texts.of_class]: classNames[chosen.klass] });
const aboutArm = () => ({ ...aboutSize(), [texts.of_arm]: chosen.arm });

const drawThresholds = (chart, kind, value, area, name, chance) => {
  const rows = bandedRows(kind);
  const spec = bandedSpec(withOrigin(rows, kind), texts[`x_${name}`], texts[`y_${name}`], chance);
  const about = { class: classNames[chosen.klass], size: chosen.size, arms: areaText(kind, value, area) };
  const description = fill(texts[name], about);
  chart.draw(spec, description, bandedColumns(), rows, aboutCurves());
};

const drawReceiver = (roc, recall) => {
  drawThresholds(roc, "roc", "auc_mean", texts.area, "roc", DIAGONAL);
  const share = atSize(answers.arms[arms[0]].precision_recall[chosen.klass] ?? [])?.prevalence ?? 0;
  const flat = [
    { x: 0, y: share },
    { x: 1, y: share },
  ];
  drawThresholds(recall, "precision_recall", "ap_mean", texts.average_precision, "recall", flat);
};

const drawReliability = (chart) => {
  const rows = shownArms().flatMap((arm) =>
    (atSize(answers.arms[arm].calibration)?.bins ?? [])
      .filter((bin) => bin.images > 0)
      .map((bin) => ({ arm, name: names[arm], ...bin })),
  );
  const y = { field: "observed", type: "quantitative" };
  const spec = {
    height: 330,
    data: { values: rows },
    encoding: { x: quantitative("predicted", axes[0], UNIT, SHARES), color: byArm(shownArms()) },
    layer: [
      guess(DIAGONAL),
      ...(shownArms().length > BANDS_AT_MOST
        ? []
        : [
            {
              mark: { type: "rule", strokeWidth: 1.5, opacity: 0.5 },
              encoding: {
                x: { field: "predicted", type: "quantitative" },
                y: { field: "observed_low", type: "quantitative" },
                y2: { field: "observed_high" },
                color: byArm(shownArms()),
              },
            },
          ]),
      {
        mark: { type: "line", strokeWidth: 1.5 },
        encoding: { y: quantitative("observed", axes[1], UNIT, SHARES), strokeDash: dashByArm(shownArms()) },
      },
      {
        mark: { type: "point", filled: true, opacity: 1 },
        encoding: {
          y,
          shape: shapeByArm(shownArms()),
          size: { field: "images", type: "quantitative", legend: null, scale: { range: [20, 260] } },
          tooltip: [
            tip("name", columns.arm),
            tip("predicted", axes[0], SCORE),
            tip("observed", axes[1], SCORE),
            tip("observed_low", texts.interval_low, SCORE),
            tip("observed_high", texts.interval_high, SCORE),
            tip("images", columns.images, ",d"),
          ],
        },
      },
    ],
  };
  const errorText = (arm) =>
    fill(texts.calibration_error, { arm: names[arm], value: score(atSize(answers.arms[arm].calibration)?.ece.mean) });
  const description = fill(texts.reliability, { size: chosen.size, arms: shownArms().map(errorText).join("; ") });
  const listed = [
    { name: columns.arm, get: (row) => row.name },
    ...scoreColumns(["low", "high", "predicted", "observed", "observed_low", "observed_high"]),
    { name: columns.images, get: (row) => row.images },
  ];
  chart.draw(spec, description, listed, rows, aboutSize());
};

// A mean and its spread, with undefined runs counted: columns of numbers, so that CSV has them too.
const spreadColumns = (name, get, counted = false) => [
  { name, get: (row) => get(row).mean, show: score },
  { name: fill(columns.spread, { name }), get: (row) => get(row).sd, show: score },
  ...(counted ? [{ name: fill(columns.spread_undefined, { name }), get: (row) => get(row).undefined }] : []),
];

const within = ({ ci_low, ci_high }) => (ci_low === null ? "" : ` (${score(ci_low)} to ${score(ci_high)})`);

// A share of patients with its spread and its interval: one cell, but separate columns in CSV.
const shareColumns = (name, get) => [
  {
    name,
    get: (row) => get(row).mean,
    show: (value, row) => (value === null ? "–" : `${score(value)} ± ${score(get(row).sd)}${within(get(row))}`),
  },
  ...[
    ["sd", columns.spread],
    ["ci_low", columns.interval_from],
    ["ci_high", columns.interval_to],
  ].map(([kind, text]) => ({ name: fill(text, { name }), get: (row) => get(row)[kind], unseen: true })),
];

// Matrices of more classes than these show whole percentages without their spread.
const WITH_SPREAD = 4;
const rounded = (value) => (value === null ? "–" : value < 0.5 ? "" : value.toFixed(0));

// Columns of many classes are named by the numbers of their classes, which leaves room for the cells; those of three
// or more only where their names do not fit.
const numberClasses = (made) => {
  answers.classes.forEach((name, k) => {
    const head = made.tHead.rows[0].cells[k + 2];
    head.replaceChildren(element("abbr", { title: fill(columns.assigned, { class: name }) }, String(k + 1)));
    made.tBodies[0].rows[k].cells[0].replaceChildren(
      element("small", {}, String(k + 1)),
      ` ${name.replaceAll("_", "_\u200b")}`,
    );
  });
};

const drawConfusion = () => {
  const matrix = atSize(answers.arms[chosen.arm].confusion);
  const rows = matrix.percent.map((shares, i) => ({ name: classNames[answers.classes[i]], shares, i }));
  const listed = [
    { name: columns.true_class, get: (row) => row.name },
    { name: columns.images, get: (row) => matrix.images[row.i] },
    ...answers.classes.map((name, k) => ({
      name: fill(columns.assigned, { class: classNames[name] }),
      get: (row) => row.shares[k],
      show: (value) => (value === null ? "–" : `${value.toFixed(1)} %`),
    })),
    ...answers.classes.map((name, k) => ({
      name: fill(columns.spread, { name: fill(columns.assigned, { class: classNames[name] }) }),
      get: (row) => matrix.sd[row.i][k],
      unseen: true,
    })),
    { name: columns.runs, get: (row) => matrix.n[row.i], unseen: true },
    { name: columns.undefined, get: (row) => matrix.undefined[row.i], unseen: true },
  ];
  const made = fillPanel("confusion", listed, rows, aboutArm());
  const many = answers.classes.length > WITH_SPREAD;
  made.className = ["matrix", ...(many ? ["many"] : [])].join(" ");
  [...made.querySelectorAll("tbody tr")].forEach((row, i) => {
    answers.classes.forEach((_, k) => {
      const cell = row.cells[k + 2];
      const share = (rows[i].shares[k] ?? 0) / 100;
      cell.style.setProperty("--share", share);
      cell.classList.toggle("strong", share > 0.5);
      cell.classList.toggle("right", i === k);
      if (many) cell.title = `${rows[i].name} → ${rows[k].name}: ${cell.textContent}`;
      if (many) cell.firstChild.textContent = rounded(rows[i].shares[k]);
      if (!many && matrix.sd[i][k] !== null) cell.append(element("small", {}, `± ${matrix.sd[i][k].toFixed(1)}`));
    });
  });
  if (many || (answers.classes.length > 2 && (isCut(made) || matchMedia("(max-width: 34rem)").matches))) {
    made.classList.add("numbered");
    numberClasses(made);
  }
  const note = document.querySelector('[data-note="confusion"]');
  note.textContent = texts.spread_of_runs;
  note.hidden = many || matrix.sd.flat().every((value) => value === null);
};

const drawTables = () => {
  const arm = answers.arms[chosen.arm];
  drawConfusion();
  fillPanel(
    "class-wise",
    [
      { name: columns.class, get: (row) => classNames[row.class] },
      { name: columns.images, get: (row) => row.images },
      ...spreadColumns(columns.precision, (row) => row.precision, true),
      ...spreadColumns(columns.sensitivity, (row) => row.sensitivity, true),
    ],
    atSize(arm.class_wise).rows,
    aboutArm(),
  );
  if (answers.seeds.length > 1) {
    fillPanel(
      "over-seeds",
      [
        { name: columns.metric, get: ([metric]) => answers.metrics[metric] },
        { name: columns.min, get: ([, value]) => value.min, show: score },
        ...spreadColumns(columns.mean, ([, value]) => value),
        { name: columns.max, get: ([, value]) => value.max, show: score },
        { name: columns.seeds, get: ([, value]) => value.n },
      ],
      Object.entries(atSize(arm.over_seeds).metrics),
      aboutArm(),
    );
  }
  fillPanel(
    "calibration",
    [
      { name: columns.arm, get: (name) => names[name] },
      ...spreadColumns(columns.brier, (name) => atSize(answers.arms[name].calibration).brier),
      ...spreadColumns(columns.ece, (name) => atSize(answers.arms[name].calibration).ece),
    ],
    arms,
    aboutSize(),
  );
  const known = arms.flatMap((name) =>
    (answers.arms[name].subjects ?? []).filter((row) => row.size === chosen.size).map((row) => ({ arm: name, ...row })),
  );
  if (document.querySelector('[data-table="subjects"]')) {
    fillPanel(
      "subjects",
      [
        { name: columns.arm, get: ({ arm }) => names[arm] },
        { name: columns.patients, get: (row) => row.subjects },
        ...shareColumns(columns.accuracy, (row) => row.accuracy),
        ...shareColumns(columns.diagnosis, (row) => row.diagnosis),
        { name: columns.diagnosed, get: (row) => row.diagnosis.n },
        { name: columns.unknown, get: (row) => row.unknown },
        { name: columns.undefined, get: (row) => row.undefined },
      ],
      known,
      aboutSize(),
    );
  }
};

const describeChoice = () => {
  const several = Object.keys(answers.arms[chosen.arm].roc).length > 1;
  const choice = { size: count(chosen.size), arm: names[chosen.arm], class: classNames[chosen.klass] };
  document.getElementById("detail-words").textContent = fill(several ? texts.detail_of_class : texts.detail, choice);
};

const startDetails = () => {
  const [roc, recall, reliability] = ["roc", "recall", "reliability"].map((name) => new Chart(name));
  onChange(["size", "shown", "klass"], () => drawReceiver(roc, recall));
  onChange(["size", "shown"], () => drawReliability(reliability));
  onChange(["size", "arm"], drawTables);
  onChange(["size", "arm", "klass"], describeChoice);
  onResize(drawConfusion);
  const listen = (id, key, of = (value) => value) => {
    const input = document.getElementById(id);
    if (input) input.onchange = () => choose(key, of(input.value));
  };
  listen("size", "size", Number);
  listen("detail-arm", "arm");
  listen("class", "klass");
};
