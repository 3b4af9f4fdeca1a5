// Keeps the figures of releases fresh: asks for the same page while somebody looks at it, and takes
// over the parts that are marked `data-fresh`. Whoever is in such a part is not disturbed.

import { enhance } from "./console.js";

const PAUSE = 2000; // milliseconds between two looks

function isInUse(part) {
  return part.contains(document.activeElement) || part.querySelector("details[open]") !== null
    || part.contains(getSelection().anchorNode);
}

function takeOver(page) {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const fresh = page.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (fresh && fresh.innerHTML !== part.dataset.had && !isInUse(part)) {
      part.dataset.had = fresh.innerHTML;
      part.replaceChildren(...fresh.childNodes);
      enhance(part);
    }
  }
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return; // signed out, or gone: what is shown stays
      takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // the server is away for a moment; it is asked again
    }
  }
  setTimeout(look, PAUSE);
}

// an answer to a form has the page's address no more
if (document.querySelector("[data-fresh]") && !location.pathname.endsWith("/change")) {
  setTimeout(look, PAUSE);
}
