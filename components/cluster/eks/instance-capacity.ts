import { amount } from "../../schema/values.ts";

/** Upper bounds of a node's capacity. Its own programs use some of it, so pods get less. */
interface InstanceCapacity {
  /** Cores; infinite if the instance type's name does not show them. */
  readonly cpu: number;
  /** Bytes of memory; infinite if the instance type's name does not show them. */
  readonly memory: number;
}

/** GiB of memory by size, the same for the families T2, T3, T3a and T4g. */
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
 * The maximum capacity by an instance type's name: except in family c1, no `large` has more than two cores, no `4xlarge` more than 16.
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
 * Finds the capacity that a pod's request exceeds on all of these instance types.
 * @returns such as `2 cores of t4g.medium`; undefined if the request may fit one of them.
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
