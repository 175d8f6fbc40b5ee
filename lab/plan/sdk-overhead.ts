import "../../components/runtime.ts";
import { createRequire } from "node:module";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { isObject } from "../../components/schema/values.ts";

/**
 * Runs a plan without what Pulumi's SDK does for a debugger and for the wire, neither of which a plan has: nearly half of its time. Only one
 * at a time, since the SDK's functions are global.
 */
export async function withoutOverhead<T>(work: () => Promise<T>): Promise<T> {
  const restore = [omitStackTraces(), omitPromiseNotes(), keepObjects()];
  try {
    return await work();
  } finally {
    for (const undo of restore) undo();
  }
}

/**
 * Pulumi captures a stack trace for each promise, to show those that never settle, and a full one for each resource, whatever the limit: a
 * quarter of a plan's time. V8 captures none if the limit is an accessor property.
 */
function omitStackTraces(): () => void {
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  Object.defineProperty(Error, "stackTraceLimit", { get: () => undefined, set: () => {}, configurable: true });
  return () => {
    if (limit !== undefined) Object.defineProperty(Error, "stackTraceLimit", limit);
  };
}

/** What the SDK does with each of its promises, some fifty per resource. */
interface Debuggable {
  debuggablePromise: <T>(promise: Promise<T>, context: unknown) => Promise<T>;
}

interface SdkState {
  getStore(): { readonly leakCandidates: Set<Promise<unknown>> };
}

/** The SDK notes a number, a context and a stack trace on each promise. This only counts it as pending, in as many steps. */
function omitPromiseNotes(): () => void {
  const original = debuggable.debuggablePromise;
  debuggable.debuggablePromise = (promise) => {
    const { leakCandidates } = state.getStore();
    leakCandidates.add(promise);
    return promise
      .then((value) => {
        leakCandidates.delete(promise);
        return value;
      })
      .catch((error: unknown) => {
        leakCandidates.delete(promise);
        throw error;
      });
  };
  return () => {
    debuggable.debuggablePromise = original;
  };
}

/**
 * The SDK turns each value of a resource into a message of its own, visits it once per level above it, and turns it back. A message that
 * keeps the object gives the same one, with sorted keys.
 */
function keepObjects(): () => void {
  const original = Struct.fromJavaScript;
  Struct.fromJavaScript = (object) => {
    const message = new Struct();
    const copied = sortedFields(object);
    message.toJavaScript = () => copied;
    // The SDK reads single fields of the answer about a resource that it refers to.
    message.getFieldsMap = () => original(copied).getFieldsMap();
    return message;
  };
  return () => {
    Struct.fromJavaScript = original;
  };
}

function sortedFields(object: Readonly<Record<string, unknown>>): Record<string, JavaScriptValue> {
  const keys = Object.keys(object).sort();
  return Object.fromEntries(keys.map((key) => [key, sortedKeys(object[key])]));
}

/** @throws {Error} for what a message cannot hold. */
function sortedKeys(value: unknown): JavaScriptValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (isObject(value)) return sortedFields(value);
  throw new Error(`a resource cannot have a value of type ${typeof value}`);
}

const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Struct }: typeof import("google-protobuf/google/protobuf/struct_pb.js") = sdk(
  "google-protobuf/google/protobuf/struct_pb.js",
);
const debuggable: Debuggable = sdk("./runtime/debuggable.js");
const state: SdkState = sdk("./runtime/state.js");
