// The planner: the forecast of one arm, and a slider for the target.

const planOf = () => answers.arms[chosen.planArm].plan;

const forecastSpec = (plan) => {
  const last = plan.forecast.at(-1)?.size ?? plan.horizon;
  const lowest = Math.min(...plan.observed.map((row) => row.mean ?? 1), ...plan.forecast.map((row) => row.low));
  const highest = Math.max(
    ...plan.forecast.map((row) => row.high),
    ...plan.targets.map((row) => row.target),
    ...plan.observed.map((row) => row.mean ?? 0),
  );
  const x = (field) =>
    quantitative(
      field,
      texts.labeled_images,
      { type: "log", nice: false, domain: [plan.observed[0].size, last] },
      { values: roundOnes(plan.observed[0].size, last), format: ",d" },
    );
  const y = (field) =>
    quantitative(field, fill(texts.mean_metric, { metric: title() }), {
      domain: [Math.floor(lowest * 20) / 20, Math.min(Math.ceil(highest * 50) / 50, 1)],
      nice: false,
      clamp: false,
    });
  const line = { type: "line", stroke: "var(--c0)", strokeWidth: 2.5 };
  return {
    height: 340,
    data: { values: plan.forecast },
    datasets: { target: [], edge: [{ size: plan.largest, text: texts.observed_edge }] },
    layer: [
      {
        mark: { type: "area", fill: "var(--c0)", opacity: 0.16, clip: true },
        encoding: { x: x("size"), y: y("low"), y2: { field: "high" } },
      },
      {
        transform: [{ filter: `datum.size <= ${plan.largest}` }],
        mark: { ...line, clip: true },
        encoding: { x: x("size"), y: y("median") },
      },
      {
        transform: [{ filter: `datum.size >= ${plan.largest}` }],
        mark: { ...line, strokeDash: [7, 4], clip: true },
        encoding: {
          x: x("size"),
          y: y("median"),
          tooltip: [tip("size", columns.size, ",d"), tip("median", columns.forecast, SCORE)],
        },
      },
      { data: { name: "edge" }, mark: { type: "rule", strokeDash: [2, 3] }, encoding: { x: x("size") } },
      {
        data: { name: "edge" },
        mark: { type: "text", align: "right", dx: -8, baseline: "bottom", dy: -6, fill: "var(--muted)" },
        encoding: { x: x("size"), y: { value: "height" }, text: { field: "text" } },
      },
      {
        data: { values: plan.observed.filter((row) => row.mean !== null) },
        mark: { type: "point", filled: true, size: 80, fill: "var(--ink)", opacity: 1 },
        encoding: {
          x: x("size"),
          y: y("mean"),
          tooltip: [tip("size", columns.size, ",d"), tip("mean", columns.observed_mean, SCORE)],
        },
      },
      {
        data: { name: "target" },
        mark: { type: "rule", stroke: "var(--c1)", strokeWidth: 1.5, strokeDash: [4, 3] },
        encoding: { y: y("target") },
      },
      {
        data: { name: "target" },
        transform: [{ filter: "isNumber(datum.low)" }],
        mark: { type: "rule", stroke: "var(--c1)", strokeWidth: 7, opacity: 0.45, clip: true },
        encoding: { x: x("low"), x2: { field: "high" }, y: y("target") },
      },
      {
        data: { name: "target" },
        transform: [{ filter: "isNumber(datum.size)" }],
        mark: { type: "point", filled: true, shape: "diamond", size: 200, fill: "var(--c1)", opacity: 1 },
        encoding: { x: x("size"), y: y("target") },
      },
      {
        data: { name: "target" },
        mark: { type: "text", align: "left", baseline: "bottom", dy: -6, dx: 4, fontWeight: 600, fill: "var(--c1)" },
        encoding: { x: { value: 0 }, y: y("target"), text: { field: "label" } },
      },
    ],
  };
};

// The probability of reaching the target, by the number of training images.
const chanceSpec = (plan, rows) => {
  const x = (field) =>
    quantitative(
      field,
      texts.labeled_images,
      { type: "log", nice: false, domain: [rows[0].size, rows.at(-1).size] },
      { values: roundOnes(rows[0].size, rows.at(-1).size), format: ",d" },
    );
  const y = (field) =>
    quantitative(
      field,
      texts.chance_axis,
      { domain: [0, 1], nice: false },
      { format: ".0%", values: [0, 0.25, 0.5, 0.75, 1] },
    );
  return {
    height: 220,
    data: { name: "chances", values: rows },
    datasets: {
      levels: [
        { level: 0.5, text: texts.even },
        { level: 0.9, text: texts.sure },
      ],
      edge: [{ size: plan.largest, text: texts.observed_edge }],
    },
    layer: [
      { data: { name: "levels" }, mark: { type: "rule", strokeDash: [4, 3] }, encoding: { y: y("level") } },
      {
        data: { name: "levels" },
        mark: { type: "text", align: "left", baseline: "bottom", dx: 4, dy: -3, fill: "var(--muted)" },
        encoding: { x: { value: 0 }, y: y("level"), text: { field: "text" } },
      },
      { data: { name: "edge" }, mark: { type: "rule", strokeDash: [2, 3] }, encoding: { x: x("size") } },
      {
        data: { name: "edge" },
        mark: { type: "text", align: "right", dx: -8, baseline: "bottom", dy: -6, fill: "var(--muted)" },
        encoding: { x: x("size"), y: { value: "height" }, text: { field: "text" } },
      },
      {
        mark: { type: "line", stroke: "var(--c1)", strokeWidth: 2.5, clip: true },
        encoding: { x: x("size"), y: y("probability") },
      },
      {
        mark: { type: "point", filled: true, size: 60, opacity: 0 },
        encoding: {
          x: x("size"),
          y: y("probability"),
          tooltip: [tip("size", columns.size, ",d"), tip("probability", columns.probability, ".0%")],
        },
      },
    ],
  };
};

const chanceRows = (plan, needed) =>
  plan.forecast.map((row, place) => ({ size: row.size, probability: needed.chances[place] }));

const targetText = (target) => target.toFixed(3).replace(/0$/, "");
const targetRow = (plan, needed) => ({
  ...needed,
  label: fill(texts.target, { target: targetText(needed.target) }),
  low: needed.low,
  high: needed.high ?? plan.horizon,
});

const startPlanner = () => {
  const chart = new Chart("forecast");
  const chanceChart = new Chart("chances");
  const slider = document.getElementById("target");
  const update = () => {
    const plan = planOf();
    const needed = plan.targets[slider.valueAsNumber];
    const value = targetText(needed.target);
    document.getElementById("target-value").textContent = value;
    slider.setAttribute("aria-valuetext", `${title()} ${value}`);
    document.getElementById("answer").textContent = plans[chosen.planArm].sentences[slider.valueAsNumber];
    document.getElementById("labels").textContent = plans[chosen.planArm].labels[slider.valueAsNumber];
    chart.set("target", [targetRow(plan, needed)]);
    const rows = chanceRows(plan, needed);
    const about = { metric: title(), target: value, arm: names[chosen.planArm], horizon: count(plan.horizon) };
    const listed = [
      { name: columns.size, get: (row) => row.size },
      { name: columns.probability, get: (row) => row.probability },
    ];
    chanceChart.draw(chanceSpec(plan, rows), fill(texts.chances, about), listed, rows, {
      [texts.of_arm]: chosen.planArm,
      [columns.target]: value,
    });
  };
  onChange(["planArm"], () => {
    const plan = planOf();
    const reason = plans[chosen.planArm].none;
    for (const block of document.querySelectorAll("[data-plan]")) block.hidden = block.dataset.plan !== chosen.planArm;
    for (const part of [slider.closest("label"), chart.figure, chanceChart.figure]) part.hidden = reason !== null;
    document.getElementById("why").textContent = plans[chosen.planArm].why;
    if (reason !== null) {
      document.getElementById("answer").textContent = fill(texts.no_forecast, { reason });
      document.getElementById("labels").textContent = "";
      return;
    }
    slider.max = plan.targets.length - 1;
    slider.value = plans[chosen.planArm].start;
    const listed = [{ name: columns.size, get: (row) => row.size }, ...scoreColumns(["median", "low", "high"])];
    const description = fill(texts.forecast, {
      metric: title(),
      arm: names[chosen.planArm],
      horizon: count(plan.horizon),
    });
    chart.draw(forecastSpec(plan), description, listed, plan.forecast, { [texts.of_arm]: chosen.planArm });
    update();
  });
  slider.oninput = update;
  const arm = document.getElementById("plan-arm");
  arm.onchange = () => choose("planArm", arm.value);
};
