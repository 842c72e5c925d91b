"use strict";
/*
 * What the console's pages do by themselves. Everything works by links and forms without it.
 *
 *   <a data-slide-out>, <form data-slide-out>   open what they lead to in the slide-out
 *   <form data-piece>                           send it, and put the answer where the form is
 *   data-live="what" data-live-url="..."        look again when that has changed
 *   <input data-check-url>                      say what the server thinks while somebody types
 *   <select data-preview-url data-preview-into> show what a choice would do
 *   <time data-local>                           in the reader's own zone
 *
 * A server's answer may say: X-Location (go there), data-done (close, and say this), data-changes (look again).
 * Who is signed out meanwhile signs in again; what stands in an open slide-out is kept.
 */
(() => {
  const slideOut = document.getElementById("slide-out");
  const slideOutContent = document.getElementById("slide-out-content");
  let opener = null;

  // Asking the server for a piece of a page.

  async function fetchPiece(url, options = {}, complain = say) {
    try {
      const answer = await fetch(url, { ...options, headers: { "X-Fragment": "1" }, credentials: "same-origin" });
      const where = answer.headers.get("X-Location");
      if (answer.status === 401) {
        signedOut(where);
        return null;
      }
      if (where) {
        window.location.assign(where);
        return null;
      }
      return { html: await answer.text(), status: answer.status };
    } catch {
      complain("The portal does not answer. Check your connection, and try again.");
      return null;
    }
  }

  function signedOut(where) {
    if (!slideOutContent.querySelector("form[method=post]")) {
      window.location.assign(where);
    } else if (!slideOutContent.querySelector("[data-signed-out]")) {
      const note = parse(
        '<div class="notice attention" role="alert" tabindex="-1" data-signed-out><strong>You have been signed out</strong>' +
          '<p><a target="_blank">Sign in again</a> in another tab, then come back and save: what you typed is still here.</p></div>',
      );
      note.querySelector("a").href = where;
      document.getElementById("slide-out-title").after(note);
      slideOutContent.querySelector("[data-signed-out]").focus();
    }
  }

  /** After a new sign-in: give an old form the new token, if the same person signed in. */
  async function renew(form) {
    const note = slideOutContent.querySelector("[data-signed-out]");
    if (!note) return;
    const answer = await fetch(document.body.dataset.me, { credentials: "same-origin" });
    const me = answer.ok ? await answer.json() : null;
    if (me && `${me.tenant_id}/${me.name}` === document.body.dataset.person) {
      form.elements.csrf.value = me.csrf;
      note.remove();
    }
  }

  function parse(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  }

  // Words for everybody, also for those who listen.

  function say(sentence) {
    const line = document.createElement("p");
    line.className = "toast";
    line.textContent = sentence;
    document.getElementById("said").replaceChildren(line);
    window.setTimeout(() => line.remove(), 8000);
  }

  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

  function localTimes(root) {
    for (const time of root.querySelectorAll("time[data-local]")) {
      const instant = new Date(time.dateTime);
      if (!Number.isNaN(instant.valueOf())) {
        time.textContent = format.format(instant);
        time.title = precise.format(instant);
      }
    }
  }

  // The slide-out.

  async function open(url, from) {
    const piece = await fetchPiece(url);
    if (piece) {
      if (!slideOut.open) opener = from;
      show(piece.html);
    }
  }

  function show(html) {
    const content = parse(html);
    const done = content.querySelector("[data-done]");
    if (done) {
      close();
      say(done.dataset.done);
      refresh(() => true);
      return;
    }
    if (content.querySelector("[data-changes]")) refresh(() => true);
    localTimes(content);
    slideOutContent.replaceChildren(content);
    if (!slideOut.open) slideOut.showModal();
    slideOut.scrollTop = 0;
    const first = slideOutContent.querySelector("[data-first]") || document.getElementById("slide-out-title");
    if (first) first.focus();
  }

  function close() {
    if (slideOut.open) slideOut.close();
  }

  slideOut.addEventListener("close", () => {
    slideOutContent.replaceChildren();
    giveFocusBack();
  });

  function giveFocusBack() {
    const back = opener && opener.id ? document.getElementById(opener.id) : opener;
    const menu = back && back.closest && back.closest("details.menu");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (back && back.isConnected) {
      back.focus();
    } else {
      (document.querySelector("main [data-live]") || document.getElementById("main")).focus();
    }
  }

  // Forms.

  async function send(form, submitter) {
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    await renew(form).catch(() => null);
    const method = (form.getAttribute("method") || "get").toUpperCase();
    const action = (submitter && submitter.getAttribute("formaction")) || form.getAttribute("action");
    const data = new FormData(form, submitter);
    const query = new URLSearchParams(data);
    const piece =
      method === "GET"
        ? await fetchPiece(`${action}?${query}`)
        : await fetchPiece(action, { method, body: query });
    form.removeAttribute("aria-busy");
    if (!piece) return;
    if (!slideOut.open) opener = submitter;
    show(piece.html);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form[data-piece]")) {
      event.preventDefault();
      send(form, event.submitter);
    } else if (form.matches("form[data-slide-out]")) {
      event.preventDefault();
      open(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`, event.submitter);
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-slide-out]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      open(link.getAttribute("href"), link);
    }
    if (event.target.closest("[data-close]") || event.target === slideOut) close();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest && event.target.closest("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const stops = [...menu.querySelectorAll("summary, a")].filter((each) => each.checkVisibility());
      const step = event.key === "ArrowDown" ? 1 : stops.length - 1;
      stops[(stops.indexOf(document.activeElement) + step) % stops.length].focus();
    }
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target.closest("details.menu[open]");
      if (menu) menu.querySelector(".items").scrollIntoView({ block: "nearest" });
    },
    true,
  );

  // Choosing several.

  function count() {
    const boxes = [...document.querySelectorAll("[data-selectable]")];
    const chosen = boxes.filter((box) => box.checked).length;
    for (const button of document.querySelectorAll("[data-needs-selection]")) {
      button.disabled = chosen === 0;
      button.querySelector("[data-count]").textContent = chosen ? `(${chosen})` : "";
    }
    for (const all of document.querySelectorAll("[data-select-all]")) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  }

  document.addEventListener("change", (event) => {
    const it = event.target;
    if (it.matches("[data-select-all]")) {
      for (const box of document.querySelectorAll("[data-selectable]")) box.checked = it.checked;
    }
    if (it.matches("[data-requires]")) {
      document.getElementById(it.dataset.requires).required = it.checked;
      check(document.getElementById(it.dataset.requires));
    }
    if (it.matches("[data-preview-url]")) preview(it);
    count();
  });

  // What the server thinks while somebody types.

  const typing = new WeakMap();

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-check-url]")) return;
    window.clearTimeout(typing.get(event.target));
    typing.set(event.target, window.setTimeout(() => check(event.target), 250));
  });

  async function check(input) {
    const place = input.closest(".field").querySelector("[data-checked]");
    const asked = input.value.trim();
    const coOwner = input.form.elements.co_owner;
    if (!asked || (coOwner && !coOwner.checked)) return place.replaceChildren();
    const url = `${input.dataset.checkUrl}&${new URLSearchParams({ email: asked })}`;
    const piece = await fetchPiece(url);
    if (piece && piece.status === 200 && input.value.trim() === asked) place.replaceChildren(parse(piece.html));
  }

  async function preview(select) {
    const place = document.getElementById(select.dataset.previewInto);
    if (!select.value) return place.replaceChildren();
    const chosen = select.value;
    const piece = await fetchPiece(`${select.dataset.previewUrl}&${new URLSearchParams({ member_id: chosen })}`);
    if (piece && select.value === chosen) place.replaceChildren(parse(piece.html));
  }

  // Lists that follow what others do.

  const looking = new WeakMap();

  function refresh(wanted) {
    for (const region of document.querySelectorAll("[data-live]")) {
      if (wanted(region.dataset.live)) look(region);
    }
  }

  async function look(region) {
    if (looking.has(region)) {
      looking.set(region, "again");
      return;
    }
    looking.set(region, "once");
    const piece = await fetchPiece(region.dataset.liveUrl, {}, () => null);
    if (piece && piece.status === 200) put(region, parse(piece.html));
    lookAgain(region, !piece || piece.status >= 500);
    const again = looking.get(region) === "again";
    looking.delete(region);
    if (again) look(region);
  }

  /** What could not be had is asked for again; until then the page says that it is not live. */
  function lookAgain(region, missed = false) {
    const stale = missed || region.querySelector("[data-stale]") !== null;
    live(!stale);
    if (stale) window.setTimeout(() => look(region), 5000);
  }

  function put(region, content) {
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const ticked = [...region.querySelectorAll("[data-selectable]:checked")].map((box) => box.id);
    const opened = [...region.querySelectorAll("details[open]")].map((each) => each.id);
    localTimes(content);
    region.replaceChildren(content);
    for (const id of ticked) {
      const box = document.getElementById(id);
      if (box) box.checked = true;
    }
    for (const id of opened) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    count();
    if (focused) {
      const same = focused.id ? document.getElementById(focused.id) : null;
      (same || region).focus({ preventScroll: true });
    }
  }

  let source = null;

  function follow(url) {
    source = new EventSource(url);
    source.addEventListener("changed", (event) => {
      const changed = JSON.parse(event.data);
      refresh((what) => changed.includes("everything") || changed.includes(what));
    });
    source.addEventListener("over", () => {
      source.close();
      follow(url);
    });
    source.addEventListener("open", () => live(true));
    source.addEventListener("error", () => {
      live(false);
      if (source.readyState !== EventSource.CLOSED) return;
      refresh(() => true); // whoever is signed out is told so
      window.setTimeout(() => follow(url), 5000);
    });
  }

  window.addEventListener("pagehide", () => source && source.close());

  function live(on) {
    for (const dot of document.querySelectorAll("[data-live-state]")) dot.classList.toggle("off", !on);
    for (const words of document.querySelectorAll("[data-live-words]")) words.textContent = on ? "Live" : "Reconnecting …";
  }

  localTimes(document);
  count();
  if (document.querySelector("#said .toast")) window.setTimeout(() => document.getElementById("said").replaceChildren(), 8000);
  for (const region of document.querySelectorAll("[data-live]:has([data-stale])")) lookAgain(region);
  if (document.body.dataset.liveFrom && document.querySelector("[data-live]")) follow(document.body.dataset.liveFrom);
})();
