// SPDX-License-Identifier: Apache-2.0
// The keyboard of the labelling screen, and the frame of the field that one is in. The gate puts
// this one script into Label Studio's pages; what it can't find it leaves alone, and all that it
// does can be done with the mouse as well. Made for Label Studio 1.23.2.
"use strict";

(() => {
  // Label Studio copies its list of switches whenever it asks for one of them, some ten thousand
  // times a screen. What is not on the list counts as on, so that only what is off has to be there.
  const settings = window.APP_SETTINGS;
  if (settings && settings.feature_flags_default_value === true && settings.feature_flags) {
    settings.feature_flags = Object.fromEntries(
      Object.entries(settings.feature_flags).filter(([, on]) => on !== true),
    );
  }

  // Label Studio draws the page through filters for brightness and contrast, also where there is no
  // control for them: a second of a page of a fax. Where it fails to, it draws the page as it is.
  let plain = false;

  function drawPlainly() {
    const image = window.Konva?.Image;
    if (plain || !image) return;
    plain = true;
    image.prototype.cache = () => {
      throw new Error("the page is drawn as it is");
    };
  }

  const FORM = ".rv-form";
  const FIELD = ".f, .d";
  const SEND = "[data-testid=bottombar-submit-button], [data-testid=bottombar-update-button]";
  const ENTRY = "input:not([type=checkbox]):not([type=radio]), textarea";
  const ADD = "[data-testid=textarea-input]";
  const OPTION = "input[type=checkbox], input[type=radio]";

  const MOST_TRIES = 60;

  const form = () => document.querySelector(FORM);
  const isShown = (part) => part.checkVisibility();
  const fieldOf = (part) => part?.closest?.(`${FORM} :is(${FIELD})`) ?? null;

  // --- What there is to be looked at, from top to bottom -----------------------------------------

  function inputsOf(field) {
    const entries = [...field.querySelectorAll(`.f-t :is(${ENTRY})`)].filter(isShown);
    // An empty list has nothing but the input for a further entry.
    const filled = entries.filter((each) => !each.matches(ADD));
    if (filled.length || entries.length) return filled.length ? filled : entries;
    const chosen = field.querySelector(".f-t input:checked") ?? field.querySelector(`.f-t ${OPTION}`);
    return chosen && isShown(chosen) ? [chosen] : [];
  }

  /** The shown ones of some fields, from top to bottom. */
  const inOrder = (fields) =>
    fields
      .filter(isShown)
      .map((field) => [field.getBoundingClientRect().top, field])
      .sort((one, other) => one[0] - other[0])
      .flatMap(([, field]) => inputsOf(field));

  function stops() {
    const whole = form();
    if (!whole) return [];
    const asksKind = whole.querySelector(".askkind") !== null;
    // The doubtful ones; where there are none, all that are open.
    const doubtful = whole.querySelector(".open:is(.look, .bad)") !== null;
    const wanted = doubtful ? ".open:is(.look, .bad)" : ".open";
    const isWanted = (field) =>
      field.querySelector(wanted) !== null || (asksKind && field.matches(".kind"));
    return inOrder([...whole.querySelectorAll(FIELD)].filter(isWanted));
  }

  function go(part) {
    if (!part) return;
    // The style sheet keeps inputs back for a moment, so that they don't all ask for the focus.
    part.style.animation = "none";
    part.focus();
    part.select?.();
    (fieldOf(part) ?? part).scrollIntoView({ block: "nearest" });
    enter(part);
  }

  function step(from, by) {
    const all = stops();
    let at = all.indexOf(from);
    if (at < 0 && from) {
      // From a field that nobody has to look at: to the next one below it that somebody has to.
      const here = from.getBoundingClientRect().top;
      const below = all.findIndex((each) => each.getBoundingClientRect().top > here);
      at = below < 0 ? all.length : by > 0 ? below - 1 : below;
    }
    const next = all[at + by];
    if (next) go(next);
    else if (by > 0) go(document.querySelector(SEND));
  }

  /** To the next input that is shown; whether there was one, or the button behind the last. */
  function tab(from, back) {
    const all = inOrder([...form().querySelectorAll(FIELD)]);
    // All choices of a field are one stop.
    const at = all.findIndex((each) =>
      from.matches(OPTION) ? fieldOf(each) === fieldOf(from) : each === from,
    );
    const next = at < 0 ? null : back ? all[at - 1] : (all[at + 1] ?? document.querySelector(SEND));
    go(next);
    return Boolean(next);
  }

  // --- Keys --------------------------------------------------------------------------------------

  let sending = 0;

  function send() {
    if (sending > 0) return;
    sending = MOST_TRIES;
    home = null;
    // An input tells Label Studio what was typed when it loses the focus.
    document.activeElement?.blur?.();
    setTimeout(sendWhenReady);
  }

  /** Label Studio's button is not ready while the document, or what was typed, is taken in. */
  function sendWhenReady() {
    const button = document.querySelector(SEND);
    if (button && !button.disabled) {
      sending = 0;
      button.click();
    } else if (--sending > 0) setTimeout(sendWhenReady, 50);
  }

  /** Take what stands in the input for a further entry; whether there was something. */
  function add(input) {
    if (!input.matches(ADD) || !input.value) return false;
    input.form?.requestSubmit();
    return true;
  }

  function another(from) {
    const field = fieldOf(from);
    if (!field?.querySelector("[placeholder='add another']")) return;
    field.classList.add("adding");
    if (from.matches(ADD)) add(from);
    requestAnimationFrame(() => goSoon(field));
  }

  /** To the input for a further entry, which takes a few frames to be shown. */
  function goSoon(field, tries = MOST_TRIES) {
    const input = field.querySelector(ADD);
    go(input);
    if (input && document.activeElement !== input && tries > 0) {
      requestAnimationFrame(() => goSoon(field, tries - 1));
    }
  }

  const optionsAround = (option) => [...(fieldOf(option)?.querySelectorAll(`.f-t ${OPTION}`) ?? [])];

  function choose(option) {
    option.click();
    // Label Studio takes the focus away from what was clicked.
    requestAnimationFrame(() => option.focus());
  }

  function onOption(event, option) {
    const all = optionsAround(option);
    const at = all.indexOf(option);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) go(all[(at + step + all.length) % all.length]);
    else if (/^[1-9]$/.test(event.key) && all[event.key - 1]) choose(all[event.key - 1]);
    else if (event.key === "?") {
      const illegible = all.find((each) => each.name === "illegible");
      if (illegible && !illegible.checked) choose(illegible);
    } else if (event.key === " ") choose(option);
    else return false;
    return true;
  }

  function onKey(event) {
    if (event.isComposing || !form()) return;
    const at = event.target;
    const inside = fieldOf(at) !== null;
    const onButton = at.matches?.(SEND) ?? false;
    let taken = false;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      send();
      taken = true;
    } else if (event.key === "Enter" && !event.repeat) {
      if (inside && event.altKey) another(at);
      else if (inside) {
        add(at);
        step(at, event.shiftKey ? -1 : 1);
      } else if (onButton && event.shiftKey) go(stops().at(-1));
      else if (onButton) send();
      taken = inside || onButton;
      if (!taken && at === document.body) {
        go(stops()[0] ?? document.querySelector(SEND));
        taken = true;
      }
    } else if (event.key === "Tab" && inside && !event.ctrlKey && !event.altKey && !event.metaKey) {
      // The browser would pass over inputs that were drawn anew a moment ago.
      taken = tab(at, event.shiftKey);
    } else if (inside && at.matches(OPTION) && !event.ctrlKey && !event.altKey && !event.metaKey) {
      taken = onOption(event, at);
    }
    if (taken) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  // --- The frame of the field that one is in -----------------------------------------------------

  let framed = [];

  function frame(field) {
    const name = field?.id.slice(2);
    try {
      const annotation = window.Htx?.annotationStore?.selected;
      for (const region of framed.splice(0)) if (isThere(region)) region.setHighlight(false);
      if (!name || !annotation) return;
      const label = name.startsWith("claims_") ? "claims" : name;
      framed = annotation.regions.filter((each) => each.cleanId.startsWith(`r_${label}_`));
      framed = framed.filter((each) => /^(\d+|blank)$/.test(each.cleanId.slice(label.length + 3)));
      const page = framed[0]?.item_index;
      if (page !== undefined && framed[0].object.currentImage !== page) {
        framed[0].object.setCurrentItem(page);
      }
      for (const region of framed) region.setHighlight(true);
    } catch {
      // The frames are a help; the form is what counts.
      framed = [];
    }
  }

  const isThere = (region) => region.$treenode?.isAlive ?? true;

  /** A frame was clicked: its field comes to the top and takes the focus. */
  function pick() {
    const id = window.Htx?.annotationStore?.selected?.selectedRegions?.[0]?.cleanId ?? "";
    const name = /^r_(.+)_(\d+|blank)$/.exec(id)?.[1];
    for (const field of document.querySelectorAll(`${FORM} .picked`)) {
      field.classList.remove("picked");
    }
    const field = document.getElementById(name === "claims" ? "f-claims_open" : `f-${name}`);
    if (!name || !field) return;
    field.classList.add("picked");
    go(inputsOf(field)[Number(/\d+$/.exec(id)?.[0] ?? 0)] ?? inputsOf(field)[0]);
    form().scrollTop = 0;
  }

  // --- What the mouse may say beside a value ------------------------------------------------------

  function write(input, text) {
    // Through the element's own setter, so that Label Studio's library takes note of it.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), "value").set.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function say(field, illegible) {
    const options = [...field.querySelectorAll(`.f-t ${OPTION}`)];
    for (const each of options) {
      if (each.checked !== (illegible && each.name === "illegible")) each.click();
    }
    const entries = inputsOf(field).filter((each) => !each.matches(OPTION));
    entries.forEach((each, place) => write(each, illegible && place === 0 ? "?" : ""));
    go(inputsOf(field)[0]);
  }

  // --- The input that one is in ------------------------------------------------------------------

  // Label Studio makes its inputs anew, for example when another page is shown. Whoever types then
  // stays where they were, with what they typed.
  let home = null;
  let asked = null;

  const task = () => window.Htx?.task?.id;

  /** All inputs of a field, also while the style sheet keeps them back. */
  const partsOf = (field) => [...field.querySelectorAll(`.f-t :is(${ENTRY}, ${OPTION})`)];

  /** Where one types; an input that is gone can't be asked any more. */
  function keepCaret() {
    if (home?.at.isConnected && home.at.matches(ENTRY)) {
      home.caret = [home.at.selectionStart, home.at.selectionEnd];
    }
  }

  function enter(at) {
    const field = fieldOf(at);
    const place = field ? partsOf(field).indexOf(at) : -1;
    home = place < 0 ? null : { at, place, field: field.id, task: task(), caret: null };
    keepCaret();
    if (field) frame(field);
  }

  // Inputs that were there before: a new one asks for the focus by itself, and does not keep it.
  const known = new WeakSet();

  function stay() {
    for (const each of document.querySelectorAll(`${FORM} :is(${ENTRY})`)) known.add(each);
    if (!home || home.task !== task() || document.activeElement === home.at) return;
    const { at, place, field, caret } = home;
    if (at.isConnected) {
      const thief = document.activeElement;
      if (thief && thief === asked) at.focus();
      return;
    }
    const again = partsOf(document.getElementById(field) ?? new DocumentFragment())[place];
    if (!again || again.type !== at.type) return;
    home = null;
    again.style.animation = "none";
    if (!again.matches(OPTION) && again.value !== at.value) write(again, at.value);
    again.focus();
    if (caret) again.setSelectionRange(...caret);
    enter(again);
  }

  // --- A document has come up --------------------------------------------------------------------

  let shown = null;
  let touched = false;
  let looking = false;
  let waitingFor = null;
  let waits = 0;
  /** Whether somebody has begun to fill this task's form in: then nothing takes the cursor away. */
  let begun = false;

  const isFilled = () => (window.Htx?.annotationStore?.selected?.results?.length ?? 0) > 0;

  function look() {
    looking = false;
    drawPlainly();
    // Label Studio shows an empty form for a moment, before what was read is in it.
    if (!document.querySelector(`${FORM} .sum`)) return;
    if (task() !== waitingFor) {
      waitingFor = task();
      waits = 0;
      begun = false;
    }
    // A document of the quality sample stays empty: there is an end to waiting.
    if (!isFilled() && waits < MOST_TRIES) {
      waits += 1;
      setTimeout(lookSoon, 50);
      return;
    }
    // Label Studio draws a form more than once; it is the same as long as the task is.
    if (task() !== shown) {
      shown = task();
      touched = false;
    }
    if (touched || begun) return;
    const first = stops()[0] ?? document.querySelector(SEND);
    if (first && (first !== document.activeElement || !home) && !first.disabled) go(first);
  }

  function lookSoon() {
    if (looking) return;
    looking = true;
    requestAnimationFrame(look);
  }

  window.addEventListener("keydown", () => (touched = true), true);
  window.addEventListener(
    "pointerdown",
    (event) => {
      touched = true;
      // Who turns a page is not taken back to that of the field.
      if (event.target.closest?.(FORM)) begun = true;
      else home = null;
    },
    true,
  );
  window.addEventListener(
    "input",
    (event) => {
      // Label Studio and this script write, too, but no person did.
      if (event.isTrusted && event.target.closest?.(FORM)) begun = true;
    },
    true,
  );
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("focusin", (event) => {
    asked = event.target.matches(ENTRY) && !known.has(event.target) ? event.target : null;
    if (asked) return;
    enter(event.target);
  });
  for (const kind of ["input", "keyup", "selectionchange"]) {
    document.addEventListener(kind, keepCaret, true);
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".rv-doc")) setTimeout(pick, 50);
    else if (event.target.matches?.(`${FORM} .say`)) {
      say(fieldOf(event.target), event.target.matches(".illegible"));
    }
  });
  // The style sheet lets inputs in a moment after they were drawn.
  window.addEventListener("animationend", lookSoon, true);
  new MutationObserver(() => {
    stay();
    lookSoon();
  }).observe(document, { childList: true, subtree: true });
})();
