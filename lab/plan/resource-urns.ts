import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";

/** Name of the project, in each URN. */
export const PROJECT = "eks-dns-logging";
/** Type of the stack itself, which is above everything else. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * The engine writes all parents' types into a URN but the stack's; the mocks write one, and the stack's too.
 * @see https://www.pulumi.com/docs/iac/concepts/resources/names/
 */
export function engineUrn(stack: string, request: RegisterResourceRequest): string {
  const parents = request.getParent().split("::")[2] ?? "";
  const type = parents === "" || parents === STACK_TYPE ? request.getType() : `${parents}$${request.getType()}`;
  return `urn:pulumi:${[stack, PROJECT, type, request.getName()].join("::")}`;
}

/**
 * URNs under which the engine also looks for a resource, by a former name below the same parents.
 * @param urn Its own one.
 */
export function formerUrns(urn: string, request: RegisterResourceRequest): string[] {
  const names = request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || []);
  const own = request.getName();
  const place = urn.slice(0, -own.length);
  return [...new Set(names)].filter((name) => name !== own).map((name) => place + name);
}
