import assert from "node:assert/strict";
import { projectSources, type SourceFile } from "./import-graph.ts";

interface Place {
  readonly what: string;
  /** Finds it in a source. */
  readonly text: RegExp;
  /** The files that may have it, all others may not. */
  readonly files: readonly string[];
}

const PLACES: readonly Place[] = [
  {
    what: "other programs",
    text: /"(?:node:child_process|tinyexec)"/,
    files: [
      "components/cluster/preflight.ts", // The published package has no lab/.
      "lab/process.ts",
      "tools/bench/line-cost-node.ts", // A collector that runs until it is stopped.
      "tools/coredns/verdicts.ts", // A CoreDNS that is killed once it serves.
      "tools/release/commits.ts", // CI runs it without node_modules.
    ],
  },
  { what: "tables in a terminal", text: /"cli-table3"/, files: ["lab/output/text.ts"] },
  { what: "tables in Markdown", text: /"markdown-table"/, files: ["tools/docs/collector-pages.ts"] },
  { what: "line differences", text: /from "diff"/, files: ["lab/diff/fields.ts"] },
  { what: "progress", text: /"ora"/, files: ["lab/command-line.ts"] },
  { what: "quantities", text: /"Ki", "Mi"/, files: ["corefile/quantity.ts"] },
  { what: "AWS partitions", text: /"aws-cn"/, files: ["components/aws/partition.ts"] },
  { what: "Kubernetes providers", text: /\bnew k8s\.Provider\(/, files: ["components/cluster/handle.ts"] },
  { what: "key policies", text: /"kms:\*"/, files: ["components/aws/log-group.ts"] },
  {
    what: "kubeconfigs",
    text: /\bnew KubeConfig\(/,
    files: [
      "lab/deploy/recovery.ts", // The text in a provider's inputs.
      "lab/kubernetes/connect.ts",
    ],
  },
  {
    what: "container security contexts",
    text: /^\s+allowPrivilegeEscalation: false/m,
    files: ["components/kubernetes/container.ts"],
  },
];

function offences(sources: readonly SourceFile[]): string[] {
  return PLACES.flatMap(({ what, text, files }) => {
    const having = sources.filter((source) => text.test(source.text)).map(({ file }) => file);
    return [
      ...having.filter((file) => !files.includes(file)).map((file) => `${file}: ${what} belong in ${files.join(", ")}`),
      ...files.filter((file) => !having.includes(file)).map((file) => `${file} no longer has ${what}`),
    ];
  });
}

describe("what the project does in one place", () => {
  it("stands in no other source", () => {
    assert.deepEqual(offences(projectSources()), []);
  });

  it("is found where it is planted, and missed where it is gone", () => {
    const planted: [file: string, text: string, offence: string][] = [
      [
        "lab/dns/bench.ts",
        'import Table from "cli-table3";',
        "lab/dns/bench.ts: tables in a terminal belong in lab/output/text.ts",
      ],
      [
        "components/team/team.ts",
        'const id = "aws-cn";',
        "components/team/team.ts: AWS partitions belong in components/aws/partition.ts",
      ],
    ];
    for (const [file, text, offence] of planted)
      assert.deepEqual(offences([...projectSources(), { file, text }]), [offence]);
    const rest = projectSources().filter(({ file }) => file !== "lab/output/text.ts");
    assert.deepEqual(offences(rest), ["lab/output/text.ts no longer has tables in a terminal"]);
  });
});
