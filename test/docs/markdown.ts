import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_FOLDER = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Line of its first content line, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** A command that a page shows. */
export interface ShownCommand {
  readonly where: string;
  readonly command: string;
}

/** A Markdown page of the repository. */
export interface Page {
  /** Path from the project's root. */
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text outside fenced blocks, line by line. */
  readonly prose: readonly string[];
}

/** Every page of the repository. */
export function pages(): Page[] {
  const files = globSync(["*.md", "docs/**/*.md", "examples/**/*.md", ".github/*.md"], {
    cwd: PROJECT_FOLDER,
    exclude: (file) => file.includes("node_modules"),
  });
  return files.sort().map(readPage);
}

function readPage(file: string): Page {
  const text = readFileSync(join(PROJECT_FOLDER, file), "utf8");
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; indent: number; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, indent = "", fence = "", language = ""] = /^( *)(`{3,})(\w*)/.exec(line) ?? [];
    if (open === undefined && fence !== "")
      open = { fence, indent: indent.length, language, line: index + 2, lines: [] };
    else if (open !== undefined && line.trim() === open.fence) {
      blocks.push({ page: file, line: open.line, language: open.language, text: open.lines.join("\n") });
      open = undefined;
    } else if (open !== undefined) open.lines.push(line.slice(open.indent));
    else prose.push(line);
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block is never closed`);
  return { file, text, blocks, prose };
}

/** The commands of a page: each line of a `sh` block, and each line after a prompt of a `console` block. */
export function commandsOf({ file, blocks }: Page): ShownCommand[] {
  return blocks.flatMap(({ language, line, text }) => {
    if (language !== "sh" && language !== "console") return [];
    return text.split("\n").flatMap((each, index) => {
      const shown = language === "sh" ? each : (/^\$ (.+)$/.exec(each)?.[1] ?? "");
      const parts = shown.replace(/\s+#.*$/, "").split(" && ");
      return parts.flatMap((part) =>
        part.trim() === "" ? [] : [{ where: `${file}:${line + index}`, command: part.trim() }],
      );
    });
  });
}

/** Words of a command line, with quotes taken away. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}

/** The targets of a page's links inside the repository: file from the root, and fragment. */
export function linksOf({ file, prose }: Page): { readonly file: string; readonly fragment: string }[] {
  const targets = [...prose.join("\n").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? "");
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", fragment = ""] = target.split("#");
      return { file: path === "" ? file : normalize(join(dirname(file), path)), fragment };
    });
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf({ prose }: Page): string[] {
  return prose.flatMap((line) => {
    const [, heading] = /^#{1,6} (.+)$/.exec(line) ?? [];
    if (heading === undefined) return [];
    return [
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ];
  });
}

/** The cells of all tables of a page, without those of the line below the head. */
export function cellsOf({ prose }: Page): string[] {
  const rows = prose.filter((line) => /^\s*\|.*\|\s*$/.test(line) && !/^\s*\|[\s|:-]+\|\s*$/.test(line));
  return rows.flatMap((row) =>
    row
      .trim()
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
