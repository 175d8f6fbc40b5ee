#!/usr/bin/env bash
# An unquoted date in a Pulumi stack file reaches the program as a Go timestamp, and integers in their decimal form.
#
# Package: github.com/pulumi/pulumi/sdk/v3 3.270.0 (Go), whose package `config` is what the CLI reads Pulumi.STACK.yaml with
# Behavior: A scalar is decoded to a Go value and printed again, and `config.get()` returns that text. `2026-01-01` becomes a timestamp
#   with a time zone, `0777` the decimal number of an octal one, `1_000` loses its underscore. YAML 1.2, by which editors and linters
#   read the same file, has no octal of that form and no underscores in numbers. `yes` stays text, though YAML 1.1 has it for a boolean.
#   Quotes keep all of them as written.
# Output seen (2026-11-28):
#   day: 2026-01-01 00:00:00 +0000 UTC
#   mode: 511
#   count: 1000
#   flag: yes
#   quoted: 2026-01-01
# Source: https://github.com/pulumi/pulumi/blob/v3.270.0/sdk/go/common/resource/config/value.go
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > Pulumi.dev.yaml <<'YAML'
config:
  finding:day: 2026-01-01
  finding:mode: 0777
  finding:count: 1_000
  finding:flag: yes
  finding:quoted: "2026-01-01"
YAML
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"gopkg.in/yaml.v3"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	var file struct {
		Config config.Map `yaml:"config"`
	}
	if err := yaml.Unmarshal(must(os.ReadFile("Pulumi.dev.yaml")), &file); err != nil {
		panic(err)
	}
	for _, name := range []string{"day", "mode", "count", "flag", "quoted"} {
		value, _, err := file.Config.Get(config.MustMakeKey("finding", name), false)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", name, must(value.Value(config.NopDecrypter)))
	}
}
GO
printf 'module finding\n\ngo 1.24\n' > go.mod
go get github.com/pulumi/pulumi/sdk/v3/go/common/resource/config@v3.270.0 gopkg.in/yaml.v3@v3.0.1 2>go.log ||
  { cat go.log; exit 1; }

seen=$(go run .)
echo "$seen"
expected='day: 2026-01-01 00:00:00 +0000 UTC
mode: 511
count: 1000
flag: yes
quoted: 2026-01-01'
[ "$seen" = "$expected" ] || { echo "changed"; exit 1; }
