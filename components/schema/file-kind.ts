import { lstatSync, type Stats, statSync } from "node:fs";

/** Empty; used in place of a file, as in KUBECONFIG=/dev/null. */
const NOTHING = "/dev/null";

/**
 * What a path is, if it cannot be read or never ends, as in `is a folder, not a file`; undefined for a file, for nothing, and for the pipe
 * of a shell's `<(command)`.
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
    // Reading the path reports the error.
    return undefined;
  }
}

/** A FIFO in a folder blocks until a writer opens it; `<(command)` is `/dev/fd/63`, which already has a writer. */
function isNamedPipe(path: string): boolean {
  return lstatSync(path).isFIFO() && !path.startsWith("/dev/fd/");
}
