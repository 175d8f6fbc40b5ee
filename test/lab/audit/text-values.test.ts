import assert from "node:assert/strict";
import { objectsIn } from "../../../lab/audit/object-files.ts";

const object = (kind: string, metadata: string, more = "") => {
  const apiVersion = kind === "Deployment" ? "apps/v1" : kind.includes("/") ? kind : "v1";
  return `apiVersion: ${apiVersion}\nkind: ${kind.split("/").at(-1)}\nmetadata: ${metadata}\n${more}`;
};
const deployment = (labels: string, container: string) =>
  object(
    "Deployment",
    "{name: a}",
    `spec: {template: {metadata: {labels: ${labels}}, spec: {containers: [${container}]}}}`,
  );

/** Values that YAML does not read as text, by the field and what the audit says was found. */
const REFUSED: readonly (readonly [text: string, field: string, found: string])[] = [
  [object("Pod", "{name: a, namespace: n}"), "metadata.namespace at line 3", "n, which YAML reads as false"],
  [object("Pod", "{name: 1e3}"), "metadata.name at line 3", "1e3, which YAML reads as 1000"],
  [
    object("Namespace", "{name: a, labels: {team: on}}"),
    "metadata.labels.team at line 3",
    "on, which YAML reads as true",
  ],
  [
    object("ConfigMap", "{name: a}", "data:\n  b: c\n  port: 8080\n"),
    "data.port at line 6",
    "8080, which YAML reads as 8080",
  ],
  [
    deployment("{version: 1.10}", "{}"),
    "spec.template.metadata.labels.version at line 4",
    "1.10, which YAML reads as 1.1",
  ],
  [
    deployment("{}", "{env: [{name: A, value: b}, {name: DB_PORT, value: 12345678}]}"),
    "spec.template.spec.containers.[0].env.[1].value at line 4".replaceAll(".[", "["),
    "12345678, which YAML reads as 12345678",
  ],
  [
    deployment("{}", "{args: [--port, 80]}"),
    "spec.template.spec.containers[0].args[1] at line 4",
    "80, which YAML reads as 80",
  ],
  [
    object("example.com/v1/Shop", "{name: a, labels: {a: yes}}"),
    "metadata.labels.a at line 3",
    "yes, which YAML reads as true",
  ],
  [
    object("List", "{}", `items: [{apiVersion: v1, kind: Pod, metadata: {name: no}}]`),
    "items[0].metadata.name at line 4",
    "no, which YAML reads as false",
  ],
];

/** Values that no message shows, by the field. */
const NOT_SHOWN: readonly (readonly [text: string, field: string])[] = [
  [
    deployment("{}", "{env: [{name: DB_PASSWORD, value: 12345678}]}"),
    "spec.template.spec.containers[0].env[0].value at line 4",
  ],
  [object("Secret", "{name: a}", "data: {pin: 12345678}\n"), "data.pin at line 4"],
  [object("ConfigMap", "{name: a}", "data: {db_password: 12345678}\n"), "data.db_password at line 4"],
  [
    object("List", "{}", "items: [{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {pin: 12345678}}]"),
    "items[0].data.pin at line 4",
  ],
];

/** Values that need no quotes. */
const TAKEN = [
  object("Pod", "{name: 'n', namespace: \"y\", labels: {a: null, b: 'true'}}", "spec: {hostNetwork: no, priority: 1}"),
  object("Ingress", "{name: a, annotations: {buffers: 8}}"),
  object("Service", "{name: a}", "spec: {ports: [{port: 80, targetPort: 8080}]}"),
  object("example.com/v1/Shop", "{name: a}", "spec: {labels: {a: 1}, env: [{name: A, value: 1}]}"),
  object(
    "apiextensions.k8s.io/v1/CustomResourceDefinition",
    "{name: a}",
    "spec: {schema: {properties: {labels: {additionalProperties: true, maxProperties: 3}}}}",
  ),
];

describe("values of manifests that must be strings", () => {
  for (const [text, field, found] of REFUSED)
    it(`are refused as ${field.replace(/ at line.*/, "")} is ${found}`, () =>
      assert.equal(objectsIn(text, "a.yaml"), `${field} must be text in quotes (found ${found})`));

  for (const [text, field] of NOT_SHOWN)
    it(`are not shown where they may be secret: ${field}`, () =>
      assert.equal(objectsIn(text, "a.yaml"), `${field} must be text in quotes (value not shown)`));

  for (const text of TAKEN)
    it(`are taken where each is one, or may be another: ${text.replaceAll("\n", " ")}`, () =>
      assert.equal(typeof objectsIn(text, "a.yaml"), "object"));
});
