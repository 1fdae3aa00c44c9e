// Vega-Lite charts. Their colours are the page's CSS variables, so that dark mode and print need no new drawing.

const COLOURS = [0, 1, 2, 3, 4, 5].map((i) => `var(--c${i})`);
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"];
const DASHES = [[1, 0], [7, 3], [2, 2.5], [9, 3, 2, 3]];

const colourOf = (arm) => COLOURS[arms.indexOf(arm) % COLOURS.length];
const shapeOf = (arm) => SHAPES[arms.indexOf(arm) % SHAPES.length];
const dashOf = (arm) => DASHES[(arms.indexOf(arm) + Math.floor(arms.indexOf(arm) / COLOURS.length)) % DASHES.length];

const CONFIG = {
  background: null, aria: false, font: "inherit", padding: { left: 4, right: 12, top: 8, bottom: 4 },
  view: { stroke: null },
  axis: {
    labelColor: "var(--muted)", titleColor: "var(--ink)", gridColor: "var(--rule)", domainColor: "var(--muted)", tickColor: "var(--muted)",
    labelFontSize: 13, titleFontSize: 13, titleFontWeight: 500, labelPadding: 6, titlePadding: 10, domain: false, tickSize: 4,
  },
  axisX: { grid: false, domain: true, labelOverlap: "greedy", labelSeparation: 8 },
  axisY: { ticks: false, tickCount: 6, titleAngle: 0, titleAlign: "left", titleAnchor: "start", titleX: 0, titleY: -14, titleBaseline: "bottom" },
  text: { fill: "var(--ink)", fontSize: 13 },
  rule: { stroke: "var(--muted)" },
};
// Bands of more arms than these cover one another.
const BANDS_AT_MOST = 4;

const OPTIONS = { renderer: "svg", actions: false, ast: true, tooltip: { disableDefaultStyle: true }, defaultStyle: false };

// Encodings of an arm by colour, shape and dash: never by colour alone.
const scaleOf = (list, of) => ({ domain: list, range: list.map(of) });
const byArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, colourOf), legend: null });
const shapeByArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, shapeOf), legend: null });
const dashByArm = (list) => ({ field: "arm", type: "nominal", scale: scaleOf(list, dashOf), legend: null });

const quantitative = (field, titled, scale = {}, axis = {}) => ({ field, type: "quantitative", title: titled, scale: scale.type === "log" ? scale : { zero: false, ...scale }, axis });
// The round numbers 1, 2, 5, 10, … between two ends, for the labels of a logarithmic axis.
const roundOnes = (low, high) => [1, 10, 100, 1000, 10000, 100000].flatMap((ten) => [ten, 2 * ten, 5 * ten]).filter((value) => value >= low && value <= high);

const told = (field, titled, format) => ({ field, title: titled, ...(format ? { format, type: "quantitative" } : { type: "nominal" }) });
const SCORE = ".3f";

// How much is being drawn stands in the page, for readers that must wait for it: tests, and printers.
let drawing = 0;
const counted = async (work) => {
  document.documentElement.dataset.drawing = ++drawing;
  try {
    await work();
  } finally {
    document.documentElement.dataset.drawing = --drawing;
  }
};

// A named chart: draws a specification, says in words what it shows, and lists its numbers below it.
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

  // `visible` are the rows with something to draw; where there are none, words stand in the chart's place.
  draw(spec, words, columns, rows, about = {}, visible = rows) {
    if (!this.figure) return this.turn;
    const canvas = this.figure.querySelector(".canvas");
    canvas.setAttribute("role", "img");
    const empty = shownArms().length === 0 && rows.length === 0 ? "No arm is shown." : "No score is defined here.";
    canvas.setAttribute("aria-label", visible.length ? words : empty);
    this.list(columns, rows, about);
    return this.queue(async () => {
      this.view?.finalize();
      if (visible.length === 0) {
        this.view = null;
        this.inner.replaceChildren(element("p", { class: "empty" }, empty));
        return;
      }
      const drawn = await vegaEmbed(this.inner, { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", config: CONFIG, ...spec }, OPTIONS);
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

  list(columns, rows, about) {
    const details = this.figure.querySelector(".numbers");
    const fill = () => details.querySelector(".rows").replaceChildren(table(`chart-${this.name}`, columns, rows, about));
    details.ontoggle = () => details.open && fill();
    if (details.open) fill();
  }
}
