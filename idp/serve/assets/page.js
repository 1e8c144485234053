// SPDX-License-Identifier: Apache-2.0
// Comfort only; the page works without it: it stays fresh, and a field and its frame light up
// together.
"use strict";
(() => {
  const alive = document.getElementById("alive");
  const seconds = Number(document.body.dataset.live || 0);

  const tell = (ok) => {
    alive.classList.toggle("lost", !ok);
    alive.lastElementChild.textContent = ok ? "running" : "no answer";
  };

  let last = document.getElementById("main").innerHTML; // as sent: the viewer draws into it
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = document.getElementById("main");
      const next = fresh.getElementById("main");
      const busy = now.contains(document.activeElement) && document.activeElement !== now;
      if (!busy && next && next.innerHTML !== last) {
        last = next.innerHTML;
        now.innerHTML = last;
        document.dispatchEvent(new Event("fresh"));
        document.body.dataset.live = fresh.body.dataset.live || 0;
      }
      document.querySelector("footer").replaceWith(fresh.querySelector("footer"));
      tell(true);
    } catch {
      tell(false);
    }
  };
  if (seconds > 0) {
    const timer = setInterval(() => {
      if (Number(document.body.dataset.live || 0) > 0) refresh();
      else clearInterval(timer);
    }, seconds * 1000);
    document.addEventListener("visibilitychange", refresh);
  }

  const pair = (number) => document.querySelectorAll(`[data-field="${CSS.escape(number)}"]`);
  const light = (on) => (event) => {
    const part = event.target.closest("[data-field]");
    if (part) pair(part.dataset.field).forEach((e) => e.classList.toggle("lit", on));
  };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, light(true));
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, light(false));
  // The frame comes into view inside its own column; the address is left alone.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#frame-"], a[href^="#field-"]');
    if (!link) return;
    const target = document.getElementById(link.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    document.querySelectorAll(".chosen").forEach((e) => e.classList.remove("chosen"));
    const number = (target.dataset || {}).field;
    if (number) pair(number).forEach((e) => e.classList.add("chosen"));
    target.scrollIntoView({ block: "center", behavior: "smooth" });
  });
})();
