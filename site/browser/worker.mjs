// The Python of a page: starts Pyodide with the course's packages, keeps them for the next visit, and runs cells one after the other.
// run-cells.js makes one for a page and ends it to stop a cell that does not end.
import { loadPyodide } from "./pyodide.mjs";

const base = new URL("./", import.meta.url).href;
const say = (message) => postMessage(message);

// Everything is named after its content, so what is kept never grows old; what another edition of the course kept goes.
const kept = self.caches && caches.open(`cold-start ${base}`);
const fetchNow = self.fetch;
async function fetchOnce(request, options) {
  const url = new URL(request.url ?? request, base).href;
  const store = url.startsWith(base) && (await kept);
  const found = store && (await store.match(url));
  if (found) return found;
  const response = await fetchNow(request, options);
  if (store && response.ok) await store.put(url, response.clone()).catch(() => {});  // a full disk only costs the next visit time
  return response;
}
self.fetch = fetchOnce;

async function start() {
  say({ step: "Python" });
  const lock = await (await fetchOnce(`${base}pyodide-lock.json`)).json();
  const python = await loadPyodide({ indexURL: base, packageBaseUrl: base, lockFileContents: lock });
  say({ step: "the course's packages" });
  await python.loadPackage(Object.keys(lock.packages), { messageCallback() {} });
  say({ step: "the course" });
  const course = python.pyimport("coldstart.page.kernel");
  course.prepare_process();
  return course.PageKernel((kind, text) => say({ kind, text }));
}

const kernel = start();
kernel.then(() => say({ ready: true }), (error) => say({ broken: String(error.message ?? error) }));

onmessage = async ({ data: { source, name } }) => {
  const python = await kernel;
  say({ done: true, well: python.run(source, name) });
};
