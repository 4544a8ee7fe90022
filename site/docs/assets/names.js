// What the theme leaves to the mouse and to the eye, for people who use the keyboard or listen to the page.
(() => {
  const names = { __search: "Open the search", __drawer: "Open the list of lessons" };

  // A label cannot be reached with the keyboard. A button that looks the same can; the theme's styles go by `for`.
  function asButton(label) {
    const toggle = document.getElementById(label.htmlFor);
    const button = document.createElement("button");
    button.type = "button";
    button.className = label.className;
    button.setAttribute("for", label.htmlFor);
    button.setAttribute("aria-label", names[label.htmlFor]);
    button.append(...label.childNodes);
    button.addEventListener("click", () => {
      toggle.click();
      if (toggle.id === "__search") document.querySelector(".md-search__input").focus();
    });
    label.replaceWith(button);
  }

  // A block that scrolls sideways can be scrolled with the keyboard only when it can have the focus. Its size is asked for by an
  // observer, never by reading it: on a long lesson that would lay the page out again for every block.
  const sizes = new ResizeObserver((entries) => {
    const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth + 1);
    entries.forEach(({ target }, place) => {
      if (wide[place]) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    });
  });

  let codes = 0;
  function nameThings(root) {
    root.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((nav) => {
      codes += 1;
      nav.setAttribute("aria-label", `Code ${codes}`);
    });
    root.querySelectorAll("pre, pre > code, .md-typeset__scrollwrap, .output-figure").forEach((block) => sizes.observe(block));
  }

  // A word of the glossary shows its meaning under a pointer and with the focus. On a touch screen the first touch shows it, the
  // second follows the link; Escape hides it.
  let touched = false;
  addEventListener("pointerdown", (event) => { touched = event.pointerType === "touch"; }, true);
  addEventListener("click", (event) => {
    const word = event.target.closest?.(".term > a");
    if (!word || !touched || word.parentElement.classList.contains("shown")) return;
    event.preventDefault();
    word.parentElement.classList.add("shown");
  }, true);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".term:is(:hover, :focus-within, .shown)").forEach((term) => term.classList.add("hidden"));
  });
  function leave(event) {
    const term = event.target.closest?.(".term");
    if (term && !term.contains(event.relatedTarget)) term.classList.remove("hidden", "shown");
  }
  addEventListener("focusout", leave);
  addEventListener("pointerout", (event) => event.pointerType !== "touch" && leave(event));

  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  document.querySelectorAll("label.md-header__button").forEach((label) => label.htmlFor in names && asButton(label));
  nameThings(document);
  new MutationObserver((changes) => {
    changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => node.parentElement && nameThings(node.parentElement)));
  }).observe(document.body, { childList: true, subtree: true });
})();
