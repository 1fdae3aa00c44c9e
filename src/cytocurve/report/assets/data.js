// The data of the page, unpacked, and what all parts share.

const unpack = async (packed) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

let answers, names, plans, classNames, axes, verdicts, unbalanced, texts, columns, looks, arms;

// What the reader has chosen; `changed` redraws what depends on it.
const chosen = {
  metric: "",
  mode: "bands",
  axis: "log",
  shown: new Set(),
  size: 0,
  klass: "",
  arm: "",
  planArm: "",
  at: "",
};
const listeners = [];
const onChange = (keys, draw) => listeners.push({ keys, draw });
const changed = (...keys) => {
  for (const listener of listeners) if (listener.keys.some((key) => keys.includes(key))) listener.draw();
};
const choose = (key, value) => {
  chosen[key] = value;
  changed(key);
};

const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
const count = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));
// A text of the page with its places filled in.
const fill = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const title = () => answers.metrics[answers.metric];
const shownArms = () => arms.filter((arm) => chosen.shown.has(arm));
const atSize = (rows) => rows.find((row) => row.size === chosen.size);
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

// Do something again whenever the width of the page changes.
const onResize = (redo) => {
  let drawnAt = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === drawnAt) return;
    drawnAt = innerWidth;
    redo();
  });
};

const save = (name, text, type) => {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
