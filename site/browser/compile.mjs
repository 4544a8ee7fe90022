// Compiles with the Python of a page what lessons import, so that a page only reads it. The build runs it in Node:
// node compile.mjs PYODIDE LIBRARY PACKAGES COMPILED. The last two are files as coldstart.course.file_stream packs them.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { mount } from "./files.mjs";

const [pyodide, stdLibURL, packages, compiled] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`).href);
// The same files are compiled into the same bytes. No page shows in which column of a line of ours an error was.
const env = { PYTHONHASHSEED: "0", PYTHONNODEBUGRANGES: "1" };
const python = await loadPyodide({ env, stdLibURL, stdout: console.error });
mount(python, new Uint8Array(readFileSync(packages)));
try {
  const bytes = python.runPython("from coldstart.page import bytecode\nbytecode.of_what_lessons_use()");
  writeFileSync(compiled, bytes.toJs());
} catch (error) {
  console.error(error.message);  // Node itself would print a megabyte: the line of Pyodide's that threw it
  process.exitCode = 1;
}
