import { upCommand } from "../../components/commands.ts";
import { podDns } from "../../components/dns/node-local-cache/pod-dns.ts";
import type { Settings } from "../../components/settings.ts";
import type { Target } from "../kubernetes/connect.ts";
import type { Plan } from "./catalog.ts";
import { finderFor } from "./find/finders.ts";

/** What a stack's settings promise, and so what is to be proved. */
export function planOf(stack: string, settings: Settings, wait: number): Plan {
  return {
    teams: settings.teams,
    ndots: settings.curlPod.ndots,
    nameserver: podDns(settings.dns)?.nameservers[0],
    // The vpc-cni add-on of this program's EKS cluster has its policy agent on.
    enforced: settings.cluster.kind === "eks",
    finder: finderFor(settings),
    up: upCommand({ stack, cluster: settings.cluster }),
    wait,
  };
}

/** Where the stack's cluster is; what the person names comes first. */
export function targetOf(settings: Settings, flags: Target): Target {
  const { cluster } = settings;
  const own = cluster.kind === "existing" ? cluster : undefined;
  // A context named by hand is not looked for in a file named by the stack only where the file is named by hand too.
  return { kubeconfig: flags.kubeconfig ?? own?.kubeconfig, context: flags.context ?? own?.context };
}
