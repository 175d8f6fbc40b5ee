/**
 * The allowed directions of imports, as ARCHITECTURE.md shows them. Types count: a cycle of types is a cycle for a reader.
 * @type {import("dependency-cruiser").IConfiguration}
 */

/** Layers of components/, from the bottom up: a folder imports its own layer and those below. */
const LAYERS = [["schema", "kubernetes", "aws"], ["cluster"], ["dns"], ["logging", "team"]];

const layerRules = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `components-${layer.join("-")}-import-nothing-above`,
  comment: "schema, kubernetes, aws ← cluster ← dns ← logging, team ← settings ← index.ts",
  severity: "error",
  from: { path: `^components/(${layer.join("|")})/` },
  to: {
    path: `^components/(${LAYERS.slice(index + 1)
      .flat()
      .join("|")}|[^/]+\\.ts$)`,
  },
}));

export default {
  forbidden: [
    {
      name: "no-cycle",
      comment: "No cycle of files, types included.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-folder-cycle",
      comment: "No cycle of folders; within one subject, a folder and its own sub-folders count as one.",
      severity: "error",
      scope: "folder",
      from: { path: "^((?:components|lab|policies|tools)/[^/]+)" },
      to: { circular: true, pathNot: "^$1" },
    },
    ...layerRules,
    {
      name: "components-import-no-program",
      comment: "Nobody below index.ts knows the command line, the policies or the maintainers' tools.",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^(lab|policies|tools|test|index\\.ts)" },
    },
    {
      name: "top-of-components-is-imported-by-programs",
      comment: "Settings and the public index are composed last.",
      severity: "error",
      from: { path: "^components/[^/]+/" },
      to: { path: "^components/[^/]+\\.ts$" },
    },
    {
      name: "policies-import-corefile-alone",
      comment: "The pack runs on any stack: it knows nothing of this program's components.",
      severity: "error",
      from: { path: "^policies/" },
      to: { path: "^(components|lab|tools|test|index\\.ts)" },
    },
    {
      name: "corefile-imports-nothing-of-ours",
      severity: "error",
      from: { path: "^corefile/" },
      to: { path: "^(components|lab|policies|tools|test|index\\.ts)" },
    },
    {
      name: "lab-imports-no-tools",
      comment: "What maintainers run is not in the user's command line.",
      severity: "error",
      from: { path: "^lab/" },
      to: { path: "^(tools|test)/" },
    },
    {
      name: "program-imports-no-tests",
      severity: "error",
      from: { path: "^(index\\.ts|tools/)" },
      to: { path: "^test/" },
    },
    {
      name: "only-locked-packages",
      comment: "A package that package.json does not name is there by chance.",
      severity: "error",
      from: { path: "^(index\\.ts|components|corefile|lab|policies|tools)" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "unknown"] },
    },
    { name: "no-missing-file", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
