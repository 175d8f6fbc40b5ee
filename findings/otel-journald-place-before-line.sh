#!/usr/bin/env bash
# The OpenTelemetry Collector's receiver of the systemd journal saves its position before it passes a line on: a kill in between loses the line.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza v0.156.0 (Go module; the operator journald_input)
# Behavior: for each entry that journalctl prints, the cursor is written to the storage first, and then the entry is passed to the next operator.
#   `retry_on_failure` changes nothing: the position has moved before the first attempt.
# Output seen (2026-11-29): place 1, line 1, place 2, line 2
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/operator/input/journald/input.go (runJournalctl)
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"

# What journalctl prints, of a journal with two entries.
cat > journalctl <<'SH'
#!/bin/sh
for number in 1 2; do
  echo "{\"MESSAGE\":\"line $number\",\"__CURSOR\":\"place $number\",\"__REALTIME_TIMESTAMP\":\"1764380000000000\"}"
done
exec sleep 60
SH
chmod +x journalctl
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/journald"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/pipeline"
)

type places struct{}

func (places) Get(context.Context, string) ([]byte, error) { return nil, nil }
func (places) Delete(context.Context, string) error        { return nil }
func (places) Batch(context.Context, ...*storage.Operation) error { return nil }
func (places) Set(_ context.Context, _ string, value []byte) error {
	fmt.Println(string(value))
	return nil
}

func main() {
	set := component.TelemetrySettings{Logger: zap.NewNop()}
	config := journald.NewConfig()
	config.JournalctlPath = os.Args[1]
	config.StartAt = "beginning"
	end := helper.NewSynchronousLogEmitter(set, func(_ context.Context, entries []*entry.Entry) {
		for _, each := range entries {
			fmt.Println(each.Body.(map[string]any)["MESSAGE"])
		}
	})
	pipe, err := pipeline.Config{Operators: []operator.Config{{Builder: config}}, DefaultOutput: end}.Build(set)
	if err != nil {
		panic(err)
	}
	_ = pipe.Operators()[0].Start(places{})
	time.Sleep(time.Second)
	_ = pipe.Operators()[0].Stop()
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o read .
found=$(./read "$PWD/journalctl" | paste -sd,)
echo "$found"
[ "$found" = "place 1,line 1,place 2,line 2" ]
