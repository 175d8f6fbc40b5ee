import { z } from "zod";
import { integer, string } from "../schema/values.ts";

const ObjectName = string(
  /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
  "the name of a Kubernetes object, such as coredns: lower-case letters, digits, '-' and '.'",
);

/** A CoreDNS that runs already and is not an EKS add-on: what of it this stack manages. */
export const AdoptSettings = z.strictObject({
  namespace: ObjectName.default("kube-system").describe("Namespace of CoreDNS. Default kube-system."),
  configMap: ObjectName.default("coredns").describe("ConfigMap with the key Corefile. Default coredns."),
  deployment: ObjectName.optional().describe("Deployment to manage too. Default: none, only the Corefile is managed."),
  container: ObjectName.default("coredns").describe("Container of CoreDNS in the Deployment. Default coredns."),
  version: string(/^\d+\.\d+\.\d+$/, "a version of CoreDNS, such as 1.14.3")
    .optional()
    .describe("CoreDNS version that the Corefile is checked against. Default: the newest that is known here."),
  terminationGracePeriodSeconds: integer(0, 3600)
    .default(30)
    .describe("Grace period of the pods, which `lameduck` must fit into. Default 30."),
  force: z
    .boolean()
    .default(false)
    .describe("Overwrite fields that another tool manages. Default false: `pulumi up` reports them as conflicts."),
});
export type AdoptSettings = z.infer<typeof AdoptSettings>;
