/** A stack of each kind of cluster, without its sections. */
export const KINDS = {
  eks: { "aws:region": "eu-central-1", "eks-dns-logging:cluster": '{"kind":"eks"}' },
  "eks-existing": {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": '{"kind":"eks-existing","name":"prod","kubernetesVersion":"1.35"}',
  },
  existing: { "eks-dns-logging:cluster": '{"kind":"existing","context":"kind-lab"}' },
} as const;

/** The parts of a stack, each with the setting that leaves it out. */
export const PARTS = {
  dns: { key: "dns", absent: "false" },
  logging: { key: "logging", absent: "false" },
  teams: { key: "teams", absent: "[]" },
  curlPods: { key: "curlPods", absent: "false" },
} as const;
export type Part = keyof typeof PARTS;
export const PART_NAMES: readonly Part[] = ["dns", "logging", "teams", "curlPods"];

/** All sets of parts but the empty one. */
export const COMBINATIONS: readonly (readonly Part[])[] = Array.from({ length: 15 }, (_, index) =>
  PART_NAMES.filter((_part, bit) => ((index + 1) >> bit) & 1),
);

export type Config = Readonly<Record<string, string>>;

/** A stack's configuration without the parts that are not present. */
export function onlyParts(config: Config, present: readonly Part[]): Config {
  const absent = PART_NAMES.filter((part) => !present.includes(part));
  return {
    ...config,
    ...Object.fromEntries(absent.map((part) => [`eks-dns-logging:${PARTS[part].key}`, PARTS[part].absent])),
  };
}
