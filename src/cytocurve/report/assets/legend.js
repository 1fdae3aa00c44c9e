// The arms, each with its color, shape and dash, to hide and to show.

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
  part("M0 8H48", {
    stroke: colorOf(arm),
    "stroke-width": 2.5,
    "stroke-dasharray": dashOf(arm).join(" "),
    fill: "none",
  });
  part(lookOf(arm).path, { fill: colorOf(arm) });
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
        for (const other of document.querySelectorAll("[data-legend] input")) {
          if (other.value === arm) other.checked = box.checked;
        }
        changed("shown");
      };
      legend.append(element("label", { title: arm }, box, swatch(arm), names[arm]));
    }
  }
};
