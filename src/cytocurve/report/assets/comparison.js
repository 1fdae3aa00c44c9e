// The differences of all pairs of arms at one training size or over the whole curve.

// From the lowest to the highest end of an interval, with zero and some room.
const aroundZero = (rows) => {
  const ends = [0, ...rows.flatMap((row) => [row.ci_low ?? 0, row.ci_high ?? 0])];
  const room = 0.06 * (Math.max(...ends) - Math.min(...ends) || 0.1);
  return [Math.min(...ends) - room, Math.max(...ends) + room];
};

const startComparison = () => {
  const at = document.getElementById("at");
  if (!at) return;
  const chart = new Chart("comparison");
  const columns = [
    { name: "first arm", get: (row) => names[row.a] }, { name: "second arm", get: (row) => names[row.b] },
    ...["difference", "ci_low", "ci_high", "p_t_holm"].map((kind) => ({ name: kind, get: (row) => row[kind], show: score })),
    { name: "verdict", get: (row) => row.verdict },
  ];
  onChange(["at"], () => {
    for (const row of document.querySelectorAll("tr[data-at]")) row.hidden = row.dataset.at !== chosen.at;
    const rows = answers.comparisons.filter((row) => row.at === chosen.at && row.metric === answers.metric)
      .map((row) => ({ ...row, pair: `${names[row.a]}  −  ${names[row.b]}`, shown: row.verdict !== "no difference shown" }));
    const x = quantitative("ci_low", `difference in mean ${title()}`, { domain: aroundZero(rows) }, { grid: true, format: "+.2f", tickCount: 5, labelSeparation: 14 });
    const y = { field: "pair", type: "nominal", sort: null, title: null, axis: null };
    const limit = chart.figure.clientWidth - 40;
    const spec = {
      height: 54 * rows.length,
      data: { values: rows.filter((row) => row.difference !== null) },
      encoding: { y },
      layer: [
        { data: { values: [{ zero: 0 }] }, mark: { type: "rule", strokeWidth: 1.5, stroke: "var(--ink)" }, encoding: { x: { field: "zero", type: "quantitative" }, y: null } },
        { mark: { type: "text", align: "left", dy: -13, limit }, encoding: { x: { value: 0 }, text: { field: "pair" } } },
        { mark: { type: "rule", strokeWidth: 2.5, stroke: "var(--c0)", yOffset: 8 }, encoding: { x, x2: { field: "ci_high" } } },
        {
          mark: { type: "point", filled: true, size: 130, yOffset: 8, stroke: "var(--c0)", strokeWidth: 2.5, opacity: 1 },
          encoding: { x: { field: "difference", type: "quantitative" }, fill: { condition: { test: "datum.shown", value: "var(--c0)" }, value: "var(--paper)" }, tooltip: [told("difference", "difference", "+.3f"), told("verdict", "verdict")] },
        },
      ],
    };
    const words = rows.map((row) => `${names[row.a]} minus ${names[row.b]}: ${score(row.difference)}, ${row.verdict === "no difference shown" ? row.verdict : `${names[row.verdict[0] === "a" ? row.a : row.b]} is better`}`);
    chart.draw(spec, `Differences in mean ${title()}. ${words.join("; ")}.`, columns, rows);
  });
  at.onchange = () => choose("at", at.value);
};
