import { copyFile, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { streamed } from "../../lab/process.ts";

const PACKAGE = join(PROJECT_ROOT, "library");
const DIST = join(PACKAGE, "dist");

/** Packages of this repository that are not published separately, and the folders of their compiled code. */
const BUNDLED: Readonly<Record<string, string>> = {
  "eks-dns-logging-corefile": "corefile/index.js",
  "eks-dns-logging-corefile/addon": "corefile/addon/index.js",
  "eks-dns-logging-corefile/finding": "corefile/finding.js",
  "eks-dns-logging-corefile/quantity": "corefile/quantity.js",
};

/** Rewrites a compiled module: imports of bundled packages become paths, and declarations import compiled modules. */
export function publishedText(file: string, text: string): string {
  return text.replaceAll(
    /(\b(?:from|import) ?\(?")([^"]+)(")/g,
    (whole, before: string, name: string, after: string) => {
      const target = BUNDLED[name];
      if (target !== undefined) {
        const path = posix.relative(posix.dirname(file), target);
        return `${before}${path.startsWith(".") ? path : `./${path}`}${after}`;
      }
      return name.startsWith(".") ? `${before}${name.replace(/\.ts$/, ".js")}${after}` : whole;
    },
  );
}

/** Copies the run-time data: the collectors' scripts, and the data of the Corefile checker. */
async function copyData(): Promise<void> {
  for await (const file of glob("{components,corefile}/**/*.*", { cwd: PROJECT_ROOT })) {
    if (/\.ts$|\/package\.json$|\/node_modules\//.test(file)) continue;
    await mkdir(dirname(join(DIST, file)), { recursive: true });
    await copyFile(join(PROJECT_ROOT, file), join(DIST, file));
  }
}

/** Compiles `components` and `corefile` into `library/dist`, for `npm pack`. */
async function build(): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  const compiler = join(PROJECT_ROOT, "node_modules/typescript-native/bin/tsc");
  await streamed(process.execPath, [compiler, "--project", join(import.meta.dirname, "tsconfig.build.json")]);
  for await (const file of glob("**/*.{js,d.ts}", { cwd: DIST })) {
    const path = join(DIST, file);
    await writeFile(path, publishedText(relative(DIST, path), await readFile(path, "utf8")));
  }
  await copyData();
  await copyFile(join(PACKAGE, "schema.json"), join(DIST, "library/schema.json"));
  await copyFile(join(PROJECT_ROOT, "LICENSE"), join(PACKAGE, "LICENSE"));
}

if (import.meta.main) await build();
