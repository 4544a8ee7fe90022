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

  function nameThings() {
    document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((nav) => {
      nav.setAttribute("aria-label", `Code ${document.querySelectorAll("nav.md-code__nav[aria-label]").length + 1}`);
    });
    document.querySelectorAll(".md-typeset pre, .md-typeset pre > code, .md-typeset__scrollwrap").forEach((block) => {
      if (block.scrollWidth > block.clientWidth + 1) block.tabIndex = 0;
    });
  }

  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  document.querySelectorAll("label.md-header__button").forEach((label) => label.htmlFor in names && asButton(label));
  nameThings();
  new MutationObserver(nameThings).observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", nameThings);
})();
