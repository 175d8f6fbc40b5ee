#!/usr/bin/env bash
# The OpenTelemetry Collector drops blanks inside a long line, where the container runtime split it.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver v0.156.0 (Go module)
# Behavior: a runtime splits a line every 16 KiB, wherever that is, and marks the parts with P. The receiver trims blanks and tabs at the end of each
#   line of the file before the operator `container` joins the parts, so that blanks at a split are gone: two words become one, a text of JSON has
#   another value, and the columns of a table shift. A part of blanks alone is lost whole. Beside this a line loses the blanks at its own end, which its
#   documentation says, and that blanks in front stay is due to the runtime's time before them. `preserve_trailing_whitespaces: true` keeps all.
# Output seen (2026-11-30): default: "{\"query\": \"select afrom b\"}"; preserved: "{\"query\": \"select a   from b\"}"
#   default: "fatal: noroute to host"; preserved: "fatal: no route to host"
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/receiver/filelogreceiver/README.md
#   (preserve_trailing_whitespaces), against https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/docs/operators/container.md
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
# As after the first 16 KiB of longer lines.
printf '%s\n' \
  '2026-11-30T10:00:00.1Z stdout P {"query": "select a ' \
  '2026-11-30T10:00:00.1Z stdout P   ' \
  '2026-11-30T10:00:00.1Z stdout F from b"}' \
  '2026-11-30T10:00:00.2Z stdout P fatal: no ' \
  '2026-11-30T10:00:00.2Z stdout F route to host' > 0.log
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// The lines that the receiver makes of the file.
func read(preserve bool) (lines []string) {
	factory := filelogreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	options := map[string]any{
		"include":   []any{"0.log"},
		"start_at":  "beginning",
		"operators": []any{map[string]any{"type": "container", "add_metadata_from_filepath": false}},
	}
	if preserve {
		options["preserve_trailing_whitespaces"] = true
	}
	must(confmap.NewFromStringMap(options).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	receiver, err := factory.CreateLogs(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(receiver.Start(context.Background(), componenttest.NewNopHost()))
	for tries := 0; sink.LogRecordCount() < 2 && tries < 100; tries++ {
		time.Sleep(100 * time.Millisecond)
	}
	must(receiver.Shutdown(context.Background()))
	for _, logs := range sink.AllLogs() {
		records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := range records.Len() {
			lines = append(lines, records.At(i).Body().Str())
		}
	}
	return lines
}

func main() {
	defaults, preserved := read(false), read(true)
	for i := range defaults {
		fmt.Printf("default: %q; preserved: %q\n", defaults[i], preserved[i])
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o read .

./read | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
default: "{\"query\": \"select afrom b\"}"; preserved: "{\"query\": \"select a   from b\"}"
default: "fatal: noroute to host"; preserved: "fatal: no route to host"
SEEN
