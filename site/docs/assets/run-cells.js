// Runs the cells of a lesson in the page: a button under each, and the Python they run in, which is loaded with the first press.
(() => {
  const script = document.currentScript;
  const home = new URL(script.dataset.run, script.src);
  const root = new URL("../../", home);
  const memory = `cold-start ${location.pathname} `;
  const progress = `cold-start ${root.pathname} progress`;
  const outputs = ".output, .admonition.feedback, details.failure, details.more";

  const make = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };

  // What a browser may refuse to keep, when its store is full or closed, is lost with the page, and nothing else is.
  const read = (key) => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const write = (key, text) => {
    try {
      if (text === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
    } catch { /* as said above */ }
  };
  const recall = (key) => {
    try { return JSON.parse(read(memory + key)); } catch { return null; }
  };
  const remember = (key, value) => write(memory + key, value && JSON.stringify(value));

  // --- A cell -------------------------------------------------------------------------------------------------------------

  class Cell {
    constructor(block, number) {
      this.block = block;
      this.key = block.id;
      this.pre = block.querySelector("pre");
      this.written = this.pre.querySelector("code").textContent.replace(/\n$/, "");
      this.name = `cell ${number}`;
      this.title = `Cell ${number}`;
      this.alone = block.dataset.run === "alone";
      this.ran = false;
      this.stored = [];
      for (let next = block.nextElementSibling; next?.matches(outputs); next = next.nextElementSibling) this.stored.push(next);
      this.bar = make("div", { className: "cell-bar" });
      this.runs = make("button", { type: "button", className: "cell-run", textContent: "Run" });
      this.runs.setAttribute("aria-label", `Run ${this.name}`);
      this.runs.addEventListener("click", () => runUpTo(this));
      this.edits = make("button", { type: "button", textContent: "Edit" });
      this.edits.setAttribute("aria-label", `Edit ${this.name}`);
      this.edits.addEventListener("click", () => this.edit().focus());
      this.resets = make("button", { type: "button", textContent: "Reset", hidden: true });
      this.resets.setAttribute("aria-label", `Reset ${this.name} to what the lesson says`);
      this.resets.addEventListener("click", () => this.reset());
      this.bar.append(this.runs, this.edits, this.resets);
      block.append(this.bar);
      const before = recall(this.key);
      if (before && typeof before.source === "string" && before.source !== this.written) this.edit().value = before.source;
      if (before?.output && before.of === this.written) this.restore(before.output);
      this.fit();
    }

    get source() {
      return this.area ? this.area.value : this.written;
    }

    edit() {
      if (!this.area) {
        this.area = make("textarea", { className: "cell-editor", value: this.written, spellcheck: false, autocapitalize: "off" });
        this.area.setAttribute("aria-label", `${this.title}: Python. Control and Enter runs it.`);
        this.area.addEventListener("input", () => { this.fit(); this.keep(); });
        this.area.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
          event.preventDefault();
          runUpTo(this);
        });
        this.pre.hidden = true;
        this.pre.after(this.area);
        this.edits.hidden = true;
        this.resets.hidden = false;
        this.fit();
      }
      return this.area;
    }

    reset() {
      this.area?.remove();
      this.area = null;
      this.pre.hidden = this.edits.hidden = false;
      this.resets.hidden = true;
      this.live?.remove();
      this.live = null;
      this.stored.forEach((output) => { output.hidden = false; });
      remember(this.key, null);
      this.runs.focus();
    }

    fit() {
      if (this.area) this.area.rows = this.area.value.split("\n").length;
      this.resets.hidden = !this.area && !this.live;
    }

    keep() {
      const output = this.live && this.live.innerHTML.length < 60000 ? this.live.innerHTML : null;
      const source = this.area && this.area.value !== this.written ? this.area.value : null;
      remember(this.key, source || output ? { of: this.written, source, output } : null);
    }

    // --- What it says, in the shape of the outputs that the page came with

    begin() {
      this.live?.remove();
      this.stored.forEach((output) => { output.hidden = true; });
      this.live = make("div", { className: "live" });
      this.place();
    }

    place() {
      this.block.after(this.live);
      this.resets.hidden = false;
    }

    restore(inside) {
      this.live = make("div", { className: "live" });
      this.live.append(cleaned(inside));
      this.stored.forEach((output) => { output.hidden = true; });
      this.place();
    }

    print(kind, text) {
      let last = this.live.lastElementChild;
      if (last?.dataset.kind !== kind) {
        last = make("figure", { className: `output${kind === "error" ? " output-error" : ""}` });
        last.dataset.kind = kind;
        const title = kind === "error" ? "Error" : kind === "stderr" ? "Output, standard error" : "Output";
        last.append(make("figcaption", {}, make("span", { textContent: title })), make("pre"));
        this.live.append(last);
      }
      const pre = last.lastElementChild;
      for (const line of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
        const open = pre.lastChild && !pre.lastChild.textContent.endsWith("\n") ? pre.lastChild : null;
        if (open) open.textContent += line;
        else pre.append(make("span", { textContent: line }));
        pre.lastChild.className = /^(?:INIT_START|START|END|REPORT) /.test(pre.lastChild.textContent) ? "lambda-line" : "";
      }
    }

    show(html) {
      const figure = make("figure", { className: "output output-table" });
      figure.append(make("figcaption", {}, make("span", { textContent: "Output" })), cleaned(html));
      this.live.append(figure);
    }

    end() {
      if (!this.live.childElementCount) this.print("stdout", "Done. It printed nothing.\n");
      this.keep();
      this.fit();
    }
  }

  // What a cell shows is text and tables. Scripts in it, and whatever else would do something, are left out.
  function cleaned(html) {
    const content = new DOMParser().parseFromString(html, "text/html").body;
    content.querySelectorAll("script, style, iframe, object, embed, link, meta, base, form").forEach((node) => node.remove());
    content.querySelectorAll("*").forEach((node) => {
      for (const { name, value } of [...node.attributes]) {
        if (/^on/i.test(name) || /^\s*javascript:/i.test(value)) node.removeAttribute(name);
      }
    });
    const fragment = document.createDocumentFragment();
    fragment.append(...content.childNodes);
    return fragment;
  }

  // --- The bar that says how far it is -------------------------------------------------------------------------------------

  const status = make("p", { className: "runner-status" });
  status.setAttribute("role", "status");
  const all = make("button", { type: "button", textContent: "Run all" });
  const stop = make("button", { type: "button", textContent: "Stop" });
  const again = make("button", { type: "button", textContent: "Reset all" });
  const runner = make("section", { className: "runner" }, status, all, stop, again);
  runner.setAttribute("aria-label", "Python in this page");
  all.addEventListener("click", () => enqueue(cells));
  stop.addEventListener("click", () => end("Stopped. What the cells had made is gone; Run brings it back."));
  again.addEventListener("click", () => {
    end("Everything is as the lesson has it.");
    cells.forEach((cell) => cell.reset());
    all.focus();
  });
  const tell = (text) => {
    if (!runner.isConnected) {
      document.body.append(runner);
      document.documentElement.classList.add("has-runner");
    }
    if (status.textContent !== text) status.textContent = text;
    stop.hidden = !worker;
  };

  // --- Running -------------------------------------------------------------------------------------------------------------

  let worker = null;
  let current = null;
  const waiting = [];

  function runUpTo(cell) {
    const before = cells.slice(0, cells.indexOf(cell)).filter((other) => !other.alone && !other.ran && !waiting.includes(other));
    enqueue([...before.filter((other) => other !== current), cell]);
  }

  function enqueue(more) {
    for (const cell of more) {
      if (cell === current || waiting.includes(cell)) continue;
      waiting.push(cell);
      cell.runs.textContent = "Waiting";
    }
    if (!worker) startWorker();
    else next();
  }

  function startWorker() {
    tell("Starting Python ...");
    worker = new Worker(new URL("worker.mjs", home), { type: "module" });
    worker.ready = false;
    worker.onmessage = ({ data }) => hear(data);
    worker.postMessage({ progress: read(progress) });
    worker.onerror = (event) => end(`Python could not be started: ${event.message || "its files could not be loaded"}. Press Run to try again.`);
    tell("Starting Python ...");
  }

  function hear({ step, ready, broken, kind, text, done, progress: made }) {
    if (step) tell(`Loading ${step} ...`);
    else if (broken) end(`Python could not be started: ${broken} Press Run to try again.`);
    else if (ready) { worker.ready = true; next(); keepForLater(); }
    else if (kind === "html") current?.show(text);
    else if (kind) current?.print(kind, text);
    else if (done) {
      if (made) write(progress, made);
      current.ran = true;
      current.runs.textContent = "Run";
      current.block.removeAttribute("aria-busy");
      current.end();
      const ended = current;
      current = null;
      if (!waiting.length) tell(`${ended.title} has run.`);
      next();
    }
  }

  function next() {
    if (current || !worker?.ready || !waiting.length) return;
    current = waiting.shift();
    current.runs.textContent = "Running";
    current.block.setAttribute("aria-busy", "true");
    tell(`Running ${current.name}${waiting.length ? `, then ${waiting.length} more` : ""} ...`);
    current.begin();
    worker.postMessage({ source: current.source, name: current.name });
  }

  function end(text) {
    worker?.terminate();
    worker = null;
    if (current) { current.print("error", "Stopped.\n"); current.end(); }
    for (const cell of cells) {
      cell.ran = false;
      cell.runs.textContent = "Run";
      cell.block.removeAttribute("aria-busy");
    }
    current = null;
    waiting.length = 0;
    tell(text);
  }

  // --- Later visits: this page and what Python needs are kept, so that they come back at once, and without a network

  async function keepForLater() {
    if (!navigator.serviceWorker || !self.caches) return;
    try {
      await navigator.serviceWorker.register(new URL("service-worker.js", root), { scope: root.pathname });
      const pages = await caches.open(`cold-start ${root}`);
      const loaded = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.startsWith(root));
      const wanted = new Set([location.href.split("#")[0], ...loaded, ...["worker", "files", "pyodide", "pyodide.asm"].map((name) => `${home}${name}.mjs`)]);
      const older = (await pages.keys()).filter(({ url }) => url.startsWith(`${root}run/`) && !url.startsWith(home));
      for (const request of older) await pages.delete(request);
      for (const address of wanted) {
        const known = address.startsWith(home) && !address.endsWith(".mjs");  // the worker keeps these itself
        if (!known && !(await pages.match(address))) await pages.add(address).catch(() => {});
      }
    } catch { /* a browser without these loads everything anew, and nothing else is different */ }
  }

  // --- The page ------------------------------------------------------------------------------------------------------------

  const cells = [];
  document.querySelectorAll(".cell[data-run]").forEach((block) => {
    if (["yes", "alone"].includes(block.dataset.run)) cells.push(new Cell(block, cells.length + 1));
    else block.append(make("p", { className: "cell-bar", textContent: `${block.dataset.run} It runs in the notebook.` }));
  });
})();
