#!/usr/bin/env bash
# The OpenTelemetry Collector expands the content of `${file:PATH}` again: `$$` in the file becomes `$`, and a variable in it is replaced too.
# A password that is mounted as a file may change.
#
# Packages: go.opentelemetry.io/collector/confmap and its providers file, env and yaml, v1.62.0 (Go modules; Collector 0.156)
# Behavior: `$$` in the configuration is an escaped `$`. The same is done to the content of a file that the configuration names, which
#   nobody escapes; a single `$` before a letter stays.
# Output seen (2026-11-29): a$b => a$b, a$$b => a$b, a${env:PLACE}b => a-there-b
# Source: https://github.com/open-telemetry/opentelemetry-collector/blob/confmap/v1.62.0/confmap/resolver.go (escapeDollarSigns)
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
)

func main() {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"yaml:password: ${file:" + os.Args[1] + "}"},
		ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
	})
	if err != nil {
		panic(err)
	}
	conf, err := resolver.Resolve(context.Background())
	if err != nil {
		panic(err)
	}
	var read struct {
		Password string `mapstructure:"password"`
	}
	if err := conf.Unmarshal(&read); err != nil {
		panic(err)
	}
	fmt.Println(read.Password)
}
GO
go mod init finding >/dev/null 2>&1
go get go.opentelemetry.io/collector/confmap@v1.62.0 go.opentelemetry.io/collector/confmap/provider/{envprovider,fileprovider,yamlprovider}@v1.62.0 >/dev/null 2>&1
go build -o read .

# Fails unless a file with this password is read as that one.
expect() {
  printf '%s' "$1" > password
  found=$(PLACE=-there- ./read "$PWD/password")
  echo "$1 => $found"
  [ "$found" = "$2" ]
}
expect 'a$b' 'a$b'
expect 'a$$b' 'a$b'
expect 'a${env:PLACE}b' 'a-there-b'
