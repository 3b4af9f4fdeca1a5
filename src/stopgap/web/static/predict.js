// The prediction's page: the answer in place, and snippets that follow what is typed.

import { announce, enhance } from "./console.js";

/** Percent-encode as the server does, quotes and brackets too. */
function encode(text) {
  const left = /[!'()*]/g;
  return encodeURIComponent(text).replace(left, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Write the contract's address for the values of its form, in which a field may be called anything: `dataset`, too. */
function addressOf(form) {
  const values = Object.fromEntries(new FormData(form));
  const path = form.getAttribute("data-template").replace(/\{(\w+)\}/g, (_, name) => {
    const value = encode(values[name] ?? "");
    delete values[name];
    return value;
  });
  const rest = Object.entries(values).filter(([, value]) => value !== "");
  return rest.length ? `${path}?${new URLSearchParams(rest)}` : path;
}

function updateSnippets(form) {
  for (const span of document.querySelectorAll("[data-address]")) {
    span.textContent = span.dataset.address + addressOf(form);
  }
}

function swap(page, id) {
  const arrived = page.getElementById(id);
  document.getElementById(id).replaceWith(arrived);
  enhance(arrived);
}

/** Put what has arrived in its place; the form only where it has, or had, something wrong. */
function show(page) {
  document.title = page.title;
  const wrong = "[aria-invalid]";
  const asking = document.getElementById("asking");
  const changed = asking.querySelector(wrong) || page.querySelector("#asking [role=alert]");
  if (changed) swap(page, "asking");
  swap(page, "answer");
  const first = document.querySelector(`#asking ${wrong}`);
  if (first) {
    first.focus();
    return;
  }
  if (changed) document.querySelector("#asking [formaction]").focus();
  document.getElementById("answer").scrollIntoView({ block: "nearest" });
  const value = document.querySelector("#answer .value");
  if (value) announce(`The answer is ${[...value.children].map((each) => each.textContent).join(" ")}`);
}

async function ask(form) {
  const button = document.querySelector("#asking [formaction]");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  const address = `${form.getAttribute("data-ask")}?${new URLSearchParams(new FormData(form))}`;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (page.getElementById("asking")) {
      show(page);
      history.replaceState(null, "", address);
    } else {
      location.assign(address); // a refusal, which has a page of its own
    }
  } catch {
    const card = document.getElementById("answer");
    const words = document.createElement("p");
    words.textContent = "The server has no answer just now. Nothing was lost: ask again soon.";
    card.replaceChildren(card.querySelector("h2"), words);
    announce(words.textContent);
  } finally {
    button.ariaBusy = null;
  }
}

document.addEventListener("submit", (event) => {
  if (!Element.prototype.matches.call(event.target, "form[data-template]")) return;
  event.preventDefault();
  ask(event.target);
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-template]");
  if (form) updateSnippets(form);
});

// Values may be there before this script is: typed while it was on its way, or brought back by the
// browser with an earlier page.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-template]")) updateSnippets(form);
});
