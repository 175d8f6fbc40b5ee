import { performance } from "node:perf_hooks";
import { parseSettings } from "../../components/settings.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { policyReport } from "../../lab/plan/policy-report.ts";
import { readStackFile } from "../../lab/stack-file.ts";
import type { Stages } from "./suite.ts";

// Run as `node stages-worker.ts FILE`, because a second plan in the same process would reuse compiled code.
const [, , file = ""] = process.argv;
const stack = await readStackFile("local", file);
const marks = [performance.now()];
parseSettings(stack.config);
marks.push(performance.now());
const recording = await planStack(stack);
marks.push(performance.now());
policyReport(recording);
marks.push(performance.now());
const [start = 0, parsed = 0, planned = 0, judged = 0] = marks;
const stages: Stages = {
  settings: (parsed - start) / 1000,
  program: (planned - parsed) / 1000,
  policies: (judged - planned) / 1000,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(JSON.stringify(stages));
