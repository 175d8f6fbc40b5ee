#!/usr/bin/env bash
# The Kubernetes client for JavaScript mounts a private key with the permissions 0620 where the manifest says 0400.
#
# Packages: @kubernetes/client-node 2.0.1 (npm), on Node.js 24.21.0; sigs.k8s.io/yaml v1.6.0 (Go module), by which kubectl reads manifests
# Behavior: a leading zero means octal in YAML 1.1, by which Kubernetes reads manifests. loadYaml and loadAllYaml read YAML 1.2, where 0400 is four
#   hundred. The API takes every mode up to 0777, which is 511: so 0400 (400, 0620 in octal) and 0440 are accepted, as a file that its group
#   may write, and a program such as ssh refuses the key. 0644, which is above the limit, is refused. A mode as 0o400 or 256 is the same to both.
# Output seen (2026-11-30): 0400: kubectl 256 (0400), loadYaml 400 (0620); 0440: kubectl 288 (0440), loadYaml 440 (0670);
#   0644: kubectl 420 (0644), loadYaml 644 (01204)
# Source: https://github.com/kubernetes-client/javascript/blob/2.0.1/src/yaml.ts, against
#   https://kubernetes.io/docs/concepts/configuration/secret/#secret-files-permissions (defaultMode: 0400) and
#   https://github.com/kubernetes/api/blob/v0.37.1/core/v1/types.go (SecretVolumeSource: "YAML accepts both octal and decimal values")
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
# The client needs Node.js 22 or newer; this package brings it.
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1 node@24.21.0
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { loadYaml } from "@kubernetes/client-node";
console.log(loadYaml(readFileSync(process.argv[2], "utf8")).spec.volumes[0].secret.defaultMode);
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var pod struct {
		Spec struct {
			Volumes []struct{ Secret struct{ DefaultMode int32 } }
		}
	}
	if err := yaml.UnmarshalStrict(text, &pod); err != nil {
		panic(err)
	}
	fmt.Println(pod.Spec.Volumes[0].Secret.DefaultMode)
}
GO
go mod init finding >/dev/null 2>&1
go get sigs.k8s.io/yaml@v1.6.0 >/dev/null 2>&1
go build -o read .

# Fails unless both read the mode so.
expect() { # mode, by kubectl, by the client
  printf 'spec:\n  volumes:\n    - secret: { defaultMode: %s }\n' "$1" > pod.yaml
  kubectl=$(./read pod.yaml)
  client=$(node_modules/.bin/node read.mjs pod.yaml)
  printf '%s: kubectl %d (0%o), loadYaml %d (0%o)\n' "$1" "$kubectl" "$kubectl" "$client" "$client"
  [ "$kubectl $client" = "$2 $3" ] || { echo "changed: see the line above"; exit 1; }
}
expect 0400 256 400
expect 0440 288 440
expect 0644 420 644
expect 0o400 256 256
