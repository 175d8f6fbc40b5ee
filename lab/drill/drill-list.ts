import { ALERTS, runbookOf } from "../../components/monitoring/alerts/alert-table.ts";
import type { Settings } from "../../components/settings.ts";
import { hasCurlPod } from "../../components/team/settings.ts";
import { type CoreDnsPlace, statedPlace } from "../kubernetes/core-dns-place.ts";
import type { ObjectStore } from "../kubernetes/object-store.ts";
import { plainTable } from "../output/text.ts";
import { COLLECTOR_DRILLS } from "./collector-drills.ts";
import { DNS_DRILLS } from "./dns-drills.ts";
import { corefileOf, type Drill, type Scene } from "./drill.ts";
import { LOG_DRILLS } from "./log-drills.ts";
import { TEAM_DRILLS } from "./team-drills.ts";

/** All drills. */
export const DRILLS: readonly Drill[] = [...TEAM_DRILLS, ...DNS_DRILLS, ...LOG_DRILLS, ...COLLECTOR_DRILLS];

/** A drill, and why a cluster cannot run it. */
export interface OfferedDrill {
  readonly drill: Drill;
  /** Undefined if it can be run. */
  readonly unfit: string | undefined;
}

/**
 * The first team with a curl pod that may connect to another team; undefined if there is none.
 * @param coreDns Location of CoreDNS on the cluster. Default: as the settings say.
 */
export function sceneOf(settings: Settings, coreDns: CoreDnsPlace = statedPlace(settings.dns)): Scene | undefined {
  const teams = settings.curlPods ? settings.teams.filter(hasCurlPod) : [];
  for (const { name, peers } of teams) {
    const to = peers.find((peer) => teams.some((team) => team.name === peer));
    if (to !== undefined) return { settings, from: name, to, coreDns };
  }
  return undefined;
}

const ON_EKS = "it changes CoreDNS, which is never done on EKS";

export const NO_SCENE = "the stack has no two teams with curl pods, one a peer of the other";

/**
 * All drills, and whether a stack can run each.
 * @param store The cluster; undefined to rely on the settings alone.
 * @param coreDns Location of CoreDNS on the cluster. Default: as the settings say.
 * @param isEks Whether the cluster identifies itself as EKS, whatever the stack says.
 */
export async function offeredDrills(
  settings: Settings,
  store: ObjectStore | undefined,
  isEks = settings.cluster.kind !== "existing",
  coreDns: CoreDnsPlace = statedPlace(settings.dns),
): Promise<OfferedDrill[]> {
  const scene = sceneOf(settings, coreDns);
  const missing = isEks ? ON_EKS : store && (await withoutCoreDns(store, coreDns));
  return DRILLS.map((drill) => ({ drill, unfit: whyUnfit(drill, scene, missing) }));
}

function whyUnfit(drill: Drill, scene: Scene | undefined, missing: string | undefined): string | undefined {
  if (scene === undefined) return NO_SCENE;
  if (drill.part === "dns" && missing !== undefined) return missing;
  return drill.unfit?.(scene);
}

async function withoutCoreDns(store: ObjectStore, place: CoreDnsPlace): Promise<string | undefined> {
  const { namespace, configMap, selector } = place;
  const pods = { apiVersion: "v1", plural: "pods", namespace };
  const [corefile, names] = await Promise.all([store.read(corefileOf(place)), store.names(pods, selector)]);
  if (corefile === undefined) return `the cluster has no ConfigMap ${namespace}/${configMap}`;
  return names.length === 0 ? `no pod in ${namespace} has the label ${selector}` : undefined;
}

/** Which cluster a drill would disturb. */
export interface Consent {
  /** The EKS cluster's name, or the kubeconfig context. */
  readonly clusterName: string;
  readonly isEks: boolean;
  /** Whether the API server is on this machine. */
  readonly isLocal: boolean;
  /** Value of `--yes-on`. */
  readonly yesOn: string | undefined;
  /** @default that of EKS, kubeadm, kind and k3s */
  readonly coreDns?: CoreDnsPlace;
}

/** Whether the cluster is on EKS, even if the stack only knows its kubeconfig, and whether it is on this machine. */
export function placeOf(
  { kind }: Pick<Settings["cluster"], "kind">,
  { server, version }: { readonly server: string; readonly version: string },
): Pick<Consent, "isEks" | "isLocal"> {
  return { isEks: kind !== "existing" || version.includes("-eks-"), isLocal: LOOPBACK.test(new URL(server).hostname) };
}

const LOOPBACK = /^(127(\.\d+){3}|localhost|0\.0\.0\.0|\[::1\])$/;

function forEverybody({ namespace, configMap }: CoreDnsPlace): string {
  return `This drill changes ${namespace}/${configMap} and restarts CoreDNS: names may not resolve for anyone on this cluster, until \`npm run lab -- drill stop\`.`;
}

/** The notice before the first write, and the refusal if `--yes-on` must name the cluster. */
export function consentFor(
  { part, warning: ofDrill }: Drill,
  { clusterName, isEks, isLocal, yesOn, coreDns = statedPlace(undefined) }: Consent,
): { readonly warning?: string; readonly refusal?: string } {
  const notice = part === "dns" ? forEverybody(coreDns) : ofDrill;
  const warning = notice === undefined ? {} : { warning: notice };
  if (yesOn !== undefined && yesOn !== clusterName)
    return { ...warning, refusal: `--yes-on ${yesOn} does not name this cluster, ${clusterName}` };
  if (yesOn !== undefined || (!isEks && (isLocal || part !== "dns"))) return warning;
  const why = isEks ? `${clusterName} is on EKS` : `${clusterName} is not on this machine`;
  return { ...warning, refusal: `${why}, so add --yes-on ${clusterName}` };
}

/** The table of `drill list`. @param on Name of the active drill. */
export function drillTable(drills: readonly OfferedDrill[], on: string | undefined): string {
  const rows = drills.map(({ drill, unfit }) => [
    drill.name,
    drill.part,
    String(drill.level),
    String(drill.minutes),
    drill.name === on ? "on" : (unfit ?? ""),
  ]);
  return `${plainTable(["drill", "about", "level", "minutes", "status"], rows, { right: [2, 3] })}\n`;
}

/** The JSON document of `drill list`. */
export function drillsJson(drills: readonly OfferedDrill[], on: string | undefined) {
  return drills.map(({ drill: { name, part, level, minutes }, unfit }) => ({
    name,
    part,
    level,
    minutes,
    on: name === on,
    ...(unfit === undefined ? {} : { unfit }),
  }));
}

/** What is shown at the start. Describes only the symptoms: the output of verify would reveal the likely cause. */
export function introduction(drill: Drill, scene: Scene): string {
  return `Drill ${drill.name} is on (level ${drill.level}, about ${drill.minutes} minutes).

  ${drill.symptom(scene)}

  ${drill.shownBy(scene)}

Next: \`npm run lab -- drill hint\`, \`check\` or \`stop\`.
`;
}

/** The explanation shown after the repair. */
export function explanation(drill: Drill, scene: Scene): string {
  const alert = ALERTS.find(({ name }) => name === drill.alert);
  const lines = [
    `Cause:   ${drill.cause(scene)}`,
    `Symptom: ${drill.symptom(scene)}`,
    `         ${drill.shownBy(scene)}`,
    `Repair:  ${drill.repair(scene)}`,
    alert === undefined
      ? "Alert:   none covers this; `npm run verify` finds it"
      : `Alert:   ${alert.name} (${alert.severity}), ${runbookOf(alert, undefined)}`,
  ];
  return `${lines.join("\n")}\n`;
}
