/** What a cluster-proportional-autoscaler scales. */
interface ProportionalTargets {
  readonly namespace: string | undefined;
  /** Whether a Deployment of that namespace is among its targets. */
  readonly has: (deployment: string) => boolean;
}

/** An option in the words of a command line: `--target=A`, `-target=A` or `--target A`. */
function option(words: readonly string[], name: string): string | undefined {
  return new RegExp(`(?:^| )--?${name}[= ](\\S+)`).exec(words.join(" "))?.[1];
}

/**
 * Reads the targets of cluster-proportional-autoscaler, which takes several, and their kinds in any case.
 * @param words Command and arguments of its container.
 * @param own Namespace of its pod, the default for its targets.
 * @see https://github.com/kubernetes-sigs/cluster-proportional-autoscaler#overview
 */
export function proportionalTargets(words: readonly string[], own: string | undefined): ProportionalTargets {
  const targets = option(words, "target")?.toLowerCase().split(",") ?? [];
  return {
    namespace: option(words, "namespace") ?? own,
    has: (deployment) => targets.includes(`deployment/${deployment}`),
  };
}
