import { access, constants, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { otherThanFile } from "../components/schema/file-kind.ts";
import { Failure } from "./command-line.ts";

/**
 * The bytes of a file that the user names.
 * @throws {Failure} if it does not exist, or is a folder or an endless device.
 */
export async function fileBytes(path: string): Promise<Buffer> {
  const kind = otherThanFile(path);
  if (kind !== undefined) throw new Failure(`${path} is ${kind}, not a file`, 2);
  return readFile(path).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new Failure(code === "ENOENT" ? `no file ${path}` : `${path} cannot be read: ${code ?? message}`, 2);
  });
}

/** The text of a file that the user names. @throws {Failure} as {@link fileBytes} */
export async function fileText(path: string): Promise<string> {
  const bytes = await fileBytes(path);
  return bytes.toString("utf8");
}

/** Checks that output files can be written before the long work starts. @throws {Failure} */
export async function refuseUnwritable(...files: readonly (string | undefined)[]): Promise<void> {
  for (const file of files) {
    if (file === undefined) continue;
    await access(dirname(file), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(`${file} cannot be written: ${error.code ?? error.message}`, 2);
    });
  }
}

/**
 * Creates a folder and its parents. Node's own `recursive` loops forever if a parent exists and cannot hold folders: `/proc`, or a link to
 * a disk that is not mounted.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const above = dirname(folder);
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || above === folder || (await isFolder(above))) throw error;
    await makeFolder(above);
    await mkdir(folder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
