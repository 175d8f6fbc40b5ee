import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { Obstacle } from "../lab.ts";
import { collectorPod, LOGGING_NAMESPACE } from "./collector-pods.ts";
import type { MarkerFinder } from "./finder.ts";

const FilterAnswer = z.object({ events: z.array(z.object({ logStreamName: z.string() })) });

/** Asks the AWS CLI; given, so that tests need none. */
export type Aws = (args: readonly string[]) => Promise<string>;

/**
 * Destination cloudwatch: the marker is searched for in the log group by the AWS CLI, which an EKS stack needs anyway.
 * @see https://docs.aws.amazon.com/cli/latest/reference/logs/filter-log-events.html
 */
export function cloudwatchFinder(
  { logGroup, region }: { readonly logGroup: string; readonly region: string },
  collector: string,
  aws: Aws = awsCli,
): MarkerFinder {
  return {
    place: `cloudwatch ${logGroup}`,
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
    },
    async find(_lab, { marker, seconds }) {
      const start = String(Date.now() - Math.ceil(seconds) * 1000);
      const group = ["--log-group-name", logGroup, "--region", region, "--start-time", start];
      const filter = ["--filter-pattern", `"${marker}"`, "--max-items", "1", "--output", "json"];
      const stream = FilterAnswer.parse(JSON.parse(await aws(["logs", "filter-log-events", ...group, ...filter])))
        .events[0];
      return stream === undefined ? undefined : { where: `log stream ${stream.logStreamName}` };
    },
    whyMissing: async () =>
      `${collector} runs, but the log group has no such line: its Pod Identity role may lack logs:PutLogEvents; \`kubectl -n ${LOGGING_NAMESPACE} logs daemonset/${collector}\` shows what was refused`,
  };
}

async function awsCli(args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)("aws", [...args], { timeout: 30_000 })).stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new Obstacle(
        "there is no AWS CLI",
        "it reads CloudWatch Logs: install it as https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html says",
      );
    const said =
      error instanceof Error && "stderr" in error ? String(error.stderr).trim().split("\n").at(-1) : undefined;
    throw new Obstacle(
      said || String(error),
      "the AWS CLI must be logged in and allowed logs:FilterLogEvents on the log group",
    );
  }
}
