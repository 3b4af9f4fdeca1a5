// What every page does better with a script. A page does all of it without one, too; whatever
// works only here is marked `.scripted`, and not shown elsewhere.

const announcement = document.getElementById("announcement");

/** Say something to those who listen; beside an open dialog nothing is heard. */
export function announce(words) {
  (document.querySelector("dialog[open]") ?? document.body).append(announcement);
  announcement.textContent = "";
  requestAnimationFrame(() => { announcement.textContent = words; });
}

async function copy(button) {
  const box = button.closest(".code, .copyable");
  const source = box.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // no clipboard without HTTPS: leave it selected, for the person's own Ctrl+C
    getSelection().selectAllChildren(source);
    announce("Selected; copy it with Control C");
    return;
  }
  button.classList.add("copied");
  announce("Copied");
  setTimeout(() => button.classList.remove("copied"), 1600);
}

function switchTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  document.querySelector("meta[name=color-scheme]").content = next;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `stopgap_theme=${next}; path=/; max-age=31536000; samesite=lax${secure}`;
  announce(`Colours are ${next} now`);
}

/** Make tabs of the panels in a `.tabs`: each has `data-tab`, its label, and an id. */
function makeTabs(box) {
  const panels = [...box.querySelectorAll(":scope > [data-tab]")];
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", box.dataset.label);
  const tabs = panels.map((panel) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `${panel.id}-tab`;
    tab.textContent = panel.dataset.tab;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.querySelector("h3")?.remove();
    return tab;
  });
  const show = (chosen) => tabs.forEach((tab, number) => {
    tab.setAttribute("aria-selected", String(number === chosen));
    tab.tabIndex = number === chosen ? 0 : -1;
    panels[number].hidden = number !== chosen;
  });
  list.append(...tabs);
  list.addEventListener("click", (event) => {
    const chosen = tabs.indexOf(event.target);
    if (chosen >= 0) show(chosen);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    show(next);
    tabs[next].focus();
  });
  box.prepend(list);
  show(0);
}

/** Give times in the reader's own zone. */
function localise(time) {
  const at = new Date(time.dateTime);
  time.title = time.textContent;
  time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** Do all of this in a part of the page: at the start, and in what arrives later. */
export function enhance(part) {
  part.querySelectorAll(".tabs[data-label]").forEach(makeTabs);
  part.querySelectorAll("time[data-local]").forEach(localise);
}

/** Tell whether somebody is in a part of the page, so that it is not to be taken from them. */
export function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || part.querySelector("details[open]") !== null
    || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  const copying = event.target.closest("[data-copy]");
  if (copying) copy(copying);
  if (event.target.closest("[data-theme-switch]")) {
    event.preventDefault();
    switchTheme();
  }
  closeMenus(event.target.closest("details.menu"));
});

document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));

// A second click does not send a form again; whoever comes back to the page, or has stopped it, may.
const SENDING = 10000; // milliseconds
let sent = new WeakMap(); // form -> when
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.getAttribute("method") !== "post") return;
  if (sent.get(event.target) > event.timeStamp - SENDING) {
    event.preventDefault();
    announce("Already sent");
  } else sent.set(event.target, event.timeStamp);
});
addEventListener("pageshow", (event) => { if (event.persisted) sent = new WeakMap(); });

for (const link of document.querySelectorAll("[data-theme-switch]")) {
  const button = document.createElement("button");
  button.type = "button";
  for (const { name, value } of link.attributes) {
    if (name !== "href") button.setAttribute(name, value);
  }
  button.append(...link.childNodes);
  link.replaceWith(button);
}

enhance(document);
