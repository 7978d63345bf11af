// Behaviour of the pages: plain listeners on the document, so that swapped parts need no set-up.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, handler, options) => document.addEventListener(type, handler, options);
  const rows = () => $$("#rows > tr");
  const active = () => document.activeElement;
  const lost = () => !active() || active() === document.body; // nothing has the focus
  const make = (tag, props = {}) => Object.assign(document.createElement(tag), props);
  const remember = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {}
  };

  // ---- toasts: a sentence for six seconds; errors stay ----
  const toasts = $("#toasts");
  function live(toast) {
    if (toast.dataset.level === "error") toast.setAttribute("role", "alert");
    const close = make("button", { type: "button", className: "chip-x", ariaLabel: "Dismiss" });
    close.onclick = () => toast.remove();
    toast.append(close);
    let timer;
    const start = () => {
      if (toast.dataset.level !== "error") timer = setTimeout(() => toast.remove(), 6000);
    };
    const stop = () => clearTimeout(timer);
    toast.onmouseenter = toast.onfocusin = stop;
    toast.onmouseleave = toast.onfocusout = start;
    start();
  }
  function say(message, level = "success") {
    const toast = make("div", { className: "toast" });
    toast.dataset.level = level;
    $$(".toast", toasts).forEach((old) => $("p", old).textContent === message && old.remove());
    toast.append(make("p", { textContent: message }));
    toasts.append(toast);
    live(toast);
    if (level === "error") refuse(message);
  }
  function refuse(message) {
    const refusal = $("#dialog [data-refusal]");
    if (!refusal) return;
    refusal.hidden = false;
    refusal.replaceChildren(make("span", { textContent: message }));
  }
  if (toasts) $$(".toast", toasts).forEach(live);
  let said = false;
  on("toast", (e) => {
    said = true;
    say(e.detail.message, e.detail.level);
  });

  // ---- requests: token, loading bar, failures ----
  let running = 0;
  on("htmx:configRequest", (e) => {
    const token = $("meta[name=csrf-token]");
    if (token) e.detail.headers["X-CSRFToken"] = token.content;
    const params = e.detail.parameters;
    delete params.csrf_token;
    if (e.detail.verb === "get") {
      for (const name of Object.keys(params)) if (params[name] === "") delete params[name];
    }
  });
  function busy(e, now) {
    running = Math.max(0, running + (now ? 1 : -1));
    document.body.classList.toggle("loading", running > 0);
    const list = e.detail.target?.id === "list" && $("#list");
    if (list) list.ariaBusy = now ? "true" : "false";
    document.body.classList.toggle("loading-list", Boolean(list) && now);
    const button = e.detail.requestConfig?.triggeringEvent?.submitter || e.detail.elt;
    if (button?.matches?.(".btn")) button.ariaBusy = now ? "true" : null;
  }
  on("htmx:beforeRequest", (e) => {
    said = false;
    busy(e, true);
  });
  on("htmx:afterRequest", (e) => {
    busy(e, false);
    const { elt, requestConfig, target, xhr } = e.detail;
    if (!xhr || xhr.status >= 400 || xhr.status === 0) return;
    delete elt.closest("[data-guard]")?.dataset.dirty;
    if (requestConfig.verb !== "get" && elt.isConnected && elt.closest("dialog")) closeDialog();
    if (requestConfig.verb === "delete" && target.id !== "list") counted();
  });
  on("htmx:sendError", () => say("The server cannot be reached. Check the connection and try again.", "error"));
  on("htmx:timeout", () => say("The server took too long. Try again in a moment.", "error"));
  on("htmx:responseError", (e) => {
    const { status } = e.detail.xhr;
    const id = e.detail.xhr.getResponseHeader("X-Request-ID");
    undo(e.detail.elt);
    if (status === 404 && $("#dialog dialog")) closeDialog();
    if (!said) say(`That did not work (${status}).`, "error");
    if (status >= 500 && id) toasts.lastChild.firstChild.append(` Reference ${id}.`);
  });

  // ---- dialogs: what arrives in #dialog is shown as a modal, and the focus comes back ----
  let opener;
  const closeDialog = () => $("#dialog dialog")?.close();
  function showDialog() {
    const dialog = $("#dialog dialog");
    if (!dialog) return;
    dialog.removeAttribute("open");
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (lost()) focusBack();
    });
    dialog.addEventListener("click", (e) => e.target === dialog && leave(dialog) && dialog.close());
    dialog.addEventListener("cancel", (e) => {
      if (!leave(dialog)) e.preventDefault();
    });
    // What was asked for in it and comes after it has gone is dropped, parts elsewhere included.
    dialog.addEventListener("htmx:beforeSwap", (e) => (e.detail.shouldSwap &&= dialog.isConnected));
    dialog.showModal();
  }
  function leave(root) {
    return !$("[data-dirty]", root) || refuse("Not closed: Cancel drops what you typed.");
  }
  on("htmx:oobAfterSwap", (e) => e.detail.target.id === "dialog" && showDialog());
  function showOwn(name) {
    remembered();
    $("#dialog").replaceChildren($(name).content.cloneNode(true));
    showDialog();
  }
  const showKeys = () => showOwn("#keys");
  // What saves at once may ask first; a "no", or a refusal, puts the control back.
  on("htmx:confirm", (e) => {
    const { question, issueRequest, elt } = e.detail;
    if (!question) return;
    e.preventDefault();
    showOwn("#ask");
    const end = question.lastIndexOf("? ") + 1; // a name may hold one, too
    $("#dialog h2").textContent = question.slice(0, end);
    $("#dialog p").textContent = question.slice(end).trim();
    $("#dialog [data-confirm]").textContent = question.split(" ")[0];
    let yes;
    $("#dialog [data-confirm]").onclick = () => {
      yes = true;
      closeDialog();
      issueRequest(true);
    };
    $("#dialog dialog").addEventListener("close", () => yes || undo(elt));
  });
  function undo(elt) {
    if (elt.options) elt.selectedIndex = [...elt.options].findIndex((option) => option.defaultSelected);
  }
  on("click", (e) => {
    if (e.target.closest("[data-dismiss]")) closeDialog();
    if (e.target.closest("[data-show-keys]")) showKeys();
  });

  // ---- the focus: after a save, cancel or delete it is back on the row, or the next one ----
  let place = null;
  function remembered(element = active()) {
    if (element?.closest?.("dialog")) return;
    opener = element;
    const row = element?.closest?.("#rows > tr");
    if (row || !element?.closest?.("#list")) place = row && { id: row.id, index: rows().indexOf(row), cell: element.closest("[data-cell]")?.dataset.cell };
  }
  function focusBack() {
    if (place) {
      const row = document.getElementById(place.id) || rows()[Math.min(place.index, rows().length - 1)];
      const cell = row?.id === place.id && place.cell && $(`[data-cell="${place.cell}"]`, row);
      if (row) arm(row);
      if (cell) return (cell.matches("td") ? $(".cell-pencil", cell) : cell).focus();
      if (row) return row.focus();
    }
    if (opener?.isConnected) return opener.focus();
    ($("#query input") || $("#main"))?.focus();
  }
  on("htmx:afterSwap", (e) => {
    const { target, elt } = e.detail;
    if (target.id === "dialog") return showDialog();
    if (elt.id === "list" || target.id === "list") listed(e.detail.requestConfig);
  });
  // A new list: the search box says what was searched, and the focus is where it was, or near.
  function listed({ elt, verb, path }) {
    picked();
    const box = $("#query input");
    if (box && verb === "get" && active() !== box) {
      box.value = new URL(path, location.href).searchParams.get("search") ?? (elt.matches("form") ? box.value : "");
    }
    if (elt.matches("[id^=page-]")) scrollTo(0, 0);
    if (!lost() || $("#dialog dialog")) return;
    if (elt.closest(".filters")) ($("#add-filter") || box)?.focus();
    else focusBack();
  }
  // A form that arrived has said itself, by `autofocus`, where the work goes on.
  on("htmx:afterSettle", (e) => {
    const { verb } = e.detail.requestConfig || {};
    const { id } = e.detail.target;
    const form = place && $(`#${CSS.escape(place.id)} [data-editing]`);
    if (id && lost()) ((!place && opener?.id && $(`#${opener.id}`)) || $(`#${CSS.escape(id)}[tabindex]:not(tr)`))?.focus();
    if (!place || form || id === "dialog" || id === "list") return;
    const row = document.getElementById(place.id);
    if (verb && verb !== "get") row?.classList.add("saved");
    if (next) {
      const wanted = next;
      next = null;
      return openCell(wanted.row, wanted.name);
    }
    if (lost()) focusBack();
  });
  function counted() {
    const count = $("#count");
    const number = Number(count?.textContent.replaceAll(",", ""));
    if (number > 0) count.textContent = (number - 1).toLocaleString("en-US");
    if (count && !rows().length) get(location.href, $("#list"), "outerHTML");
    picked();
  }

  // ---- rows and cells: edit in place ----
  // The small buttons of a row come when the pointer or the focus does: 50 rows would hold 200.
  function arm(row) {
    const name = box(row)?.ariaLabel.replace("Select ", "") || "";
    const small = (type, label) => {
      const button = make("button", { type: "button", className: type, ariaLabel: `${label} of ${name}` });
      return button;
    };
    for (const cell of row.cells || []) {
      const { label } = cell.dataset;
      if (cell.matches(".cell-url") && $("a", cell) && !$(".copy", cell)) {
        const copy = small("copy", `Copy ${label || "URL"}`);
        copy.dataset.copy = "";
        $("a", cell).after(copy);
      }
      if (cell.matches("[data-cell]") && !$(".cell-pencil, form", cell)) {
        cell.append(small("cell-pencil", `Edit ${label || cell.dataset.cell}`));
      }
    }
  }
  ["mouseover", "focusin"].forEach((type) =>
    on(type, (e) => {
      const row = e.target.closest?.("#rows > tr");
      if (row) arm(row);
    }),
  );
  let next = null;
  const get = (url, target, swap) => htmx.ajax("GET", url, { target, swap, source: target }).catch(() => {});
  function editRow(row) {
    if (!$(".actions [data-action=edit]", row)) return $("a", row)?.click();
    remembered(row);
    get(`${row.dataset.path}/edit`, row, "outerHTML");
  }
  function deleteRow(row, from = row) {
    if (!$(".actions [data-action=delete]:not([aria-disabled])", row)) return;
    remembered(from);
    get(`${row.dataset.path}/delete`, $("#dialog"), "innerHTML");
  }
  function openCell(row, name) {
    if (typeof row === "string") row = document.getElementById(row);
    const cell = row && $(`[data-cell="${name}"]`, row);
    if (!cell) return focusBack();
    remembered(cell);
    get(`${row.dataset.path}/cell/${name}`, cell.closest("td"), "innerHTML");
  }
  on("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.button) return;
    const row = e.target.closest("#rows > tr");
    const cell = e.target.closest("[data-cell]");
    const act = e.target.closest("#rows .actions [data-action]");
    const inside = e.target.closest("a, .copy, form, input");
    if (cell && !(inside && cell.contains(inside))) openCell(row, cell.dataset.cell);
    else if (act?.dataset.action === "edit") e.preventDefault(), editRow(row);
    else if (act?.dataset.action === "delete") e.preventDefault(), deleteRow(row, act);
    else if (e.target.closest("[hx-target='#dialog']")) remembered(e.target.closest("[hx-target='#dialog']"));
    else if (row && e.target.matches("td")) row.focus();
  });
  on("keydown", (e) => {
    const form = e.target.closest?.("[data-editing]");
    if (!form || e.isComposing) return;
    const name = form.dataset.editing;
    const multi = e.target.matches("textarea");
    if (e.key === "Escape") {
      e.preventDefault();
      $("[data-action=cancel]", form).click();
    } else if (e.key === "Enter" && (multi ? e.ctrlKey || e.metaKey || (name && !e.shiftKey) : e.target.matches("input"))) {
      e.preventDefault();
      form.requestSubmit();
    } else if (e.key === "Tab" && name && !e.target.matches("button, [type=radio]")) {
      const row = form.closest("tr");
      const all = $$("#rows [data-cell], #rows [data-editing]").filter((c) => !$("[data-editing]", c));
      const near = all[all.indexOf(form) + (e.shiftKey ? -1 : 1)];
      if (!near) return;
      e.preventDefault();
      next = { row: near.closest("tr").id, name: near.dataset.cell };
      if ($(".input, .textarea, .select", form)?.dataset.first === value(form)) $("[data-action=cancel]", form).click();
      else form.requestSubmit();
    }
  });
  const value = (form) => $(".input, .textarea, .select", form)?.value;
  on("htmx:load", (e) => {
    const form = e.detail.elt.matches?.("[data-editing]") && e.detail.elt;
    const field = form && form.dataset.editing && $(".input, .textarea, .select", form);
    if (field && field.ariaInvalid !== "true") {
      field.dataset.first = field.value;
      field.select?.();
    }
  });
  on("htmx:beforeSwap", (e) => {
    if (e.detail.xhr.status >= 400) next = null;
  });

  // ---- the list by keyboard ----
  function step(by, extend) {
    const all = rows();
    const at = all.indexOf(active()?.closest("#rows > tr"));
    const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (!row) return;
    if (extend && at >= 0) pick(all[at], true);
    if (extend) pick(row, true);
    row.focus();
  }
  on("keydown", (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || $("#dialog dialog")) return;
    const menu = e.key === "Escape" && e.target.closest?.("[data-pop][open]");
    if (menu) {
      menu.open = false;
      return $("summary", menu).focus();
    }
    if (e.key === "Escape" && document.documentElement.classList.contains("drawer")) return drawer(false);
    if (e.target.closest?.("input:not([type=checkbox]), textarea, select, [data-editing]")) {
      if (e.target.matches("#query input") && (e.key === "ArrowDown" || e.key === "Enter")) {
        if (e.key === "ArrowDown") e.preventDefault(), step(1);
      }
      return;
    }
    const row = e.target.closest?.("#rows > tr");
    const mine = row && e.target === row;
    const control = e.target.closest?.("a, button, summary, input");
    const keys = {
      "/": () => $("#query input"),
      "?": showKeys,
      j: () => step(1, e.shiftKey),
      J: () => step(1, true),
      k: () => step(-1, e.shiftKey),
      K: () => step(-1, true),
      ArrowDown: () => row && step(1, e.shiftKey),
      ArrowUp: () => row && step(-1, e.shiftKey),
      x: () => row && toggle(row, e.shiftKey),
      X: () => row && toggle(row, true),
      " ": () => mine && toggle(row, e.shiftKey),
      Enter: () => mine && editRow(row),
      e: () => row && editRow(row),
      "#": () => row && deleteRow(row),
    };
    if (!(e.key in keys) || ((e.key === " " || e.key === "Enter") && control)) return;
    if (!$("#list") && e.key !== "?") return;
    if ("/?jJkK".includes(e.key) || row) e.preventDefault();
    const found = keys[e.key]();
    if (e.key === "/" && found) found.focus(), found.select();
  });

  // ---- picking rows, and the bar that says what can be done with them ----
  let last = null;
  const box = (row) => $(".pick input", row);
  const pick = (row, yes) => {
    const input = box(row);
    if (input) input.checked = yes;
    last = row;
    picked();
  };
  function toggle(row, extend) {
    const input = box(row);
    if (!input) return;
    const all = rows();
    if (extend && last?.isConnected) {
      const [from, to] = [all.indexOf(last), all.indexOf(row)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((r) => (box(r).checked = true));
      picked();
    } else pick(row, !input.checked);
  }
  function picked(every = false) {
    const bar = $("#bulk");
    if (!bar) return;
    const boxes = $$("#rows .pick input");
    const n = boxes.filter((b) => b.checked).length;
    const all = $("[data-pick-all]");
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    bar.hidden = n === 0;
    $("[data-all]", bar).disabled = !every;
    const more = $("[data-pick-matching]", bar);
    if (more) more.hidden = every || n < boxes.length;
    const total = $("#count").textContent;
    if (more) more.textContent = `Select all ${total} that match`;
    $("[data-picked]", bar).textContent = every ? `All ${total} that match are selected` : `${n} selected`;
  }
  on("click", (e) => {
    const input = e.target.closest("#rows .pick input");
    const cell = e.target.closest("#rows .pick");
    const row = cell?.closest("tr");
    if (input && e.shiftKey && last?.isConnected) {
      input.checked = true;
      toggle(row, true);
    } else if (cell && !input) toggle(row, e.shiftKey);
    if (row) last = row;
    if (e.target.closest("[data-pick-matching]")) picked(true);
    if (e.target.closest("[data-pick-none]")) {
      $$("#rows .pick input").forEach((b) => (b.checked = false));
      picked();
      focusBack();
    }
  });
  on("change", (e) => {
    if (e.target.matches("[data-pick-all]")) $$("#rows .pick input").forEach((b) => (b.checked = e.target.checked));
    if (e.target.matches("[data-pick-all], .pick input")) picked();
  });

  // ---- pickers that search on the server, and words as chips ----
  let counter = 0;
  function picker(input) {
    const tags = input.closest("[data-tags]");
    const list = make("ul", { className: "options", id: `options-${++counter}` });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    let hidden, timer, asked = 0;
    const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
    for (const [name, text] of Object.entries(attributes)) input.setAttribute(name, text);
    const shell = input.parentElement;
    if (tags) chips();
    else {
      hidden = make("input", { type: "hidden", name: input.name, value: input.dataset.value });
      input.removeAttribute("name");
      input.after(hidden);
    }
    shell.append(list);
    const options = () => $$("li[role=option]", list);
    const chosen = () => $("[aria-selected=true]", list);
    function mark(option) {
      chosen()?.removeAttribute("aria-selected");
      option?.setAttribute("aria-selected", "true");
      option?.scrollIntoView({ block: "nearest" });
      if (option) input.setAttribute("aria-activedescendant", option.id);
      else input.removeAttribute("aria-activedescendant");
    }
    // Whatever is on its way is not wanted any more.
    function close() {
      asked++;
      clearTimeout(timer);
      list.replaceChildren();
      input.setAttribute("aria-expanded", "false");
      mark(null);
    }
    async function search() {
      const url = input.dataset.lookup;
      const turn = ++asked;
      if (!url) return;
      const headers = { "HX-Request": "true" };
      const answer = await fetch(`${url}&query=${encodeURIComponent(input.value)}`, { headers }).catch(() => null);
      const found = await answer?.text();
      if (turn !== asked || !answer?.ok || active() !== input) return;
      list.innerHTML = found;
      options().forEach((option, i) => (option.id = `${list.id}-${i}`));
      if (!options().length && input.value) list.append(make("li", { textContent: tags ? `Enter adds “${input.value}”` : "Nobody and nothing found", className: "quiet" }));
      input.setAttribute("aria-expanded", String(options().length > 0));
    }
    function take(option) {
      if (tags) add(option.dataset.value);
      else {
        input.value = option.dataset.text || option.textContent.trim();
        hidden.value = option.dataset.value;
        if (input.closest("[data-submit]")) input.form.requestSubmit();
      }
      close();
      input.dispatchEvent(new Event("picked", { bubbles: true }));
    }
    input.addEventListener("input", () => {
      if (hidden) hidden.value = input.value;
      close();
      timer = setTimeout(search, 150);
    });
    input.addEventListener("focus", () => !tags && !input.value && search());
    input.addEventListener("blur", () => setTimeout(() => (tags && add(input.value), close()), 150));
    list.addEventListener("mousedown", (e) => {
      e.preventDefault();
      const option = e.target.closest("[role=option]");
      if (option) take(option);
    });
    input.addEventListener("keydown", (e) => {
      const all = options();
      const at = all.indexOf(chosen());
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        if (!all.length) search();
        else mark(all[(at + (e.key === "ArrowDown" ? 1 : -1) + all.length + (at < 0 && e.key === "ArrowUp" ? 1 : 0)) % all.length]);
      } else if (e.key === "Escape" && list.childElementCount) {
        e.preventDefault();
        e.stopPropagation();
        close();
      } else if (e.key === "Enter" && chosen()) {
        e.preventDefault();
        e.stopPropagation();
        take(chosen());
      } else if (tags && (e.key === "Enter" || e.key === ";" || e.key === ",") && (input.value.trim() || e.key !== "Enter")) {
        e.preventDefault();
        add(input.value);
        close();
      } else if (tags && e.key === "Backspace" && !input.value) {
        $$(".tag-chip", shell).at(-1)?.remove();
        changed();
      }
    });
    function changed() {
      input.dispatchEvent(new Event("picked", { bubbles: true }));
    }
    function add(word) {
      word = word.trim();
      input.value = "";
      const name = tags.dataset.tags;
      if (!word || $$("input[type=hidden]", shell).some((h) => h.value.toLowerCase() === word.toLowerCase())) return;
      const chip = make("span", { className: "tag-chip" });
      const remove = make("button", { type: "button", className: "chip-x", ariaLabel: `Remove ${word}` });
      remove.onclick = () => (chip.remove(), input.focus(), changed());
      chip.append(make("span", { textContent: word }), make("input", { type: "hidden", name, value: word }), remove);
      input.before(chip);
      changed();
    }
    function chips() {
      const words = input.value.split(";");
      input.removeAttribute("name");
      input.type = "text";
      input.className = "";
      shell.classList.add("input", "tags-box");
      // an empty list must be sent too
      shell.prepend(make("input", { type: "hidden", name: tags.dataset.tags, value: "" }));
      words.forEach(add);
      shell.addEventListener("mousedown", (e) => e.target === shell && (e.preventDefault(), input.focus()));
    }
  }
  function enhance(root) {
    $$("[data-lookup], [data-tags] > input:not([type=hidden])", root).forEach((input) => input.role !== "combobox" && picker(input));
  }
  enhance(document);
  on("htmx:load", (e) => enhance(e.detail.elt));

  // ---- unsaved work: said in the save bar, asked about before leaving ----
  let sent = false;
  function dirty(e) {
    const form = e.target.closest?.("[data-guard]");
    if (!form || e.target.closest("[data-no-guard]") || (e.type === "picked" && !form.isConnected)) return;
    form.dataset.dirty = "";
    const note = $("[data-unsaved]", form);
    const names = new Set($$(".field", form).filter((f) => f.dataset.changed).map((f) => f.dataset.changed));
    const field = e.target.closest(".field");
    const label = field && $("label", field);
    if (label) names.add((field.dataset.changed = label.firstChild.textContent.trim()));
    if (note) note.textContent = `Unsaved: ${[...names].join(", ") || "changes"}`;
  }
  setTimeout(() => ["input", "change", "picked"].forEach((type) => on(type, dirty)));
  on("submit", (e) => {
    sent = !e.target.matches("[hx-put], [hx-post], [hx-get]");
    if (sent && e.submitter?.matches(".btn")) e.submitter.ariaBusy = "true";
    document.body.classList.toggle("loading", sent);
  });
  addEventListener("beforeunload", (e) => {
    if (!sent && $("[data-dirty]")) e.preventDefault();
  });
  addEventListener("pageshow", () => {
    sent = false;
    document.body.classList.remove("loading");
    $$("[aria-busy]").forEach((b) => b.removeAttribute("aria-busy"));
  });
  $("[data-summary]")?.focus();

  // ---- small things: copy, theme, side bar, menus, tips ----
  on("click", async (e) => {
    const button = e.target.closest("[data-copy]");
    if (!button) return;
    const text = button.dataset.copy || button.closest("td").querySelector("a, code").getAttribute("href");
    try {
      await navigator.clipboard.writeText(text);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
      say("Copied.");
    } catch {
      say("The browser did not allow copying.", "error");
    }
  });
  const root = document.documentElement;
  function themed() {
    const now = (root.dataset.theme || "").replace("adminsite-", "");
    $$("[data-theme-choice]").forEach((b) => (b.ariaPressed = String(b.dataset.themeChoice === now)));
  }
  function folded() {
    const button = $("[data-fold]");
    if (!button) return;
    const yes = root.classList.contains("folded");
    button.ariaExpanded = String(!yes);
    $("span", button).textContent = yes ? "Expand" : "Collapse";
  }
  function drawer(open) {
    root.classList.toggle("drawer", open);
    (open ? $("#sidebar a") : $("[data-drawer]")).focus();
  }
  on("click", (e) => {
    const choice = e.target.closest("[data-theme-choice]");
    if (choice) {
      const name = choice.dataset.themeChoice;
      if (name) root.dataset.theme = `adminsite-${name}`;
      else delete root.dataset.theme;
      remember("theme", name);
      themed();
    }
    if (e.target.closest("[data-fold]")) {
      remember("sidebar", root.classList.toggle("folded") ? "folded" : "");
      folded();
    }
    if (e.target.closest("[data-drawer]")) {
      e.preventDefault();
      drawer(true);
    } else if (root.classList.contains("drawer") && (!e.target.closest("#sidebar") || e.target.closest("a"))) drawer(false);
    $$("[data-pop][open]").forEach((pop) => {
      if (!pop.contains(e.target)) pop.open = false;
    });
  });
  themed();
  folded();

  // What does not fit its cell: tags are counted, names and addresses are known as cut.
  const wide = (element) => element.scrollWidth > element.clientWidth;
  function fit(part) {
    const cut = $$(".cell-owners div a, .cell-url i:first-child", part).filter(wide);
    const full = $$(".cell-tags", part).filter((cell) => cell.clientWidth && wide(cell));
    const kept = full.map((cell) => {
      const end = cell.getBoundingClientRect().right - 48;
      return $$("a", cell).filter((tag, i) => !i || tag.getBoundingClientRect().right <= end).length;
    });
    cut.forEach((text) => text.classList.add("cut"));
    full.forEach((cell, i) => {
      const more = $(".more", cell) || make("span", { className: "more", tabIndex: 0 });
      const away = $$("a", cell).slice(kept[i]);
      const count = away.length + Number(more.textContent);
      more.dataset.tip = [...away.map((tag) => tag.textContent), more.dataset.tip].filter(Boolean).join(", ");
      more.textContent = `+${count}`;
      away.forEach((tag) => (tag.hidden = true));
      if (away.length) cell.append(more);
    });
  }
  fit(document);
  on("htmx:load", (e) => fit(e.detail.elt));

  let tip;
  function hint(e) {
    tip?.remove();
    if (/out|down/.test(e.type) || e.target.closest?.(".cell-form")) return;
    let at = e.target.closest?.(".cell-url a, [data-tip], .actions [aria-label], .copy, .cell-pencil, .folded .nav a, .folded .nav-fold");
    let text;
    if (at) text = at.dataset.tip || (at.matches(".cell-url a") ? at.getAttribute("href") : at.ariaLabel || at.textContent);
    else {
      at = e.target.closest?.("#rows td");
      if (!at || $("form", at) || ![at, ...$$("*", at)].some((n) => n.scrollWidth > n.clientWidth + 1 && n.clientWidth)) return;
      text = at.matches(".cell-tags") ? [...at.children].map((n) => n.dataset.tip || n.textContent).join(", ") : at.textContent;
    }
    tip = make("div", { className: "tip", textContent: text.trim().slice(0, 2000) });
    document.body.append(tip);
    const spot = at.getBoundingClientRect();
    const below = spot.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.top = `${below ? spot.bottom + 6 : Math.max(4, spot.top - 6 - tip.offsetHeight)}px`;
    tip.style.left = `${Math.max(8, Math.min(spot.left, innerWidth - tip.offsetWidth - 8))}px`;
  }
  ["mouseover", "mouseout", "mousedown", "focusin", "focusout", "keydown"].forEach((type) => on(type, hint));
})();
