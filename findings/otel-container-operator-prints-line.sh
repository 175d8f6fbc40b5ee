#!/usr/bin/env bash
# The OpenTelemetry Collector prints a line that no container runtime wrote in its own log, before any processor can mask it.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza v0.156.0 (Go module)
# Behavior: the operator `container` names the line in the error that it logs. With the default `on_error: send` that is an error in the
#   collector's log, though the line is sent on as it is; with `send_quiet` it is logged at level debug alone.
# Output seen (2026-11-29): error: failed to detect a valid container log format: entry cannot be parsed as container logs: 2026-11-29 password of me: hunter2
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/operator/parser/container/parser.go
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

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/container"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func main() {
	core, logs := observer.New(zap.DebugLevel)
	settings := componenttest.NewNopTelemetrySettings()
	settings.Logger = zap.New(core)
	config := container.NewConfig()
	if len(os.Args) > 1 {
		config.OnError = os.Args[1]
	}
	operator, err := config.Build(settings)
	if err != nil {
		panic(err)
	}
	line := entry.New()
	line.Body = "2026-11-29 password of me: hunter2"
	line.Attributes = map[string]any{"log.file.path": "/var/log/pods/shop_web-0_1/web/0.log"}
	_ = operator.Process(context.Background(), line)
	for _, log := range logs.All() {
		fmt.Printf("%s: %v\n", log.Level, log.ContextMap()["error"])
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o operate .

./operate | tee default.txt
./operate send_quiet | tee quiet.txt
grep -q '^error: .*hunter2' default.txt || { echo "the line is not printed"; exit 1; }
grep -q '^debug: .*hunter2' quiet.txt || { echo "send_quiet does not log it at level debug"; exit 1; }
