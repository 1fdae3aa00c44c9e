// The differences of all pairs of arms at one training size or over the whole curve.

// From the lowest to the highest end of an interval, with zero and some room.
const aroundZero = (rows) => {
  const ends = [0, ...rows.flatMap((row) => [row.ci_low ?? 0, row.ci_high ?? 0])];
  const room = 0.06 * (Math.max(...ends) - Math.min(...ends) || 0.1);
  return [Math.min(...ends) - room, Math.max(...ends) + room];
};

// A pair's name in lines of at most so many letters; a longer word is cut.
const inLines = (text, letters) => {
  const lines = [];
  for (const whole of text.split(" ").filter(Boolean)) {
    const word = whole.length > letters ? `${whole.slice(0, letters - 1)}…` : whole;
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && longer.length <= letters) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
};
const LETTER = 7.6; // pixels, the mean width of a letter of 13 pixels, with room to spare
const LINE = 17;

const startComparison = () => {
  const at = document.getElementById("at");
  if (!at) return;
  const chart = new Chart("comparison");
  const listed = [
    { name: columns.first_arm, get: (row) => names[row.a] },
    { name: columns.second_arm, get: (row) => names[row.b] },
    ...scoreColumns(["difference", "ci_low", "ci_high", "p_holm"]),
    { name: columns.verdict, get: (row) => row.text },
  ];
  onChange(["at"], () => {
    for (const row of document.querySelectorAll("tr[data-at]")) row.hidden = row.dataset.at !== chosen.at;
    const rows = answers.comparisons
      .map((row, i) => ({
        ...row,
        text: verdicts[i],
        pair: fill(texts.pair, { a: names[row.a], b: names[row.b] }),
        shown: row.verdict !== "not_shown",
      }))
      .filter((row) => row.at === chosen.at && row.metric === answers.metric);
    const x = quantitative(
      "ci_low",
      fill(texts.difference_axis, { metric: title() }),
      { domain: aroundZero(rows) },
      { grid: true, format: "+.2f", tickCount: 5, labelSeparation: 14 },
    );
    const y = { field: "pair", type: "nominal", sort: null, title: null, axis: null };
    const width = chart.figure.clientWidth - 40;
    for (const row of rows) row.lines = inLines(row.pair, Math.floor(width / LETTER));
    const step = 36 + LINE * Math.max(...rows.map((row) => row.lines.length), 1);
    const spec = {
      height: step * rows.length,
      data: { values: rows.filter((row) => row.difference !== null) },
      encoding: { y },
      layer: [
        {
          // The zero line of each pair, below its name.
          mark: {
            type: "tick",
            orient: "vertical",
            thickness: 1.5,
            size: 30,
            yOffset: step / 2 - 16,
            fill: "var(--ink)",
          },
          encoding: { x: { datum: 0, type: "quantitative" } },
        },
        {
          mark: { type: "text", align: "left", baseline: "top", lineHeight: LINE, dy: 6 - step / 2 },
          encoding: { x: { value: 0 }, text: { field: "lines" } },
        },
        {
          mark: { type: "rule", strokeWidth: 2.5, stroke: "var(--c0)", yOffset: step / 2 - 16 },
          encoding: { x, x2: { field: "ci_high" } },
        },
        {
          mark: {
            type: "point",
            filled: true,
            size: 130,
            yOffset: step / 2 - 16,
            stroke: "var(--c0)",
            strokeWidth: 2.5,
            opacity: 1,
          },
          encoding: {
            x: { field: "difference", type: "quantitative" },
            fill: { condition: { test: "datum.shown", value: "var(--c0)" }, value: "var(--paper)" },
            tooltip: [tip("difference", columns.difference, "+.3f"), tip("text", columns.verdict)],
          },
        },
      ],
    };
    const pairs = rows.map((row) =>
      fill(texts.difference, {
        a: names[row.a],
        b: names[row.b],
        difference: score(row.difference),
        verdict: row.text,
      }),
    );
    const description = fill(texts.differences, { metric: title(), pairs: pairs.join("; ") });
    chart.draw(
      spec,
      description,
      listed,
      rows,
      { at: chosen.at },
      rows.filter((row) => row.difference !== null),
    );
  });
  onResize(() => changed("at"));
  at.onchange = () => choose("at", at.value);
};
