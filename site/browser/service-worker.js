// Shows pages of the site that were read before when there is no network, and the scripts that Run needs without asking for them
// again. run-cells.js starts it with the first Run; a reader who runs nothing never has it.
const pages = `cold-start ${registration.scope}`;
const runs = new URL("run/", registration.scope).href;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(registration.scope)) event.respondWith(answer(event.request));
});

// What is below run/ is named after its content and never changes. Of everything else the network has the newest.
async function answer(request) {
  const kept = await caches.open(pages);
  const found = () => kept.match(request, { ignoreSearch: true });
  const old = request.url.startsWith(runs) && (await found());
  if (old) return old;
  try {
    const response = await fetch(request);
    if (response.ok && !request.url.startsWith(runs) && response.status !== 206) kept.put(request, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const before = await found();
    if (before) return before;
    throw error;
  }
}
