// Keeps a page fresh: a tick of the journal fetches the page again and changes only what differs, so that scroll, focus,
// open parts and half-written texts stay. Without this script every page and form works all the same.

const main = document.getElementById("main");
const live = document.getElementById("live");
const toast = document.getElementById("toast");

// --- change only what differs ---

const keyOf = (node) => (node.nodeType === 1 ? node.id || null : null);

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function morph(old, fresh) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  // A log grows by its own stream, a loaded part stays until what it shows is another one.
  if (old.dataset.keep && old.dataset.keep === fresh.dataset.keep) return;
  // An edit under way stays as it was read, and says so if it comes too late.
  if (old.dataset.was) {
    if (old.dataset.was !== fresh.dataset.was && !old.closest("details").open) old.replaceWith(document.importNode(fresh, true));
    return;
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old.matches("textarea")) return;
  if (old.matches("select")) {
    if (document.activeElement !== old && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
    return;
  }
  children(old, fresh);
}

function children(old, fresh) {
  const named = new Map();
  for (const child of old.children) if (child.id) named.set(child.id, child);
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const known = keyOf(next) ? named.get(next.id) : null;
    if (known) {
      if (known !== place) old.insertBefore(known, place);
      else place = place.nextSibling;
      morph(known, next);
    } else if (place && alike(place, next)) {
      const now = place;
      place = place.nextSibling;
      morph(now, next);
    } else {
      old.insertBefore(document.importNode(next, true), place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

// --- fetch the page again ---

let busy = false;
let again = false;
let last = 0;

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      if (fresh) {
        morph(main, fresh);
        if (document.title !== page.title) document.title = page.title;
        wake();
      }
    }
  } catch {
    // No connection: the stream comes back and asks again.
  }
  last = performance.now() - began;
  busy = false;
  if (again) { again = false; setTimeout(refresh, Math.max(120, 3 * last)); }
}

// --- listen ---

let stream = null;
let seen = "";

function listen() {
  const events = document.body.dataset.events;
  if (!events || stream) return;
  const url = new URL(events, location.href);
  stream = new EventSource(url);
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("error", () => connected(false));
  stream.addEventListener("tick", (event) => { seen = event.lastEventId; refresh(); });
}

function connected(yes) {
  if (!live) return;
  const was = live.classList.contains("off");
  live.classList.toggle("off", !yes);
  live.textContent = yes ? live.dataset.on : live.dataset.off;
  if (yes && was) refresh();
}

// A browser gives a host few connections: pages that nobody looks at hold none.
function rest() {
  stream?.close();
  stream = null;
  following?.close();
  following = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { rest(); return; }
  listen();
  if (document.body.dataset.events) refresh();
  follow();
});
addEventListener("pagehide", rest);

// Times on the page are relative: now and then they must move.
setInterval(() => { if (!document.hidden && document.body.dataset.events) refresh(); }, 30_000);

// --- the log follows ---

const MOST = 400_000;
let following = null;
let followed = "";

function follow() {
  const log = document.querySelector(".log");
  const want = log?.dataset.follow ? log.dataset.keep : "";
  if (following && want === followed) return;
  following?.close();
  following = null;
  followed = want;
  if (!log) return;
  if (!log.dataset.shown) { log.dataset.shown = "yes"; log.scrollTop = log.scrollHeight; }
  if (!want) return;
  const source = new EventSource(resumed(log));
  source.addEventListener("text", (event) => {
    log.dataset.next = event.lastEventId;
    log.append(JSON.parse(event.data).text);
    log.normalize();
    if (log.textContent.length > MOST) log.textContent = log.textContent.slice(-MOST / 2);
    if (document.getElementById("follow")?.checked) log.scrollTop = log.scrollHeight;
  });
  source.addEventListener("end", () => { source.close(); delete log.dataset.follow; });
  following = source;
}

function resumed(log) {
  const url = new URL(log.dataset.follow, location.href);
  if (log.dataset.next) url.searchParams.set("from", log.dataset.next);
  return url;
}

// --- parts that are loaded when they are looked at ---

const near = new IntersectionObserver((found) => {
  for (const { target, isIntersecting } of found) if (isIntersecting) { near.unobserve(target); load(target); }
}, { rootMargin: "300px" });

async function load(part) {
  if (part.dataset.loaded === part.dataset.keep) return;
  part.dataset.loaded = part.dataset.keep;
  try {
    const answer = await fetch(part.dataset.load, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const body = page.getElementById("part");
    if (answer.ok && body) part.replaceChildren(...body.childNodes);
  } catch {
    part.dataset.loaded = "";
  }
}

// --- forms answer on the page ---

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-act]");
  if (!form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    const said = await answer.json();
    if (answer.ok) {
      form.closest("details")?.removeAttribute("open");
      if (!form.dataset.was) for (const text of form.querySelectorAll("textarea")) text.value = "";
      say(said.reasons.join("\n") || toast.dataset.ok);
    } else {
      say(`${toast.dataset.bad}: ${said.error.message}\n${said.error.hint}`);
    }
  } catch (cause) {
    say(`${toast.dataset.bad}: ${cause.message}`);
  }
  for (const button of buttons) button.disabled = false;
  refresh();
});

let hiding = 0;
function say(text) {
  toast.textContent = text.replaceAll("`", "");
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 6000);
}

function wake() {
  for (const part of document.querySelectorAll("[data-load]")) {
    if (part.dataset.loaded !== part.dataset.keep) near.observe(part);
  }
  follow();
}

document.querySelector("form[data-send]")?.requestSubmit();
if (!document.hidden) { listen(); }
wake();
