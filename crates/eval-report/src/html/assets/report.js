// Search, filters, order and keys for the list of trials. All content is in the page without this.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const reveal = () => {
    const target = /^#t\d+$/.test(location.hash) && at(location.hash.slice(1));
    if (!target) return;
    // A trial that is linked to is shown, whatever the filters say.
    target.parentElement.hidden = false;
    target.open = true;
    target.scrollIntoView({ block: "start" });
    target.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  const list = at("list");
  if (!list) return;

  const agents = at("agent");
  const read = () => Array.from(list.children, (item) => ({
    item,
    place: Number(item.firstElementChild.id.slice(1)),
    details: item.firstElementChild,
    is: item.dataset.is,
    ms: Number(item.dataset.ms),
    score: item.dataset.score === undefined ? null : Number(item.dataset.score),
    agent: item.dataset.by,
    text: null,
  }));
  let rows = read();
  const search = at("search");
  const outcome = at("outcome");
  const order = at("order");
  const found = at("found");
  const keys = at("keys");
  const open = at("open");
  const most = 200;

  // Read once, at the first search: the page may be large.
  const textOf = (row) => (row.text ??= row.item.textContent.toLowerCase());
  const shown = () => rows.filter((row) => !row.item.hidden);

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const agent = agents ? agents.value : "";
    let count = 0;
    for (const row of rows) {
      const fits = (outcome.value === "" || row.is === outcome.value)
        && (agent === "" || row.agent === agent)
        && words.every((word) => textOf(row).includes(word));
      row.item.hidden = !fits;
      count += fits;
    }
    found.textContent = count === rows.length ? `${count} trials` : `${count} of ${rows.length} trials`;
    at("nothing").hidden = count > 0;
    label();
  };
  const label = () => {
    const all = shown().slice(0, most);
    open.textContent = all.length > 0 && all.every((row) => row.details.open) ? "Close all" : "Open all";
  };
  const sort = () => {
    const score = (row, none) => (row.score === null ? none : row.score);
    const by = {
      "": (a, b) => a.place - b.place,
      low: (a, b) => score(a, -1) - score(b, -1),
      high: (a, b) => score(b, -1) - score(a, -1),
      slow: (a, b) => b.ms - a.ms,
    }[order.value];
    rows.sort((a, b) => by(a, b) || a.place - b.place);
    list.append(...rows.map((row) => row.item));
  };
  let soon;
  const later = () => {
    clearTimeout(soon);
    soon = setTimeout(filter, 120);
  };
  const clear = () => {
    search.value = "";
    outcome.value = "";
    if (agents) agents.value = "";
    filter();
  };

  const go = (step, wanted) => {
    const all = shown();
    const now = all.findIndex((row) => row.item.contains(document.activeElement));
    let next = now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step;
    while (all[next] && !wanted(all[next])) next += step;
    if (!all[next]) return;
    const summary = all[next].details.firstElementChild;
    summary.focus();
    summary.scrollIntoView({ block: "nearest" });
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "Escape" && (event.target === search || !typing)) return clear();
    if (typing || !keys.checked) return;
    const any = () => true;
    const act = {
      "/": () => { search.focus(); search.select(); },
      j: () => go(1, any),
      k: () => go(-1, any),
      n: () => go(1, (row) => row.is !== "passed"),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  at("tools").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", later);
  for (const select of [outcome, agents]) select?.addEventListener("change", filter);
  order.addEventListener("change", sort);
  open.addEventListener("click", () => {
    const all = shown().slice(0, most);
    const closed = all.some((row) => !row.details.open);
    for (const row of all) row.details.open = closed;
    label();
  });
  list.addEventListener("toggle", label, true);
  // Where the page is served while the run goes on, rows are replaced.
  document.addEventListener("rows", () => {
    rows = read();
    if (order.value !== "") sort();
    filter();
  });
  at("tools").hidden = false;
  // A reload keeps what was chosen.
  if (order.value !== "") sort();
  filter();
  reveal();
})();
