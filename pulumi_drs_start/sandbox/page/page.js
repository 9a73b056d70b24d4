"use strict";

const EVERY_MS = 1000;
const MAX_MS = 10000;
// How often changes that nobody here asked for are read aloud, at most.
const SAY_MS = 15000;
const $ = (id) => document.getElementById(id);

let filter = $("filter").value;
let isLive = true;
let tag = "";
let isLost = false;
let wait = EVERY_MS;
let timer = 0;
let counted = $("counts").textContent;
let saidAt = Date.now();

function say(text, isBad = false) {
  $("said").textContent = text;
  $("said").classList.toggle("bad", isBad);
}

// -- what changed, into its place ---------------------------------------------------------------------------------

// Elements stay where they can, so that the focus, the selection and the place of scrolling do.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) { old.data = fresh.data; return; }
  if ("keep" in old.dataset) return;
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  morphInside(old, fresh);
}

function morphInside(old, fresh) {
  if (fresh.firstElementChild?.dataset.key !== undefined || old.firstElementChild?.dataset.key !== undefined) return morphList(old, fresh);
  const was = [...old.childNodes], is = [...fresh.childNodes];
  if (was.length !== is.length) return old.replaceChildren(...is);
  was.forEach((node, index) => morph(node, is[index]));
}

function morphList(old, fresh) {
  const known = new Map([...old.children].map((child) => [child.dataset.key, child]));
  let next = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const own = known.get(child.dataset.key);
    known.delete(child.dataset.key);
    if (own) {
      if (own.dataset.status !== child.dataset.status) flash(own);
      morph(own, child);
      if (own === next) next = own.nextElementSibling; else old.insertBefore(own, next);
    } else {
      if (known.size || next) flash(child);
      old.insertBefore(child, next);
    }
  }
  for (const gone of known.values()) {
    if (gone.contains(document.activeElement)) old.closest("section").focus();
    gone.remove();
  }
}

function flash(element) {
  requestAnimationFrame(() => {
    element.classList.add("fresh");
    setTimeout(() => element.classList.remove("fresh"), 1700);
  });
}

function show(parts) {
  for (const [id, inside] of Object.entries(parts)) {
    const old = $(id), fresh = old.cloneNode(false);
    fresh.innerHTML = inside;
    morphInside(old, fresh);
  }
  dress();
}

// What the server can't know: which buttons are of no use now, and which filter is on.
function dress() {
  for (const row of $("job-rows").rows) {
    const can = row.dataset.can.split(" ");
    for (const button of row.querySelectorAll("button")) button.setAttribute("aria-disabled", String(!can.includes(button.value)));
  }
  for (const button of $("counts").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
  }
  const speed = $("clock").firstElementChild.dataset.speed;
  if (document.activeElement !== $("speed") && $("speed").value !== speed) {
    if (![...$("speed").options].some((option) => option.value === speed)) $("speed").add(new Option(`${speed}\u00d7`, speed));
    $("speed").value = speed;
  }
  const counts = $("counts").textContent;
  if (counts !== counted && Date.now() - saidAt > SAY_MS) {
    const told = [...$("counts").querySelectorAll("button")].slice(1).map((b) => `${b.querySelector("b").textContent} ${b.firstChild.data.trim()}`);
    say(told.join(", "));
    counted = counts;
    saidAt = Date.now();
  }
}

// -- asking ----------------------------------------------------------------------------------------------------------

async function look() {
  clearTimeout(timer);
  try {
    const asked = filter;
    const answer = await fetch(`/_sandbox/page/live?filter=${encodeURIComponent(asked)}`, { headers: { "If-None-Match": tag } });
    if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
    if (isLost) say("The sandbox is there again.");
    isLost = false;
    wait = EVERY_MS;
    if (answer.status === 200 && asked === filter) {
      tag = answer.headers.get("ETag");
      show(await answer.json());
    }
  } catch (error) {
    if (!isLost) say("The sandbox does not answer; this page asks again until it does.", true);
    isLost = true;
    wait = Math.min(MAX_MS, wait * 1.5);
  }
  clearTimeout(timer);
  if (isLive && !document.hidden) timer = setTimeout(look, wait);
}

async function call(method, path, body, done) {
  try {
    const options = { method, headers: { "Content-Type": "application/json" } };
    if (body !== undefined) options.body = JSON.stringify(body);
    const answer = await fetch(`/_sandbox${path}`, options);
    const told = await answer.json();
    if (!answer.ok) return say(`Not done: ${told.error ?? told.error_msg ?? answer.status}`, true);
    say(done);
  } catch (error) {
    say("Not done: the sandbox does not answer.", true);
  }
  saidAt = Date.now();
  await look();
}

// -- buttons ---------------------------------------------------------------------------------------------------------

function act(button) {
  const { key: job_id, name, status, can, failed, resumed } = button.closest("tr").dataset;
  const to = (status, then, done, reason) => call("POST", "/status", { job_id, status, then, reason }, `${name}: ${done}`);
  if (!can.split(" ").includes(button.value)) return say(`${name} is ${status}: ${button.value} means nothing now.`);
  switch (button.value) {
    case "start": return to("STARTJOBING", "usual", "started");
    case "pause": return to("PAUSING", [], "paused");
    case "resume": return to(resumed, "usual", "resumed");
    case "fail": return to(failed, [], "failed", "Failed on the sandbox's page.");
    case "unstart": return to("CONFIGURATION", [], "not started any more");
    case "delay": return askDelay(job_id, name, button);
  }
}

function ask(dialog, opener, answered) {
  dialog.returnValue = "";
  dialog.addEventListener("close", () => { opener.focus(); if (dialog.returnValue) answered(dialog.returnValue); }, { once: true });
  dialog.showModal();
}

function askDelay(job_id, name, opener) {
  $("delay-title").textContent = `Delay of ${name}`;
  ask($("delay-dialog"), opener, (answer) => {
    const delay = { seconds: Number($("delay-seconds").value), falls: Number($("delay-falls").value), silent: $("delay-silent").value || null };
    call("POST", "/delay", { job_id, delay: answer === "none" ? null : delay }, `${name}: ${answer === "none" ? "no delay" : "delay set"}`);
  });
}

$("job-rows").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) act(button);
});

// A row is one stop of the tab key; arrows go on from there.
$("job-rows").addEventListener("keydown", (event) => {
  const button = event.target.closest("button");
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "previous", ArrowDown: "next", Home: "first", End: "last" }[event.key];
  if (!button || step === undefined) return;
  const own = [...button.parentElement.children], index = own.indexOf(button);
  let target;
  if (step === "first" || step === "last") target = own.at(step === "first" ? 0 : -1);
  else if (typeof step === "number") target = own[(index + step + own.length) % own.length];
  else {
    const row = button.closest("tr")[`${step}ElementSibling`];
    target = row?.querySelectorAll("button")[index];
  }
  event.preventDefault();
  if (!target) return;
  for (const other of target.parentElement.children) other.tabIndex = other === target ? 0 : -1;
  target.focus();
});

function filterBy(text) {
  filter = text;
  tag = "";
  history.replaceState(null, "", text ? `/?filter=${encodeURIComponent(text)}` : "/");
  look();
}

let typed = 0;
$("filter").addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(() => filterBy($("filter").value), 150); });
$("counts").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) filterBy($("filter").value = button.dataset.filter);
});
for (const button of document.querySelectorAll("[data-advance]")) {
  const seconds = Number(button.dataset.advance);
  button.addEventListener("click", () => call("POST", "/advance", { seconds }, `${button.textContent}: the clock was moved ahead`));
}
$("speed").addEventListener("change", () => {
  const speed = Number($("speed").value);
  call("PATCH", "/policy", { speed }, `Time passes at ${speed}\u00d7.`);
});
$("reset").addEventListener("click", () => {
  ask($("reset-dialog"), $("reset"), () => call("POST", "/reset", { keep_jobs: true }, "All is as it was at the beginning."));
});
$("add-fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const fault = { ...JSON.parse($("fault").value), times: Number($("times").value) };
  call("POST", "/faults", fault, `Waits: ${$("fault").selectedOptions[0].textContent}`);
});
$("clear-faults").addEventListener("click", () => call("DELETE", "/faults", undefined, "No fault waits."));
$("clear-calls").addEventListener("click", () => call("DELETE", "/calls", undefined, "The calls are forgotten."));
$("live").addEventListener("click", () => {
  isLive = !isLive;
  $("live").setAttribute("aria-pressed", String(isLive));
  say(isLive ? "Live again." : "This page stands still until you press Live.");
  look();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && isLive) look(); });

dress();
timer = setTimeout(look, EVERY_MS);
