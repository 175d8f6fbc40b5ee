import assert from "node:assert/strict";
import { cyclesOf, type Import, importsOf, projectImports, subjectImports } from "./import-graph.ts";

/** Who may not import what, and why; ARCHITECTURE.md draws the same directions. */
const FORBIDDEN: readonly { readonly from: RegExp; readonly to: RegExp; readonly reason: string }[] = [
  {
    from: /^components\/(schema|kubernetes|aws)\//,
    to: /^components\/(cluster|dns|logging|team)\//,
    reason: "the bottom layer knows no subject",
  },
  {
    from: /^components\/cluster\//,
    to: /^components\/(dns|logging|team)\//,
    reason: "a cluster does not know what runs on it",
  },
  { from: /^components\/dns\//, to: /^components\/(logging|team)\//, reason: "DNS knows neither logs nor teams" },
  {
    from: /^components\/(schema|kubernetes|aws|cluster|dns|logging|team)\//,
    to: /^components\/monitoring\//,
    reason: "what is watched does not know by whom",
  },
  {
    from: /^components\/[^/]+\//,
    to: /^components\/[^/]+\.ts$/,
    reason: "settings and public names are composed last",
  },
  {
    from: /^components\//,
    to: /^(lab|library|policies|tools|test|examples)\/|^index\.ts$/,
    reason: "components know no program",
  },
  {
    from: /^policies\//,
    to: /^(components|lab|tools|test|examples)\/|^index\.ts$/,
    reason: "the pack judges any program",
  },
  {
    from: /^corefile\//,
    to: /^(components|lab|policies|tools|test|examples)\/|^index\.ts$/,
    reason: "Corefiles know nothing of this program",
  },
  {
    from: /^library\//,
    to: /^(lab|policies|tools|test|examples)\/|^index\.ts$/,
    reason: "the published package is the components",
  },
  { from: /^lab\//, to: /^(tools|test|examples)\//, reason: "maintainers' tools are not in the user's command line" },
  { from: /^(tools\/|index\.ts$)/, to: /^test\//, reason: "programs do not run on test code" },
];

function offences(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) =>
    FORBIDDEN.filter((rule) => rule.from.test(from) && rule.to.test(to)).map(
      ({ reason }) => `${from} imports ${to}: ${reason}`,
    ),
  );
}

describe("the direction of imports", () => {
  const imports = projectImports();

  it("is read from every source", () => {
    assert.ok(imports.length > 400, `only ${imports.length} imports were found`);
    assert.ok(imports.some(({ from, to }) => from === "index.ts" && to === "components/settings.ts"));
  });

  it("goes from the program down to the bottom layer", () => {
    assert.deepEqual(offences(imports), []);
  });

  it("has no cycle of files, types included", () => {
    assert.deepEqual(cyclesOf(imports), []);
  });

  it("has no cycle of folders", () => {
    assert.deepEqual(cyclesOf(subjectImports(imports)), []);
  });
});

describe("the check of imports", () => {
  it("finds static, type, re-exporting and dynamic imports", () => {
    const source = `import { a } from "./a.ts";
import type { B } from "../b.ts";
export * from "./c.ts";
const d = await import("./d.ts");
import "./e.ts";
import { z } from "zod";`;
    assert.deepEqual(
      importsOf("components/dns/x.ts", source).map(({ to }) => to),
      ["components/dns/a.ts", "components/b.ts", "components/dns/c.ts", "components/dns/d.ts", "components/dns/e.ts"],
    );
  });

  it("fails on an import against each direction", () => {
    const planted: [from: string, to: string][] = [
      ["components/aws/iam.ts", "components/cluster/handle.ts"],
      ["components/cluster/handle.ts", "components/team/team.ts"],
      ["components/dns/core-dns.ts", "components/team/curl-pod.ts"],
      ["components/team/team.ts", "components/settings.ts"],
      ["components/logging/log-collection.ts", "components/monitoring/monitoring.ts"],
      ["components/team/team.ts", "lab/main.ts"],
      ["policies/index.ts", "components/index.ts"],
      ["corefile/index.ts", "policies/index.ts"],
      ["library/provider.ts", "lab/command-line.ts"],
      ["lab/main.ts", "tools/docs/pages.ts"],
      ["tools/docs/pages.ts", "test/support/find.ts"],
    ];
    for (const [from, to] of planted) assert.equal(offences([{ from, to }]).length, 1, `${from} imports ${to}`);
  });

  it("fails on a cycle of three files, and on one of two folders that is none of files", () => {
    const cycle = [
      { from: "a.ts", to: "b.ts" },
      { from: "b.ts", to: "c.ts" },
      { from: "c.ts", to: "a.ts" },
      { from: "c.ts", to: "d.ts" },
    ];
    assert.deepEqual(cyclesOf(cycle), [["a.ts", "b.ts", "c.ts"]]);
    const folders = [
      { from: "components/dns/a.ts", to: "components/team/b.ts" },
      { from: "components/team/c.ts", to: "components/dns/d.ts" },
    ];
    assert.deepEqual(cyclesOf(folders), []);
    assert.deepEqual(cyclesOf(subjectImports(folders)), [["components/dns", "components/team"]]);
  });
});
