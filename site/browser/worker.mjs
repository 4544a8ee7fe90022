// The Python of a page: starts Pyodide with the course's packages, and runs cells one after the other.
// run-cells.js makes one for a page, and ends it to stop a cell that does not end.
//
// The first visit loads the packages' files and imports what every lesson uses, which takes seconds. The memory in which all that
// is done then is kept, as one long array of bytes. A later visit puts it back instead of doing the same again.
import { mount } from "./files.mjs";

const base = new URL("./", import.meta.url).href;
const snapshotHeader = 128;
const say = (message) => postMessage(message);

// --- What is kept from one visit to the next. Its name changes with its content, so it never grows old. A browser that keeps
// nothing, or has no room left, loads everything again, and nothing else is different.

const nameOf = (folder) => `cold-start ${folder}`;
const kept = self.caches ? caches.open(nameOf(base)).catch(() => null) : Promise.resolve(null);
const recall = async (name) => (await kept)?.match(base + name);
const keep = async (name, response) => (await kept)?.put(base + name, response).catch(() => {});
// What is long is written once the first cell has answered: nobody waits for the disk.
const toKeep = [];

async function forgetOlderEditions() {
  const all = nameOf(new URL("../", base).href);
  for (const name of await caches.keys()) if (name.startsWith(all) && name !== nameOf(base)) await caches.delete(name);
}

const fetchNow = self.fetch;
async function load(name) {
  const found = await recall(name);
  if (found) return found;
  const response = await fetchNow(base + name);
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}).`);
  keep(name, response.clone());
  return response;
}

// What is compressed is kept unpacked: reading that from the disk is faster than unpacking it again.
async function unpacked(name) {
  const found = await recall(name);
  if (found) return found.arrayBuffer();
  const response = await fetchNow(`${base}${name}.gz`);
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}).`);
  const bytes = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  toKeep.push(() => keep(name, new Response(bytes)));
  return bytes;
}

// All that is long is under way at once, before the first script of Pyodide's is there.
const standardLibrary = unpacked("python_stdlib.zip");
const packages = unpacked("packages");
const theCourse = unpacked("course");
const interpreter = load("pyodide.asm.wasm");

// Pyodide fetches its own files; they are kept like ours.
self.fetch = async (request, options) => {
  const url = new URL(request.url ?? request, base).href;
  if (!url.startsWith(base)) return fetchNow(request, options);
  const name = url.slice(base.length);
  if (name === "python_stdlib.zip") return new Response(await standardLibrary);
  return name === "pyodide.asm.wasm" ? interpreter : load(name);
};

// --- Python

async function startPython(snapshot) {
  const [{ loadPyodide }, { default: createModule }] = await Promise.all([import("./pyodide.mjs"), import("./pyodide.asm.mjs")]);
  const lockFileContents = await (await load("pyodide-lock.json")).json();
  // Of the page, Python sees what it needs to wait and to tell the time. A cell reaches neither the network nor this worker.
  const jsglobals = { Object, Array, Promise, Date, setTimeout: (...all) => setTimeout(...all), clearTimeout: (id) => clearTimeout(id) };
  const options = { indexURL: base, lockFileContents, jsglobals };
  if (!snapshot) return loadPyodide({ ...options, _makeSnapshot: true });
  // Pyodide puts a snapshot back into memory that has the right size already.
  const createPyodideModule = async (settings) => {
    const module = await createModule(settings);
    module._emscripten_resize_heap(snapshot.byteLength - snapshotHeader);
    return module;
  };
  return loadPyodide({ ...options, createPyodideModule, _loadSnapshot: snapshot });
}

async function start() {
  say({ step: "Python" });
  const snapshot = await (await recall("snapshot"))?.arrayBuffer();
  const python = await startPython(snapshot);
  say({ step: "the course's packages" });
  for (const files of [packages, theCourse]) mount(python, new Uint8Array(await files));
  say({ step: "the course" });
  if (!snapshot) {
    python.runPython("from coldstart.page import kernel\nkernel.load_what_lessons_use()");
    const memory = python.makeMemorySnapshot();
    toKeep.push(() => keep("snapshot", new Response(memory)));
    if (self.caches) toKeep.push(forgetOlderEditions);
  }
  const course = python.pyimport("coldstart.page.kernel");
  course.prepare_process();
  return { course, kernel: course.PageKernel((kind, text) => say({ kind, text })) };
}

const python = start();
python.then(() => say({ ready: true }), (error) => say({ broken: String(error.message ?? error) }));

onmessage = async ({ data: { source, name, progress } }) => {
  const { course, kernel } = await python;
  if (progress) course.put_progress(progress);
  if (source === undefined) return;
  kernel.run(source, name);
  say({ done: true, progress: course.progress() });
  while (toKeep.length) await toKeep.shift()();
};
