import { amount } from "../../schema/values.ts";

/** What a node has at most. Its own programs take some of it, so that no pod gets all. */
interface InstanceCapacity {
  /** Cores; infinite where the name does not tell. */
  readonly cpu: number;
  /** Bytes of memory; infinite where the name does not tell. */
  readonly memory: number;
}

/** GiB of memory of the families T2, T3, T3a and T4g, which all have the same. */
const BURSTABLE: Readonly<Record<string, number>> = {
  nano: 0.5,
  micro: 1,
  small: 2,
  medium: 4,
  large: 8,
  xlarge: 16,
  "2xlarge": 32,
};

/**
 * The most that an instance type can have by its name: except in family c1, no `large` has more than two cores, no `4xlarge` more than 16.
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
 */
function capacityOf(type: string): InstanceCapacity {
  const [family = "", size = ""] = type.split(".");
  const gibibytes = /^t(2|3a?|4g)$/.test(family) ? BURSTABLE[size] : undefined;
  const cpu = family === "c1" ? Number.POSITIVE_INFINITY : coresOf(size);
  return { cpu, memory: gibibytes === undefined ? Number.POSITIVE_INFINITY : gibibytes * 2 ** 30 };
}

function coresOf(size: string): number {
  if (/^(nano|micro|small|medium|large)$/.test(size)) return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  return times === undefined ? Number.POSITIVE_INFINITY : 4 * Number(times || 1);
}

/**
 * The capacity that a pod's request leaves no room in on any of these instance types.
 * @returns such as `2 cores of t4g.medium`; undefined where the request may fit one of them.
 */
export function exceededCapacity(
  types: readonly string[],
  key: keyof InstanceCapacity,
  request: string | undefined,
): string | undefined {
  const largest = Math.max(...types.map((type) => capacityOf(type)[key]));
  if (request === undefined || amount(request) < largest) return undefined;
  return `${key === "cpu" ? `${largest} cores` : `${largest / 2 ** 30} GiB`} of ${types.join(" or ")}`;
}
