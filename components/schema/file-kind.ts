import { lstatSync, type Stats, statSync } from "node:fs";

/** Empty, and what people name to have no file, as in KUBECONFIG=/dev/null. */
const NOTHING = "/dev/null";

/**
 * What a path names whose text cannot be read, or never ends, as in `is a folder, not a file`; undefined for a file, for nothing at all,
 * and for what a shell puts in the place of `<(command)`.
 */
export function otherThanFile(path: string): string | undefined {
  if (path === NOTHING) return undefined;
  const status = statusOf(path);
  if (status === undefined || status.isFile()) return undefined;
  if (status.isDirectory()) return "a folder";
  if (status.isFIFO()) return isNamedPipe(path) ? "a named pipe" : undefined;
  return status.isSocket() ? "a socket" : "a device";
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Reading the path tells why.
    return undefined;
  }
}

/** One in a folder has no text until somebody writes to it; `<(command)` is `/dev/fd/63`, to which the shell has a writer. */
function isNamedPipe(path: string): boolean {
  return lstatSync(path).isFIFO() && !path.startsWith("/dev/fd/");
}
