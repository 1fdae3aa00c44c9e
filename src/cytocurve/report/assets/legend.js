// The arms, each with its colour, shape and dash, to hide and to show.

const PATHS = {
  circle: "M24 8m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0", square: "M20 4h8v8h-8z", "triangle-up": "M24 3l5 9h-10z",
  diamond: "M24 2l5 6l-5 6l-5-6z", "triangle-down": "M24 13l5-9h-10z", cross: "M22.5 3h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
};

const swatch = (arm) => {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 48 16");
  svg.setAttribute("aria-hidden", "true");
  const part = (d, attributes) => {
    const path = document.createElementNS(space, "path");
    for (const [name, value] of Object.entries({ d, ...attributes })) path.setAttribute(name, value);
    svg.append(path);
  };
  part("M0 8H48", { stroke: colourOf(arm), "stroke-width": 2.5, "stroke-dasharray": dashOf(arm).join(" "), fill: "none" });
  part(PATHS[shapeOf(arm)], { fill: colourOf(arm) });
  return svg;
};

const drawLegends = () => {
  for (const legend of document.querySelectorAll("[data-legend]")) {
    for (const arm of arms) {
      const box = element("input", { type: "checkbox", value: arm });
      box.checked = true;
      box.onchange = () => {
        if (box.checked) chosen.shown.add(arm);
        else chosen.shown.delete(arm);
        for (const other of document.querySelectorAll(`[data-legend] input`)) if (other.value === arm) other.checked = box.checked;
        changed("shown");
      };
      legend.append(element("label", { title: arm }, box, swatch(arm), names[arm]));
    }
  }
};
