import assert from "node:assert/strict";
import { type AuditFinding, audit, type ObjectsOptions, subjectOf } from "../../../lab/audit/audit.ts";
import { kubernetesObject } from "../../../lab/audit/kubernetes-object.ts";

type Json = Readonly<Record<string, unknown>>;

/** A container that breaks no rule. */
export const SOUND_CONTAINER = {
  name: "api",
  image: "ghcr.io/example/api:1.2.3",
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};

/** A pod that breaks no rule. */
export const SOUND_POD = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
  containers: [SOUND_CONTAINER],
};

/** An object of the namespace payments as an API server answers with it. */
export function live(apiVersion: string, kind: string, name: string, rest: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: "payments",
      uid: `uid-of-${kind}-${name}`,
      resourceVersion: "1234",
      creationTimestamp: "2026-11-01T00:00:00Z",
      managedFields: [{ manager: "kubectl", operation: "Apply", fieldsV1: { "f:spec": {} } }],
      ...metadata,
    },
    ...rest,
  };
}

export function ownedBy(kind: string, name: string): Json {
  return { ownerReferences: [{ apiVersion: "apps/v1", kind, name, uid: `uid-of-${kind}-${name}`, controller: true }] };
}

/** What an audit of objects finds. */
export function findingsIn(
  objects: readonly Json[],
  options: ObjectsOptions = { live: true },
): readonly AuditFinding[] {
  const read = objects.map((object) => {
    const known = kubernetesObject(object);
    assert.ok(known !== undefined, JSON.stringify(object));
    return known;
  });
  return audit(subjectOf(read, options)).findings;
}

/** Rule and object of each finding. */
export function pairs(findings: readonly AuditFinding[]): string[] {
  return findings.map(({ rule, resource }) => `${rule} ${resource}`).sort();
}
