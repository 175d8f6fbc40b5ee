// Builds the record that all collectors of this project send, in ECMAScript 5 for Filebeat's interpreter.
//
// The renderer (configuration.ts) prepends the pipeline's settings, as `var settings = {…};`:
//   pod         an application's { namespace, name, container, team, app }, "" for no team or app; null on a node
//   optOut      annotation that excludes a pod if it is "true", "on" or "yes", with "_" for its dots
//   required    labels that a pod must have: [{ key, value }], with "_" for the dots of a key
//   teams       teams of namespaces not named TEAM-team: [namespace, team] of each
//   keepLabels  whether the record has the pod's labels
//   safeNames   whether dots in field names are replaced
//   splitBy     what an index is split by: "team", "namespace" or "app"; null if not split
//   thin        rules that drop lines, for createThinner of logagent/processing.cjs, which is then prepended too; absent if none
//   added       fields added to each record; absent if none
// The program that masks lines, which runs first, gets only:
//   redact      rules for createRedactor
// See https://www.elastic.co/docs/reference/beats/filebeat/processor-script

var redacted = settings.redact ? createRedactor(settings.redact) : null;
var isThinned = settings.thin ? createThinner(settings.thin) : null;

function process(event) {
  var line = event.Get("message");
  if (line === null) line = "";
  if (redacted !== null) {
    event.Put("message", redacted(line));
    return;
  }
  var origin = settings.pod === null ? fromPath(event) : fromPod(event);
  if (origin === null || (isThinned !== null && isThinned(lineOf(event, line, origin)))) {
    event.Cancel();
    return;
  }
  event.Delete("node_name");
  event.Delete("kubernetes");
  event.Put("kubernetes", origin.kubernetes);
  event.Delete("log");
  event.Put("log", line);
  if (origin.team !== "") event.Put("team", origin.team);
  // Only if a name may contain a dot, which JSON may also escape: walking through all fields takes time.
  var hasDot = settings.safeNames && /(\.|\\u002e)([^"\\]|\\.)*"\s*:/i.test(line);
  var fields = hasDot || /""\s*:/.test(line) ? event.Get("fields") : null;
  if (fields !== null) event.Put("fields", withSafeNames(fields));
  for (var name in settings.added) event.Put(name, settings.added[name]);
  if (settings.splitBy !== null) event.Put("@metadata.split", splitOf(origin));
}

// Input of rules. A line that is read again has the same id, and so is kept or dropped again.
function lineOf(event, line, origin) {
  return {
    log: line,
    namespace: origin.kubernetes.namespace_name,
    stream: event.Get("stream"),
    labels: origin.labels,
    fields: event.Get("fields"),
    thousandth: parseInt(String(event.Get("@metadata._id")).slice(0, 8), 16) % 1000
  };
}

// From the file's path: the API may not know a new pod yet when its first line is read.
function fromPath(event) {
  var known = event.Get("kubernetes") || {};
  var labels = known.labels || {};
  var annotations = known.annotations || {};
  if (/^(?:true|on|yes)$/i.test(annotations[settings.optOut] || "")) return null;
  var missing = settings.required.filter(function (label) {
    return labels[label.key] !== label.value;
  });
  if (missing.length > 0) return null;
  var folders = event.Get("log.file.path").split("/");
  var pod = folders[folders.length - 3].split("_");
  var kubernetes = {
    namespace_name: pod[0],
    pod_name: pod[1],
    container_name: folders[folders.length - 2],
    host: event.Get("node_name")
  };
  if (settings.keepLabels && known.labels) kubernetes.labels = labels;
  return { kubernetes: kubernetes, labels: labels, team: teamOf(pod[0]) };
}

function teamOf(namespace) {
  var named = settings.teams.filter(function (pair) {
    return pair[0] === namespace;
  });
  if (named.length > 0) return named[0][1];
  return /.-team$/.test(namespace) ? namespace.slice(0, -5) : "";
}

function fromPod(event) {
  var pod = settings.pod;
  var labels = pod.app === "" ? {} : { "app_kubernetes_io/name": pod.app };
  var kubernetes = {
    namespace_name: pod.namespace,
    pod_name: pod.name,
    container_name: pod.container,
    host: event.Get("node_name")
  };
  if (settings.keepLabels && pod.app !== "") kubernetes.labels = labels;
  return { kubernetes: kubernetes, labels: labels, team: pod.team };
}

// A search engine reads a dot in a name as a path, and rejects "a" beside "a.b". Filebeat cannot read its queue beyond an empty name,
// so that later lines would be lost too.
function withSafeNames(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withSafeNames);
  var made = {};
  for (var key in value) made[safeName(key)] = withSafeNames(value[key]);
  return made;
}

function safeName(key) {
  if (key === "") return "_";
  return settings.safeNames ? key.replace(/\./g, "_") : key;
}

// As safeIndexPart in index-format.ts.
function splitOf(origin) {
  var value = {
    team: origin.team,
    namespace: origin.kubernetes.namespace_name,
    app: origin.labels["app_kubernetes_io/name"] || origin.labels.app
  }[settings.splitBy];
  var safe = String(value || "none")
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 63);
  return safe === "" ? "none" : safe;
}
