// Learning curves, as means with bands or as box plots.

const curveRows = () =>
  shownArms().flatMap((arm) =>
    answers.arms[arm].curves[chosen.metric].map((point) => ({
      arm,
      name: names[arm],
      ...point,
      uneven: unbalanced[arm].includes(point.size),
      enough: answers.arms[arm].saturation.size === point.size && chosen.metric === answers.metric,
    })),
  );

const sizeAxis = () => ({ values: answers.sizes, format: ",d" });
const sizeScale = (largest) => ({
  type: chosen.axis,
  nice: false,
  domain: [chosen.axis === "log" ? answers.sizes[0] : 0, largest],
  padding: 10,
});

const TIPS = () => [
  tip("name", columns.arm),
  tip("size", columns.size, ",d"),
  tip("mean", columns.mean, SCORE),
  tip("ci_low", texts.interval_low, SCORE),
  tip("ci_high", texts.interval_high, SCORE),
  tip("n", columns.runs, ",d"),
];

const bandSpec = (rows, list) => ({
  height: 380,
  data: { values: rows.filter((row) => row.mean !== null) },
  encoding: {
    x: quantitative("size", texts.training_images, sizeScale(answers.sizes.at(-1)), sizeAxis()),
  },
  layer: [
    ...(list.length <= BANDS_AT_MOST && rows.some((row) => row.ci_low !== null)
      ? [
          {
            mark: { type: "area", opacity: 0.15 },
            encoding: {
              y: quantitative("ci_low", answers.metrics[chosen.metric]),
              y2: { field: "ci_high" },
              color: byArm(list),
            },
          },
        ]
      : []),
    {
      mark: { type: "line", strokeWidth: 2.5 },
      encoding: {
        y: quantitative("mean", answers.metrics[chosen.metric]),
        color: byArm(list),
        strokeDash: dashByArm(list),
      },
    },
    {
      mark: { type: "point", filled: true, size: 75, opacity: 1, strokeWidth: 2 },
      encoding: {
        y: { field: "mean", type: "quantitative" },
        shape: shapeByArm(list),
        stroke: byArm(list),
        fill: { condition: { test: "datum.uneven", value: "var(--paper)" }, ...byArm(list) },
        tooltip: TIPS(),
      },
    },
    {
      mark: { type: "point", filled: false, strokeWidth: 2, shape: "circle" },
      encoding: {
        y: { field: "mean", type: "quantitative" },
        color: byArm(list),
        size: { condition: { test: "datum.enough", value: 340 }, value: 0 },
        opacity: { condition: { test: "datum.enough", value: 1 }, value: 0 },
      },
    },
  ],
});

const boxSpec = (rows, list) => ({
  height: 380,
  data: { values: rows.filter((row) => row.median !== null) },
  encoding: {
    x: {
      field: "size",
      type: "ordinal",
      title: texts.training_images,
      axis: { labelAngle: 0, format: ",d", grid: false },
      scale: { paddingInner: 0.25 },
    },
    xOffset: { field: "arm", scale: { domain: list, paddingInner: 0.15 } },
    color: byArm(list),
  },
  layer: [
    {
      mark: { type: "rule", strokeWidth: 1.5 },
      encoding: {
        y: quantitative("whisker_low", answers.metrics[chosen.metric]),
        y2: { field: "whisker_high" },
        color: byArm(list),
      },
    },
    {
      mark: { type: "bar", fillOpacity: 0.3, strokeWidth: 1.5 },
      encoding: {
        y: { field: "q1", type: "quantitative" },
        y2: { field: "q3" },
        stroke: byArm(list),
        strokeDash: dashByArm(list),
        tooltip: [
          ...TIPS().slice(0, 2),
          tip("median", columns.median, SCORE),
          tip("q1", columns.lower_quartile, SCORE),
          tip("q3", columns.upper_quartile, SCORE),
        ],
      },
    },
    { mark: { type: "tick", thickness: 3 }, encoding: { y: { field: "median", type: "quantitative" } } },
    ...(rows.every((row) => row.outliers.length === 0)
      ? []
      : [
          {
            transform: [{ flatten: ["outliers"], as: ["outlier"] }, { filter: "isNumber(datum.outlier)" }],
            mark: { type: "point", filled: true, size: 22 },
            encoding: { y: { field: "outlier", type: "quantitative" }, shape: shapeByArm(list) },
          },
        ]),
  ],
});

const curveText = (arm) => {
  const points = answers.arms[arm].curves[chosen.metric].filter((point) => point.mean !== null);
  if (!points.length) return fill(texts.curve_undefined, { arm: names[arm] });
  const [first, last] = [points[0], points.at(-1)];
  const ends = { first: score(first.mean), smallest: first.size, last: score(last.mean), largest: last.size };
  return fill(texts.curve, { arm: names[arm], ...ends });
};

const startCurves = () => {
  const chart = new Chart("curves");
  const kinds = ["mean", "sd", "ci_low", "ci_high", "median", "q1", "q3", "whisker_low", "whisker_high", "min", "max"];
  const listed = [
    { name: columns.arm, get: (row) => row.name },
    { name: columns.size, get: (row) => row.size },
    ...scoreColumns(kinds),
    { name: columns.runs, get: (row) => row.n },
    { name: columns.undefined, get: (row) => row.undefined },
  ];
  onChange(["metric", "mode", "axis", "shown"], () => {
    const rows = curveRows();
    const spec = chosen.mode === "bands" ? bandSpec : boxSpec;
    document.getElementById("axis").disabled = chosen.mode === "boxes";
    const metricName = answers.metrics[chosen.metric];
    const description = fill(texts.curves, { metric: metricName, arms: shownArms().map(curveText).join("; ") });
    const drawn = rows.filter((row) => row.mean !== null);
    chart.draw(spec(rows, shownArms()), description, listed, rows, { [columns.metric]: metricName }, drawn);
  });
  const metric = document.getElementById("metric");
  metric.onchange = () => choose("metric", metric.value);
  for (const key of ["mode", "axis"]) {
    for (const radio of document.getElementsByName(key)) radio.onchange = () => choose(key, radio.value);
  }
};
