/** A text as messages show it. */
const shown = (text: string) => (text.length > 100 ? `${JSON.stringify(text).slice(0, 77)}…` : JSON.stringify(text));

/** Settings as they stand in a stack's file, and what is said of them, a line each. */
export const INVALID_SETTINGS: readonly (readonly [settings: string, ...lines: string[]])[] = [
  // Keys
  [
    "logs: {collector: vector}",
    "logs: unknown key, must be one of cluster, dns, teams, curlPods, curlPod, logging, monitoring, extends",
  ],
  [
    "{cluster.kind: eks, 'teams[0].name': ts, clusters.kind: eks}",
    "[\"cluster.kind\"]: unknown key, must be within cluster, as by `pulumi config set --path 'cluster.kind'`",
    "[\"teams[0].name\"]: unknown key, must be within teams, as by `pulumi config set --path 'teams[0].name'`",
    '["clusters.kind"]: unknown key, must be one of cluster, dns, teams, curlPods, curlPod, logging, monitoring, extends',
  ],
  ["eks-dns-loging:teams: []", "eks-dns-loging:teams: unknown namespace, must be eks-dns-logging:teams"],
  [
    "teams: [{name: ts, nmae: x}]",
    "teams[0].nmae: unknown key, must be one of name, peers, members, memberRoles, podIdentity, namespaces, podSecurity, ingress, egress, labels, quota, limits",
  ],
  [
    "teams: [{name: ts, labels: {a b: c, team: x}}]",
    'teams[0].labels["a b"]: key must be a Kubernetes label key, such as app.kubernetes.io/part-of',
    "teams[0].labels.team: key must not be 'team' or under kubernetes.io, since this program sets those",
  ],
  ["logging: {sources: [pods, pods]}", 'logging.sources[1]: must be unique (found "pods")'],
  [
    "logging: {destinations: {a: {kind: stdout}}, routes: [{to: [a, a]}]}",
    'logging.routes[0].to[1]: must be unique (found "a")',
  ],
  [
    "logging: {processing: {redact: [email, jwt, email]}}",
    'logging.processing.redact[2]: must be unique (found "email")',
  ],
  [
    "cluster: {kind: eks, tags: {Team: a, team: b, TEAM: c, owner: d}}",
    "cluster.tags: Team and team differ only in case, and IAM treats them as the same tag of a role",
    "cluster.tags: Team and TEAM differ only in case, and IAM treats them as the same tag of a role",
  ],
  [
    "{extends: environments/none.yaml, cluster: {kind: eks-existing}, teams: [{name: TS}]}",
    'extends: must be a file that exists, relative to the project\'s folder (found "environments/none.yaml")',
    "teams[0].name: must be a string of lower-case letters, digits and '-' that starts with a letter and does not end with '-' (found \"TS\")",
  ],
  // What `lab` cannot read
  ["teams: (encrypted)", "teams: must be an array (found an encrypted value, which only Pulumi reads)"],
  // Kinds of value
  ["cluster: null", "cluster: must be an object whose kind is one of eks, eks-existing, existing (found null)"],
  ["cluster: eks", 'cluster: must be an object whose kind is one of eks, eks-existing, existing (found "eks")'],
  [
    "logging: {destination: s3}",
    'logging.destination: must be an object whose kind is one of stdout, file, http, opensearch, elasticsearch, cloudwatch, s3, loki, otlp, splunk, firehose, kafka (found "s3")',
  ],
  ["teams: ts", 'teams: must be an array (found "ts")'],
  [
    "teams: [ts, sa]",
    'teams[0]: must be an object whose keys are among name, peers, members, memberRoles, podIdentity, namespaces, podSecurity, ingress, egress, labels, quota, limits (found "ts")',
    'teams[1]: must be an object whose keys are among name, peers, members, memberRoles, podIdentity, namespaces, podSecurity, ingress, egress, labels, quota, limits (found "sa")',
  ],
  [
    "teams: [null]",
    "teams[0]: must be an object whose keys are among name, peers, members, memberRoles, podIdentity, namespaces, podSecurity, ingress, egress, labels, quota, limits (found null)",
  ],
  ["teams: [{name: ts, peers: [7]}]", "teams[0].peers[0]: must be a string (found 7)"],
  [
    "logging: {metadata: {accountId: 123456789012}, processing: {fields: {env: true}}}",
    "logging.processing.fields.env: must be a quoted string of 1 to 128 letters, digits and . _ : / @ - (found true)",
    "logging.metadata.accountId: must be a quoted string of 12 digits (found 123456789012)",
  ],
  [
    "teams: [{name: ts, podSecurity: {level: baseline}}]",
    "teams[0].podSecurity.reason: must say why, in at least 10 characters, but is not set",
  ],
  // The first may be the team that the second one names.
  [
    "teams: [ts, {name: sa, peers: [ts]}]",
    'teams[0]: must be an object whose keys are among name, peers, members, memberRoles, podIdentity, namespaces, podSecurity, ingress, egress, labels, quota, limits (found "ts")',
  ],
  [
    "curlPod: null",
    "curlPod: must be an object whose keys are among lifetime, ndots, image, responderImage (found null)",
  ],
  [
    "dns:",
    "dns: must be false, which leaves it out, or an object whose keys are among addonVersion, replicas, autoscaling, resources, podDisruptionBudget, topologySpread, affinity, nodeSelector, tolerations, podLabels, podAnnotations, computeType, topologyMode, corefile, clusterDns, clusterSize, conflicts, preserve, adopt, timeouts, nodeLocalCache (found null)",
  ],
  [
    "logging: true",
    "logging: must be false, which leaves it out, or an object whose keys are among collector, mode, namespace, sidecar, sources, events, destination, destinations, routes, index, namespaces, labels, multiline, parseJson, processing, metadata, buffer, resources, image (found true)",
  ],
  [
    "curlPod: {image: null}",
    "curlPod.image: must be an image with a fixed tag or a digest, such as 'docker.io/curlimages/curl:8.17.0', but not ':latest' (found null)",
  ],
  [
    "cluster: {kind: eks, version: 1.35}",
    "cluster.version: must be a quoted string, one of 1.34, 1.35, 1.36 (found 1.35)",
  ],
  [
    "cluster: {kind: eks, vpc: {cidr: 7}}",
    "cluster.vpc.cidr: must be a private IPv4 CIDR block, such as 10.0.0.0/16 (found 7)",
  ],
  [
    "cluster: {kind: eks, nodeGroups: [{name: a, taints: [{key: a, value: 7, effect: PreferNoSchedule}]}]}",
    "cluster.nodeGroups[0].taints[0].value: must be a quoted string of up to 63 letters, digits, '-', '_' and '.' (found 7)",
  ],
  [
    "teams: [{name: ts, quota: {requests.cpu: 2}}]",
    "teams[0].quota[\"requests.cpu\"]: must be a quoted quantity of CPU, such as '500m' or '2' (found 2)",
  ],
  [
    "teams: [{name: ts, limits: {cpuRequest: 64Mi, memoryLimit: 512m}}]",
    "teams[0].limits.cpuRequest: must be a quoted quantity of CPU, such as '500m' or '2' (found \"64Mi\")",
    "teams[0].limits.memoryLimit: must be a quoted quantity of bytes, such as '128Mi' or '2Gi' (found \"512m\")",
  ],
  // Numbers
  [
    "curlPod: {lifetime: 5}",
    "curlPod.lifetime: must be an integer of seconds from 60 to 31536000 (a year), or 'infinity' (found 5)",
  ],
  [
    "curlPod: {lifetime: 1e9}",
    "curlPod.lifetime: must be an integer of seconds from 60 to 31536000 (a year), or 'infinity' (found 1000000000)",
  ],
  [
    'curlPod: {lifetime: "3600"}',
    "curlPod.lifetime: must be an integer of seconds from 60 to 31536000 (a year), or 'infinity' (found \"3600\")",
  ],
  [
    "curlPod: {lifetime: Infinity}",
    "curlPod.lifetime: must be an integer of seconds from 60 to 31536000 (a year), or 'infinity' (found \"Infinity\")",
  ],
  ["curlPod: {ndots: 16}", "curlPod.ndots: must be an integer from 1 to 15 (found 16)"],
  ["curlPod: {ndots: 2.5}", "curlPod.ndots: must be an integer from 1 to 15 (found 2.5)"],
  ["dns: {replicas: 0}", "dns.replicas: must be an integer from 1 to 1000 (found 0)"],
  [
    "dns: {clusterSize: {nodes: many, pods: 1, services: 1}}",
    'dns.clusterSize.nodes: must be an integer of at least 1 (found "many")',
  ],
  [
    "cluster: {kind: eks, vpc: {zones: 9}}",
    "cluster.vpc.zones: must be an integer from 2 to 6, or that many zones by name, such as [eu-central-1a, eu-central-1b] (found 9)",
  ],
  [
    "cluster: {kind: eks, vpc: {zones: two}}",
    'cluster.vpc.zones: must be an integer from 2 to 6, or that many zones by name, such as [eu-central-1a, eu-central-1b] (found "two")',
  ],
  ["teams: [{name: ts, quota: {pods: 0}}]", "teams[0].quota.pods: must be an integer of at least 1 (found 0)"],
  // Lengths
  ["teams: [{name: ts, members: ['']}]", 'teams[0].members[0]: must have at least 1 character (found "")'],
  [
    "dns: {corefile: {options: {hosts: {entries: [{address: 10.0.0.1, names: []}]}}}}",
    "dns.corefile.options.hosts.entries[0].names: must have at least 1 item (found [])",
  ],
  // An empty list that would allow everything
  [
    "teams: [{name: ts, ingress: [{namespaces: [web], ports: []}], egress: [{cidrs: [10.0.0.0/8], ports: []}]}]",
    "teams[0].ingress[0].ports: must not be empty, which would allow all ports (found [])",
    "teams[0].egress[0].ports: must not be empty, which would allow all ports (found [])",
  ],
  [
    "cluster: {kind: eks, accessEntries: [{principalArn: 'arn:aws:iam::111122223333:role/a', policy: AmazonEKSAdminPolicy, namespaces: []}]}",
    "cluster.accessEntries[0].namespaces: must not be empty, which would give access to all namespaces (found [])",
  ],
  // What contradicts
  [
    "teams: [{name: ts, limits: {memoryRequest: 256Mi, memoryLimit: 0.2G}}]",
    "teams[0].limits: memoryRequest (256Mi) must not exceed memoryLimit (0.2G), or Kubernetes refuses the LimitRange",
  ],
  [
    "teams: [{name: ts, limits: {maxMemory: 100Mi}}]",
    "teams[0].limits: memoryLimit (128Mi) must not exceed maxMemory (100Mi), or Kubernetes refuses the LimitRange",
  ],
  [
    "logging: {resources: {memory: 1Gi}}",
    "logging.resources: memory (1Gi) must not exceed memoryLimit (512Mi), or Kubernetes refuses the pod",
  ],
  [
    "logging: {resources: {memoryLimit: 32Mi}}",
    "logging.resources: memory (64Mi) must not exceed memoryLimit (32Mi), or Kubernetes refuses the pod",
  ],
  [
    "dns: {resources: {requests: {cpu: '2', memory: 1Gi}, limits: {cpu: '1'}}}",
    "dns.resources: requests.cpu (2) must not exceed limits.cpu (1), or Kubernetes refuses the pod",
    "dns.resources: requests.memory (1Gi) must not exceed limits.memory (170Mi), or Kubernetes refuses the pod",
  ],
  [
    "teams: [{name: ts}, {name: sa, quota: {requests.cpu: 10m, limits.memory: 100Mi}, limits: {memoryLimit: 32Mi, maxMemory: 32Mi}}]",
    'teams[1].quota["requests.cpu"]: must be at least 20m, for the curl pod (found "10m")',
    'teams[1].quota["limits.memory"]: must be at least 128Mi, for the curl pod (found "100Mi")',
    'teams[1].limits.maxMemory: must be at least 64Mi, for a container of the curl pod (found "32Mi")',
  ],
  [
    JSON.stringify({
      logging: { mode: "sidecar" },
      teams: [{ name: "ts", quota: { "requests.cpu": "60m" }, limits: { maxMemory: "256Mi" } }],
    }),
    'teams[0].quota["requests.cpu"]: must be at least 70m, for the curl pod (found "60m")',
    'teams[0].limits.maxMemory: must be at least 512Mi, for a container of the curl pod (found "256Mi")',
  ],
  // Names
  [
    "logging: {namespaces: {include: [Kube_System, logging, ts-team], exclude: [ts-team]}}",
    "logging.namespaces.include[0]: must be the name of a namespace: up to 63 lower-case letters, digits and '-' (found \"Kube_System\")",
  ],
  [
    "logging: {namespaces: {include: [kube-system, logging, ts-team], exclude: [ts-team]}}",
    'logging.namespaces.include[1]: must not be the collector\'s own namespace, which is never read (found "logging")',
    'logging.namespaces.include[2]: must not be in exclude as well (found "ts-team")',
  ],
  [
    "logging: {labels: {app: 5, a/b/c: x}}",
    "logging.labels.app: must be a label value: a quoted string of 1 to 63 letters, digits, '-', '_' and '.' (found 5)",
    'logging.labels["a/b/c"]: key must be a label key, such as app or app.kubernetes.io/name',
  ],
  [
    `teams: [{name: ts, labels: {${"a".repeat(64)}: x, a..b/c: x}}]`,
    "teams[0].labels.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: key must be a Kubernetes label key, such as app.kubernetes.io/part-of",
    'teams[0].labels["a..b/c"]: key must be a Kubernetes label key, such as app.kubernetes.io/part-of',
  ],
  [
    "teams: [{name: ts-}]",
    "teams[0].name: must be a string of lower-case letters, digits and '-' that starts with a letter and does not end with '-' (found \"ts-\")",
  ],
  // Beside another issue of the same section
  [
    "logging: {collector: promtail, buffer: {size: 4G}, lables: {a: b}}",
    "logging.buffer.size: must be a size in Mi or Gi, such as '512Mi' or '2Gi' (found \"4G\")",
    "logging.lables: unknown key, must be one of collector, mode, namespace, sidecar, sources, events, destination, destinations, routes, index, namespaces, labels, multiline, parseJson, processing, metadata, buffer, resources, image",
    'logging.destination.kind: must be loki with Promtail: Promtail sends to Loki only (found "stdout")',
  ],
  [
    "dns: {replicas: 0, corefile: {options: {reload: {interval: 1s}}}}",
    "dns.replicas: must be an integer from 1 to 1000 (found 0)",
    'dns.corefile.options.reload.interval: must be at least 2s (found "1s")',
  ],
  [
    "dns: {corefile: {options: {hosts: {entries: [{address: 10.0.0.9, names: ['*.corp.example', 'a b']}]}}}}",
    'dns.corefile.options.hosts.entries[0].names[0]: must be a name without *: for all names below a domain, use rewrite, which leads them to a Service (found "*.corp.example")',
    "dns.corefile.options.hosts.entries[0].names[1]: must be a domain, such as 'corp.example.com' (found \"a b\")",
  ],
  [
    "dns: {corefile: {text: '.:53 {'}}",
    "dns.corefile.text: CoreDNS cannot run this Corefile: line 1: the text ends before a closing brace",
  ],
  [
    'dns: {corefile: {text: ".:53 {\\n errors\\n"}}',
    "dns.corefile.text: CoreDNS cannot run this Corefile: line 2: the text ends before a closing brace",
  ],
  // Beside another issue of the same object
  [
    "dns: {corefile: {options: {cache: {ttl: 0}, upstreams: [dns.example.com], reload: {interval: 1s}}}}",
    "dns.corefile.options.cache.ttl: must be an integer from 1 to 3600 (found 0)",
    'dns.corefile.options.upstreams[0]: must be an IP address with an optional port (10.0.0.2, 10.0.0.2:5353, [fd00::2]:53), tls://ADDRESS, or a file; dns.example.com is none of these, and names are not looked up (found "dns.example.com")',
    'dns.corefile.options.reload.interval: must be at least 2s (found "1s")',
  ],
  // Beside one that keeps the schema from comparing settings
  [
    "dns: {podAnnotations: {a b: c}, podLabels: {k8s-app: other}, replicas: 2, autoscaling: {}}",
    'dns.podAnnotations["a b"]: key must be an annotation key, such as owner or example.com/owner',
    'dns.podLabels.k8s-app: must be kube-dns, by which the Deployment of CoreDNS selects its pods (found "other")',
    "dns: replicas and autoscaling are mutually exclusive",
  ],
  [
    "teams: [{name: ts, labels: {a: 5}, limits: {maxMemory: 32Mi, memoryLimit: 16Mi, memoryRequest: 8Mi}}, {name: sa, quota: {requests.cpu: 10m}}]",
    "teams[0].labels.a: must be a Kubernetes label value: a quoted string of at most 63 letters, digits, '-', '_' and '.' (found 5)",
    'teams[0].limits.maxMemory: must be at least 64Mi, for a container of the curl pod (found "32Mi")',
    'teams[1].quota["requests.cpu"]: must be at least 20m, for the curl pod (found "10m")',
  ],
  [
    "cluster: {kind: eks, name: a b, version: '1.34', addons: {vpcCni: v1, kubeProxy: v1.37.0-eksbuild.1}}",
    "cluster.name: must be a string of 1 to 100 letters, digits, '-' and '_', starting with a letter or digit (found \"a b\")",
    'cluster.addons.vpcCni: must be a version of the add-on, such as v1.22.4-eksbuild.3 (found "v1")',
    'cluster.addons.kubeProxy: must be a version from v1.31 to v1.34 with cluster.version 1.34, since kube-proxy is never newer than the control plane, and at most three minor versions older (found "v1.37.0-eksbuild.1")',
  ],
  // CoreDNS's version follows from a cluster with another issue
  [
    "{cluster: {kind: eks, name: a b, version: '1.34'}, dns: {addonVersion: v1.9.3-eksbuild.15}}",
    "cluster.name: must be a string of 1 to 100 letters, digits, '-' and '_', starting with a letter or digit (found \"a b\")",
  ],
  // What is read does not depend on where it is sent
  [
    "logging: {destination: {kind: lok}, sources: [kernel], namespaces: {include: [a], exclude: [a]}, processing: {drop: [{teams: [x]}]}}",
    'logging.destination.kind: must be one of stdout, file, http, opensearch, elasticsearch, cloudwatch, s3, loki, otlp, splunk, firehose, kafka (found "lok")',
    'logging.processing.drop[0].teams[0]: must be the name of a team, one of ts, sa (found "x")',
    'logging.sources: must contain pods (found ["kernel"])',
    'logging.namespaces.include[0]: must not be in exclude as well (found "a")',
  ],
  // A route may name the source whose name is wrong
  [
    "logging: {sources: [pods, kernl], destinations: {a: {kind: stdout}}, routes: [{to: [a], sources: [kernel]}]}",
    'logging.sources[1]: must be one of pods, kubelet, containerd, kernel, auth, events, audit, auto-mode (found "kernl")',
  ],
  [
    "{logging: {buffer: {size: many}}, monitoring: {kind: annotations, canary: {lossAfter: 1, outsideName: web.cluster.local}}}",
    "logging.buffer.size: must be a size in Mi or Gi, such as '512Mi' or '2Gi' (found \"many\")",
    "monitoring.canary.lossAfter: must be an integer from 60 to 3600 (found 1)",
    'monitoring.canary.outsideName: must be a name outside the cluster\'s domain cluster.local (found "web.cluster.local")',
  ],
  // One on which the others hang hides what it would make wrong
  [
    "logging: {collector: promtial, labels: [a]}",
    'logging.collector: must be one of fluent-bit, fluentd, filebeat, vector, promtail, logagent, tail, opentelemetry (found "promtial")',
    'logging.labels: must be an object (found ["a"])',
  ],
  // What must not be shown, nor stand in a ConfigMap
  [
    "logging: {destination: {kind: http, url: 'https://me:hunter2@logs.example.com/in'}}",
    'logging.destination.url: must be a URL without user and password, which belong in credentials (found "https://…@logs.example.com/in")',
  ],
  ...["token", "dd-api-key", "api_key", "Api-Key", "access_token", "apikey", "client_secret"].map(
    (name): [string, string] => [
      `logging: {destination: {kind: http, url: 'https://logs.example.com/in?a=1&${name}=hunter2&b=2'}}`,
      `logging.destination.url: must be a URL without a password, key or token in its query, which belongs in headers, token or credentials (found "https://logs.example.com/in?a=1&${name}=…&b=2")`,
    ],
  ),
  [
    "logging: {destination: {kind: loki, url: 'https://logs.example.com/in?token=hunter2'}}",
    'logging.destination.url: must be a URL without a path, such as http://loki.monitoring.svc:3100, since each collector adds its own (found "https://logs.example.com/in?token=…")',
  ],
  ...["a..b", "-a", "a.", "A", "a".repeat(254)].map(
    (name) =>
      [
        `logging: {destination: {kind: loki, url: "https://loki.example", credentials: {secretName: ${name}}}}`,
        `logging.destination.credentials.secretName: must be the name of a Kubernetes Secret: up to 253 lower-case letters, digits, '-' and '.' (found ${shown(name)})`,
      ] as const,
  ),
  ...["..", "..a", ".", "a b", "a".repeat(254)].map(
    (key) =>
      [
        `logging: {destination: {kind: loki, url: "https://loki.example", token: {secretName: a, key: "${key}"}}}`,
        `logging.destination.token.key: must be a key of the Secret: up to 253 letters, digits, '-', '_' and '.', but not starting with '..' (found ${shown(key)})`,
      ] as const,
  ),
  [
    "dns: {podAnnotations: {a..b/c: d}}",
    'dns.podAnnotations["a..b/c"]: key must be an annotation key, such as owner or example.com/owner',
  ],
  [
    "logging: {destination: {kind: opensearch, host: a.example, credentials: {secretName: a, password: hunter2}}}",
    "logging.destination.credentials.password: unknown key, must be one of secretName, usernameKey, passwordKey",
  ],
  [
    "logging: {destination: {kind: loki, url: 'http://loki:3100', credentials: [{password: hunter2}]}}",
    'logging.destination.credentials: must be an object whose keys are among secretName, usernameKey, passwordKey (found [{"password":"(not shown)"}])',
  ],
  [
    "logging: {destination: {kind: loki, url: 'http://loki:3100/loki/api/v1/push'}}",
    'logging.destination.url: must be a URL without a path, such as http://loki.monitoring.svc:3100, since each collector adds its own (found "http://loki:3100/loki/api/v1/push")',
  ],
];
