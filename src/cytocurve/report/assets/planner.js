// The planner: the forecast of one arm, and a slider for the target.

const planOf = () => answers.arms[chosen.planArm].plan;

const forecastSpec = (plan) => {
  const last = plan.forecast.at(-1)?.size ?? plan.horizon;
  const lowest = Math.min(...plan.observed.map((row) => row.mean ?? 1), ...plan.forecast.map((row) => row.low));
  const highest = Math.max(...plan.forecast.map((row) => row.high), ...plan.targets.map((row) => row.target), ...plan.observed.map((row) => row.mean ?? 0));
  const x = (field) => quantitative(field, "labelled training images", { type: "log", nice: false, domain: [plan.observed[0].size, last] }, { values: roundOnes(plan.observed[0].size, last), format: ",d" });
  const y = (field) => quantitative(field, `mean ${title()}`, { domain: [Math.floor(lowest * 20) / 20, Math.min(Math.ceil(highest * 50) / 50, 1)], nice: false, clamp: false });
  const line = { type: "line", stroke: "var(--c0)", strokeWidth: 2.5 };
  return {
    height: 340,
    data: { values: plan.forecast },
    datasets: { target: [], edge: [{ size: plan.largest, text: "observed up to here" }] },
    layer: [
      { mark: { type: "area", fill: "var(--c0)", opacity: 0.16, clip: true }, encoding: { x: x("size"), y: y("low"), y2: { field: "high" } } },
      { transform: [{ filter: `datum.size <= ${plan.largest}` }], mark: { ...line, clip: true }, encoding: { x: x("size"), y: y("median") } },
      { transform: [{ filter: `datum.size >= ${plan.largest}` }], mark: { ...line, strokeDash: [7, 4], clip: true }, encoding: { x: x("size"), y: y("median"), tooltip: [told("size", "images", ",d"), told("median", "forecast", SCORE)] } },
      { data: { name: "edge" }, mark: { type: "rule", strokeDash: [2, 3] }, encoding: { x: x("size") } },
      { data: { name: "edge" }, mark: { type: "text", align: "right", dx: -8, baseline: "bottom", dy: -6, fill: "var(--muted)" }, encoding: { x: x("size"), y: { value: "height" }, text: { field: "text" } } },
      { data: { values: plan.observed.filter((row) => row.mean !== null) }, mark: { type: "point", filled: true, size: 80, fill: "var(--ink)", opacity: 1 }, encoding: { x: x("size"), y: y("mean"), tooltip: [told("size", "images", ",d"), told("mean", "observed mean", SCORE)] } },
      { data: { name: "target" }, mark: { type: "rule", stroke: "var(--c1)", strokeWidth: 1.5, strokeDash: [4, 3] }, encoding: { y: y("target") } },
      { data: { name: "target" }, transform: [{ filter: "isNumber(datum.low)" }], mark: { type: "rule", stroke: "var(--c1)", strokeWidth: 7, opacity: 0.45, clip: true }, encoding: { x: x("low"), x2: { field: "high" }, y: y("target") } },
      { data: { name: "target" }, transform: [{ filter: "isNumber(datum.size)" }], mark: { type: "point", filled: true, shape: "diamond", size: 200, fill: "var(--c1)", opacity: 1 }, encoding: { x: x("size"), y: y("target") } },
      { data: { name: "target" }, mark: { type: "text", align: "left", baseline: "bottom", dy: -6, dx: 4, fontWeight: 600, fill: "var(--c1)" }, encoding: { x: { value: 0 }, y: y("target"), text: { field: "label" } } },
    ],
  };
};

const targetRow = (plan, found) => ({
  ...found, label: `target ${found.target.toFixed(3).replace(/0$/, "")}`,
  low: found.low ?? (found.verdict === "forecast" ? plan.observed[0].size : null), high: found.high ?? plan.horizon,
});

const startPlanner = () => {
  const chart = new Chart("forecast");
  const slider = document.getElementById("target");
  const tell = () => {
    const plan = planOf();
    const found = plan.targets[slider.valueAsNumber];
    const value = found.target.toFixed(3).replace(/0$/, "");
    document.getElementById("target-value").textContent = value;
    slider.setAttribute("aria-valuetext", `${title()} ${value}`);
    document.getElementById("answer").textContent = plans[chosen.planArm].sentences[slider.valueAsNumber];
    chart.set("target", [targetRow(plan, found)]);
  };
  onChange(["planArm"], () => {
    const plan = planOf();
    const open = plan.refusal === null && plan.targets.length > 0;
    for (const block of document.querySelectorAll("[data-plan]")) block.hidden = block.dataset.plan !== chosen.planArm;
    for (const part of [slider.closest("label"), chart.figure]) part.hidden = !open;
    if (!open) {
      document.getElementById("answer").textContent = `No forecast: ${plan.refusal ?? "there is no target to forecast."}`;
      return;
    }
    slider.max = plan.targets.length - 1;
    slider.value = plans[chosen.planArm].start;
    const columns = [{ name: "images", get: (row) => row.size }, ...["median", "low", "high"].map((kind) => ({ name: kind, get: (row) => row[kind], show: score }))];
    const words = `Forecast of the mean ${title()} of ${names[chosen.planArm]} up to ${count(plan.horizon)} images. The sentence above gives the answer for the target.`;
    chart.draw(forecastSpec(plan), words, columns, plan.forecast, { "of arm": chosen.planArm });
    tell();
  });
  slider.oninput = tell;
  const arm = document.getElementById("plan-arm");
  arm.onchange = () => choose("planArm", arm.value);
};
