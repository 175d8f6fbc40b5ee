import { z } from "zod";
import { bucketName } from "../../../components/logging/pipeline.ts";
import type { Target } from "../../../components/logging/routing/routes.ts";
import { type AwsSource, controlPlaneGroup, sourcePlace } from "../../../components/logging/sources/journal.ts";
import type { Settings } from "../../../components/settings.ts";
import type { Aws } from "../../process.ts";
import type { SourceFinder } from "./finder.ts";
import { FilterAnswer } from "./stores.ts";

/** How far back the audit log is searched: a control plane writes so much that a longer search is slow. */
const BACK_SECONDS = 300;
/** The same in S3, to which Firehose writes every five minutes. */
const BACK_IN_S3_SECONDS = 3600;

interface Place extends Pick<Settings, "cluster" | "region"> {
  readonly aws: Aws;
}

/** Searches for a source's deliveries by AWS, with the AWS CLI. */
export function awsSourceFinder(
  { destination, suffix }: Target,
  source: AwsSource,
  { cluster, region = "", aws }: Place,
): Omit<SourceFinder, "source" | "name"> {
  const name = cluster.kind === "existing" ? "" : cluster.name;
  if (source === "auto-mode") {
    const unable = `AWS names the streams and objects: \`aws logs describe-deliveries\` lists what is delivered`;
    return { place: destination.kind, unable, newest: async () => undefined };
  }
  switch (destination.kind) {
    case "cloudwatch": {
      const group = controlPlaneGroup(name);
      return {
        place: `cloudwatch ${group}`,
        back: BACK_SECONDS,
        whyMissing: `the control plane writes no ${source} log: \`aws eks describe-cluster --name ${name} --query cluster.logging\``,
        async newest() {
          const start = String(Date.now() - BACK_SECONDS * 1000);
          const where = ["--log-group-name", group, "--log-stream-name-prefix", `kube-apiserver-${source}`];
          const answer = await aws([
            ...["logs", "filter-log-events", ...where, "--region", region, "--start-time", start],
            ...["--max-items", "1", "--output", "json"],
          ]);
          const [found] = FilterAnswer.parse(JSON.parse(answer)).events;
          if (found === undefined) return undefined;
          const { logStreamName, timestamp } = found;
          return {
            where: `log stream ${logStreamName}`,
            at: timestamp === undefined ? undefined : new Date(timestamp),
          };
        },
      };
    }
    case "s3": {
      const bucket = bucketName(destination, name, region, suffix);
      const place = sourcePlace(destination.prefix, source);
      return {
        place: `s3 ${bucket}/${place}`,
        back: BACK_IN_S3_SECONDS,
        whyMissing: `no object: look below ${place}-errors and at the metric DeliveryToS3.Success of the stream`,
        async newest() {
          const keys = [];
          for (const hour of [0, 1]) keys.push(...(await objects(aws, bucket, `${place}/${hoursAgo(hour)}/`, region)));
          const [newest] = keys.sort((one, other) => (one.LastModified < other.LastModified ? 1 : -1));
          return newest && { where: newest.Key, at: new Date(newest.LastModified) };
        },
      };
    }
    default:
      return {
        place: destination.kind,
        unable: "it passes lines on: look where they arrive",
        newest: async () => undefined,
      };
  }
}

const ListAnswer = z.object({
  Contents: z.array(z.object({ Key: z.string(), LastModified: z.string() })).default([]),
});

/** Objects below a prefix; empty if S3 returns none. @see https://docs.aws.amazon.com/cli/latest/reference/s3api/list-objects-v2.html */
async function objects(aws: Aws, bucket: string, prefix: string, region: string) {
  const where = ["--bucket", bucket, "--prefix", prefix, "--region", region];
  const answer = await aws(["s3api", "list-objects-v2", ...where, "--output", "json"]);
  return answer.trim() === "" ? [] : ListAnswer.parse(JSON.parse(answer)).Contents;
}

/** The part of object keys for an hour, in UTC. */
function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 13).replaceAll(/[-T]/g, "/");
}
