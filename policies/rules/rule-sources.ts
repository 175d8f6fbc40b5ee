import type { Source } from "../core/rule.ts";

/** A recommendation of the CIS Amazon EKS Benchmark v1.8.0, whose text requires a login. */
export function cis(number: string): Source {
  return { id: `CIS EKS 1.8.0, ${number}`, url: "https://www.cisecurity.org/benchmark/kubernetes" };
}

/** A control of the Pod Security Standards, by level and name. */
export function podSecurity(level: "Baseline" | "Restricted", control: string): Source {
  return {
    id: `Pod Security 1.36 ${level}: ${control}`,
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
  };
}

/** A page of the AWS documentation, by path. */
export function aws(title: string, path: string): Source {
  return { id: `AWS: ${title}`, url: `https://docs.aws.amazon.com/${path}` };
}

/** A page of the Kubernetes documentation, by path. */
export function kubernetes(title: string, path: string): Source {
  return { id: `Kubernetes: ${title}`, url: `https://kubernetes.io/docs/${path}` };
}

/** A page of the Fluent Bit manual, by path. */
export function fluentBit(title: string, path: string): Source {
  return { id: `Fluent Bit: ${title}`, url: `https://docs.fluentbit.io/manual/${path}` };
}

/** A plugin of CoreDNS. */
export function coreDns(plugin: string): Source {
  return { id: `CoreDNS: ${plugin}`, url: `https://coredns.io/plugins/${plugin}/` };
}
