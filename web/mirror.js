// The window's accessibility tree as elements over the canvas: invisible, but read and operated by screen
// readers. The canvas keeps the keyboard's focus and points at the element that has it in the window.

const canvas = document.getElementById("window");
const root = document.getElementById("mirror");
const said = { polite: document.getElementById("polite"), assertive: document.getElementById("assertive") };

/** Elements by the ids of their nodes, with what they were given. */
const nodes = new Map();

/** Between the attributes of a node, and between name and value. */
const [FIELD, IS] = ["\u001f", "="];

function created(id, tag) {
  const element = document.createElement(tag);
  element.id = `node-${id}`;
  element.tabIndex = -1;
  element.node = id;
  return element;
}

/** Takes a new or changed node. Bounds are CSS pixels in the window; without a width they are the parent's. */
globalThis.modelensNode = (id, tag, attributes, left, top, width, height) => {
  let node = nodes.get(id);
  if (!node) nodes.set(id, (node = { element: created(id, tag), given: new Map() }));
  if (node.element.localName !== tag) {
    const element = created(id, tag);
    element.append(...node.element.children);
    node.element.replaceWith(element);
    Object.assign(node, { element, given: new Map(), style: "" });
  }
  const { element, given } = node;
  node.bounds = width > 0 && { left, top, width, height };
  const now = new Map(attributes.split(FIELD).filter(Boolean).map((field) => {
    const at = field.indexOf(IS);
    return [field.slice(0, at), field.slice(at + 1)];
  }));
  for (const name of given.keys()) if (!now.has(name)) put(element, name, null);
  for (const [name, value] of now) if (given.get(name) !== value) put(element, name, value);
  node.given = now;
  // Browsers speak changes of a region that was there before, not a new region.
  const words = now.get("text") ?? now.get("aria-label");
  if (now.has("announce") && words !== (given.get("text") ?? given.get("aria-label"))) said[now.get("announce")].textContent = words;
};

function put(element, name, value) {
  if (name === "text") {
    element.textContent = value ?? "";
  } else if (name === "value") {
    element.value = value ?? "";
  } else if (value === null) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value);
  }
}

globalThis.modelensChildren = (id, children) => {
  const parent = nodes.get(id)?.element;
  if (!parent) return;
  let next = parent.firstElementChild;
  for (const child of children) {
    const element = nodes.get(child)?.element;
    if (!element) continue;
    // What stays in its place is not touched: a reader keeps its place too.
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
};

/** Ends a change: the nodes that are gone, the window's root, and the node with the keyboard's focus. */
globalThis.modelensMirrored = (gone, top, focus) => {
  for (const id of gone) {
    nodes.get(id)?.element.remove();
    nodes.delete(id);
  }
  const window = nodes.get(top)?.element;
  if (window && window.parentNode !== root) root.replaceChildren(window);
  if (window) place(window, { left: 0, top: 0 });
  point(focus === top ? undefined : nodes.get(focus)?.element);
};

/** Puts an element and what is in it where the window draws them; offsets are from the element around it. */
function place(element, around) {
  const node = nodes.get(element.node);
  const { bounds } = node;
  const style = bounds
    ? `left:${bounds.left - around.left}px;top:${bounds.top - around.top}px;width:${bounds.width}px;height:${bounds.height}px`
    : "position:static";
  if (node.style !== style) element.style.cssText = node.style = style;
  for (const child of element.children) place(child, bounds || around);
}

/** Says which element has the keyboard's focus in the window. */
function point(element) {
  const name = element?.getAttribute("aria-label") ?? document.title;
  // eframe's field for typed text, which has the focus while the window edits text.
  const field = document.querySelector("#window + input");
  if (field && field.getAttribute("aria-label") !== name) field.setAttribute("aria-label", name);
  const id = element?.id ?? "";
  if ((canvas.getAttribute("aria-activedescendant") ?? "") === id) return;
  if (id) canvas.setAttribute("aria-activedescendant", id);
  else canvas.removeAttribute("aria-activedescendant");
}

const KEYS = { Enter: "click", " ": "click", ArrowUp: "increment", ArrowRight: "increment", ArrowDown: "decrement", ArrowLeft: "decrement" };

/** Lets readers operate the window of the program. */
export function operate({ act }) {
  function send(event, action, value = "") {
    const id = event.target.node;
    if (id !== undefined) act(id, action, value);
  }
  root.addEventListener("click", (event) => send(event, "click"));
  root.addEventListener("input", (event) => send(event, "value", event.target.value));
  root.addEventListener("focusin", (event) => {
    send(event, "focus");
    canvas.focus({ preventScroll: true });
  });
  root.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.target.matches("input, textarea")) return;
    event.preventDefault();
    send(event, KEYS[event.key]);
  });
}
