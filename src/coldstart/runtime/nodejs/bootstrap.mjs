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
const STREAMING_MARK = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const CALLBACKS_END_WITH = 24;
let requestId;

class RuntimeFault extends Error {
  constructor(type, message) {
    super(message);
    this.name = type;
  }
}

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const logsJson = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";

// One frame is one log event, however many lines it has. Its type tells the level, and that it is JSON.
function writeFrame(level, text) {
  const body = Buffer.from(text, "utf8");
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xa55a0000 + ((LEVELS.indexOf(level) + 1) << 2) + (logsJson ? 2 : 3), 0);
  head.writeUInt32BE(body.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  let frame = Buffer.concat([head, body]);
  while (frame.length > 0) frame = frame.subarray(fs.writeSync(logFd, frame));
}

function errorAsJson(error) {
  const errorType = error?.constructor?.name ?? "UnknownError";
  return { errorType, errorMessage: error.message, stackTrace: String(error.stack ?? "").split("\n") };
}

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html: a single object stays one, several parts become text.
function jsonEntry(level, parts) {
  const entry = { timestamp: new Date().toISOString(), level, requestId };
  if (parts.length === 1) {
    try {
      const replacer = (_, value) => (value instanceof Error ? errorAsJson(value) : value);
      return JSON.stringify({ ...entry, message: parts[0] }, replacer);
    } catch {
      return JSON.stringify({ ...entry, message: util.format(parts[0]) });
    }
  }
  const error = parts.find((part) => part instanceof Error);
  return JSON.stringify({ ...entry, message: util.format(...parts), ...(error ? errorAsJson(error) : {}) });
}

function logAs(level, ...parts) {
  if (logsJson) return writeFrame(level, `${jsonEntry(level, parts)}\n`);
  writeFrame(level, `${new Date().toISOString()}\t${requestId ?? "-"}\t${level}\t${util.format(...parts)}\n`);
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

function logError(what, error) {
  if (logsJson) {
    const { errorType, errorMessage, trace } = errorDocument(error);
    const message = { errorType, errorMessage, stackTrace: trace };
    const entry = { timestamp: new Date().toISOString(), level: "ERROR", requestId, message };
    return writeFrame("ERROR", `${JSON.stringify(entry)}\n`);
  }
  writeFrame("ERROR", `${new Date().toISOString()}\t${requestId ?? "-"}\tERROR\t${what} \t${errorForLog(error)}\n`);
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
  if (handler[STREAMING_MARK] && handler[STREAMING_MARK] !== "response") {
    throw new RuntimeFault("Runtime.MalformedStreamingHandler", "Only response streaming is supported.");
  }
  if (handler.length >= 3 && !handler[STREAMING_MARK] && !takesCallbacks()) {
    throw new RuntimeFault(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
        "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
  return handler;
}

// The function's runtime decides, not the Node.js that happens to run it here.
function takesCallbacks() {
  const version = /^AWS_Lambda_nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV ?? "");
  return version !== null && Number(version[1]) < CALLBACKS_END_WITH;
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

// What functions find as `awslambda`: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse(handler, options) {
    handler[STREAMING_MARK] = "response";
    if (typeof options?.highWaterMark === "number") handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
    return handler;
  },
  HttpResponseStream: {
    // Before the first bytes of the body come status and headers as JSON, and eight NUL bytes.
    from(stream, prelude) {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(new Uint8Array(8));
      };
      return stream;
    },
  },
};

// The response as a stream of the handler's: a chunked POST whose trailers carry an error that comes too late for anything else.
function openResponseStream(target, highWaterMark) {
  let isAnswered;
  const answered = new Promise((resolve, reject) => (isAnswered = { resolve, reject }));
  const stream = http.request({ host, port, agent, method: "POST", path: target, highWaterMark }, (response) => {
    response.resume();
    response.on("end", isAnswered.resolve);
  });
  stream.on("error", isAnswered.reject);
  answered.catch(() => {}); // who writes hears of it; nobody else has to
  stream.setHeader("Lambda-Runtime-Function-Response-Mode", "streaming");
  stream.setHeader("Transfer-Encoding", "chunked");
  stream.setHeader("Trailer", ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"]);
  stream.setHeader("Content-Type", "application/octet-stream");
  const post = stream.write.bind(stream);
  const end = stream.end.bind(stream);
  let hasWritten = false;
  stream.setContentType = (contentType) => {
    if (hasWritten) throw new RuntimeFault("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
    stream.setHeader("Content-Type", contentType);
  };
  stream.write = (chunk, encoding, callback) => {
    if (!hasWritten) stream._onBeforeFirstWrite?.((data) => post(data));
    hasWritten = true;
    const isData = typeof chunk === "string" || chunk instanceof Uint8Array;
    return post(isData ? chunk : JSON.stringify(chunk), encoding, callback);
  };
  stream.end = (chunk, ...rest) => {
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function") {
      stream.write(chunk, typeof rest[0] === "string" ? rest[0] : undefined);
      return end(rest.find((argument) => typeof argument === "function"));
    }
    return end(...[chunk, ...rest].filter((argument) => typeof argument === "function"));
  };
  return { stream, answered };
}

async function stream(handler, event, context, target) {
  const { stream, answered } = openResponseStream(`${target}/response`, handler[HIGH_WATER_MARK]);
  try {
    const promise = handler(event, stream, context);
    if (typeof promise?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
    if ((await promise) !== undefined) console.warn("Streaming handlers ignore return values.");
    await answered;
  } catch (error) {
    logError("Invoke Error", error);
    if (stream.writableEnded) return;
    const document = errorDocument(error);
    stream.addTrailers({
      "Lambda-Runtime-Function-Error-Type": document.errorType,
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(document)).toString("base64"),
    });
    stream.end();
    await answered;
  }
}

// A handler of the time before Node.js 24: it may answer through a callback, and the answer may wait for all it has begun.
function callWithCallback(handler, event, context) {
  return new Promise((resolve, reject) => {
    let whenIdle = () => resolve(null);
    process.once("beforeExit", () => whenIdle());
    const callback = (error, value) => {
      whenIdle = error !== undefined && error !== null ? () => reject(error) : () => resolve(value);
      if (!context.callbackWaitsForEmptyEventLoop) setImmediate(whenIdle);
    };
    const callbackAtOnce = (error, value) => {
      context.callbackWaitsForEmptyEventLoop = false;
      callback(error, value);
    };
    context.done = callbackAtOnce;
    context.succeed = (value) => callbackAtOnce(null, value);
    context.fail = (error) => callbackAtOnce(error ?? "handled");
    const promise = handler(event, context, callback);
    if (typeof promise?.then === "function") promise.then(resolve, reject);
  }).finally(() => process.removeAllListeners("beforeExit"));
}

async function serveOne(handler) {
  const next = await exchange("GET", `${RUNTIME}/invocation/next`);
  requestId = next.headers["lambda-runtime-aws-request-id"];
  env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
  const target = `${RUNTIME}/invocation/${requestId}`;
  const context = contextOf(next.headers);
  const event = JSON.parse(next.body || "{}");
  if (handler[STREAMING_MARK]) return stream(handler, event, context, target);
  let answer;
  try {
    answer = toJson(await (takesCallbacks() ? callWithCallback(handler, event, context) : handler(event, context)));
  } catch (error) {
    logError("Invoke Error", error);
    await postError(`${target}/error`, error);
    return;
  }
  await exchange("POST", `${target}/response`, answer, { "Content-Type": "application/json" });
}

process.on("uncaughtException", async (error) => {
  const named = new RuntimeFault("Runtime.UncaughtException", errorDocument(error).errorMessage);
  logError("Uncaught Exception", withStack(named, error));
  if (requestId) await postError(`${RUNTIME}/invocation/${requestId}/error`, withStack(named, error));
  process.exit(128);
});
process.on("unhandledRejection", async (reason) => {
  const named = new RuntimeFault("Runtime.UnhandledPromiseRejection", String(reason));
  logError("Unhandled Promise Rejection", named);
  if (requestId) await postError(`${RUNTIME}/invocation/${requestId}/error`, named);
  process.exit(128);
});

let handler;
try {
  handler = await loadHandler(env._HANDLER);
} catch (error) {
  logError("Init Error", error);
  await postError(`${RUNTIME}/init/error`, error);
  process.exit(1);
}
for (;;) await serveOne(handler);
