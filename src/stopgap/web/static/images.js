// The images' page: files chosen, dropped or pasted, each with its progress; one seen in full.

import { announce, enhance, isInUse } from "./console.js";

const form = document.querySelector("form[data-upload]");
const chooser = form.querySelector("input[type=file]");
const list = document.getElementById("uploads");
const BYTES_MAX = Number(form.dataset.bytes);
const PREVIEW = 112; // pixels: twice what is shown, for fine screens
const OK = 201;
const LATER = [0, 408, 429]; // and what is the server's own fault: worth another try

const waiting = [];
let busy = false;

/** Say why a file would be refused; empty if nothing speaks against it. */
function objection(file) {
  if (file.size === 0) return "This file is empty.";
  if (file.size > BYTES_MAX) {
    return `This has ${file.size.toLocaleString()} bytes; ${BYTES_MAX.toLocaleString()} are allowed.`;
  }
  return "";
}

/** One file on its way: a row of the list that knows what becomes of it. */
class Upload {
  constructor(file) {
    this.file = file;
    this.row = document.getElementById("upload-row").content.cloneNode(true).firstElementChild;
    this.part("name").textContent = file.name || "Pasted image";
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.part("retry").addEventListener("click", () => this.retry());
    this.part("remove").addEventListener("click", () => this.remove());
    list.append(this.row);
  }

  part(name) {
    return this.row.querySelector(`[data-part=${name}]`);
  }

  /** Show a state: its words, and the buttons that make sense in it. */
  show(words, ...buttons) {
    this.part("words").textContent = words;
    this.part("progress").hidden = !buttons.includes("cancel");
    const focused = this.row.contains(document.activeElement);
    for (const name of ["cancel", "retry", "remove"]) this.part(name).hidden = !buttons.includes(name);
    if (focused && buttons.length) this.part(buttons[0]).focus();
  }

  begin() {
    const refusal = objection(this.file);
    if (refusal) {
      this.fail(refusal, "remove");
      return;
    }
    this.show("Waiting", "cancel");
    waiting.push(this);
    next();
  }

  async preview() {
    try {
      const bitmap = await createImageBitmap(this.file);
      const canvas = this.part("preview");
      const scale = Math.min(PREVIEW / bitmap.width, PREVIEW / bitmap.height);
      canvas.width = Math.max(1, bitmap.width * scale);
      canvas.height = Math.max(1, bitmap.height * scale);
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
    } catch {
      // what cannot be drawn here has no preview; the server says whether it is an image
    }
  }

  send() {
    return new Promise((done) => {
      const body = new FormData();
      body.append("image", this.file, this.file.name || "pasted");
      const account = form.elements["stopgap-account"];
      if (account) body.append(account.name, account.value);
      const request = new XMLHttpRequest();
      this.request = request;
      request.open("POST", form.dataset.upload);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => {
        this.part("progress").value = event.loaded / event.total;
        const all = event.loaded === event.total;
        this.part("words").textContent = all ? "Processing" : "Uploading";
      });
      request.addEventListener("loadend", () => done(request));
      this.part("progress").value = 0;
      this.show("Uploading", "cancel");
      request.send(body);
    });
  }

  async run() {
    const { status, responseText } = await this.send();
    if (this.cancelled) return;
    if (status === OK) {
      announce(`${this.part("name").textContent} is kept`);
      if (await refresh()) this.remove();
      else this.show("Kept. It is in the gallery once this page is loaded again.", "remove");
      return;
    }
    let words = "The server did not answer.";
    try {
      words = JSON.parse(responseText).detail;
    } catch {
      // no answer, or none of ours
    }
    const later = LATER.includes(status) || status >= 500;
    this.fail(words, ...(later ? ["retry", "remove"] : ["remove"]));
  }

  fail(words, ...buttons) {
    this.show(words, ...buttons);
    this.row.classList.add("failed");
    announce(`${this.part("name").textContent}: ${words}`);
  }

  cancel() {
    this.cancelled = true;
    this.request?.abort();
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    this.show("Cancelled", "retry", "remove");
  }

  retry() {
    this.cancelled = false;
    this.row.classList.remove("failed");
    this.begin();
  }

  remove() {
    const focused = this.row.contains(document.activeElement);
    this.row.remove();
    if (focused) chooser.focus();
  }
}

/** Send one after another, so that a stranger's first upload begins only one session. */
async function next() {
  if (busy) return;
  busy = true;
  while (waiting.length) await waiting.shift().run();
  busy = false;
}

function take(files) {
  for (const file of files) {
    const upload = new Upload(file);
    upload.preview();
    upload.begin();
  }
}

/** Take the gallery, and who is signed in by now, from the server; tell whether they are shown. */
async function refresh() {
  if (viewer.open || isInUse(document.getElementById("gallery"))) return false;
  let text;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return false;
    text = await response.text();
  } catch {
    return false;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of [".page-head", "#gallery", ".top .tools", ".top nav"]) {
    const arrived = page.querySelector(part);
    document.querySelector(part).replaceWith(arrived);
    enhance(arrived);
  }
  return true;
}

chooser.multiple = true;
form.querySelector(".row").hidden = true; // a chosen file goes at once
function takeChosen() {
  take(chooser.files);
  chooser.value = "";
}
chooser.addEventListener("change", takeChosen);
addEventListener("beforeunload", (event) => {
  if (busy) event.preventDefault(); // the browser asks whether to leave
});
addEventListener("pageshow", takeChosen); // chosen while this script was on its way

document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length === 0) return;
  event.preventDefault();
  take(event.clipboardData.files);
});

document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  form.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length === 0) return;
  event.preventDefault();
  form.classList.remove("over");
  take(event.dataTransfer.files);
});

// One image in full -----------------------------------------------------------------------------

const viewer = document.getElementById("viewer");
let shown = null;

function thumbs() {
  return [...document.querySelectorAll("#gallery [data-view]")];
}

function view(thumb) {
  shown = thumb;
  const place = thumbs().indexOf(thumb);
  const image = viewer.querySelector("img");
  image.src = thumb.dataset.view;
  image.alt = thumb.querySelector("img").alt;
  viewer.querySelector("[data-copied]").textContent = thumb.dataset.view;
  const words = `${place + 1} of ${thumbs().length}`;
  viewer.querySelector("[data-part=place]").textContent = words;
  if (viewer.open) announce(`${words}: ${image.alt}`);
  else viewer.showModal();
}

function step(by) {
  const all = thumbs();
  view(all[(all.indexOf(shown) + by + all.length) % all.length]);
}

document.addEventListener("click", (event) => {
  const thumb = event.target.closest("[data-view]");
  if (!thumb || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  view(thumb);
});
viewer.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) step(by);
});
viewer.addEventListener("click", (event) => {
  const by = event.target.closest("[data-step]")?.dataset.step;
  if (by) step(Number(by));
  if (event.target === viewer || event.target.closest("[data-close]")) viewer.close();
});
viewer.addEventListener("close", () => shown.focus());
