import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readStack } from "../../lab/stack.ts";

/** Numbers of teams whose cost a team is compared. */
export const TEAM_COUNTS = [2, 20, 200, 1000] as const;

/** Writes the local stack with each number of teams, as files for `--config-file`, for as long as they are used. */
export async function withTeamFiles<T>(
  counts: readonly number[],
  use: (files: ReadonlyMap<number, string>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bench-teams-"));
  try {
    const local = await readStack("local");
    const files = new Map<number, string>();
    for (const count of counts) {
      const file = join(folder, `Pulumi.teams-${count}.yaml`);
      await writeFile(file, stringify({ config: { ...local.config, "eks-dns-logging:teams": teamsOf(count) } }));
      files.set(count, file);
    }
    return await use(files);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A ring: each team may talk to its two neighbours. */
export function teamsOf(count: number) {
  const name = (index: number) => `bench-${(index + count) % count}`;
  return Array.from({ length: count }, (_, index) => ({
    name: name(index),
    peers: [...new Set([name(index - 1), name(index + 1)])].filter((peer) => peer !== name(index)),
  }));
}
