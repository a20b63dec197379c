// Keeps a page up to date: asks for it again, and touches only what is different, so that nothing moves that is looked at.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  // What comes was escaped by the server; a template runs nothing of it in any case.
  const policy = self.trustedTypes?.createPolicy("page", { createHTML: (text) => text });
  const get = async (address, etag) => {
    // What runs is here already.
    const headers = { "x-content-only": "1" };
    if (etag) headers["If-None-Match"] = etag;
    const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(30_000) });
    const text = await answer.text();
    const template = document.createElement("template");
    template.innerHTML = policy ? policy.createHTML(text) : text;
    return { status: answer.status, etag: answer.headers.get("ETag"), page: template.content };
  };

  // Names an element among its siblings, so that it is found again though others came or went.
  const names = (parent) => {
    const seen = new Map();
    return Array.from(parent.children, (child) => {
      const own = child.id || (child.tagName === "OPTION" ? `=${child.value}` : child.firstElementChild?.id);
      if (own) return own;
      const nth = (seen.get(child.tagName) ?? 0) + 1;
      seen.set(child.tagName, nth);
      return `${child.tagName} ${nth}`;
    });
  };
  // What the reader or another script did to an element, and not the server.
  const theirs = ["open", "hidden"];
  // Elements of elements. All others are replaced with what is in them.
  const structure = new Set(
    "ARTICLE DETAILS DIV FIGURE FORM HEADER LABEL LI MAIN NAV SECTION SELECT TABLE TBODY THEAD TR UL".split(" "),
  );
  const hasText = (element) => Array.from(element.childNodes)
    .some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
  const update = (old, now) => {
    for (const name of theirs) now.toggleAttribute(name, old.hasAttribute(name));
    if (old.isEqualNode(now)) return;
    for (const { name, value } of Array.from(now.attributes)) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of Array.from(old.attributes)) {
      if (!now.hasAttribute(name)) old.removeAttribute(name);
    }
    if (!structure.has(old.tagName) || hasText(old) || hasText(now)) {
      old.replaceChildren(...now.childNodes);
      return;
    }
    const wanted = names(now).map((name, nth) => [name, now.children[nth]]);
    const tags = new Map(wanted.map(([name, child]) => [name, child.tagName]));
    const kept = new Map();
    const children = Array.from(old.children);
    names(old).forEach((name, nth) => {
      if (tags.get(name) === children[nth].tagName) kept.set(name, children[nth]);
      else children[nth].remove();
    });
    let place = old.firstElementChild;
    for (const [name, child] of wanted) {
      const mine = kept.get(name) ?? document.adoptNode(child);
      if (mine !== child) update(mine, child);
      if (mine === place) place = place.nextElementSibling;
      // Trials stay in the order that the reader chose.
      else if (old.id !== "list" || mine === child) old.insertBefore(mine, place);
    }
  };

  const lost = at("lost");
  const isRun = at("now") !== null;
  let tag = null;
  let tagOfNow = null;
  let shown = at("now")?.dataset.revision;
  // Of the server's clock behind that of the browser.
  let behind = 0;
  // When a large page may be asked for again.
  let due = 0;

  const ask = async (address, known) => {
    const answer = await get(address, known);
    if (answer.status === 304) return null;
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    return answer;
  };
  const clock = () => {
    const now = at("now");
    if (now) behind = Date.now() - Number(now.dataset.now);
  };
  const refresh = async () => {
    const answer = await ask(location.href, tag);
    if (!answer) return;
    const page = answer.page;
    // The report's own script needs its list from the start.
    if (!at("list") && page.getElementById("list")) return location.reload();
    tag = answer.etag;
    shown = page.getElementById("now")?.dataset.revision;
    update(document.querySelector("header.top"), page.querySelector("header.top"));
    update(at("main"), page.getElementById("main"));
    clock();
    document.dispatchEvent(new Event("rows"));
    choose();
  };
  const round = async () => {
    if (!isRun) return refresh();
    const answer = await ask("now", tagOfNow);
    if (answer) {
      tagOfNow = answer.etag;
      update(at("now"), answer.page.getElementById("now"));
      clock();
    }
    const start = performance.now();
    if (at("now").dataset.revision !== shown && start >= due) {
      await refresh();
      due = performance.now() + 10 * (performance.now() - start);
    }
  };
  const pause = () => {
    if (at("unread")) return 100;
    if (!isRun) return 2_000;
    return at("now").classList.contains("live") ? 1_000 : 5_000;
  };
  const visible = () => new Promise((done) => {
    if (!document.hidden) return done();
    document.addEventListener("visibilitychange", () => done(), { once: true });
  });
  const follow = async () => {
    for (let failed = 0;;) {
      await new Promise((done) => setTimeout(done, pause() * 2 ** Math.min(failed, 4)));
      await visible();
      try {
        await round();
        failed = 0;
      } catch {
        failed += 1;
      }
      lost.hidden = failed < 2;
    }
  };

  const text = (ms) => {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (n) => String(n).padStart(2, "0");
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`;
  };
  const tick = () => {
    for (const time of document.querySelectorAll("[data-since]")) {
      time.textContent = text(Date.now() - behind - Number(time.dataset.since));
    }
  };

  // Two runs can be compared, and no other number of them.
  const choose = () => {
    const button = at("compare");
    if (button) button.disabled = document.querySelectorAll("#table input:checked").length !== 2;
  };
  document.addEventListener("change", (event) => {
    choose();
    if (event.target.tagName === "SELECT") event.target.closest("#filter")?.requestSubmit();
  });

  choose();
  clock();
  if (isRun) setInterval(tick, 1_000);
  if (isRun || at("main").hasAttribute("data-live")) follow();
})();
