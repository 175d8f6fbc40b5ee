import Module, { createRequire, enableCompileCache } from "node:module";

// Imported first, before the packages that it speeds up.

// What an earlier run has compiled loads in two thirds of the time.
enableCompileCache();

// Pulumi's SDK takes a stack trace of every promise and resource. Its runner has `source-map-support` format each, at a quarter of the
// program's time. Source maps add nothing here: Node strips types without moving a line or column.
Reflect.deleteProperty(Error, "prepareStackTrace");

/**
 * What the SDK imports to serialize functions and to drive the CLI: npm's own package reader, a TypeScript compiler and 400 modules
 * more, a quarter of the start-up. This program does neither.
 */
const RARELY_USED = ["@npmcli/arborist", "normalize-package-data", "./typescript-shim.js", "./automation/index.js"];

/**
 * Puts a stand-in into the module cache, which loads the module when a member of it is read. A module that is loaded stays.
 * @param require Of a file that names the module so.
 */
export function deferModule(require: NodeJS.Require, name: string): void {
  const file = require.resolve(name);
  if (require.cache[file] !== undefined) return;
  let loaded: object | undefined;
  const load = (): object => {
    if (loaded !== undefined) return loaded;
    if (require.cache[file] === placeholder) delete require.cache[file];
    const exports: object = require(file);
    // In a circle of modules the exports may be replaced after this.
    if (require.cache[file]?.loaded === true) loaded = exports;
    return exports;
  };
  const exports = new Proxy(
    {},
    {
      // Compiled imports copy the members of a module without this mark, and so would load it.
      get: (_, key) => (key === "__esModule" ? true : Reflect.get(load(), key)),
      has: (_, key) => Reflect.has(load(), key),
      // An import from an ES module takes the members that are there by then.
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => {
        const member = Reflect.getOwnPropertyDescriptor(load(), key);
        return member === undefined ? undefined : { ...member, configurable: true };
      },
    },
  );
  const placeholder = new Module(file);
  placeholder.filename = file;
  placeholder.loaded = true;
  placeholder.exports = exports;
  require.cache[file] = placeholder;
}

const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
for (const name of RARELY_USED) {
  try {
    deferModule(sdk, name);
  } catch {
    // Another version of the SDK does without it.
  }
}
