// SPDX-License-Identifier: Apache-2.0
// The page viewer: layers that are switched on and off, zoom, keys, and what lies under the pointer.
// Without it the page shows its fields all the same.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LAYERS = ["blocks", "rules", "marks", "words"]; // from the bottom to the top, below the fields
  const KEYS = { f: "fields", w: "words", m: "marks", r: "rules", b: "blocks" };
  const STEPS = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4];
  const SHARP = 1.3; // from this zoom on, the larger picture

  const kept = (name, otherwise) => {
    try {
      return JSON.parse(sessionStorage.getItem(`idp-${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const keep = (name, value) => {
    try {
      sessionStorage.setItem(`idp-${name}`, JSON.stringify(value));
    } catch {
      // Private windows may have no room: the choice then lasts as long as the page.
    }
  };
  const on = new Set(kept("layers", ["fields"]));
  let zoom = Number(kept("zoom", 1)) || 1;

  const viewer = () => document.querySelector(".viewer");
  const sheets = () => document.querySelector(".sheets");
  const drawings = () => document.querySelectorAll(".sheet svg");

  const make = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  // --- layers ---
  const drawn = new Map(); // address of the layers -> promise of them
  const load = (address) => {
    if (!drawn.has(address)) {
      drawn.set(
        address,
        fetch(address).then((answer) => {
          if (!answer.ok) throw new Error(String(answer.status));
          return answer.json();
        }),
      );
      drawn.get(address).catch(() => drawn.delete(address));
    }
    return drawn.get(address);
  };

  const draw = (svg, name, shapes) => {
    const group = make("g", { class: `layer ${name}` });
    for (const [kind, x, y, width, height, text, percent, tag] of shapes) {
      const pad = name === "blocks" ? 4 : name === "marks" ? 1.5 : 0;
      const rect = make("rect", {
        class: kind,
        x: x - pad,
        y: y - pad,
        width: width + 2 * pad,
        height: height + 2 * pad,
        rx: name === "rules" ? 0 : 1.5,
      });
      rect.dataset.text = text;
      if (percent !== null) rect.dataset.percent = percent;
      group.append(rect);
      if (name === "blocks") {
        group.append(make("circle", { cx: x - pad, cy: y - pad, r: 10.5 }));
        const number = make("text", { x: x - pad, y: y - pad });
        number.textContent = tag;
        group.append(number);
      }
    }
    return group;
  };

  const fill = async (svg) => {
    if (svg.dataset.drawn || !LAYERS.some((name) => on.has(name))) return;
    svg.dataset.drawn = "yes";
    try {
      const { layers } = await load(svg.dataset.layers);
      const fields = svg.querySelector("a");
      for (const name of LAYERS) svg.insertBefore(draw(svg, name, layers[name]), fields);
    } catch {
      delete svg.dataset.drawn; // the next look tries again
    }
  };

  // Only pages that are looked at are drawn: a fax may have hundreds.
  const seen = new IntersectionObserver(
    (entries) => entries.forEach((entry) => entry.isIntersecting && fill(entry.target)),
    { rootMargin: "400px" },
  );

  const show = () => {
    const at = sheets();
    if (!at) return;
    for (const name of ["fields", ...LAYERS]) at.classList.toggle(`hide-${name}`, !on.has(name));
    for (const button of document.querySelectorAll("[data-layer]")) {
      button.setAttribute("aria-pressed", String(on.has(button.dataset.layer)));
    }
    drawings().forEach((svg) => {
      seen.unobserve(svg);
      seen.observe(svg);
    });
  };

  const toggle = (name) => {
    if (!on.delete(name)) on.add(name);
    keep("layers", [...on]);
    show();
  };

  // --- zoom ---
  const scale = (wanted, clientX, clientY) => {
    const at = sheets();
    if (!at) return;
    const frame = at.getBoundingClientRect();
    const x = (clientX ?? frame.left + frame.width / 2) - frame.left;
    const y = (clientY ?? frame.top + frame.height / 2) - frame.top;
    const old = at.scrollWidth ? zoom : 1;
    zoom = Math.min(Math.max(wanted, STEPS[0]), STEPS[STEPS.length - 1]);
    keep("zoom", zoom);
    const [left, top] = [at.scrollLeft + x, at.scrollTop + y];
    at.querySelectorAll("figure").forEach((figure) => {
      figure.style.width = `${zoom * 100}%`;
      figure.style.marginInline = zoom < 1 ? "auto" : "";
    });
    at.scrollLeft = (left * zoom) / old - x;
    at.scrollTop = (top * zoom) / old - y;
    document.querySelector(".tools output").textContent = `${Math.round(zoom * 100)}%`;
    if (zoom >= SHARP) {
      at.querySelectorAll("image:not([data-large])").forEach((image) => {
        image.dataset.large = "yes";
        image.setAttribute("href", `${image.getAttribute("href")}?large=true`);
      });
    }
  };
  const step = (way) => {
    const next = way > 0 ? STEPS.find((s) => s > zoom + 0.01) : STEPS.findLast((s) => s < zoom - 0.01);
    if (next) scale(next);
  };

  const turn = (way) => {
    const at = sheets();
    const figures = [...at.querySelectorAll("figure")];
    const top = at.getBoundingClientRect().top;
    const places = figures.map((figure) => figure.getBoundingClientRect().top - top - 12);
    const next = way > 0 ? places.findIndex((y) => y > 4) : places.findLastIndex((y) => y < -4);
    if (next >= 0) at.scrollBy({ top: places[next], behavior: "smooth" });
  };

  // --- what lies under the pointer ---
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  let lit = [];

  const hide = () => {
    tip.hidden = true;
    lit.forEach((shape) => shape.classList.remove("on"));
    lit = [];
  };

  const row = (shape) => {
    const line = document.createElement("p");
    const dot = document.createElement("i");
    dot.className = `dot ${shape.classList[0] === "frame" ? shape.classList[1] : shape.classList[0]}`;
    const text = document.createElement("b");
    text.textContent = shape.dataset.text;
    line.append(dot, text);
    if (shape.dataset.percent) {
      const percent = document.createElement("span");
      percent.textContent = `${shape.dataset.percent}%`;
      line.append(percent);
    }
    return line;
  };

  const look = (event) => {
    const svg = event.target.closest(".sheet svg");
    if (!svg || held) return hide();
    const shapes = document
      .elementsFromPoint(event.clientX, event.clientY)
      .filter((element) => element.dataset?.text && svg.contains(element));
    hide();
    if (!shapes.length) return;
    lit = shapes.filter((shape) => !shape.classList.contains("frame"));
    lit.forEach((shape) => shape.classList.add("on"));
    tip.replaceChildren(...shapes.slice(0, 4).map(row));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const right = event.clientX + 16 + width > innerWidth ? event.clientX - width - 12 : event.clientX + 16;
    const below = event.clientY + 18 + height > innerHeight ? event.clientY - height - 12 : event.clientY + 18;
    tip.style.left = `${Math.max(4, right)}px`;
    tip.style.top = `${Math.max(4, below)}px`;
  };

  // --- a page that is larger than its window is dragged ---
  let held = null;
  document.addEventListener("pointerdown", (event) => {
    const at = sheets();
    if (event.button || event.pointerType !== "mouse" || !at || !event.target.closest(".sheet")) return;
    if (event.target.closest(".frame")) return;
    held = { x: event.clientX, y: event.clientY, left: at.scrollLeft, top: at.scrollTop };
    event.preventDefault();
    at.focus({ preventScroll: true });
  });
  document.addEventListener("pointermove", (event) => {
    if (!held) return look(event);
    const at = sheets();
    at.classList.add("held");
    at.scrollLeft = held.left - event.clientX + held.x;
    at.scrollTop = held.top - event.clientY + held.y;
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) {
    window.addEventListener(name, () => {
      held = null;
      sheets()?.classList.remove("held");
    });
  }
  document.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, true);

  document.addEventListener(
    "wheel",
    (event) => {
      if (!(event.ctrlKey || event.metaKey) || !event.target.closest(".sheets")) return;
      event.preventDefault();
      scale(zoom * Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    },
    { passive: false },
  );

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".tools button");
    if (!button) return;
    const { layer, zoom: size, page } = button.dataset;
    if (layer) toggle(layer);
    else if (page) turn(Number(page));
    else if (size === "fit") scale(1);
    else step(size === "in" ? 1 : -1);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !viewer()) return;
    if (event.target.closest("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    const help = document.querySelector(".keys");
    if (KEYS[key]) toggle(KEYS[key]);
    else if (key === "+" || key === "=") step(1);
    else if (key === "-") step(-1);
    else if (key === "0") scale(1);
    else if (key === "n") turn(1);
    else if (key === "p") turn(-1);
    else if (key === "?") help.open = !help.open;
    else if (key === "escape") help.open = false;
    else return;
    event.preventDefault();
  });

  const begin = () => {
    if (!viewer()) return;
    document.querySelector(".tools").hidden = false;
    document.querySelectorAll(".frame").forEach((frame) => {
      const title = frame.querySelector("title");
      if (!title) return;
      frame.dataset.text = title.textContent;
      frame.setAttribute("aria-label", title.textContent);
      title.remove(); // one tip is enough
    });
    for (const button of document.querySelectorAll("[data-layer]")) {
      button.title = `${button.textContent.trim()} (${button.getAttribute("aria-keyshortcuts").toUpperCase()})`;
    }
    show();
    scale(zoom);
  };
  document.body.append(tip);
  document.addEventListener("fresh", begin);
  begin();
})();
