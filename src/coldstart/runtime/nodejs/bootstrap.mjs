// Runs a Node.js handler under the Runtime API, as AWS's own client for Node.js does: same handler rules, same error
// documents, same log lines. AWS's client builds native code when it is installed, so it is not used here; conformance tests
// hold this one to what it posts. Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import util from "node:util";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const logFd = Number(env._LAMBDA_TELEMETRY_LOG_FD);
delete env._LAMBDA_TELEMETRY_LOG_FD;
const taskRoot = env.LAMBDA_TASK_ROOT;
const RUNTIME = "/2018-06-01/runtime";
let requestId;

class RuntimeFault extends Error {
  constructor(type, message) {
    super(message);
    this.name = type;
  }
}

// One frame is one log event, however many lines it has.
function writeFrame(text) {
  const body = Buffer.from(text, "utf8");
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xa55a0003, 0);
  head.writeUInt32BE(body.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  let frame = Buffer.concat([head, body]);
  while (frame.length > 0) frame = frame.subarray(fs.writeSync(logFd, frame));
}

function logAs(level, ...parts) {
  writeFrame(`${new Date().toISOString()}\t${requestId ?? "-"}\t${level}\t${util.format(...parts)}\n`);
}

for (const [method, level] of [
  ["log", "INFO"],
  ["info", "INFO"],
  ["debug", "DEBUG"],
  ["warn", "WARN"],
  ["error", "ERROR"],
  ["trace", "TRACE"],
  ["fatal", "FATAL"],
]) {
  console[method] = (...parts) => logAs(level, ...parts);
}

function exchange(method, target, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: target, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    request.on("error", reject);
    if (body !== undefined) request.setHeader("Content-Length", Buffer.byteLength(body));
    request.end(body);
  });
}

function errorDocument(error) {
  if (util.types.isNativeError(error)) {
    return {
      errorType: error.name ?? "Error",
      errorMessage: error.message,
      trace: String(error.stack ?? "").split("\n"),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function errorForLog(error) {
  const { errorType, errorMessage, trace } = errorDocument(error);
  const extra = util.types.isNativeError(error) && error.code ? { code: error.code } : {};
  return JSON.stringify({ errorType, errorMessage, ...extra, stack: trace });
}

function postError(target, error) {
  const document = errorDocument(error);
  return exchange("POST", target, JSON.stringify(document), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": document.errorType,
  });
}

function splitHandler(handler) {
  const file = path.basename(handler);
  const match = /^([^.]*)\.(.+)$/.exec(file);
  if (!match || handler.includes("..")) throw new RuntimeFault("Runtime.MalformedHandlerName", "Bad handler");
  return { module: path.join(taskRoot, path.dirname(handler), match[1]), member: match[2] };
}

async function importModule(modulePath) {
  const require = createRequire(path.join(taskRoot, "bootstrap.js"));
  for (const extension of [".js", ".mjs", ".cjs", ""]) {
    const file = modulePath + extension;
    if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) continue;
    if (extension === ".cjs" || (extension !== ".mjs" && !isEsModule(file))) return require(file);
    return import(pathToFileURL(file).href);
  }
  const error = new RuntimeFault("Runtime.ImportModuleError", "");
  error.message = `Error: Cannot find module '${path.basename(modulePath)}'\nRequire stack:\n- /var/runtime/index.mjs`;
  throw error;
}

function isEsModule(file) {
  for (let folder = path.dirname(file); folder.startsWith(taskRoot); folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (fs.existsSync(manifest)) return JSON.parse(fs.readFileSync(manifest, "utf8")).type === "module";
  }
  return false;
}

async function loadHandler(name) {
  const { module, member } = splitHandler(name);
  let loaded;
  try {
    loaded = await importModule(module);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw withStack(new RuntimeFault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`), error);
    }
    if (error?.code === "MODULE_NOT_FOUND") {
      throw withStack(new RuntimeFault("Runtime.ImportModuleError", `Error: ${error.message}`), error);
    }
    throw error;
  }
  const find = (holder) => member.split(".").reduce((value, key) => value?.[key], holder);
  const handler = find(loaded) ?? find(loaded.default);
  if (handler === undefined) {
    throw new RuntimeFault("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") throw new RuntimeFault("Runtime.HandlerNotFound", `${name} is not a function`);
  if (handler.length >= 3) {
    throw new RuntimeFault(
      "Runtime.CallbackHandlerDeprecated",
      "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "Write an async handler: export const handler = async (event, context) => { ... }",
    );
  }
  return handler;
}

function withStack(fault, error) {
  fault.stack = error.stack;
  return fault;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    identity: undefined,
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function toJson(value) {
  try {
    return JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new RuntimeFault("Runtime.JSONStringifyError", "Unable to stringify response body");
  }
}

async function serveOne(handler) {
  const next = await exchange("GET", `${RUNTIME}/invocation/next`);
  requestId = next.headers["lambda-runtime-aws-request-id"];
  env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
  const target = `${RUNTIME}/invocation/${requestId}`;
  let answer;
  try {
    answer = toJson(await handler(JSON.parse(next.body || "{}"), contextOf(next.headers)));
  } catch (error) {
    logAs("ERROR", "Invoke Error \t" + errorForLog(error));
    await postError(`${target}/error`, error);
    return;
  }
  await exchange("POST", `${target}/response`, answer, { "Content-Type": "application/json" });
}

process.on("uncaughtException", async (error) => {
  const named = new RuntimeFault("Runtime.UncaughtException", errorDocument(error).errorMessage);
  logAs("ERROR", "Uncaught Exception \t" + errorForLog(withStack(named, error)));
  if (requestId) await postError(`${RUNTIME}/invocation/${requestId}/error`, withStack(named, error));
  process.exit(128);
});
process.on("unhandledRejection", async (reason) => {
  const named = new RuntimeFault("Runtime.UnhandledPromiseRejection", String(reason));
  logAs("ERROR", "Unhandled Promise Rejection \t" + errorForLog(named));
  if (requestId) await postError(`${RUNTIME}/invocation/${requestId}/error`, named);
  process.exit(128);
});

let handler;
try {
  handler = await loadHandler(env._HANDLER);
} catch (error) {
  writeFrame(`${new Date().toISOString()}\t-\tERROR\tInit Error \t${errorForLog(error)}\n`);
  await postError(`${RUNTIME}/init/error`, error);
  process.exit(1);
}
for (;;) await serveOne(handler);
