import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";

/** Name of the project, part of each URN. */
export const PROJECT = "eks-dns-logging";
/** Type of the stack itself, the root of all resources. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/**
 * The engine includes the types of all parents except the stack's in a URN; the mocks include only the nearest, even if it is the stack's.
 * @see https://www.pulumi.com/docs/iac/concepts/resources/names/
 */
export function engineUrn(stack: string, request: RegisterResourceRequest): string {
  const parents = request.getParent().split("::")[2] ?? "";
  const type = parents === "" || parents === STACK_TYPE ? request.getType() : `${parents}$${request.getType()}`;
  return `urn:pulumi:${[stack, PROJECT, type, request.getName()].join("::")}`;
}

/**
 * URNs of a resource's aliases: former names below the same parents.
 * @param urn Its current URN.
 */
export function formerUrns(urn: string, request: RegisterResourceRequest): string[] {
  const names = request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || []);
  const own = request.getName();
  const place = urn.slice(0, -own.length);
  return [...new Set(names)].filter((name) => name !== own).map((name) => place + name);
}
