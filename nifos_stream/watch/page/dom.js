// Elements, made without markup: whatever strangers wrote only ever becomes text.

export const byId = (id) => document.getElementById(id);

/** An element. attributes: `class`, `on…` (listeners), anything else as an attribute; null and false are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

/** Set the text of an element, touching the document only where it differs. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Let `parent` have just these children in this order, moving as few as possible; focus within those that stay, stays. */
export function arrange(parent, children) {
  const focused = document.activeElement;
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  // What is moved loses the focus.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

/** A keeper of elements by key: `of(key, make)` is the one made before, or a new one. `keep(keys)` forgets the others. */
export function keyed() {
  const made = new Map();
  return {
    of(key, make) {
      if (!made.has(key)) made.set(key, make());
      return made.get(key);
    },
    keep(keys) {
      const wanted = new Set(keys);
      for (const key of [...made.keys()]) if (!wanted.has(key)) made.delete(key);
    },
  };
}

/** Where the focus goes from what is about to vanish: to the first of these that can be seen, if it was in `parent`. */
export function leave(parent, ...places) {
  if (!parent.contains(document.activeElement)) return;
  places.find((place) => place && !place.closest("[hidden]"))?.focus({ preventScroll: true });
}

/** Buttons of which one is pressed. options: [value, text]; the returned function shows what is chosen. */
export function choice(parent, choose) {
  return (options, chosen) => {
    const known = new Map([...parent.children].map((button) => [button.dataset.value, button]));
    const buttons = options.map(([value, text, title]) => {
      const button = known.get(value) ?? element("button", {
        type: "button", "data-value": value, onclick: () => choose(value),
      });
      say(button, text);
      if (title) button.title = title;
      button.setAttribute("aria-pressed", String(value === chosen));
      return button;
    });
    arrange(parent, buttons);
  };
}

/** A link only where the address is one that a page may open. */
export function link(address, text) {
  let parsed;
  try {
    parsed = new URL(address);
  } catch {
    return null;
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") return null;
  return element("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}
