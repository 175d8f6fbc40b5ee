import { type BenchRow, ROW } from "./suite.ts";
import { TEAM_COUNTS } from "./teams.ts";

/** A goal of the project's speed, and what was measured. */
export interface Goal {
  readonly goal: string;
  readonly found: string;
  readonly met: boolean;
}

const MOST_TIMES_IMPORTS = 2;
const MOST_SECONDS = 30;
const MOST_MB = 1024;
const MOST_DRIFT = 0.2;
const MOST_UNIT_SECONDS = 10;

/** Holds the rows against the goals; a goal whose rows are missing is left out. */
export function goalsOf(rows: readonly BenchRow[]): Goal[] {
  const named = (name: string) => rows.find((row) => row.name === name);
  const goals: Goal[] = [];
  const [imports, plan, units] = [named(ROW.imports), named(ROW.plan), named(ROW.units)];
  const [many, few] = [named(ROW.teams(Math.max(...TEAM_COUNTS))), named(ROW.teams(TEAM_COUNTS[2]))];
  if (imports !== undefined && plan !== undefined) {
    const times = plan.seconds.median / imports.seconds.median;
    const goal = `${ROW.plan}: below ${MOST_TIMES_IMPORTS} times ${ROW.imports}`;
    goals.push({ goal, found: `${times.toFixed(2)} times`, met: times < MOST_TIMES_IMPORTS });
  }
  if (many !== undefined) {
    const { median } = many.seconds;
    const found = `${median.toFixed(1)} s, ${many.peakMb.toFixed(0)} MB`;
    const met = median < MOST_SECONDS && many.peakMb < MOST_MB;
    goals.push({ goal: `${many.name}: below ${MOST_SECONDS} s and ${MOST_MB} MB`, found, met });
  }
  const [empty] = rows.filter((row) => row.name === ROW.teams(TEAM_COUNTS[0]));
  if (many !== undefined && few !== undefined && empty !== undefined) {
    // What the program costs before its first team is in the smallest plan, and is no cost of a team.
    const each = (row: BenchRow) =>
      (row.seconds.median - empty.seconds.median) / Math.max(1, (row.count ?? 0) - (empty.count ?? 0));
    const drift = each(many) / each(few) - 1;
    const goal = `a resource costs the same with ${TEAM_COUNTS[2]} and 1,000 teams, within ${MOST_DRIFT * 100} %`;
    goals.push({ goal, found: `${(drift * 100).toFixed(0)} %`, met: Math.abs(drift) <= MOST_DRIFT });
  }
  if (units !== undefined) {
    const { median } = units.seconds;
    const goal = `${ROW.units}: below ${MOST_UNIT_SECONDS} s`;
    goals.push({ goal, found: `${median.toFixed(1)} s`, met: median < MOST_UNIT_SECONDS });
  }
  return goals;
}
