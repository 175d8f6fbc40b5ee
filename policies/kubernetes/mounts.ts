import type { Field } from "../core/field.ts";
import { containerLists } from "./pod-spec.ts";

/** A volume as a container sees it. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
  /** Path on the node; undefined for other volumes. */
  readonly hostPath: string | undefined;
  /** The mount, for messages. */
  readonly field: Field;
}

/** What the containers of a pod mount, init and ephemeral ones included. @throws {Undecided} */
export function mountsOf(pod: Field): Mount[] {
  const hostPaths = new Map(
    pod
      .at("volumes")
      .items()
      .map((volume) => [volume.at("name").text(), volume.at("hostPath", "path").text()]),
  );
  return containerLists(pod)
    .flatMap((list) => list.items())
    .flatMap((container) => container.at("volumeMounts").items())
    .map((mount) => ({
      path: mount.at("mountPath").text() ?? "",
      readOnly: mount.at("readOnly").flag() ?? false,
      hostPath: hostPaths.get(mount.at("name").text()),
      field: mount,
    }));
}

/** Where on the node a path of the container stands; undefined where it is gone with the pod. */
export function onNode(path: string, mounts: readonly Mount[]): string | undefined {
  const over = mounts.filter((mount) => path === mount.path || path.startsWith(`${mount.path.replace(/\/$/, "")}/`));
  const nearest = over.toSorted((one, other) => other.path.length - one.path.length)[0];
  return nearest?.hostPath;
}
