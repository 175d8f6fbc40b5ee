import Module, { createRequire, enableCompileCache } from "node:module";

// Imported first, before the packages that it speeds up.

// Code compiled in an earlier run loads in two thirds of the time.
enableCompileCache();

// Pulumi's SDK takes a stack trace of every promise and resource, and its runner's `source-map-support` formats each, in a quarter of the
// program's time. Source maps are not needed: Node strips types without moving a line or column.
Reflect.deleteProperty(Error, "prepareStackTrace");

/**
 * The SDK's imports to serialize functions and drive the CLI, which this program does not: npm's package reader, a TypeScript
 * compiler and 400 other modules, a quarter of the startup time.
 */
const RARELY_USED = ["@npmcli/arborist", "normalize-package-data", "./typescript-shim.js", "./automation/index.js"];

/**
 * Puts a placeholder into the module cache, which loads the module on the first access to a member. Loaded modules are kept.
 * @param require From a file where the name resolves to the module.
 */
export function deferModule(require: NodeJS.Require, name: string): void {
  const file = require.resolve(name);
  if (require.cache[file] !== undefined) return;
  let loaded: object | undefined;
  const load = (): object => {
    if (loaded !== undefined) return loaded;
    if (require.cache[file] === placeholder) delete require.cache[file];
    const exports: object = require(file);
    // In an import cycle, the exports may still be replaced.
    if (require.cache[file]?.loaded === true) loaded = exports;
    return exports;
  };
  const exports = new Proxy(
    {},
    {
      // Compiled imports would copy the members of a module without this mark, and so load it.
      get: (_, key) => (key === "__esModule" ? true : Reflect.get(load(), key)),
      has: (_, key) => Reflect.has(load(), key),
      // An import from an ES module takes the members that exist at that time.
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
    // Other SDK versions may not have it.
  }
}
