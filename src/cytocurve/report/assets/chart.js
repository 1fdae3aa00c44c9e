// Vega-Lite charts. Their colors are CSS variables of the page, so dark mode and print need no redrawing.

const lookOf = (arm) => looks[arms.indexOf(arm)];
const colorOf = (arm) => lookOf(arm).color;
const shapeOf = (arm) => lookOf(arm).shape;
const dashOf = (arm) => lookOf(arm).dash;

const CONFIG = {
  background: null,
  aria: false,
  font: "inherit",
  padding: { left: 4, right: 12, top: 8, bottom: 4 },
  view: { stroke: null },
  axis: {
    labelColor: "var(--muted)",
    titleColor: "var(--ink)",
    gridColor: "var(--rule)",
    domainColor: "var(--muted)",
    tickColor: "var(--muted)",
    labelFontSize: 13,
    titleFontSize: 13,
    titleFontWeight: 500,
    labelPadding: 6,
    titlePadding: 10,
    domain: false,
    tickSize: 4,
  },
  axisX: { grid: false, domain: true, labelOverlap: "greedy", labelSeparation: 8 },
  axisY: {
    ticks: false,
    tickCount: 6,
    titleAngle: 0,
    titleAlign: "left",
    titleAnchor: "start",
    titleX: 0,
    titleY: -14,
    titleBaseline: "bottom",
  },
  text: { fill: "var(--ink)", fontSize: 13 },
  rule: { stroke: "var(--muted)" },
};
// Bands of more arms than these would cover one another.
const BANDS_AT_MOST = 4;

const OPTIONS = {
  renderer: "svg",
  actions: false,
  ast: true,
  tooltip: { disableDefaultStyle: true },
  defaultStyle: false,
};

// Encodings of an arm by color, shape and dash: never by color alone.
const scaleOf = (list, of) => ({ domain: list, range: list.map(of) });
const byArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, colorOf), legend: null });
const shapeByArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, shapeOf), legend: null });
const dashByArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, dashOf), legend: null });

const quantitative = (field, titled, scale = {}, axis = {}) => ({
  field,
  type: "quantitative",
  title: titled,
  scale: scale.type === "log" ? scale : { zero: false, ...scale },
  axis,
});
// The round numbers 1, 2, 5, 10, … between two ends, for the labels of a logarithmic axis.
const roundOnes = (low, high) =>
  [1, 10, 100, 1000, 10000, 100000]
    .flatMap((ten) => [ten, 2 * ten, 5 * ten])
    .filter((value) => value >= low && value <= high);

const tip = (field, titled, format) => ({
  field,
  title: titled,
  ...(format ? { format, type: "quantitative" } : { type: "nominal" }),
});
const SCORE = ".3f";

// The number of charts being drawn, as an attribute of the page, for whoever must wait: tests and printers.
let drawing = 0;
const counted = async (work) => {
  document.documentElement.dataset.drawing = ++drawing;
  try {
    await work();
  } finally {
    document.documentElement.dataset.drawing = --drawing;
  }
};

// A named chart: draws a specification, describes it in words, and lists its numbers below it.
class Chart {
  constructor(name) {
    this.figure = document.querySelector(`[data-chart="${name}"]`);
    this.name = name;
    this.view = null;
    // Vega's own descriptions name every mark; one sentence and a table of numbers say more.
    this.inner = element("div", { "aria-hidden": "true" });
    this.figure?.querySelector(".canvas").append(this.inner);
    this.turn = Promise.resolve();
  }

  // `visible` are the rows with something to draw; where there are none, a text replaces the chart.
  draw(spec, description, shownColumns, rows, about = {}, visible = rows) {
    if (!this.figure) return this.turn;
    const canvas = this.figure.querySelector(".canvas");
    canvas.setAttribute("role", "img");
    const empty = shownArms().length === 0 && rows.length === 0 ? texts.no_arm : texts.no_score;
    canvas.setAttribute("aria-label", visible.length ? description : empty);
    this.list(shownColumns, rows, about);
    return this.queue(async () => {
      this.view?.finalize();
      if (visible.length === 0) {
        this.view = null;
        this.inner.replaceChildren(element("p", { class: "empty" }, empty));
        return;
      }
      const drawn = await vegaEmbed(
        this.inner,
        { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", config: CONFIG, ...spec },
        OPTIONS,
      );
      this.view = drawn.view;
    });
  }

  set(data, rows) {
    return this.queue(() => this.view?.data(data, rows).runAsync());
  }

  queue(work) {
    const before = this.turn;
    this.turn = counted(() => before.then(work));
    return this.turn;
  }

  list(shownColumns, rows, about) {
    const details = this.figure.querySelector(".numbers");
    const update = () =>
      details.querySelector(".rows").replaceChildren(table(`chart-${this.name}`, shownColumns, rows, about));
    details.ontoggle = () => {
      if (details.open) update();
    };
    if (details.open) update();
  }
}
