// The theme loads the index of all pages with every page. Most visits search for nothing: this holds the request back until
// somebody turns to the search. It knows two things of the theme: that it asks with XMLHttpRequest, and the file's name.
(() => {
  const send = XMLHttpRequest.prototype.send;
  const open = XMLHttpRequest.prototype.open;
  const asked = new Promise((resolve) => {
    const turnsToSearch = (event) => {
      const key = event.type === "keydown" && ["f", "s", "/"].includes(event.key);
      if (key || event.target.closest?.(".md-search, [for=__search]")) resolve();
    };
    ["focusin", "pointerdown", "keydown"].forEach((type) => addEventListener(type, turnsToSearch, true));
    if (new URLSearchParams(location.search).has("q")) resolve();
  });

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = String(url).endsWith("search/search_index.json");
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.waits) asked.then(() => send.call(this, body));
    else send.call(this, body);
  };
})();
