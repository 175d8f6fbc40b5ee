import { posix } from "node:path";
import { type Field, Undecided } from "../../core/resource.ts";
import { type Rule, texts } from "../../core/rule.ts";
import {
  collectorDaemonSets,
  fluentBitConfigs,
  fluentBitSidecars,
  foreignCollectors,
  unknownImages,
} from "../../readers/collectors-in-stack.ts";
import { credentialsIn } from "../../readers/credentials.ts";
import { mountsOf, plainPath, podSpecOf, WORKLOADS } from "../../readers/workload.ts";
import { cis, fluentBit, podSecurity } from "../rule-sources.ts";

const LOG_PATHS = texts("logPaths", "Readable node paths, with everything below", [
  "/var/log",
  "/var/lib/docker/containers",
  "/run/log/journal",
  "/etc/machine-id",
  // The node's programs, for a collector that reads the journal by journalctl.
  "/usr",
  "/lib",
  "/lib64",
]);
const STATE_PATHS = texts("statePaths", "Writable node paths, with everything below", [
  "/var/lib/eks-dns-logging",
  "/var/lib/fluent-bit",
  "/var/fluent-bit/state",
  "/var/lib/fluentd",
  "/var/lib/filebeat",
  "/var/lib/filebeat-data",
  "/var/lib/vector",
  "/var/lib/promtail",
  "/run/promtail",
  "/var/lib/logagent",
  "/var/lib/otelcol",
  "/var/log/collected",
]);

/** What log collectors may access. */
export const COLLECTORS: readonly Rule[] = [
  {
    id: "collectors-host-paths",
    family: "collectors",
    level: "mandatory",
    title: "A collector mounts node logs read-only and writes only its own state",
    reason: "A collector runs on every node.",
    fix: "mount what it only reads with readOnly: true, and list other folders that it needs in the options `logPaths` (to read) and `statePaths` (to write)",
    source: podSecurity("Baseline", "HostPath Volumes"),
    options: [LOG_PATHS, STATE_PATHS],
    types: ["kubernetes:apps/v1:DaemonSet"],
    checkStack: (stack, report, settings) => {
      const isUnder = (paths: readonly string[], path: string) =>
        paths.some((root) => `${posix.join(plainPath(path), ".")}/`.startsWith(`${root}/`));
      report.each(unknownImages(stack, report), (image) => {
        const pod = podSpecOf(image.owner);
        if (pod !== undefined && mountsOf(pod).some(({ hostPath }) => hostPath !== undefined))
          throw new Undecided(image);
      });
      report.each(collectorDaemonSets(stack, report), (resource) => {
        const pod = podSpecOf(resource);
        if (pod === undefined) return;
        report.each(pod.at("volumes").items(), (volume) => {
          const path = volume.at("hostPath", "path");
          const text = path.text();
          if (text !== undefined && !isUnder([...settings.get(LOG_PATHS), ...settings.get(STATE_PATHS)], text))
            report.wrong(path, "which a collector does not need");
        });
        const writable = mountsOf(pod).filter(({ readOnly, hostPath }) => hostPath !== undefined && !readOnly);
        report.each(writable, ({ hostPath, field }) => {
          if (!isUnder(settings.get(STATE_PATHS), hostPath ?? ""))
            report.wrong(field.at("readOnly"), `so the collector may write to ${hostPath}`);
        });
      });
    },
  },
  {
    id: "collectors-no-credentials",
    family: "collectors",
    level: "mandatory",
    title: "No ConfigMap contains a password, key or token",
    reason: "Everyone in the namespace can read it.",
    fix: "move it to a Secret and reference that by an environment variable, or use Pod Identity",
    source: cis("4.4.1"),
    types: ["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch"],
    check: (map, report) => {
      const tell = (name: string, file: Field, text: string) => {
        for (const { line, what } of credentialsIn(text, name))
          report.wrongIn(file, `line ${line} (value not shown)`, `${what} in a ConfigMap`);
      };
      report.part(() => report.each(map.at("data").entries(), ([key, file]) => tell(key, file, file.text() ?? "")));
      report.each(map.at("binaryData").entries(), ([key, file]) =>
        tell(key, file, Buffer.from(file.text() ?? "", "base64").toString("utf8")),
      );
    },
  },
  {
    id: "collectors-configuration-read",
    family: "collectors",
    level: "advisory",
    title: "The collector's configuration can be checked",
    reason:
      "Fluent Bit's is checked as a whole, that of another collector only for TLS and credentials, both in the stack's ConfigMaps alone.",
    fix: "put the configuration into a ConfigMap of the stack; review that of a collector other than Fluent Bit by hand, and exempt it with a reason",
    source: fluentBit("Configuration file", "administration/configuring-fluent-bit"),
    types: [...WORKLOADS, "kubernetes:core/v1:ConfigMap"],
    checkStack: (stack, report) => {
      const read = new Set(fluentBitConfigs(stack, report).map(({ workload }) => workload));
      report.each(unknownImages(stack, report), (image) => {
        throw new Undecided(image);
      });
      // Unknown parts have already been reported.
      if (report.verdicts.length > 0) return;
      const collectors = [...collectorDaemonSets(stack, report), ...fluentBitSidecars(stack, report)];
      const foreign = foreignCollectors(stack, report);
      for (const collector of collectors.filter((resource) => !read.has(resource)))
        report.missing(collector, whyUnread(foreign.get(collector)));
    },
  },
];

/** @param sends Whether a collector other than Fluent Bit has a file with its destination; undefined for Fluent Bit. */
function whyUnread(sends: boolean | undefined): string {
  if (sends === undefined) return "no ConfigMap of this stack holds a Fluent Bit configuration for it";
  return sends
    ? "its configuration is not Fluent Bit's, so only TLS and credentials are checked in it"
    : "no ConfigMap of this stack says where it sends, so only its pod is checked";
}
