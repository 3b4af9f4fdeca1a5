// Keeps the figures of releases fresh: asks for the same page while somebody looks at it, and takes
// over the parts that are marked `data-fresh`. Whoever is in such a part is not disturbed, and what
// was typed there stays. Whoever reads can pause it.

import { announce, enhance, isInUse } from "./console.js";

const PAUSE = 2000; // milliseconds between two looks
const ENDED = [401, 403, 404];
const pause = document.getElementById("pause");

/** Tell whether a control has something else than what the page came with. */
function isChanged({ value, defaultValue, options, selectedIndex }) {
  if (!options) return value !== defaultValue;
  return selectedIndex !== Math.max(0, [...options].findIndex((each) => each.defaultSelected));
}

function takeOver(page) {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (fresh && fresh.innerHTML !== part.dataset.had && !isInUse(part)) {
      part.dataset.had = fresh.innerHTML;
      const changed = [...part.querySelectorAll("input, select")].filter(isChanged);
      part.replaceChildren(...fresh.childNodes);
      for (const control of changed) document.getElementById(control.id)?.replaceWith(control);
      enhance(part);
    }
  }
}

/** Say that what is shown stays as it is: whoever looks is signed out, or the page is gone. */
function end() {
  const words = document.createElement("p");
  words.className = "notice bad";
  words.textContent = "These figures are not fresh any more. Load the page again to go on.";
  document.querySelector("main").prepend(words);
  announce(words.textContent);
  pause.hidden = true;
}

function isPaused() {
  return pause.getAttribute("aria-pressed") === "true";
}

async function look() {
  if (!document.hidden && !isPaused()) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (ENDED.includes(answer.status)) {
        end();
        return;
      }
      if (answer.ok) takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // the server is away for a moment; it is asked again
    }
  }
  setTimeout(look, PAUSE);
}

pause.addEventListener("click", () => pause.setAttribute("aria-pressed", String(!isPaused())));

// an answer to a form has the page's address no more
if (!location.pathname.endsWith("/change")) {
  pause.hidden = false;
  setTimeout(look, PAUSE);
}
