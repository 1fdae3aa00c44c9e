// The differences of all pairs of arms at one training size or over the whole curve.

// From the lowest to the highest end of an interval, with zero and some room.
const aroundZero = (rows) => {
  const ends = [0, ...rows.flatMap((row) => [row.ci_low ?? 0, row.ci_high ?? 0])];
  const room = 0.06 * (Math.max(...ends) - Math.min(...ends) || 0.1);
  return [Math.min(...ends) - room, Math.max(...ends) + room];
};

// A pair's name in lines of at most so many letters; a longer word is cut.
const inLines = (text, letters) => text.split(" ").filter(Boolean).map((word) => (word.length > letters ? `${word.slice(0, letters - 1)}…` : word)).reduce((lines, word) => {
  const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
  return longer.length <= letters && lines.length ? [...lines.slice(0, -1), longer] : [...lines, word];
}, []);
const LETTER = 7.6; // pixels, the mean width of a letter of 13 pixels, with room to spare
const LINE = 17;

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
    const width = chart.figure.clientWidth - 40;
    for (const row of rows) row.lines = inLines(row.pair, Math.floor(width / LETTER));
    const step = 36 + LINE * Math.max(...rows.map((row) => row.lines.length), 1);
    const spec = {
      height: step * rows.length,
      data: { values: rows.filter((row) => row.difference !== null) },
      encoding: { y },
      layer: [
        { data: { values: [{ zero: 0 }] }, mark: { type: "rule", strokeWidth: 1.5, stroke: "var(--ink)" }, encoding: { x: { field: "zero", type: "quantitative" }, y: null } },
        { mark: { type: "text", align: "left", baseline: "top", lineHeight: LINE, dy: 6 - step / 2 }, encoding: { x: { value: 0 }, text: { field: "lines" } } },
        { mark: { type: "rule", strokeWidth: 2.5, stroke: "var(--c0)", yOffset: step / 2 - 16 }, encoding: { x, x2: { field: "ci_high" } } },
        {
          mark: { type: "point", filled: true, size: 130, yOffset: step / 2 - 16, stroke: "var(--c0)", strokeWidth: 2.5, opacity: 1 },
          encoding: { x: { field: "difference", type: "quantitative" }, fill: { condition: { test: "datum.shown", value: "var(--c0)" }, value: "var(--paper)" }, tooltip: [told("difference", "difference", "+.3f"), told("verdict", "verdict")] },
        },
      ],
    };
    const words = rows.map((row) => `${names[row.a]} minus ${names[row.b]}: ${score(row.difference)}, ${row.verdict === "no difference shown" ? row.verdict : `${names[row.verdict[0] === "a" ? row.a : row.b]} is better`}`);
    chart.draw(spec, `Differences in mean ${title()}. ${words.join("; ")}.`, columns, rows, { at: chosen.at }, rows.filter((row) => row.difference !== null));
  });
  let drawnAt = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === drawnAt) return;
    drawnAt = innerWidth;
    changed("at");
  });
  at.onchange = () => choose("at", at.value);
};
