import assert from "node:assert/strict";
import type { ResourceChange } from "../../../lab/diff/comparison.ts";
import { type Json, PlanDocument, type PlannedResourceDocument } from "../../../lab/diff/document.ts";

type Options = Partial<Omit<PlannedResourceDocument, "urn" | "type" | "name" | "inputs">> & {
  readonly parents?: string;
};

/** A planned resource, whose URN is made of its type, its parents' types and its name. */
export function resource(
  type: string,
  name: string,
  inputs: { [key: string]: Json } = {},
  { parents = "", ...options }: Options = {},
): PlannedResourceDocument {
  const qualified = parents === "" ? type : `${parents}$${type}`;
  const urn = `urn:pulumi:test::eks-dns-logging::${qualified}::${name}`;
  return PlanDocument.shape.resources.element.parse({ urn, type, name, inputs, ...options });
}

export function plan(...resources: readonly PlannedResourceDocument[]): PlanDocument {
  return PlanDocument.parse({ stack: "test", resources });
}

export function namespace(name: string, options: Options & { readonly team?: string } = {}): PlannedResourceDocument {
  const { team = "ts", ...rest } = options;
  const inputs = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { team, "part-of": "lab" } } };
  return resource("kubernetes:core/v1:Namespace", `${team}-namespace`, inputs, { parents: "lab:Team", ...rest });
}

/** The one change that there is. */
export function only(changes: readonly ResourceChange[]): ResourceChange {
  assert.equal(changes.length, 1, JSON.stringify(changes));
  const [change] = changes;
  assert.ok(change);
  return change;
}
